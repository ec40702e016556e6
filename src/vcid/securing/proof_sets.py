"""Several proofs of one document: sets, and chains in which a proof builds on others.

Follows Verifiable Credential Data Integrity 1.0, sections "Proof Sets", "Proof Chains" and "Verify Proof Sets
and Chains". A proof that names others in ``previousProof`` covers them with the document; one that names none
covers the document alone. What this departs in: the specification verifies every proof there is, here those
in suites that the caller allows, and a proof counts only if all that it builds on count too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vcid.errors import InvalidProof, LimitExceeded, Malformed
from vcid.securing.proof import check_shape, get_texts, meet_demand, name_suite

if TYPE_CHECKING:
    from vcid.encoding.json import JsonObject
    from vcid.securing.cryptosuites import Suite
    from vcid.securing.proof import ProofDemand

MAX_PROOFS: Final = 10
"""How many proofs a document may have, of any suite: each may cost a signature check."""


@dataclass(frozen=True, slots=True)
class ProofSet:
    """The proofs of one document.

    Attributes:
        proofs: the proofs as received, in the document's order.
    """

    proofs: tuple[JsonObject, ...]

    @classmethod
    def of(cls, secured: JsonObject) -> ProofSet:
        """Take the proofs of a document, one alone or a list of them.

        Raises:
            InvalidProof: ``proof-missing``.
            LimitExceeded: ``too-many-proofs``.
            Malformed: something else stands there, or an ``id`` stands twice.
        """
        found = secured.get("proof")
        listed = found if isinstance(found, list) else [found]
        if found is None or not listed:
            raise InvalidProof("proof-missing", "the document has no proof")
        if len(listed) > MAX_PROOFS:
            raise LimitExceeded("too-many-proofs", f"at most {MAX_PROOFS} proofs", where="/proof")
        proofs = tuple(proof for proof in listed if isinstance(proof, dict))
        if len(proofs) != len(listed):
            raise Malformed("proof-malformed", "an object", where="/proof")
        ids = [proof["id"] for proof in proofs if "id" in proof]
        if not all(isinstance(identifier, str) for identifier in ids):
            raise Malformed("proof-malformed", "a string", where="/proof/id")
        if len(set(map(str, ids))) != len(ids):
            raise Malformed("proof-id-repeated", "an id of its own for each proof", where="/proof")
        return cls(proofs)

    def previous(self, proof: JsonObject) -> list[JsonObject]:
        """Give the proofs that a proof builds on, in the document's order; empty where it names none.

        Raises:
            InvalidProof: ``previous-proof-missing``, where one that it names is not there.
        """
        if "previousProof" not in proof:
            return []
        wanted = get_texts(proof, "previousProof")
        found = [other for other in self.proofs if other.get("id") in wanted]
        if len(found) != len(wanted):
            raise InvalidProof("previous-proof-missing", "a proof that this one builds on is not there")
        return found

    def choose(self, demand: ProofDemand) -> tuple[tuple[JsonObject, Suite], ...]:
        """Give the proofs to verify with their suites: all whose suites are allowed.

        Raises:
            InvalidProof: a proof is not what was demanded, none is in an allowed suite or one is missing from
                a required one, or a proof builds on something that is missing, not allowed, or itself.
            Malformed: a proof that is allowed has not the shape of one.
        """
        allowed = [proof for proof in self.proofs if name_suite(proof) in demand.suites]
        chosen = []
        for proof in allowed or self.proofs[:1]:
            check_shape(proof)
            chosen.append((proof, meet_demand(proof, demand)))
        if not demand.required_suites <= {suite.name for _, suite in chosen}:
            required = ", ".join(sorted(demand.required_suites))
            raise InvalidProof(
                "required-suite-missing", f"a proof in each of these suites is required: {required}"
            )
        self._check_chains(allowed)
        return tuple(chosen)

    def _check_chains(self, allowed: list[JsonObject]) -> None:
        """Require that following ``previousProof`` meets allowed proofs only, and comes to an end."""
        pending = {id(proof): self.previous(proof) for proof in allowed}
        if any(id(other) not in pending for previous in pending.values() for other in previous):
            raise InvalidProof(
                "previous-proof-not-allowed", "a proof builds on one in a suite that is not allowed"
            )
        while pending:
            ready = [
                key for key, previous in pending.items() if not any(id(it) in pending for it in previous)
            ]
            if not ready:
                raise InvalidProof("previous-proof-cycle", "proofs build on each other in a circle")
            for key in ready:
                del pending[key]
