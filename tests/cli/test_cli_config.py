"""vcid.toml: what it may say, and that everything wrong with it is told at once."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.cli.config import MAX_BYTES, Config, KeyPlace, Store, write_toml
from vcid.errors import InvalidRecord, LimitExceeded, Malformed, Unavailable, VcidError

FILE = Path("/authority/vcid.toml")
SECTIONS = {
    "issuer": {
        "did": "did:web:civil.example",
        "key": "keys.json#issuer",
        "registry": "sqlite:///registry.db",
        "status_url": "https://civil.example/status/",
        "jurisdiction": "ET-AA",
    },
    "ledger": {"url": "sqlite:////elsewhere/ledger.db", "origin": "civil.example/log", "key": "log.key"},
    "witness": {"name": "civil.example/witness", "url": "sqlite:///witness.db", "key": "keys.json#witness"},
    "verifier": {"policy": "policy.json", "knowledge": "knowledge", "views": "sqlite:///views.db"},
}


def changed(**sections: dict[str, str] | None) -> bytes:
    """The example with some sections exchanged, or taken out."""
    told = {**SECTIONS, **sections}
    return write_toml({name: values for name, values in told.items() if values is not None})


def faults(content: bytes) -> set[tuple[str, str]]:
    with pytest.raises(InvalidRecord) as caught:
        Config.parse(content, path=FILE)
    return {(error.path, error.code) for error in caught.value.errors}


def test_paths_are_those_of_the_files_folder():
    """Every path is taken from the folder of vcid.toml, absolute ones as they are."""
    config = Config.parse(changed(), path=FILE)
    issuer, ledger = config.issuing()
    assert issuer.registry == Store("sqlite:////authority/registry.db", Path("/authority/registry.db"))
    assert issuer.key == KeyPlace(Path("/authority/keys.json"), "issuer")
    assert issuer.status_url == "https://civil.example/status"
    assert ledger.url.path == Path("/elsewhere/ledger.db")
    assert ledger.key == KeyPlace(Path("/authority/log.key"))
    assert config.witness is not None
    assert config.verifying().knowledge == Path("/authority/knowledge")


def test_a_store_may_be_kept_on_a_server():
    """A PostgreSQL URL is taken as it is, and no file is looked for."""
    issuer, _ = Config.parse(
        changed(issuer={**SECTIONS["issuer"], "registry": "postgresql://civil@db.example/registry"}),
        path=FILE,
    ).issuing()
    assert issuer.registry == Store("postgresql://civil@db.example/registry")
    assert issuer.registry.missing is None
    assert Store("sqlite:////nowhere/registry.db", Path("/nowhere/registry.db")).missing == "registry.db"


def test_a_verifier_needs_no_issuer():
    """A file with [verifier] alone is whole; what it lacks is asked for by the command that needs it."""
    config = Config.parse(changed(issuer=None, ledger=None, witness=None), path=FILE)
    assert config.verifying().views.path == Path("/authority/views.db")
    with pytest.raises(InvalidRecord, match="/issuer: required"):
        config.issuing()


def test_an_issuer_needs_no_verifier():
    """A file without [verifier] serves issuing."""
    config = Config.parse(changed(verifier=None, witness=None), path=FILE)
    assert config.issuing()[0].did == "did:web:civil.example"
    with pytest.raises(InvalidRecord, match="/verifier: required"):
        config.verifying()


def test_all_faults_are_told_at_once():
    """Unknown sections and keys, missing keys, wrong types and wrong forms stand in one error."""
    content = b"""
        top = 1
        [issuer]
        did = "civil.example"
        key = 7
        colour = "red"
        [ledger]
        url = "ledger.db"
        origin = "civil example"
        key = "keys.json#"
        [verifyer]
        policy = "p"
    """
    assert faults(content) == {
        ("/top", "unknown-section"),
        ("/verifyer", "unknown-section"),
        ("/issuer/did", "wrong-form"),
        ("/issuer/key", "wrong-type"),
        ("/issuer/colour", "unknown-key"),
        ("/issuer/registry", "required"),
        ("/issuer/status_url", "required"),
        ("/ledger/url", "wrong-form"),
        ("/ledger/origin", "wrong-form"),
        ("/ledger/key", "wrong-form"),
    }


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("issuer", "did", "did:web:civil.example#key"),
        ("issuer", "did", ""),
        ("issuer", "jurisdiction", "Kenya"),
        ("issuer", "jurisdiction", "*"),
        ("issuer", "status_url", "http://civil.example/status"),
        ("issuer", "status_url", "https://"),
        ("issuer", "registry", "sqlite://"),
        ("issuer", "registry", "sqlite:///"),
        ("issuer", "registry", "mysql://localhost/registry"),
        ("issuer", "key", "#issuer"),
        ("ledger", "origin", "civil+example"),
        ("witness", "name", ""),
        ("verifier", "policy", " "),
        ("verifier", "knowledge", "\0"),
    ],
)
def test_wrong_values_are_named_by_their_key(section: str, key: str, value: str):
    """Each value that can't be used is a fault of its key, and of nothing else."""
    assert faults(changed(**{section: {**SECTIONS[section], key: value}})) == {
        (f"/{section}/{key}", "wrong-form")
    }


@pytest.mark.parametrize("section", ["issuer", "witness"])
def test_a_section_that_needs_a_ledger_has_one(section: str):
    """An issuer or a witness without a log is no authority."""
    others = {name: None for name in SECTIONS if name != section}
    assert faults(changed(**others)) == {("/ledger", "required")}


def test_a_section_is_a_table():
    """A plain value in place of a section is a fault of the section."""
    assert faults(b"verifier = 1") == {("/verifier", "wrong-type")}


def test_an_issuer_of_another_method_says_where_its_lists_are():
    """Only a did:web implies the place of status lists."""
    elsewhere = {name: text for name, text in SECTIONS["issuer"].items() if name != "status_url"}
    assert faults(changed(issuer={**elsewhere, "did": "did:example:civil"})) == {
        ("/issuer/status_url", "required")
    }


def test_what_is_no_toml_is_told_by_its_place_alone():
    """A syntax error names line and column, and quotes nothing of the file."""
    with pytest.raises(Malformed, match="line 2") as caught:
        Config.parse(b'[issuer]\ndid = "Amina\x01"\n', path=FILE)
    assert "Amina" not in str(caught.value)
    with pytest.raises(Malformed, match="UTF-8"):
        Config.parse(b'did = "\xff"', path=FILE)


def test_what_is_too_large_is_refused():
    """Neither a long file, nor deep nesting, nor a number of many digits gets past the limits."""
    with pytest.raises(LimitExceeded):
        Config.parse(b"#" * (MAX_BYTES + 1), path=FILE)
    with pytest.raises(LimitExceeded):
        Config.parse(b"a = " + b"[" * 20_000, path=FILE)
    with pytest.raises(Malformed):
        Config.parse(b"a = " + b"9" * 10_000, path=FILE)


def test_no_file_is_unavailable(tmp_path: Path):
    """A file that isn't there says how to make one; a folder in its place is no file."""
    with pytest.raises(Unavailable, match="vcid init"):
        Config.load(tmp_path / "vcid.toml")
    with pytest.raises(Unavailable):
        Config.load(tmp_path)


@settings(max_examples=150)
@given(
    path=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
        str.strip
    ),
    name=st.text(st.characters(categories=["L", "N"]), min_size=1),
)
def test_what_is_written_reads_back(path: str, name: str):
    """Any path survives being written as TOML, quotes, controls and line ends included."""
    sections = {
        "issuer": {**SECTIONS["issuer"], "key": f"{path}#{name}"},
        "ledger": SECTIONS["ledger"],
        "verifier": {**SECTIONS["verifier"], "policy": path},
    }
    config = Config.parse(write_toml(sections), path=FILE)
    assert config.issuing()[0].key == KeyPlace(FILE.parent / path, name)
    assert config.verifying().policy == FILE.parent / path


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_arbitrary_bytes_raise_only_our_errors(content: bytes):
    """Whatever the file holds, it is read or refused with an error of vcid's."""
    for data in (content, b"[issuer]\n" + content, b"[verifier]\npolicy = " + content):
        with contextlib.suppress(VcidError):
            Config.parse(data, path=FILE)
