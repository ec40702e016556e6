"""What the suites for selective disclosure share: a document as statements, grouped by JSON pointers.

Follows Data Integrity ECDSA Cryptosuites 1.0 (W3C Recommendation), section "Selective Disclosure Functions",
which Data Integrity BBS Cryptosuites 1.0 uses too. Some things differ from the letter, not in the result:

- Statements stay tuples of terms (`vcid.encoding.nquads`) until they are signed or hashed.
- To keep a blank node the same thing in the document and in every selection, it gets a blank node identifier
  as its ``@id``, where the specification uses a URN. Our own processor keeps such labels, so that there is no
  step back ("deskolemize"), and the document keeps its form: where the specification compacts it again, and
  thereby takes arrays of one item away, pointers here follow the document as it is written.
- Nodes that nothing but their place in an array tells apart (two equal objects without identifiers) may swap
  their canonical labels, so that an issuer's mandatory pointer to one of them could mean the other to a
  holder. RDFC-1.0 takes them in the order of its input. So statements come in an order that the document
  alone gives, the one in which the issuers' reference implementation finds them.
- A selection must be a subset of the document's statements, or it is refused. The specification leaves it to
  the verifier to find out.

Documents whose selections would be ambiguous are refused: contexts below the top, blank node identifiers of
their own, and named graphs.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from vcid.encoding import nquads, rdfc
from vcid.encoding.base64url import encode_base64url
from vcid.encoding.jsonld.conversion import to_dataset, to_rdf
from vcid.errors import FieldError, InvalidProof, InvalidRecord, LimitExceeded, Malformed
from vcid.securing.selection import json_pointer_to_path, refuse_pointers, select_json_ld, write_place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import JSON, JsonObject
    from vcid.encoding.jsonld.dataset import Path
    from vcid.encoding.nquads import Quad

    LabelMapFactory: TypeAlias = Callable[[Mapping[str, str]], Mapping[str, str]]
    """From the canonical identifier map (a document's own label to ``c14n…``) to a label map (the same label
    to the one that gets signed); no label with its ``_:``."""

# The key of an HMAC with SHA-256 has the length of its digest (RFC 2104, section 3).
HMAC_KEY_BYTES: Final = 32


def create_hmac_id_label_map_function(hmac_key: bytes) -> LabelMapFactory:
    """Make labels that tell nothing of the document to who lacks the key (section of the same name)."""
    if len(hmac_key) != HMAC_KEY_BYTES:
        raise ValueError(f"an HMAC key has {HMAC_KEY_BYTES} bytes")

    def make_label_map(canonical_id_map: Mapping[str, str]) -> dict[str, str]:
        return {
            label: encode_hmac_label(hmac.digest(hmac_key, canonical.encode(), "sha256"))
            for label, canonical in canonical_id_map.items()
        }

    return make_label_map


def encode_hmac_label(digest: bytes) -> str:
    """Write an HMAC digest as a blank node label."""
    return "u" + encode_base64url(digest)


def create_label_map_function(label_map: Mapping[str, str]) -> LabelMapFactory:
    """Make labels as a derived proof states them, by canonical label (section of the same name).

    The map has to give every blank node of the document a label of its own, and no other: two nodes under one
    label could share out what was signed of one thing.

    Raises:
        InvalidProof: ``label-map``, by the function returned.
    """

    def make_label_map(canonical_id_map: Mapping[str, str]) -> dict[str, str]:
        is_bijective = len(set(label_map.values())) == len(label_map)
        if not is_bijective or set(canonical_id_map.values()) != label_map.keys():
            raise InvalidProof("label-map", "the label map must name each blank node of the document once")
        return {label: label_map[canonical] for label, canonical in canonical_id_map.items()}

    return make_label_map


@dataclass(frozen=True, slots=True)
class Canonicalized:
    """A dataset in canonical order under its signed labels.

    Attributes:
        nquads: the statements as canonical N-Quads, with line ends, in code point order.
        quads: the same statements, in the same order, under the labels that the input had.
        label_map: the input's labels to the signed ones, without ``_:``.
    """

    nquads: tuple[str, ...] = field(repr=False)
    quads: tuple[Quad, ...] = field(repr=False)
    label_map: Mapping[str, str] = field(repr=False)


def label_replacement_canonicalize(quads: Iterable[Quad], factory: LabelMapFactory) -> Canonicalized:
    """Canonicalize statements and replace their labels (section "labelReplacementCanonicalizeNQuads").

    Raises:
        LimitExceeded: RDFC-1.0 would take more work than is granted.
    """
    distinct = list(dict.fromkeys(quads))
    label_map = factory(get_canonical_id_map(distinct))
    pairs = sorted(zip(relabel_blank_nodes(distinct, label_map), distinct, strict=True))
    return Canonicalized(tuple(nquad for nquad, _ in pairs), tuple(quad for _, quad in pairs), label_map)


def label_replacement_canonicalize_json_ld(
    document: JsonObject, factory: LabelMapFactory, *, contexts: Contexts
) -> Canonicalized:
    """Canonicalize a document and replace its labels (section "labelReplacementCanonicalizeJsonLd").

    Raises as `vcid.encoding.rdf.canonicalize` does.
    """
    return label_replacement_canonicalize(to_rdf(document, contexts=contexts), factory)


def get_canonical_id_map(quads: Iterable[Quad]) -> dict[str, str]:
    """Give each blank node's canonical label (``c14n…``) by its own, both without ``_:``."""
    return {label[2:]: canonical[2:] for label, canonical in rdfc.issue_labels(list(quads)).items()}


def relabel_blank_nodes(quads: Iterable[Quad], label_map: Mapping[str, str]) -> list[str]:
    """Write statements as N-Quads under other labels (section "relabelBlankNodes"), in the order given."""

    def relabel(term: str) -> str:
        return f"_:{label_map[term[2:]]}" if term[:1] == "_" else term

    return [nquads.write_quad((relabel(s), p, relabel(o), relabel(g))) for s, p, o, g in quads]


def hash_mandatory_nquads(mandatory: Iterable[str]) -> bytes:
    """Hash the statements that must be disclosed (section "hashMandatoryNQuads"), with SHA-256."""
    return hashlib.sha256("".join(mandatory).encode()).digest()


def hash_proof_config(document: JsonObject, proof_config: JsonObject, *, contexts: Contexts) -> bytes:
    """Hash a proof without ``proofValue``, read in the document's context, with SHA-256.

    Section "Base Proof Configuration" of the suites, and the first step of their hashing.

    Raises as `vcid.encoding.rdf.canonicalize` does.
    """
    config = {name: member for name, member in proof_config.items() if name != "@context"}
    if "@context" in document:
        config["@context"] = document["@context"]
    return hashlib.sha256(rdfc.canonicalize(to_rdf(config, contexts=contexts))).digest()


@dataclass(frozen=True, slots=True)
class Skolemized:
    """A document each of whose blank nodes has a name, and what it states under those names.

    Attributes:
        document: the compact document, an ``@id`` with a blank node identifier in each object without one.
        quads: its statements, in an order that the document's content gives, whatever that of its members.
    """

    document: JsonObject = field(repr=False)
    quads: tuple[Quad, ...] = field(repr=False)


def skolemize(document: JsonObject, *, contexts: Contexts) -> Skolemized:
    """Name the blank nodes of a document (sections "skolemizeCompactJsonLd", "toDeskolemizedNQuads").

    Raises:
        Malformed: selections of the document would be ambiguous: ``context-below-top``,
            ``blank-node-identifier``, ``named-graph``, ``list``.
        InvalidRecord: parts of the document would be lost on the way to RDF.
        LimitExceeded: it takes more work than is granted.
    """
    dataset = to_dataset(document, contexts=contexts)
    _require_plain(dataset.quads, dataset.unnamed)
    labels = sorted(dataset.unnamed, key=lambda label: _write_order(dataset.unnamed[label]))
    names = {dataset.unnamed[label]: f"_:{number}" for number, label in enumerate(labels)}
    # The processor writes an identifier _:1 as the term _:u1, apart from the labels that it makes itself.
    terms = {label: f"_:u{number}" for number, label in enumerate(labels)}
    quads = {(terms.get(s, s), p, terms.get(o, o), g) for s, p, o, g in dataset.quads}
    named = {name: _name_nodes(member, (None, name), names) for name, member in document.items()}
    if None in names:
        named["@id"] = names[None]
    return Skolemized(named, tuple(sorted(quads, key=_write_skolemized)))


def _write_order(path: Path) -> list[tuple[int, int, str]]:
    """Write a place so that places sort by the names of members, by indexes, and from the inside out."""
    steps = [(2, 0, "")]
    while path is not None:
        path, step = path
        steps.append((0, step, "") if isinstance(step, int) else (1, 0, step))
    return steps[:0:-1] + steps[:1]


def _write_skolemized(quad: Quad) -> str:
    subject, predicate, obj, _ = quad
    return f"{_skolemize_term(subject)} {predicate} {_skolemize_term(obj)} .\n"


def _skolemize_term(term: str) -> str:
    return f"<urn:bnid:{term[3:]}>" if term.startswith("_:u") else term


def _require_plain(quads: Iterable[Quad], unnamed: Mapping[str, Path]) -> None:
    for subject, _, obj, graph in quads:
        if graph:
            raise Malformed("named-graph", "statements outside of named graphs")
        for term in (subject, obj):
            if term.startswith("_:u"):
                raise Malformed("blank-node-identifier", "things without an identifier, or with a URL")
            if term[0] == "_" and term not in unnamed:
                raise Malformed("list", "sets; ordered lists can't be disclosed in part")


def _name_nodes(value: JSON, path: Path, names: Mapping[Path, str]) -> JSON:
    if isinstance(value, list):
        return [_name_nodes(item, (path, index), names) for index, item in enumerate(value)]
    if not isinstance(value, dict) or path == (None, "@context"):
        return value
    if "@context" in value:
        raise Malformed("context-below-top", "contexts at the top of the document alone")
    named = {name: _name_nodes(member, (path, name), names) for name, member in value.items()}
    if path in names:
        named["@id"] = names[path]
    return named


def select_statements(
    pointers: Sequence[str], skolemized: Skolemized, *, contexts: Contexts
) -> frozenset[Quad]:
    """Give the statements that pointers select (section "selectCanonicalNQuads", before relabelling).

    Raises:
        Malformed: a pointer is faulty, or selects ``part-of-statement``; InvalidRecord for several.
    """
    selection = select_json_ld(pointers, skolemized.document)
    if selection is None:
        return frozenset()
    selected = _state(selection, skolemized, contexts)
    if selected is None:
        refuse_pointers(_find_partial(pointers, skolemized, contexts))
        raise Malformed("part-of-statement", "pointers that together select whole statements")
    return selected


def _state(selection: JsonObject, skolemized: Skolemized, contexts: Contexts) -> frozenset[Quad] | None:
    """Give what a selection states, or None where the document does not state all of it."""
    try:
        quads = frozenset(to_rdf(selection, contexts=contexts))
    except LimitExceeded:
        raise
    except (InvalidRecord, Malformed):
        return None
    return quads if quads.issubset(skolemized.quads) else None


def _find_partial(pointers: Sequence[str], skolemized: Skolemized, contexts: Contexts) -> list[FieldError]:
    expected = "pointers to whole statements; a text goes with its language and its datatype"
    faults = []
    for pointer in pointers:
        selection = select_json_ld([pointer], skolemized.document)
        if selection is not None and _state(selection, skolemized, contexts) is None:
            where = write_place(json_pointer_to_path(pointer))
            faults.append(FieldError(where, "part-of-statement", expected))
    return faults


@dataclass(frozen=True, slots=True)
class Group:
    """The statements of a document that a group of pointers selects.

    Attributes:
        matching: their indexes among the document's canonical statements, ascending.
        non_matching: the indexes of the others, ascending.
        quads: the selected statements under the skolemized document's labels.
    """

    matching: tuple[int, ...]
    non_matching: tuple[int, ...]
    quads: frozenset[Quad] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grouped:
    """A canonicalized document and its groups.

    Attributes:
        canonicalized: all statements, under skolemized and signed labels.
        groups: the groups by their names.
    """

    canonicalized: Canonicalized
    groups: Mapping[str, Group]

    def pick(self, indexes: Iterable[int]) -> list[str]:
        """Give the canonical statements at some indexes."""
        return [self.canonicalized.nquads[index] for index in indexes]


def canonicalize_and_group(
    document: JsonObject,
    factory: LabelMapFactory,
    group_definitions: Mapping[str, Sequence[str]],
    *,
    contexts: Contexts,
) -> Grouped:
    """Canonicalize a document and group its statements (section "canonicalizeAndGroup").

    Args:
        document: a compact JSON-LD document without a proof.
        factory: makes the labels that get signed.
        group_definitions: the JSON pointers of each group by its name.
        contexts: the contexts that the document may name.

    Raises as `skolemize` and `select_statements` do.
    """
    skolemized = skolemize(document, contexts=contexts)
    selections = {
        name: select_statements(pointers, skolemized, contexts=contexts)
        for name, pointers in group_definitions.items()
    }
    canonicalized = label_replacement_canonicalize(skolemized.quads, factory)
    groups = {name: _group(canonicalized, selected) for name, selected in selections.items()}
    return Grouped(canonicalized, groups)


def _group(canonicalized: Canonicalized, selected: frozenset[Quad]) -> Group:
    matching: list[int] = []
    non_matching: list[int] = []
    for index, quad in enumerate(canonicalized.quads):
        (matching if quad in selected else non_matching).append(index)
    return Group(tuple(matching), tuple(non_matching), selected)


@dataclass(frozen=True, slots=True)
class DisclosureData:
    """What a derived proof is made of, whatever the suite (section "createDisclosureData").

    Attributes:
        reveal_document: the part of the document that is shown.
        mandatory_indexes: which of the shown statements are mandatory, by their place among those shown.
        selective_indexes: which of the others are shown, by their place among all that are not mandatory.
        verifier_label_map: the labels that a verifier will find (``c14n…``) to the signed ones.
        grouped: the whole document's statements, with groups ``mandatory`` and ``combined``.
    """

    reveal_document: JsonObject = field(repr=False)
    mandatory_indexes: tuple[int, ...]
    selective_indexes: tuple[int, ...]
    verifier_label_map: Mapping[str, str] = field(repr=False)
    grouped: Grouped = field(repr=False)


def create_disclosure_data(
    document: JsonObject,
    factory: LabelMapFactory,
    *,
    mandatory_pointers: Sequence[str],
    selective_pointers: Sequence[str],
    contexts: Contexts,
) -> DisclosureData:
    """Select what is to be shown, and number it as a verifier will find it (section "createDisclosureData").

    The reveal document shares values with the document.

    Raises:
        Malformed: ``nothing-selected``, where there is no pointer; otherwise as `canonicalize_and_group`.
    """
    combined_pointers = [*mandatory_pointers, *selective_pointers]
    reveal_document = select_json_ld(combined_pointers, document)
    if reveal_document is None:
        raise Malformed("nothing-selected", "at least one mandatory or selective pointer")
    definitions = {"mandatory": mandatory_pointers, "combined": combined_pointers}
    grouped = canonicalize_and_group(document, factory, definitions, contexts=contexts)
    mandatory, combined = grouped.groups["mandatory"], grouped.groups["combined"]
    is_mandatory, is_shown = set(mandatory.matching), set(combined.matching)
    label_map = grouped.canonicalized.label_map
    return DisclosureData(
        reveal_document,
        tuple(place for place, index in enumerate(combined.matching) if index in is_mandatory),
        tuple(place for place, index in enumerate(mandatory.non_matching) if index in is_shown),
        {canonical: label_map[label] for label, canonical in get_canonical_id_map(combined.quads).items()},
        grouped,
    )
