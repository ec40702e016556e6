"""What a JSON Schema says of a part of a document, where it says something of the whole.

A holder who shows a part of a credential leaves out what the schema requires. The issuer's signature vouches
that all of it is there; what is shown has to be of the right shape all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vcid.encoding.json import JSON

# Keywords by which a value can conform while a part of it does not: they ask for something to be there, count
# from below, or ask that something does not conform.
_OF_THE_WHOLE: Final = frozenset(
    {
        "required",
        "minProperties",
        "minItems",
        "contains",
        "minContains",
        "prefixItems",
        "dependentRequired",
        "dependentSchemas",
        "not",
        "oneOf",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_CONDITION: Final = ("if", "then", "else")
_ONE: Final = frozenset({"items", "additionalProperties", "propertyNames"})
_SEVERAL: Final = frozenset({"allOf", "anyOf"})
_NAMED: Final = frozenset({"properties", "patternProperties", "$defs"})


def relax(schema: JSON) -> JSON:
    """Write the schema to which every selection of a conforming value conforms.

    A selection leaves out members of objects and items of arrays at any depth. The argument is not changed.
    """
    if not isinstance(schema, dict):
        return schema
    left_out = _OF_THE_WHOLE
    if not _asks_for_type_alone(schema.get("if")):
        left_out = left_out.union(_CONDITION)
    if "prefixItems" in schema:
        # The items that follow are told by their place, which changes.
        left_out = left_out | {"items"}
    return {name: _relax_within(name, argument) for name, argument in schema.items() if name not in left_out}


def _relax_within(name: str, argument: JSON) -> JSON:
    if name in _ONE or name in _CONDITION[1:]:
        return relax(argument)
    if name in _SEVERAL and isinstance(argument, list):
        return [relax(each) for each in argument]
    if name in _NAMED and isinstance(argument, dict):
        return {key: relax(each) for key, each in argument.items()}
    return argument


def _asks_for_type_alone(condition: JSON) -> bool:
    """A selection of an object is an object, and one of an array an array: such a condition still decides."""
    return isinstance(condition, dict) and condition.keys() == {"type"}
