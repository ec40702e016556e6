"""Related resources: a credential that was written against another edition of a context is no sure reading."""

import pytest

from presenting import Family
from vcid.encoding.contexts import Contexts
from vcid.report import Conclusion, Outcome
from vcid.securing.data_integrity import ProofOptions, add_proof

V2 = "https://www.w3.org/ns/credentials/v2"
EARLIER = "uEiAkoYyQ6YVtUmER8pN24wLZcLK9EBguM5WZlbAgfXBDuQ"


@pytest.fixture(scope="module")
def family():
    return Family()


def report(family, *related):
    """The verifier's report on a birth registration that states these related resources."""
    document = {**family.birth.unverified_document, "relatedResource": list(related)}
    del document["proof"]
    method = f"{family.issuer.did}#{family.registrar.public_key.multikey}"
    options = ProofOptions(verification_method=method, created=family.world.clock.now)
    secured = add_proof(document, family.registrar, options, contexts=Contexts.carried())
    return family.verifier().check(secured)


def test_a_resource_that_is_not_read_here_says_nothing(family):
    """Nothing rests on it: a photograph, say, that only an application shows."""
    other = {"id": "https://example.org/photo", "digestMultibase": EARLIER}
    assert report(family, other)


def test_the_digest_of_an_earlier_edition_leaves_doubt(family):
    """The issuer may have meant something else by its terms, and no policy can tolerate that."""
    doubtful = report(family, {"id": V2, "digestMultibase": EARLIER})
    assert (doubtful["model"].outcome, doubtful["model"].code) == (Outcome.UNKNOWN, "superseded-edition")
    assert doubtful.conclusion is Conclusion.UNDECIDED


def test_a_digest_that_was_never_right_is_a_fault(family):
    """Of the model, before anything else is read from the document."""
    wrong = report(family, {"id": V2, "digestMultibase": EARLIER.replace("koY", "koZ")})
    assert wrong["model"].outcome is Outcome.FAILED
    assert wrong["model"].code == "digest-mismatch"
