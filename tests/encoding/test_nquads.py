"""N-Quads are read strictly and written in their canonical form."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.encoding import nquads
from vcid.errors import LimitExceeded, Malformed, VcidError

# Every character that canonical N-Quads escapes, and its escape (RDFC-1.0, appendix A).
ESCAPES = {
    **{chr(code): f"\\u{code:04X}" for code in [*range(0x20), 0x7F, 0xFFFE, 0xFFFF]},
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    '"': '\\"',
    "\\": "\\\\",
}


@pytest.mark.parametrize("char", ESCAPES)
def test_literals_escape_what_canonical_form_escapes(char):
    """Each control character has the one escape that canonical N-Quads gives it."""
    assert nquads.literal(f"a{char}b") == f'"a{ESCAPES[char]}b"'


@pytest.mark.parametrize("char", ["é", "ሀ", "\u0080", "\u00a0", "'", "😀", "\u2028", "\ufffd"])
def test_literals_keep_every_other_character(char):
    """What needs no escape is written as it is."""
    assert nquads.literal(char) == f'"{char}"'


def test_literals_name_their_datatype_or_language():
    """xsd:string is never named."""
    assert nquads.literal("a", "http://www.w3.org/2001/XMLSchema#string") == '"a"'
    assert nquads.literal("a", "urn:t") == '"a"^^<urn:t>'
    assert nquads.literal("a", language="en") == '"a"@en'


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
IRIS = st.from_regex(r"[a-z]{1,3}:[a-z/#?%]{0,5}[é0-9]?", fullmatch=True).filter(nquads.is_iri)
NODES = IRIS.map("<{}>".format) | st.from_regex(r"_:[a-z0-9]([a-z.]*[a-z])?", fullmatch=True)
LITERALS = st.builds(nquads.literal, TEXT, IRIS) | st.builds(nquads.literal, TEXT, language=st.just("en-GB"))
QUADS = st.tuples(NODES, IRIS.map("<{}>".format), NODES | LITERALS, NODES | st.just(""))


@given(st.lists(QUADS, max_size=5))
@settings(max_examples=200, deadline=None)
def test_what_is_written_reads_back(quads):
    """Any dataset survives writing and reading."""
    assert nquads.parse(nquads.write(quads)) == set(quads)


@given(st.binary(max_size=80) | st.text('_:<>a"\\u0@^. \n#-', max_size=40).map(str.encode))
@settings(max_examples=400, deadline=None)
def test_arbitrary_bytes_raise_only_vcid_errors(data):
    """No byte sequence gets past the typed errors."""
    with contextlib.suppress(VcidError):
        nquads.parse(data)


@pytest.mark.parametrize(
    ("line", "quad"),
    [
        ("<u:s> <u:p> <u:o> .", ("<u:s>", "<u:p>", "<u:o>", "")),
        ("<u:s><u:p>_:o.a<u:g>. # said so", ("<u:s>", "<u:p>", "_:o.a", "<u:g>")),
        ('_:s <u:p> "a"^^<http://www.w3.org/2001/XMLSchema#string> _:g .', ("_:s", "<u:p>", '"a"', "_:g")),
        ('<u:s> <u:p> "\\u0041\\U0001F600\\t\'"@en .', ("<u:s>", "<u:p>", '"A😀\\t\'"@en', "")),
        ('<u:\\u0041> <u:p> "\\\'" .', ("<u:A>", "<u:p>", '"\'"', "")),
    ],
)
def test_statements_are_read(line, quad):
    """The grammar's freedoms are understood and gone afterwards."""
    assert nquads.parse(f"# a comment\n\n{line}\r\n \t\n".encode()) == {quad}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<u:s> <u:p> <u:o>", "not-n-quads"),
        (b"<u:s> <u:p> <u:o> . <u:s> <u:p> <u:o> .", "not-n-quads"),
        (b"<u:s> _:p <u:o> .", "not-n-quads"),
        (b'"s" <u:p> <u:o> .', "not-n-quads"),
        (b'<u:s> <u:p> "a\nb" .', "not-n-quads"),
        (b'<u:s> <u:p> "a"^^"b" .', "not-n-quads"),
        (b'<u:s> <u:p> "a"@e_n .', "not-n-quads"),
        (b'<u:s> <u:p> "\\x" .', "not-n-quads"),
        (b'<u:s> <u:p> <u:o> "g" .', "not-n-quads"),
        (b"<u:a b> <u:p> <u:o> .", "not-n-quads"),
        (b"<s> <u:p> <u:o> .", "relative-iri"),
        (b'<u:s> <u:p> "1"^^<t> .', "relative-iri"),
        (b"<u:\\u0020> <u:p> <u:o> .", "relative-iri"),
        (b'<u:s> <u:p> "\\uD800" .', "bad-escape"),
        (b'<u:s> <u:p> "\\UFFFFFFFF" .', "bad-escape"),
        (b'<u:s> <u:p> "\xff" .', "not-utf-8"),
    ],
)
def test_what_is_no_statement_is_refused(data, code):
    """Each departure from the grammar is a typed error that names its line."""
    with pytest.raises(Malformed) as caught:
        nquads.parse(data)
    assert caught.value.code == code
    assert caught.value.where


def test_large_documents_are_refused():
    """The size is looked at before anything else."""
    with pytest.raises(LimitExceeded):
        nquads.parse(b"#" * 11, max_bytes=10)


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\udc00\ud800"])
def test_lone_surrogates_can_not_be_written(text):
    """A Python string may hold what UTF-8 can't; it never gets into a dataset."""
    with pytest.raises(Malformed) as caught:
        nquads.literal(text)
    assert caught.value.code == "lone-surrogate"
    assert not nquads.is_iri(f"urn:x:{text}")
    assert not nquads.is_blank_label(f"_:a{text}")


@pytest.mark.parametrize(
    "iri", ["https://example.org/a?b#c", "did:key:z6Mk", "urn:uuid:1", "a:", "https://例.org/%20"]
)
def test_absolute_iris(iri):
    """What N-Quads can write as an IRI."""
    assert nquads.is_iri(iri)


@pytest.mark.parametrize(
    "iri", ["", "a", "/a", "#a", ":a", "1:a", "a b:c", "a:b c", "a:<", "a:\\", "a:%2", "a:%zz", "a:\x85"]
)
def test_what_is_no_absolute_iri(iri):
    """Relative references and forbidden characters."""
    assert not nquads.is_iri(iri)
