"""Resolving a did:webvh through a loader: versions, metadata, history, and files on a stick."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from dids.webvh_scene import (
    LOCATION,
    NOW,
    START,
    begin,
    day,
    did_of,
    entries,
    forge,
    resolved,
    rich_log,
    signer,
    signing,
)
from vcid.dids.documents import did_document, parse_did_url
from vcid.dids.folder import FolderLoader
from vcid.dids.methods import DidKeyResolver, Resolvers
from vcid.dids.resolution import ResolutionOptions, resolve
from vcid.dids.webvh import (
    DidWebvhResolver,
    WebvhFiles,
    read_history,
    resolve_files,
    resource_url,
    with_implicit_services,
)
from vcid.dids.webvh_writing import Change, deactivate, move, update
from vcid.encoding.contexts import Loaded
from vcid.errors import InvalidProof, ResolutionFailed, Unavailable

BASE = "https://civil.example/dids/registrar/"


class Pages:
    """A loader of pages at hand, which remembers what it was asked for."""

    def __init__(self, **pages: bytes) -> None:
        self.pages = {
            BASE + name.replace("_", "-").replace("-dot-", "."): body for name, body in pages.items()
        }
        self.asked: list[str] = []

    def load(self, url: str) -> Loaded:
        self.asked.append(url)
        if url not in self.pages:
            raise Unavailable("no such page", code="not-found")
        return Loaded(self.pages[url], "text/jsonl", url)


def _three() -> bytes:
    log = begin()
    for number in (1, 2):
        state = {**entries(log)[-1]["state"], "alsoKnownAs": [f"https://civil.example/{number}"]}
        log = update(log, signing(1, number), document=state, change=Change(ttl=100 * number))
    return log


def test_a_loader_brings_the_log_and_the_witness_file_where_it_is_needed():
    """The files stand where the DID says; nothing else is asked for."""
    log, witness = rich_log()
    pages = Pages(did_dot_jsonl=log, did_witness_dot_json=witness)
    document = DidWebvhResolver(pages, lambda: NOW).resolve(did_of(log))
    assert document.id == did_of(log)
    assert pages.asked == [f"{BASE}did.jsonl", f"{BASE}did-witness.json"]
    plain = Pages(did_dot_jsonl=begin())
    DidWebvhResolver(plain, lambda: NOW).resolve(did_of(begin()))
    assert plain.asked == [f"{BASE}did.jsonl"]


def test_what_is_not_there_is_not_found_and_what_cannot_be_had_is_unknown():
    """A missing log or witness file says that there is none; a server out of reach says nothing."""
    log, _ = rich_log()

    class Down:
        def load(self, url: str) -> Loaded:
            raise Unavailable("no network")

    for loader, code in (
        (Pages(), "notFound"),
        (Pages(did_dot_jsonl=log), "notFound"),
        (Down(), "internalError"),
    ):
        with pytest.raises(ResolutionFailed) as caught:
            DidWebvhResolver(loader, lambda: NOW).resolve(did_of(log))
        assert caught.value.code == code


def test_a_version_is_found_by_id_number_and_time():
    """Each gives the document of then; the metadata's update is that of the newest entry."""
    log = _three()
    versions = entries(log)
    for number in (1, 2, 3):
        version = versions[number - 1]
        for options in (
            {"version_number": number},
            {"version_id": version["versionId"]},
            {"version_time": day(number - 1)},
            {"version_time": day(number) - timedelta(seconds=1)},
        ):
            result = resolved(log, **options)
            assert result.document.content == version["state"]
            assert result.document_metadata["versionId"] == version["versionId"]
            assert result.document_metadata["versionTime"] == version["versionTime"]
            assert result.document_metadata["created"] == "2026-01-01T00:00:00Z"
            assert result.document_metadata["updated"] == "2026-01-03T00:00:00Z"
    for options in (
        {"version_number": 4},
        {"version_number": 0},
        {"version_id": "1-Qm"},
        {"version_id": versions[0]["versionId"][2:]},
        {"version_time": START - timedelta(seconds=1)},
    ):
        with pytest.raises(ResolutionFailed, match="notFound"):
            resolved(log, **options)


def test_metadata_say_what_holds():
    """Numbers are texts, as DID resolution demands, and a DID that ended says so for every version."""
    log, witness = rich_log()
    metadata = resolved(log, witness).document_metadata
    assert (metadata["ttl"], metadata["portable"], metadata["deactivated"]) == ("60", True, False)
    assert metadata["watchers"] == ["https://watcher.example/"]
    assert metadata["witness"]["threshold"] == "2"
    assert metadata["scid"] in did_of(log)
    ended = deactivate(_three(), signing(1, 3))
    older = resolved(ended, version_number=1)
    assert older.document_metadata["deactivated"] is True
    method = older.document.methods[0]
    with pytest.raises(InvalidProof, match="deactivated"):
        older.document.method(method.id, "assertionMethod")
    last = DidWebvhResolver(Pages(did_dot_jsonl=ended), lambda: NOW).resolve(did_of(ended))
    assert last.deactivated
    with pytest.raises(InvalidProof, match="deactivated"):
        last.method(method.id, "assertionMethod")


def test_versions_before_a_bad_entry_can_be_asked_for_by_name():
    """The newest can't be known, nor the version of a time that a bad entry may have changed."""
    good = _three()
    bad = forge(good, lambda e: e.update(versionTime="2026-01-02T00:00:00Z"), 1)
    did = did_of(good)
    for options in ({"version_number": 2}, {"version_number": 1}, {"version_time": day(0)}):
        assert resolved(bad, did=did, **options).document is not None
    for options in ({}, {"version_number": 3}, {"version_time": day(1)}, {"version_time": day(9)}):
        with pytest.raises(ResolutionFailed, match="invalidDid"):
            resolved(bad, did=did, **options)


def test_an_open_file_is_read_line_by_line():
    """A log need not be in memory: any binary file will do."""
    log = _three()
    files = WebvhFiles.of(io.BytesIO(log))
    assert resolve_files(did_of(log), files, ResolutionOptions(), now=NOW) == resolved(log)


def test_a_folder_serves_what_a_web_server_does(tmp_path):
    """The files of a DID on a stick resolve without a network."""
    log, witness = rich_log()
    place = tmp_path / "civil.example" / "dids" / "registrar"
    place.mkdir(parents=True)
    (place / "did.jsonl").write_bytes(log)
    (place / "did-witness.json").write_bytes(witness)
    resolvers = Resolvers(
        {"key": DidKeyResolver(), "webvh": DidWebvhResolver(FolderLoader(tmp_path), lambda: NOW)}
    )
    assert resolvers.resolve(did_of(log)).id == did_of(log)
    result = resolve(did_of(log), resolvers, ResolutionOptions(version_number=1))
    assert result.document_metadata["versionId"].startswith("1-")
    (place / "did-witness.json").unlink()
    assert resolve(did_of(log), resolvers).error_type == "https://www.w3.org/ns/did#NOT_FOUND"


def test_the_history_has_every_version_with_its_time():
    """At each moment it gives the document that held then."""
    log = _three()
    history = read_history(did_of(log), WebvhFiles.of(log), now=NOW)
    assert [version.version_id for version in history.versions] == [e["versionId"] for e in entries(log)]
    assert history.at(day(1)).content == entries(log)[1]["state"]
    assert history.at(day(300)).content == entries(log)[2]["state"]
    assert DidWebvhResolver(Pages(did_dot_jsonl=log), lambda: NOW).history(did_of(log)) == history
    with pytest.raises(ResolutionFailed, match="invalidDid"):
        read_history(did_of(log), WebvhFiles.of(log + b"{}"), now=NOW)


def test_the_history_of_a_did_that_moved_goes_by_its_new_name():
    """It reaches back to the first version; under the old name there is none."""
    log = begin(Change(portable=True))
    moved = move(log, "registrar.example", signing(1, 1))
    history = read_history(did_of(moved), WebvhFiles.of(moved), now=NOW)
    assert [history.at(day(number)).id for number in (0, 1)] == [did_of(log), did_of(moved)]
    with pytest.raises(ResolutionFailed, match="notFound"):
        read_history(did_of(log), WebvhFiles.of(moved), now=NOW)


def test_a_rotated_key_ends_with_the_entry_that_drops_it():
    """What the log says of a document's keys is what time-honest verification needs."""
    log = begin()
    did = did_of(log)
    log = update(log, signing(1, 5), document=did_document(did, [signer(51).public_key]))
    old, new = read_history(did, WebvhFiles.of(log), now=NOW).lives()
    assert (old.listed, old.removed, old.ended) == (day(0), day(5), day(5))
    assert (new.listed, new.ended) == (day(5), None)
    assert old.covers(day(4))
    assert not old.covers(day(5))


def test_paths_lead_to_the_did_s_own_files():
    """The implicit services stand beside the log, those of the document before them."""
    document = resolved(begin()).document
    url = parse_did_url(f"{document.id}/governance/issuers.json")
    assert resource_url(document, url) == f"{BASE}governance/issuers.json"
    assert resource_url(document, parse_did_url(f"{document.id}/whois")) == f"{BASE}whois.vp"
    for path in ("/..", "/a/../b", "/%2e%2e/b", "/a%2Fb", "/a//b", "/", "/a%5Cb"):
        with pytest.raises(ResolutionFailed, match="invalidDidUrl"):
            resource_url(document, parse_did_url(document.id + path))


@pytest.mark.parametrize(
    ("endpoint", "code"), [("ftp://files.example/", "invalidDid"), ([], "invalidDid"), ({}, "invalidDid")]
)
def test_a_document_s_own_service_decides(endpoint, code):
    """An explicit #files stands before the implicit one, and is reached by HTTPS or not at all."""
    log = begin()
    state = entries(log)[0]["state"]

    def with_service(value):
        service = {"id": "#files", "type": "relativeRef", "serviceEndpoint": value}
        changed = update(log, signing(1, 1), document={**state, "service": [service]})
        return resolved(changed).document

    document = with_service("https://files.example/all/")
    assert resource_url(document, parse_did_url(f"{document.id}/a/b")) == "https://files.example/all/a/b"
    assert [s["id"] for s in with_implicit_services(document)["service"]] == [
        "#files",
        f"{document.id}#whois",
    ]
    with pytest.raises(ResolutionFailed) as caught:
        resource_url(with_service(endpoint), parse_did_url(f"{document.id}/a/b"))
    assert caught.value.code == code


def test_other_methods_are_not_resolved_here():
    """A did:web is not quietly read as a did:webvh."""
    with pytest.raises(ResolutionFailed, match="methodNotSupported"):
        DidWebvhResolver(Pages(), lambda: datetime.now(UTC)).resolve(f"did:web:{LOCATION}")
    assert json.loads(begin())["state"]["id"].startswith("did:webvh:")
