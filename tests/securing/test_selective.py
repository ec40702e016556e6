"""Selections of a document by JSON pointers, and what makes a document unfit for them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcid.encoding.contexts import Contexts
from vcid.errors import InvalidProof, InvalidRecord, LimitExceeded, Malformed, VcidError
from vcid.securing.selection import (
    MAX_POINTER_CHARS,
    MAX_POINTERS,
    check_pointers,
    json_pointer_to_path,
    select_json_ld,
)
from vcid.securing.selective import (
    canonicalize_and_group,
    create_hmac_id_label_map_function,
    create_label_map_function,
    label_replacement_canonicalize_json_ld,
    select_statements,
    skolemize,
)

TERMS = "https://example.org/terms/v1"
DEFINITIONS = {
    "@context": {
        "id": "@id",
        "type": "@type",
        "ex": "https://example.org/#",
        **{term: f"ex:{term}" for term in ("Person", "label", "knows", "home", "street", "nick")},
        "texts": {"@id": "ex:texts", "@container": "@language"},
        "steps": {"@id": "ex:steps", "@container": "@list"},
        "raw": {"@id": "ex:raw", "@type": "@json"},
        "claims": {"@id": "ex:claims", "@container": "@graph"},
        "parent": {"@reverse": "ex:child"},
    }
}
KNOWN = Contexts.carried().with_context(TERMS, DEFINITIONS)
HMAC = create_hmac_id_label_map_function(bytes(32))
PERSON = {
    "@context": TERMS,
    "id": "https://example.org/1",
    "type": "Person",
    "label": {"@value": "Anna", "@language": "de"},
    "knows": [
        {"type": "Person", "label": "twin", "home": {"street": "a"}},
        {"type": "Person", "label": "twin", "home": {"street": "a"}},
        {"id": "https://example.org/2", "label": "other"},
    ],
    "texts": {"en": "hello", "id": "halo", "de": ["hallo", "servus"]},
    "nick": ["a", "b", "c"],
    "a/b": "slash",
    "m~n": "tilde",
}
# Only for selecting: these two members are no terms.
STATABLE = {name: member for name, member in PERSON.items() if name not in ("a/b", "m~n")}


@pytest.mark.parametrize(
    ("pointer", "path"),
    [("/a", ["a"]), ("/a/0", ["a", "0"]), ("/", [""]), ("/a~1b/m~0n", ["a/b", "m~n"]), ("/~01", ["~1"])],
)
def test_a_pointer_splits_into_tokens(pointer, path):
    """Tokens are unescaped, the slash before the tilde (RFC 6901, section 4)."""
    assert json_pointer_to_path(pointer) == path


@pytest.mark.parametrize("pointer", ["", "a", "a/b", "#/a", "/~", "/~2", "/a~", "/~~0"])
def test_what_is_no_pointer_is_refused(pointer):
    """Text that begins with no slash, or holds a tilde that escapes nothing, is no pointer to a part."""
    with pytest.raises(Malformed) as caught:
        json_pointer_to_path(pointer)
    assert caught.value.code == "bad-pointer"


@given(st.text())
def test_any_text_is_a_pointer_or_malformed(text):
    """No text at all makes pointers fail in another way."""
    try:
        check_pointers([text], PERSON)
    except VcidError:
        return


@pytest.mark.parametrize(
    ("pointers", "selected"),
    [
        (["/nick/1"], {"nick": ["b"]}),
        (["/nick/2", "/nick/0", "/nick/2"], {"nick": ["a", "c"]}),
        (["/nick"], {"nick": ["a", "b", "c"]}),
        (["/type"], {}),
        (["/id"], {}),
        (["/a~1b", "/m~0n"], {"a/b": "slash", "m~n": "tilde"}),
        (["/knows/1/home"], {"knows": [{"type": "Person", "home": {"street": "a"}}]}),
        (["/knows/2/label"], {"knows": [{"id": "https://example.org/2", "label": "other"}]}),
        (["/knows/0", "/knows/0/label"], {"knows": [PERSON["knows"][0]]}),
        (["/knows/0/label", "/knows/0"], {"knows": [PERSON["knows"][0]]}),
        (["/texts/en"], {"texts": {"en": "hello"}}),
        (["/texts/de/1"], {"texts": {"de": ["servus"]}}),
        (["/label"], {"label": {"@value": "Anna", "@language": "de"}}),
    ],
)
def test_pointers_select(pointers, selected):
    """A selection holds its targets, with identifiers and types on the way, and nothing else."""
    always = {"@context": TERMS, "id": "https://example.org/1", "type": "Person"}
    assert select_json_ld(pointers, PERSON) == {**always, **selected}


@pytest.mark.parametrize(
    ("pointer", "code"),
    [
        ("/nowhere", "points-nowhere"),
        ("/label/nowhere", "points-nowhere"),
        ("/nick/3", "points-nowhere"),
        ("/nick/-", "points-nowhere"),
        ("/nick/-1", "points-nowhere"),
        ("/nick/01", "points-nowhere"),
        ("/nick/1e0", "points-nowhere"),
        ("/nick/٣", "points-nowhere"),
        ("/nick/99999999999999999999", "points-nowhere"),
        ("/nick/0/0", "points-nowhere"),
        ("/type/0", "points-nowhere"),
        ("/proof", "points-nowhere"),
        ("/@context", "selects-context"),
        ("/@context/0", "selects-context"),
        ("/nick/~2", "bad-pointer"),
    ],
)
def test_a_faulty_pointer_is_refused(pointer, code):
    """Pointers to what the document has not, or into its contexts, select nothing in silence."""
    with pytest.raises(Malformed) as caught:
        select_json_ld(["/nick", pointer], PERSON)
    assert caught.value.code == code
    assert caught.value.where


def test_types_are_selected_whole():
    """A pointer to one type does not make a selection drop the others, which pointers beside it select."""
    document = {"type": ["A", "B", "C"], "label": "x", "home": {"type": ["D", "E"]}}
    for pointers in (["/type/1"], ["/label", "/type/1"], ["/home/type/0", "/type"], ["/home/type"]):
        selection = select_json_ld(pointers, document)
        assert selection["type"] == ["A", "B", "C"]
        assert selection.get("home", {"type": ["D", "E"]}) == {"type": ["D", "E"]}


def test_all_faulty_pointers_are_told_at_once():
    """Several faults come together, each with its place, and none repeats an odd name."""
    with pytest.raises(InvalidRecord) as caught:
        check_pointers(["/nowhere", "/nick", "bad", "/@context", "/Jane Doe"], PERSON)
    assert [(error.path, error.code) for error in caught.value.errors] == [
        ("/nowhere", "points-nowhere"),
        ("pointer 3", "bad-pointer"),
        ("/@context", "selects-context"),
        ("/*", "points-nowhere"),
    ]
    assert "Jane" not in str(caught.value)


def test_the_work_for_pointers_is_bounded():
    """Too many pointers, or too long ones, are refused before the document is walked."""
    with pytest.raises(LimitExceeded):
        check_pointers(["/nick"] * (MAX_POINTERS + 1), PERSON)
    with pytest.raises(LimitExceeded):
        check_pointers(["/" + "a" * MAX_POINTER_CHARS], PERSON)


def test_a_selection_changes_nothing():
    """The document that was selected from stays as it was."""
    before = json.dumps(PERSON)
    select_json_ld(["/knows/0/label", "/knows/0"], PERSON)
    skolemize(STATABLE, contexts=KNOWN)
    assert json.dumps(PERSON) == before


@pytest.mark.parametrize("pointer", ["/label/@value", "/label/@language", "/raw/a", "/raw/list/0"])
def test_a_part_of_a_statement_cannot_be_selected(pointer):
    """A text without its language, or part of a JSON literal, was never stated."""
    document = {**STATABLE, "raw": {"a": 1, "list": [1, 2]}}
    skolemized = skolemize(document, contexts=KNOWN)
    with pytest.raises(Malformed) as caught:
        select_statements(["/nick", pointer], skolemized, contexts=KNOWN)
    assert caught.value.code == "part-of-statement"
    assert caught.value.where


def test_all_parts_of_statements_are_told_at_once():
    """Several pointers into statements are told together."""
    skolemized = skolemize({**STATABLE, "raw": {"a": 1, "b": 2}}, contexts=KNOWN)
    with pytest.raises(InvalidRecord) as caught:
        select_statements(["/label/@value", "/nick", "/raw/a"], skolemized, contexts=KNOWN)
    assert [error.code for error in caught.value.errors] == ["part-of-statement"] * 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"home": {"@context": TERMS, "street": "a"}}, "context-below-top"),
        ({"home": {"id": "_:b1", "street": "a"}}, "blank-node-identifier"),
        ({"knows": {"id": "_:b1"}}, "blank-node-identifier"),
        ({"steps": ["a", "b"]}, "list"),
        ({"claims": {"street": "a"}}, "named-graph"),
    ],
)
def test_documents_with_ambiguous_selections_are_refused(changes, code):
    """What a selection could not keep apart is refused before anything is signed."""
    with pytest.raises(Malformed) as caught:
        skolemize({**STATABLE, **changes}, contexts=KNOWN)
    assert caught.value.code == code


def test_a_reversed_property_selects_its_statement():
    """A node stated the other way round is named and selected like any other."""
    document = {**STATABLE, "parent": {"label": "mother"}}
    skolemized = skolemize(document, contexts=KNOWN)
    selected = select_statements(["/parent/label"], skolemized, contexts=KNOWN)
    assert {quad[1] for quad in selected} >= {"<https://example.org/#child>", "<https://example.org/#label>"}


def test_equal_objects_are_told_apart():
    """Of two equal objects without identifiers, a pointer selects one with all that hangs on it."""
    grouped = canonicalize_and_group(
        STATABLE, HMAC, {"first": ["/knows/0/home/street"], "both": ["/knows"]}, contexts=KNOWN
    )
    first, both = grouped.groups["first"], grouped.groups["both"]
    assert set(first.matching) < set(both.matching)
    streets = [nquad for nquad in grouped.pick(first.matching) if "#street" in nquad]
    assert len(streets) == 1
    assert sum("#street" in nquad for nquad in grouped.canonicalized.nquads) == 2


def reverse(value):
    if isinstance(value, dict):
        return {name: reverse(member) for name, member in reversed(value.items())}
    return [reverse(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("place", range(12))
def test_equal_objects_keep_their_places(place):
    """Which of many equal objects a pointer means does not depend on the order of members."""
    twins = [{"label": "twin", "home": {"street": "a", "label": "b"}} for _ in range(6)]
    document = {"@context": TERMS, "label": "x", "knows": twins[:3], "home": {"knows": twins[3:]}}
    pointer = f"/knows/{place % 3}/label" if place < 6 else f"/home/knows/{place % 3}/home/street"
    one, other = (
        canonicalize_and_group(written, HMAC, {"mandatory": [pointer]}, contexts=KNOWN)
        for written in (document, reverse(document))
    )
    assert one.canonicalized.nquads == other.canonicalized.nquads
    assert one.groups["mandatory"].matching == other.groups["mandatory"].matching
    first, second = skolemize(document, contexts=KNOWN), skolemize(reverse(document), contexts=KNOWN)
    assert first.quads == second.quads


def test_every_statement_is_in_a_group_or_not():
    """A group's indexes and the others are all indexes, each once."""
    grouped = canonicalize_and_group(STATABLE, HMAC, {"one": ["/nick/0"], "none": []}, contexts=KNOWN)
    for group in grouped.groups.values():
        assert sorted(group.matching + group.non_matching) == list(range(len(grouped.canonicalized.nquads)))
    assert grouped.groups["none"].matching == ()


def test_a_label_map_is_one_to_one():
    """A map that names a node twice, or misses one, or knows one too many is refused."""
    node = {"@context": TERMS, "label": "x", "knows": {"label": "y"}}
    good = {"c14n0": "uA", "c14n1": "uB"}
    label_replacement_canonicalize_json_ld(node, create_label_map_function(good), contexts=KNOWN)
    for bad in ({"c14n0": "uA"}, {"c14n0": "uA", "c14n1": "uA"}, {**good, "c14n2": "uC"}, {}):
        with pytest.raises(InvalidProof) as caught:
            label_replacement_canonicalize_json_ld(node, create_label_map_function(bad), contexts=KNOWN)
        assert caught.value.code == "label-map"


def test_an_hmac_key_has_one_length():
    """A short key is misuse, not a weaker label."""
    with pytest.raises(ValueError, match="32 bytes"):
        create_hmac_id_label_map_function(bytes(31))
