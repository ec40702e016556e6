"""A demonstration that goes wrong says so: each way in which an answer can differ from what it has to be."""

import json
from dataclasses import replace

import pytest

from vcid.demo.chapters import Expectation, Played, Silence
from vcid.demo.hearing import Answer, Answers, Sitting, ask_verifier, count_answers
from vcid.demo.scenes import SCENES, Scene, score
from vcid.demo.story import Settings, play
from vcid.errors import Unavailable


def checks(**outcomes):
    return [
        {"name": name, "outcome": outcome, **({"code": code} if code else {})}
        for name, (outcome, code) in outcomes.items()
    ]


def answer(sitting, conclusion, **outcomes):
    return Answer(sitting, {"conclusion": conclusion, "checks": checks(**outcomes)})


PASSED = ("passed", "")
REVOKED = Scene(
    name="revoked",
    tried="",
    sample="",
    expected=Expectation(
        conclusion="rejected", check="status", code="revoked", although=frozenset({"proof"})
    ),
)


def played(*outcomes, scene=REVOKED) -> Played:
    conclusion, named = outcomes
    return score([scene], [answer(scene.name, conclusion, **named)])[0]


def test_expected_reason_counts():
    """The reason is the expected one, and the proof passed: the scene holds."""
    scene = played("rejected", {"proof": PASSED, "status": ("failed", "revoked")})
    assert scene.as_expected
    assert scene.said == "status: revoked"


@pytest.mark.parametrize(
    ("conclusion", "outcomes"),
    [
        ("verified", {"proof": PASSED, "status": PASSED}),
        ("undecided", {"proof": PASSED, "status": ("unknown", "revoked")}),
        ("rejected", {"proof": PASSED, "status": ("failed", "suspended")}),
        ("rejected", {"proof": PASSED, "anchor": ("failed", "revoked"), "status": PASSED}),
        ("rejected", {"proof": ("failed", "bad-signature"), "status": ("failed", "revoked")}),
        ("rejected", {"proof": ("skipped", ""), "status": ("failed", "revoked")}),
    ],
    ids=["verified", "undecided", "other code", "other check", "for the wrong reason", "proof not checked"],
)
def test_any_other_answer_fails(conclusion, outcomes):
    """A refusal for another reason than the one that the scene is about is no success."""
    assert not played(conclusion, outcomes).as_expected


def test_expected_to_verify_and_refused():
    """A scene that has to verify fails if anything stands against it."""
    scene = replace(REVOKED, expected=Expectation())
    assert played("verified", {"proof": PASSED}, scene=scene).as_expected
    assert not played("rejected", {"proof": ("failed", "bad-signature")}, scene=scene).as_expected
    assert not played("verified", {"anchor": ("unknown", "stale")}, scene=scene).as_expected


def test_check_that_stands_twice_passes_only_twice():
    """Two anchors, one of them refused: the anchor did not pass."""
    report = {"conclusion": "rejected", "checks": checks(anchor=PASSED) + checks(anchor=("failed", "fork"))}
    assert Answer("", report).passed == frozenset()
    assert Answer("", report).reasons == ("anchor: fork",)


def test_scene_without_an_answer_is_an_error():
    """A scene can't pass by not being played."""
    with pytest.raises(KeyError):
        score([REVOKED], [])


def test_refused_credentials_are_counted():
    """One credential of three that is not verified makes the hearing fail, and its reason is kept."""
    good = answer("all", "verified", proof=PASSED)
    bad = answer("all", "rejected", proof=("failed", "bad-signature"))
    assert count_answers(Answers(1, (good, good))).as_expected
    heard = count_answers(Answers(1, (good, bad, good)))
    assert not heard.as_expected
    assert (heard.verified, heard.answers, heard.refusals) == (2, 3, {"proof: bad-signature": 1})
    assert not count_answers(Answers(1, ())).as_expected


def test_story_fails_with_one_scene(small_table, tmp_path, cheap):
    """One scene among good ones that expects what doesn't happen makes the whole demonstration fail."""
    by_name = {scene.name: scene for scene in SCENES}
    wrong = replace(by_name["good"], name="wrong", expected=by_name["tampered"].expected)
    scenes = (by_name["revoked"], wrong, by_name["tampered"])
    ending = play(
        Settings(registrations=small_table, folder=tmp_path / "demo", cost=cheap, scenes=scenes), Silence()
    )
    assert [scene.as_expected for scene in ending.scenes] == [True, False, True]
    assert not ending.as_expected
    summary = json.loads((tmp_path / "demo" / "summary.json").read_text())
    assert summary["asExpected"] is False
    assert [scene["asExpected"] for scene in summary["scenes"]] == [True, False, True]


def test_broken_verifier_is_no_success(ending):
    """A verifier's process that can't go on ends the demonstration, with its own last words."""
    from vcid.demo.folder import DemoFolder

    folder = DemoFolder(ending.folder)
    nowhere = Sitting(name="x", knowledge=ending.folder / "nothing-here", credentials=())
    with pytest.raises(Unavailable, match="no-knowledge"):
        ask_verifier(folder, [nowhere], lambda _count: None)
    missing = Sitting(name="x", knowledge=folder.knowledge, credentials=(ending.folder / "missing.json",))
    with pytest.raises(Unavailable, match="FileNotFoundError"):
        ask_verifier(folder, [missing], lambda _count: None)
