"""The whole demonstration as one JSON object, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vcid.demo.chapters import Ending, Played
    from vcid.encoding.json import JsonObject
    from vcid.errors import FieldError


def summarize(ending: Ending, *, show_values: bool = False) -> JsonObject:
    """Write the story as JSON; values of wrong rows only where they are asked for."""
    custody, issuing, hearing = ending.custody, ending.issuing, ending.hearing
    return {
        "asExpected": ending.as_expected,
        "folder": str(ending.folder),
        "issuers": [ending.cast.civil, ending.cast.court],
        "rows": {"good": ending.reading.good, "wrong": ending.reading.wrong},
        "faults": [_fault(fault, show_values=show_values) for fault in ending.reading.faults],
        "keys": {
            "children": custody.children,
            "sealedToParents": custody.sealed,
            "notKept": custody.not_kept,
            "parents": custody.parents,
            "carers": custody.carers,
        },
        "issued": {"births": issuing.births, "parentage": issuing.parentage, "orders": issuing.orders},
        "checkpoint": {
            "lists": ending.publication.lists,
            "entries": ending.publication.entries,
            "cosigned": ending.publication.cosigned.isoformat(),
        },
        "verified": {
            "asked": hearing.answers,
            "verified": hearing.verified,
            "refusals": {**hearing.refusals},
        },
        "scenes": [_scene(scene) for scene in ending.scenes],
        "timings": [
            {"step": timing.step, "count": timing.count, "seconds": round(timing.seconds, 3)}
            for timing in ending.timings
        ],
        "seconds": round(ending.seconds, 3),
    }


def show(found: object) -> str:
    """Write a value that was found, with signs that a terminal would obey as escapes."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in str(found)
    )


def _fault(fault: FieldError, *, show_values: bool) -> JsonObject:
    written: JsonObject = {
        "line": fault.line,
        "field": fault.path,
        "code": fault.code,
        "expected": fault.expected,
    }
    if show_values and fault.found is not None:
        written["found"] = show(fault.found)
    return written


def _scene(scene: Played) -> JsonObject:
    return {
        "name": scene.name,
        "tried": scene.tried,
        "expected": {"conclusion": scene.expected.conclusion, "reason": scene.expected.reason},
        "said": {"conclusion": scene.conclusion, "reasons": [*scene.reasons]},
        "asExpected": scene.as_expected,
    }
