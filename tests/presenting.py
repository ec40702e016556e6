"""A family in the small world: a holder with credentials in every form, and what tests do to presentations."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

from vcid.credentials.digests import SaltedDigest
from vcid.credentials.guardianship import (
    Act,
    AuthorityRole,
    Basis,
    Dependent,
    Guardian,
    Guardianship,
    Relation,
)
from vcid.credentials.model import Credential
from vcid.dids.methods import did_key
from vcid.encoding.contexts import Contexts
from vcid.encoding.json import parse_object
from vcid.encoding.multikey import KeyType
from vcid.holder import Holder
from vcid.issuer import Issuer
from vcid.keys.signing import LocalSigner
from vcid.securing.data_integrity import ProofOptions, add_proof
from vcid.securing.jose import ALGORITHMS, CREDENTIAL_TOKEN, TokenOptions, sign_token
from vcid.verifier import Verifier
from world import World, birth

CHALLENGE = "a challenge drawn at random"
DOMAIN = "border.example"
SUITES = frozenset({"eddsa-jcs-2022", "eddsa-rdfc-2022", "ecdsa-jcs-2019", "ecdsa-rdfc-2019", *ALGORITHMS})
DEMANDED = {"challenge": CHALLENGE, "domain": DOMAIN}


def person(world: World, key_type: KeyType = KeyType.ED25519, **options: object) -> Holder:
    """Somebody with a fresh did:key."""
    signer = LocalSigner.generate(key_type)
    return Holder(did_key(signer.public_key), signer, clock=world.clock, **options)


@dataclass
class Family:
    """A registry, a child, the mother who is her guardian, and the verifier whom they meet."""

    world: World = field(default_factory=World)
    registrar: LocalSigner = field(default_factory=LocalSigner.generate)

    def __post_init__(self) -> None:
        self.issuer: Issuer = self.world.issuer(signer=self.registrar)
        self.issuer.publish()
        self.child = person(self.world)
        self.mother = person(self.world)

    @cached_property
    def birth(self) -> Credential:
        """The child's birth registration, with an embedded proof."""
        return self.issuer.issue(birth(), key="birth", child_did=self.child.did)

    @cached_property
    def token(self) -> Credential:
        """Another registration of the child, as a token."""
        issued = self.issuer.issue(birth(2), key="token", child_did=self.child.did)
        return self.as_token(issued.unverified_document)

    @cached_property
    def guardianship(self) -> Credential:
        """What makes the mother the child's guardian."""
        record = Guardianship(
            dependent=Dependent(child_ref="C" * 21 + "A", birth_issuer=self.issuer.did, id=self.child.did),
            guardians=[Guardian(id=self.mother.did, relation=Relation.PARENT)],
            basis=Basis.COURT_ORDER,
            order_ref=SaltedDigest(salt="A" * 22, digest="B" * 42 + "A"),
            issuing_authority_role=AuthorityRole.COURT,
            jurisdiction="KE",
            valid_from=self.world.clock.now,
            valid_until=self.world.clock.now.replace(year=2027),
            permitted_acts=[Act.SCHOOL_ENROL],
        )
        return self.issuer.issue(record, key="guardianship")

    def as_token(self, document: dict, **changes: object) -> Credential:
        """Sign a credential's document as a token of the registry's."""
        document = {name: value for name, value in document.items() if name != "proof"} | changes
        options = TokenOptions(
            verification_method=f"{self.issuer.did}#{self.registrar.public_key.multikey}",
            created=self.world.clock.now,
        )
        contexts = Contexts.carried()
        content = sign_token(document, self.registrar, options, form=CREDENTIAL_TOKEN, contexts=contexts)
        return Credential("application/vc+jwt", content)

    def verifier(self, **changes: object) -> Verifier:
        """The verifier, with a policy changed as stated."""
        policy = self.world.policy(self.issuer, **{"suites": SUITES, **changes})
        return self.world.verifier(policy, self.world.knowledge(self.issuer))


def proven(document: dict, holder: Holder, **changes: object) -> dict:
    """Prove a presentation's document as its holder would, but with options of the test's own."""
    options = ProofOptions(
        verification_method=holder.verification_method,
        proof_purpose="authentication",
        created=holder.clock(),
        **DEMANDED,
    )
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    return add_proof(unsigned, holder.signer, replace(options, **changes), contexts=Contexts.carried())


def shown(holder: Holder, *credentials: Credential, **options: object) -> dict:
    """What a holder shows, as an object."""
    return parse_object(holder.present(list(credentials), **{**DEMANDED, **options}).content)
