"""From a JSON-LD document to the bytes that an RDF signature covers.

Joins the two halves that the rdfc suites of Verifiable Credential Data Integrity 1.0 name: JSON-LD 1.1 to RDF
in safe mode (``jsonld``), and RDFC-1.0 (``rdfc``). Safe mode means that nothing of the document is left
behind in silence: what would not be covered by the signature is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcid.encoding import nquads, rdfc
from vcid.encoding.jsonld import quick_lane
from vcid.encoding.jsonld.conversion import to_rdf
from vcid.encoding.rdfc import WORK_BUDGET

if TYPE_CHECKING:
    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import JsonObject


def canonicalize(
    document: JsonObject, *, contexts: Contexts, hash_name: str = "sha256", budget: int = WORK_BUDGET
) -> bytes:
    """Write a JSON-LD document as canonical N-Quads.

    Args:
        document: the document; it is not changed.
        contexts: all the contexts that its URLs may name.
        hash_name: ``sha256`` or ``sha384``, the hash inside RDFC-1.0.
        budget: how many steps RDFC-1.0 may spend where blank nodes look alike.

    Raises:
        InvalidRecord: parts of the document would be lost on the way; all of them are named.
        Malformed: it is no JSON-LD; ``unknown-context`` where a context is not among ``contexts``.
        LimitExceeded: it takes more work than is granted.
    """
    dataset = quick_lane.convert(document, contexts=contexts)
    if dataset is None:
        dataset = to_rdf(document, contexts=contexts)
    return rdfc.canonicalize(dataset, hash_name=hash_name, budget=budget)


def to_nquads(document: JsonObject, *, contexts: Contexts) -> bytes:
    """Write a JSON-LD document as N-Quads whose blank nodes have no canonical labels yet.

    Raises as `canonicalize` does.
    """
    return nquads.write(to_rdf(document, contexts=contexts))


def canonicalize_nquads(document: bytes, *, hash_name: str = "sha256", budget: int = WORK_BUDGET) -> bytes:
    """Write an N-Quads document in the serialized canonical form of RDFC-1.0.

    Raises:
        Malformed: it is no N-Quads document.
        LimitExceeded: it takes more work than is granted.
    """
    return rdfc.canonicalize(nquads.parse(document), hash_name=hash_name, budget=budget)


def check_terms(document: JsonObject, *, contexts: Contexts) -> None:
    """Require that every part of a document has a meaning in RDF (JSON-LD safe mode).

    Documents that are signed as JSON need this too: a JCS signature covers the bytes, not their meaning.

    Raises as `canonicalize` does.
    """
    if quick_lane.convert(document, contexts=contexts) is None:
        to_rdf(document, contexts=contexts)
