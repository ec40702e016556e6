"""Tables of words: each word goes where its table says, or nowhere."""

import pytest

from vcid.credentials.codes import COUNTRIES as KNOWN_COUNTRIES
from vcid.importers import crosswalks
from vcid.importers.crosswalks import Crosswalk


@pytest.mark.parametrize(
    ("table", "words", "lost"),
    [
        (crosswalks.PRIMERO_SEX, {"male": "male", "female": "female"}, {}),
        (crosswalks.OPENCRVS_SEX, {"male": "male", "female": "female", "unknown": "notKnown"}, {}),
        (crosswalks.FHIR_SEX, {"male": "male", "female": "female", "unknown": "notKnown"}, {"other"}),
        (crosswalks.SPDCI_SEX, {"male": "male", "female": "female", "unknown": "notKnown"}, {"other"}),
        (crosswalks.ISO_5218_SEX, {"0": "notKnown", "1": "male", "2": "female"}, {"9"}),
        (crosswalks.CLAIM_169_SEX, {"1": "male", "2": "female"}, {"3"}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_sex_is_turned_by_a_table_or_not_at_all(table, words, lost):
    """Each system's words go where the table says; no word becomes another's by default."""
    assert table.words == words
    assert table.lost == set(lost)
    for word in lost:
        code, expected = table.fault_of(word)
        assert code == "no-lossless-mapping"
        assert word in expected
        assert table.name in expected
    code, expected = table.fault_of("Amina")
    assert code == "not-in-crosswalk"
    assert "Amina" not in expected


def test_a_table_says_one_thing_of_a_word():
    """A word that is turned and lost at once is misuse."""
    with pytest.raises(ValueError, match="both"):
        Crosswalk("sexAtBirth", {"x": "male"}, lost=frozenset({"x"}))


def test_countries_in_three_letters_are_the_countries():
    """Every country has one code of three letters and its own of two, and no other is made up."""
    words = crosswalks.COUNTRIES.words
    assert {words[code] for code in words if len(code) == 3} == KNOWN_COUNTRIES
    assert {code: words[code] for code in words if len(code) == 2} == {code: code for code in KNOWN_COUNTRIES}
    assert len(words) == 2 * len(KNOWN_COUNTRIES)
    assert "FAR" not in words
