"""`vcid present` and `vcid verify` of what it made: shown to one verifier, worthless to the next."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from cli.conftest import PASSPHRASE, RECORD, Place

ASKED = ("--challenge", "n-1", "--domain", "border.example")


@pytest.fixture
def child(authority: Place) -> str:
    """The DID of a child whose key lies in the folder, and who has a credential in child.json."""
    from vcid.dids.methods import did_key
    from vcid.keys.encrypted_file import Argon2Cost
    from vcid.keys.signing import LocalSigner

    signer = LocalSigner.generate()
    signer.save(authority.folder / "child-key.json", PASSPHRASE, cost=Argon2Cost(1, 8192))
    did = did_key(signer.public_key)
    record = authority.write("child-record.json", RECORD)
    issued = authority("issue", record, "--key", "child", "--child-did", did)
    assert issued.code == 0, issued.err
    authority.write("child.json", issued.out.encode())
    policy = json.loads((authority.folder / "policy.json").read_bytes())
    authority.write("policy.json", policy | {"suites": [*policy["suites"], "EdDSA"]})
    return did


def present(authority: Place, *options: object, files=("child.json",), asked=ASKED):
    places = [authority.folder / file for file in files]
    return authority("present", *places, "--key", authority.folder / "child-key.json", *asked, *options)


@pytest.mark.parametrize("form", ["vp", "vp+jwt"])
def test_what_is_presented_verifies_for_that_verifier_alone(authority: Place, child: str, form: str):
    """Exit codes 0 for it, and 1 for another challenge or domain."""
    out = authority.folder / "shown"
    ended = present(authority, "--out", out, "--format", form)
    assert (ended.code, ended.out) == (0, f"presented 1, in {out}\n"), ended.err
    assert out.stat().st_mode & 0o777 == 0o600 or os.name == "nt"
    verified = authority("verify", out, *ASKED)
    assert verified.code == 0, verified.out
    assert verified.out.startswith(f"{out}: verified\n")
    assert f"{out}, credential 1: verified\n" in verified.out
    assert "Amina" not in verified.out
    for other in (
        ("--challenge", "n-2", "--domain", "border.example"),
        ("--challenge", "n-1", "--domain", "x"),
    ):
        assert authority("verify", out, *other).code == 1
    assert authority("verify", out).code == 1  # it is no credential


def test_claims_are_shown_on_request_and_only_of_a_verified_whole(authority: Place, child: str):
    """As JSON and in words; of a replayed presentation none."""
    out = authority.folder / "shown"
    present(authority, "--out", out)
    result = authority("verify", out, *ASKED, "--json", "--show-claims").json
    assert (result["conclusion"], len(result["results"])) == ("verified", 1)
    [credential] = result["results"][0]["credentials"]
    assert credential["claims"]["id"] == child
    assert [check["name"] for check in result["results"][0]["checks"]] == [
        "parse",
        "model",
        "key",
        "proof",
        "holder",
    ]
    assert "Amina" in authority("verify", out, *ASKED, "--show-claims").out
    replayed = authority("verify", out, "--challenge", "n-2", "--domain", "border.example", "--show-claims")
    assert (replayed.code, "Amina" in replayed.out + replayed.err) == (1, False)


def test_somebody_else_s_credential_is_undecided(authority: Place, child: str):
    """Exit code 3: the holder is not whom it speaks of."""
    presented = present(authority, "--json", files=("child.json", authority.credential)).json
    assert (presented["holder"], presented["mediaType"], presented["file"]) == (child, "application/vp", None)
    shown = authority.write("shown.json", presented["presentation"])
    ended = authority("verify", shown, *ASKED, "--json")
    assert (ended.code, ended.json["conclusion"]) == (3, "undecided")
    codes = [check["code"] for check in ended.json["results"][0]["credentials"][1]["checks"]]
    assert "holder-not-subject" in codes


def test_without_a_file_it_goes_to_stdout_and_is_read_from_stdin(authority: Place, child: str):
    """For pipes; a token as text."""
    for form in ("vp", "vp+jwt"):
        shown = present(authority, "--format", form)
        assert authority("verify", "-", *ASKED, stdin=shown.out.encode()).code == 0
    printed = present(authority, "--format", "vp+jwt", "--json").json
    assert printed["presentation"].count(".") == 2


@pytest.mark.parametrize(
    "asked",
    [
        ("--challenge", "n-1"),
        ("--domain", "border.example"),
        ("--challenge", "", "--domain", "border.example"),
        ("--challenge", "n-1", "--domain", ""),
    ],
)
def test_both_challenge_and_domain_are_needed(authority: Place, child: str, asked: tuple[str, ...]):
    """Exit code 2, for showing and for verifying."""
    assert present(authority, asked=asked).code == 2
    assert authority("verify", authority.credential, *asked).code == 2


def test_what_can_not_be_shown_is_said_in_one_line(authority: Place, child: str):
    """Exit code 1; no traceback, no claim, and no file that was there is overwritten."""
    unsigned = json.loads((authority.folder / "child.json").read_bytes())
    unsigned.pop("proof")
    authority.write("unsigned.json", unsigned)
    ended = present(authority, files=("unsigned.json",))
    assert (ended.code, "not-secured" in ended.line, "Amina" in ended.line) == (1, True, False)
    assert present(authority, "--out", authority.folder / "child.json").code == 1
    assert present(authority, "--did", "nobody").code == 1
    missing = authority.folder / "nothing.json"
    ended = authority("present", authority.credential, "--key", missing, *ASKED)
    assert (ended.code, ended.line.startswith("vcid: ")) == (1, True)
    assert authority("present", authority.credential, "--key", "#x", *ASKED).code == 2


def test_a_key_in_a_wallet_is_named_after_a_hash(authority: Place, child: str):
    """As in vcid.toml; here the authority itself shows what it issued, under its own DID."""
    place = f"{authority.folder / 'keys.json'}#issuer"
    out = authority.folder / "shown"
    ended = authority(
        "present",
        authority.credential,
        "--key",
        place,
        "--did",
        "did:web:civil.example",
        "--out",
        out,
        *ASKED,
    )
    assert ended.code == 0, ended.err
    assert authority("verify", out, *ASKED).code == 3
    assert Path(out).is_file()
