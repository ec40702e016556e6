"""``vcid ledger check``: what a receipt comes to by a policy, without the log and without a network."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from vcid.cli.logs import (
    kind_option,
    list_option,
    log_policy,
    origin_option,
    owner_option,
    policy_option,
    read_digest,
    verifying_policy,
)
from vcid.cli.options import HELP, config_option, json_option, load_config, open_input, read_moment
from vcid.cli.output import print_json, say
from vcid.errors import InvalidProof, Malformed

if TYPE_CHECKING:
    from datetime import datetime

    from vcid.cli.config import Config
    from vcid.keys.signing import PublicKey
    from vcid.ledger.anchor import Judgement, LogPolicy, View
    from vcid.ledger.entries import Entry
    from vcid.ledger.judge import Claim
    from vcid.ledger.receipts import LogProof, Receipt
    from vcid.policy import Policy

MAX_DOCUMENT: Final = 8 << 20
REFUSED: Final = 1
UNDECIDED: Final = 3
_UNDECIDED: Final = frozenset({"stale", "quorum", "unavailable"})


@click.command(context_settings=HELP)
@click.argument("file", metavar="RECEIPT", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--document",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What the receipt came with: a status list, a DID document or a credential.",
)
@click.option("--digest", callback=read_digest, help="The document's SHA-256, in its place.")
@owner_option
@kind_option
@list_option
@click.option("--now", callback=read_moment, help="The moment by which age is judged. By default now.")
@policy_option
@origin_option
@config_option
@json_option
@click.pass_context
def check(
    ctx: click.Context,
    *,
    file: Path,
    document: Path | None,
    digest: bytes | None,
    owner: PublicKey | None,
    kind: str,
    list_id: str | None,
    now: datetime | None,
    policy_file: Path | None,
    origin: str | None,
    config: str | None,
    as_json: bool,
) -> None:
    """Judge a receipt by a policy, offline.

    The question is whether a document is the newest that its owner anchored. The document is given by
    --document or --digest; whose topic it belongs to, by --owner, --kind and --list, or for a document by
    what the policy says of its issuer. A credential's own receipt says by when it existed. Where [verifier]
    remembers a checkpoint of the log, the receipt is held against it; the memory is not changed.

    Exit codes: 0 ok, 1 superseded, not_anchored, fork or invalid, 3 stale, quorum or unavailable.

    JSON: outcome, code, freshness, existence.
    """
    from vcid.encoding.dates import utc_now
    from vcid.ledger.batches import BATCH_RECEIPT

    read = load_config(config) if policy_file is None else None
    policy = verifying_policy(read, policy_file)
    question = _Question(
        policy=policy,
        log=log_policy(policy, origin),
        receipt=_read_receipt(file),
        now=now or utc_now(),
    )
    if question.receipt.media_type == BATCH_RECEIPT:
        judgement = _date_credential(question, document, digest)
    else:
        judgement = _judge(question, _claim(question, _Named(document, digest, owner, kind, list_id)), read)
    _report(judgement, as_json=as_json)
    ctx.exit(0 if judgement else UNDECIDED if judgement.outcome in _UNDECIDED else REFUSED)


@dataclass(frozen=True, slots=True)
class _Question:
    """A receipt, and by what it is judged."""

    policy: Policy
    log: LogPolicy
    receipt: Receipt
    now: datetime


@dataclass(frozen=True, slots=True)
class _Named:
    """What the command line says of the document."""

    document: Path | None
    digest: bytes | None
    owner: PublicKey | None
    kind: str
    list_id: str | None


def _read_receipt(file: Path) -> Receipt:
    """Read a receipt; its first line says of which kind it is.

    Raises:
        Malformed: it is none.
    """
    from vcid.ledger.batches import BATCH_RECEIPT
    from vcid.ledger.receipts import HEAD_RECEIPT, INCLUSION_RECEIPT, MAX_RECEIPT_BYTES, Receipt

    titles = {
        b"vcid.ledger/head-receipt@v1": HEAD_RECEIPT,
        b"vcid.ledger/batch-receipt@v1": BATCH_RECEIPT,
        b"c2sp.org/tlog-proof@v1": INCLUSION_RECEIPT,
    }
    with file.open("rb") as stream:
        body = stream.read(MAX_RECEIPT_BYTES + 1)
    media_type = titles.get(body.partition(b"\n")[0])
    if media_type is None:
        raise Malformed("receipt", "a receipt, as vcid ledger prove writes it")
    return Receipt(media_type, body)


def _claim(question: _Question, named: _Named) -> Claim:
    """Put together what is asked.

    Raises:
        click.UsageError: something is missing.
    """
    from vcid.encoding.json import canonicalize, parse_object
    from vcid.ledger.entries import Kind
    from vcid.ledger.judge import Claim

    digest, owner, kind, list_id = named.digest, named.owner, Kind(named.kind), named.list_id
    if named.document is not None:
        content = parse_object(_read(named.document), max_bytes=MAX_DOCUMENT)
        digest = hashlib.sha256(canonicalize(content)).digest()
        own_id = content.get("id")
        list_id = list_id or (own_id if isinstance(own_id, str) else None)
        if list_id is not None and list_id.startswith("did:"):
            kind = Kind.DID_DOCUMENT
        issuer = content.get("issuer", list_id)
        owner = owner or _owner_of(question.policy, issuer.get("id") if isinstance(issuer, dict) else issuer)
    if digest is None or owner is None or list_id is None:
        raise click.UsageError("give --document of an issuer in the policy, or --digest, --owner and --list")
    return Claim(owner=owner, kind=kind, list_id=list_id, digest=digest)


def _owner_of(policy: Policy, issuer: object) -> PublicKey | None:
    owners = {one.owner for one in policy.accreditations if one.issuer == issuer}
    return owners.pop() if len(owners) == 1 else None


def _read(file: Path) -> bytes:
    with open_input(file) as stream:
        return stream.read(MAX_DOCUMENT + 1)


def _judge(question: _Question, claim: Claim, config: Config | None) -> Judgement:
    """Judge at the newest checkpoint at hand: the receipt's own, or the one that is remembered of the log."""
    from vcid.ledger.anchor import Judgement, Outcome, View
    from vcid.ledger.judge import Evidence, Freshness, judge

    receipt, log = question.receipt, question.log
    freshness = Freshness(question.now, question.policy.max_evidence_age, question.policy.clock_skew)
    try:
        proof, entry = _read_proof(receipt)
        view = View.verified(proof.note.encode(), log)
    except (InvalidProof, Malformed) as error:
        return Judgement(Outcome.INVALID, error.code)
    remembered = _remembered(config, log)
    if remembered is not None and remembered.size >= view.size:
        view = remembered
    evidence = Evidence(entry if entry is not None and claim.matches(entry) else None, receipt)
    return judge(claim, evidence, view, policy=log, freshness=freshness)


def _read_proof(receipt: Receipt) -> tuple[LogProof, Entry | None]:
    from vcid.ledger.receipts import HEAD_RECEIPT, HeadReceipt, InclusionReceipt

    if receipt.media_type == HEAD_RECEIPT:
        head = HeadReceipt.parse(receipt.body)
        return head.log_proof, head.entry
    included = InclusionReceipt.parse(receipt.body)
    return included.log_proof, included.entry


def _remembered(config: Config | None, log: LogPolicy) -> View | None:
    from vcid.ledger.views import SqlViewStore

    if config is None or config.verifier is None or config.verifier.views.missing:
        return None
    views = SqlViewStore.open(config.verifier.views.url)
    try:
        return views.load(log.origin)
    finally:
        views.close()


def _date_credential(question: _Question, document: Path | None, digest: bytes | None) -> Judgement:
    """Say by when a credential existed."""
    from vcid.credentials.envelopes import CREDENTIAL, read_secured
    from vcid.credentials.model import Credential
    from vcid.ledger.anchor import Judgement, Outcome
    from vcid.ledger.batches import date_existence
    from vcid.securing.existence import existence_digest

    if document is not None:
        credential = Credential.parse(_read(document))
        digest = existence_digest(read_secured(credential, CREDENTIAL).secured)
    if digest is None:
        raise click.UsageError("give the credential as --document, or its --digest")
    try:
        existence = date_existence(digest, question.receipt, question.log)
    except (InvalidProof, Malformed) as error:
        return Judgement(Outcome.INVALID, error.code)
    if existence is None:
        return Judgement(Outcome.QUORUM, "too-few-witnesses")
    return Judgement(Outcome.OK, existence=existence)


def _report(judgement: Judgement, *, as_json: bool) -> None:
    fresh, since = judgement.freshness, judgement.existence
    if as_json:
        print_json(
            {
                "outcome": judgement.outcome.value,
                "code": judgement.code,
                "freshness": fresh.isoformat() if fresh else None,
                "existence": since.isoformat() if since else None,
            }
        )
        return
    say(f"{judgement.outcome.value} {judgement.code}".rstrip())
    if fresh is not None:
        say(f"newest as of {fresh:%Y-%m-%d %H:%M:%S} UTC")
    if since is not None:
        say(f"existed by {since:%Y-%m-%d %H:%M:%S} UTC")
