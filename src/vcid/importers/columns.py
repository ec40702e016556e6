"""Which column of a table holds which field of a record, stated in full by whoever knows the table.

Nothing is guessed from a header and nothing is dropped in silence: a column that is neither mapped nor named
as ignored is a fault of the header, and a word that a crosswalk doesn't know is a fault of its row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from vcid.credentials.forbidden import is_forbidden
from vcid.importers.stated import check_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vcid.encoding.json import JsonObject
    from vcid.importers.crosswalks import Crosswalk

INTEGER_FIELDS: Final = frozenset({"/birthOrder"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: its header.
        crosswalk: how its words are turned into ours; without one they are taken as they stand.
    """

    name: str
    crosswalk: Crosswalk | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """Where a table keeps the fields of a record.

    Attributes:
        columns: from a field to its column. A field is named by its JSON pointer in the record:
            ``/registration/number``, ``/parents/1/names/0/full``. Items of lists that stay empty close up.
        constants: fields that are the same for every row. Within an item of a list, such as a parent's
            label, they count only where a cell of the item is filled.
        ignored: columns that are left out on purpose.
        delimiter: what separates cells.
    """

    columns: Mapping[str, Column]
    constants: Mapping[str, str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    delimiter: str = ","

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))
        object.__setattr__(self, "constants", MappingProxyType(dict(self.constants)))
        check_fields((*self.columns, *self.constants))
        names = [column.name for column in self.columns.values()]
        if len(set(names)) < len(names):
            raise ValueError("a column is mapped twice")
        if forbidden := [name for name in names if is_forbidden(name)]:
            raise ValueError(f"no credential says these, whatever they are mapped to: {', '.join(forbidden)}")

    def column_of(self, path: str) -> str:
        """Name the column behind a field, or behind the first part of it; the field itself where none is."""
        if path in self.columns:
            return self.columns[path].name
        return next(
            (column.name for known, column in self.columns.items() if known.startswith(f"{path}/")), path
        )


@dataclass(frozen=True, slots=True)
class Tree:
    """A record's fields as plain data, and where in the table each item of a list came from.

    Attributes:
        fields: the plain data.
        moved: pairs of the pointer that an item has now and the one that the column map gave it.
    """

    fields: JsonObject = field(repr=False)
    moved: tuple[tuple[str, str], ...]

    def original(self, path: str) -> str:
        """Return the pointer that the column map uses for a field."""
        for now, before in self.moved:
            if path == now or path.startswith(f"{now}/"):
                return before + path[len(now) :]
        return path


def build_tree(values: Mapping[str, Any]) -> Tree:
    """Arrange values by JSON pointer into objects and lists, closing up the lists."""
    root: dict[str, Any] = {}
    for path, value in values.items():
        *steps, last = path.split("/")[1:]
        node = root
        for step in steps:
            node = node.setdefault(step, {})
        node[last] = value
    moved: list[tuple[str, str]] = []
    fields = {name: _close_up(value, f"/{name}", f"/{name}", moved) for name, value in root.items()}
    # The longest pointer first: an item's name is looked up before the item.
    return Tree(fields, tuple(sorted(moved, key=lambda pair: -len(pair[0]))))


def constants_that_count(cells: Mapping[str, Any], constants: Mapping[str, Any]) -> dict[str, Any]:
    """Choose the constants that count beside a row's filled cells."""
    return {path: value for path, value in constants.items() if _applies(path, cells)}


def _applies(path: str, cells: Mapping[str, Any]) -> bool:
    return all(any(known.startswith(f"{item}/") for known in cells) for item in _items(path))


def _items(path: str) -> Iterator[str]:
    """List the items of lists that a pointer leads through."""
    steps = path.split("/")
    for index, step in enumerate(steps[:-1]):
        if step.isdigit():
            yield "/".join(steps[: index + 1])


def _close_up(value: Any, now: str, before: str, moved: list[tuple[str, str]]) -> Any:
    if not isinstance(value, dict):
        return value
    if not all(key.isdigit() for key in value):
        return {key: _close_up(item, f"{now}/{key}", f"{before}/{key}", moved) for key, item in value.items()}
    items = sorted(value.items(), key=lambda pair: int(pair[0]))
    for index, (key, _) in enumerate(items):
        moved.append((f"{now}/{index}", f"{before}/{key}"))
    return [
        _close_up(item, f"{now}/{index}", f"{before}/{key}", moved) for index, (key, item) in enumerate(items)
    ]
