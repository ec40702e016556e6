"""A did:webvh and its controller, and a stranger who anchors what he likes in the same log."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from vcid.dids.documents import did_document
from vcid.dids.names import read_newest_name
from vcid.dids.webvh_writing import Change, Signing, create, deactivate, move, placeholder_did, update
from vcid.encoding.dates import format_timestamp
from vcid.keys.signing import LocalSigner, PublicKey
from vcid.ledger.batches import BatchReceipt, build_batch
from vcid.ledger.entries import Entry, Kind
from vcid.ledger.log import Ledger
from vcid.ledger.receipts import InclusionReceipt, Receipt
from world import Clock

HOST = "civil.example"


class Controller:
    """Who writes the log of a did:webvh, at the clock's time."""

    def __init__(self, clock: Clock, keys: Sequence[PublicKey], location: str = HOST) -> None:
        self._clock = clock
        self._signer = LocalSigner.generate()
        self.keys = list(keys)
        text = json.dumps(did_document("did:example:placeholder", keys))
        first = json.loads(text.replace("did:example:placeholder", placeholder_did(location)))
        self.log = create(first, self._signing, Change(portable=True))

    @property
    def _signing(self) -> Signing:
        return Signing(self._signer, self._clock().replace(microsecond=0))

    @property
    def did(self) -> str:
        return read_newest_name(self.log)

    def list_keys(
        self,
        keys: Sequence[PublicKey],
        revoked: Mapping[PublicKey, datetime] | None = None,
        expires: Mapping[PublicKey, datetime] | None = None,
    ) -> bytes:
        """Publish a document with these keys and their ends; give the log."""
        newest = json.loads(self.log.splitlines()[-1])["state"]
        document = did_document(self.did, keys, also_known_as=newest.get("alsoKnownAs", []))
        for name, ends in (("revoked", revoked or {}), ("expires", expires or {})):
            for method in document["verificationMethod"]:
                moment = next(
                    (ends[key] for key in ends if key.multikey == method["publicKeyMultibase"]), None
                )
                if moment is not None:
                    method[name] = format_timestamp(moment)
        self.keys = list(keys)
        self.log = update(self.log, self._signing, document=document)
        return self.log

    def move(self, location: str) -> bytes:
        self.log = move(self.log, location, self._signing)
        return self.log

    def deactivate(self) -> bytes:
        self.log = deactivate(self.log, self._signing)
        return self.log


def anchor(ledger: Ledger, digest: bytes) -> Receipt:
    """Anchor a digest in a batch of one's own, as everybody can who may append; give the receipt."""
    owner = LocalSigner.generate()
    salt = bytes(range(32))
    batch, (place,) = build_batch(
        [(salt, digest)], random=lambda count: b"\7" * count, draw_below=lambda _: 0
    )
    entry = Entry.sign(owner, kind=Kind.BATCH_ROOT, list_id="", seq=0, digest=batch.digest)
    ledger.append([entry])
    view = ledger.publish()
    inclusion = InclusionReceipt.parse(ledger.inclusion(entry, view.size).body)
    return BatchReceipt(salt, place, len(batch.leaf_hashes), batch.path(place), inclusion).encode()
