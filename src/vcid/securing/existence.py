"""By which digest a secured document's existence is shown: one that no later presentation of it changes.

An issuer's batches take it up, and a verifier looks for it in a receipt. It covers the signature, so that
whoever shows it in the ledger shows that the document was signed by then, and not only written.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from vcid.encoding.contexts import Contexts
from vcid.encoding.json import canonicalize
from vcid.securing.cryptosuites import SUITES
from vcid.securing.jose import Token
from vcid.securing.proof import name_suite
from vcid.securing.proof_sets import ProofSet

if TYPE_CHECKING:
    from vcid.encoding.json import JsonObject

_ECDSA_SD: Final = "ecdsa-sd-2023"
_ECDSA_SD_TITLE: Final = b"vcid.existence.ecdsa-sd-2023.v1\n"


def existence_digest(secured: JsonObject | Token, *, contexts: Contexts | None = None) -> bytes | None:
    """Give the digest by which the existence of a secured document is shown.

    1. A token: SHA-256 of its compact form.
    2. A document whose one proof is of ecdsa-sd-2023, base or derived: SHA-256 of the base signature with
       what it signs, after a title. All that is derived from one base document has one digest.
    3. A document with a proof of another suite for selective disclosure: none. Of bbs-2023 every showing is
       to be unlinkable, and nothing that survives derivation could be told from another's.
    4. Any other: SHA-256 of its canonical JSON, with its proofs.

    Args:
        secured: the document with its proofs, or the token; nothing in it is verified.
        contexts: the contexts that a document of ecdsa-sd-2023 may name; those carried by default.

    Raises:
        InvalidProof: there is no proof.
        Malformed: a proof or the document is none; InvalidRecord for several faults.
    """
    if isinstance(secured, Token):
        return hashlib.sha256(secured.compact).digest()
    proofs = ProofSet.of(secured).proofs
    selective = [name for name in map(name_suite, proofs) if name in SUITES and SUITES[name].is_selective]
    if not selective:
        return hashlib.sha256(canonicalize(secured)).digest()
    if len(proofs) > 1 or selective != [_ECDSA_SD]:
        return None
    from vcid.securing.ecdsa_sd import read_signed

    signed = read_signed(secured, contexts=contexts or Contexts.carried())
    return hashlib.sha256(_ECDSA_SD_TITLE + signed).digest()
