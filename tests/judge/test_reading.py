"""The encoder's word weighed with the cues: with a made encoder here, with the real one in tests/world/test_reader.py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from voicecoach.judge import load_rules
from voicecoach.judge.clauses import split
from voicecoach.judge.moves import find
from voicecoach.judge.reading import CODES, INDEX, N_FEATURES, OF_CONTEXT, features
from voicecoach.nouns import Finding, Floats, Question, Reading, TurnContext

CUES = load_rules(Path(__file__).parents[2] / "assets").cues
SURE = dict.fromkeys(CODES, 0.7)
MAYBE = dict.fromkeys(CODES, 0.4)


def reading(*chances: Mapping[str, float]) -> Reading:
    """An encoder that believes of each clause what it is told."""

    def read(asked: Question) -> Floats:
        likely = np.zeros((len(asked.clauses), len(CODES)), np.float32)
        for row, clause in zip(likely, chances, strict=False):
            for code, chance in clause.items():
                row[INDEX[code]] = chance
        return likely

    return Reading(read, SURE, MAYBE)


def judged(text: str, *chances: Mapping[str, float], context: TurnContext | None = None) -> dict[str, Finding]:
    found = find(text, (), context or TurnContext(), CUES, reading(*chances))
    return {finding.code: finding for finding in found}


def test_what_the_cues_miss_is_heard() -> None:
    """A move that no cue knows is done where the encoder is sure, unsure where it half believes it."""
    text = "blimey three weeks of cold showers"
    assert not find(text, (), TurnContext(), CUES)
    assert judged(text, {"empathise": 0.9})["empathise"].outcome == "done"
    assert judged(text, {"empathise": 0.5})["empathise"].outcome == "unsure"
    assert not judged(text, {"empathise": 0.3})
    assert judged(text, {"empathise": 0.9})["empathise"].quote == text
    assert judged(text, {"empathise": 0.914})["empathise"].confidence == 0.91


def test_what_a_strong_cue_finds_is_doubted_not_dropped() -> None:
    text = "I am so sorry about the wait"
    assert judged(text)["apologise"].outcome == "unsure"
    assert judged(text, {"apologise": 0.95})["apologise"].outcome == "done"


def test_what_a_weak_cue_finds_goes_where_the_encoder_disagrees() -> None:
    text = "I understand"
    weak = next(f for f in find("well I understand that now", (), TurnContext(), CUES) if f.code == "empathise")
    assert weak.outcome == "unsure"
    assert "empathise" not in judged("well I understand that now")
    assert text


@pytest.mark.parametrize(
    "text",
    [
        "I'm not going to say sorry for that",
        "he told you he was sorry about it",
        "I would be sorry if it were our doing",
        "nobody here understands how you feel",
        "they said they apologise for the delay",
    ],
)
def test_no_acknowledgement_in_negated_quoted_or_conditional_sentences(text: str) -> None:
    """However sure the encoder is."""
    code = "empathise" if "understand" in text else "apologise"
    found = judged(text, *[{code: 0.99}] * 4)
    assert code not in found or found[code].outcome != "done"


def test_insincerity_is_never_shown() -> None:
    assert judged("oh poor you", {"insincere": 0.99})["insincere"].outcome == "listen"


def test_a_fault_is_shown_only_where_it_is_sure() -> None:
    text = "well that is you lot all over"
    assert judged(text, {"blame_customer": 0.8})["blame_customer"].outcome == "shown"
    assert judged(text, {"blame_customer": 0.5})["blame_customer"].outcome == "listen"


def test_neighbouring_clauses_of_one_move_are_one_finding() -> None:
    text = "the van comes round at nine, and the lads carry it up, okay. I see it now"
    clauses = len(split(text))
    found = judged(text, {"resolution": 0.8}, {"resolution": 0.9})
    assert clauses >= 3
    assert found["resolution"].quote == "the van comes round at nine, and the lads carry it up"
    assert found["resolution"].confidence == 0.9


def test_a_sure_finding_leaves_no_echo_beside_it() -> None:
    found = find(
        "they fetch it by friday, does that sound ok", (), TurnContext(), CUES,
        reading({"res_when": 0.9}, {"res_when": 0.45, "clarify": 0.45}),
    )  # fmt: skip
    assert [(f.code, f.outcome) for f in found if f.code in ("res_when", "clarify")] == [
        ("res_when", "done"),
        ("clarify", "unsure"),
    ]


def test_a_nod_is_only_a_short_turn() -> None:
    long = "so then the thing that we would need to have a look at is the number on the back"
    assert "verbal_nod" not in judged(long, {"verbal_nod": 0.99})
    assert judged("ooh, never", {"verbal_nod": 0.9})["verbal_nod"].outcome == "done"


def test_offers_over_the_limits_are_promises_too_many() -> None:
    """All words of a limit in an offer: shown; most of them: worth a listen; a refusal: nothing."""
    limits = TurnContext(cannot=("a refund in cash", "an engineer today"))
    over = judged("I will get you the refund in cash", {"resolution": 0.9}, context=limits)
    assert over["overpromise"].outcome == "shown"
    part = TurnContext(cannot=("a full refund in cash",))
    assert (
        judged("I will get you the refund in cash", {"resolution": 0.9}, context=part)["overpromise"].outcome
        == "listen"
    )
    assert "overpromise" not in judged("I cannot give you a refund in cash", {"negative_language": 0.9}, context=limits)


def test_features_say_what_is_known_of_a_clause() -> None:
    text = "You waited three weeks. Is that right?"
    context = TurnContext(customer_said="I waited three weeks!", history=("apologise",), customer_finished=None)
    found = find(text, (), context, CUES)
    rows = features(split(text), context, found)
    assert rows.shape == (2, N_FEATURES)
    assert rows[0, 2 * INDEX["restate_facts"]] == 1
    assert rows[1, 2 * INDEX["check_understanding"]] == 1
    finished, acknowledged, offered, *_ = rows[0, -OF_CONTEXT:]
    assert (finished, acknowledged, offered) == (0.5, 1, 0)


def test_same_words_same_findings() -> None:
    chances = {"resolution": 0.75, "res_when": 0.9}
    assert judged("we fetch it Tuesday", chances) == judged("we fetch it Tuesday", chances)


def test_nothing_is_too_early_once_the_story_is_told_or_acknowledged() -> None:
    """The encoder's guess of hurry stands only while the customer tells, and nothing was acknowledged (003.1)."""
    said = "what number is it under"
    hurry = {"clarify": 0.9, "premature_solution": 0.95}
    for finished, history, hurried in (
        (False, (), True),
        (True, (), False),
        (False, ("apologise",), False),
        (None, (), True),
    ):
        context = TurnContext(customer_said="It broke!", history=history, customer_finished=finished)
        found = find(said, (), context, CUES, reading(hurry))
        sure = [f for f in found if f.code == "premature_solution" and f.outcome == "shown"]
        assert bool(sure) == hurried, (finished, history)


def test_the_encoder_hears_the_whole_story() -> None:
    """What was told before the customer's last line counts as theirs too."""
    text, story = "three weeks without water", "I have waited three weeks for water."
    late = TurnContext(customer_said="All right.", story=story)
    at_once = TurnContext(customer_said=story)
    rows, same = (features(split(text), context, ()) for context in (late, at_once))
    assert np.array_equal(rows, same)
    asked: list[Question] = []

    def read(question: Question) -> Floats:
        asked.append(question)
        return np.zeros((len(question.clauses), len(CODES)), np.float32)

    find(text, (), late, CUES, Reading(read, SURE, MAYBE))
    assert asked[0].said == f"{story} All right."


@pytest.mark.parametrize("text", ["shut up", "you're an idiot", "oh get lost", "listen you stupid woman"])
def test_an_insult_is_an_attack_whatever_the_encoder_hears(text: str) -> None:
    found = judged(text, {"verbal_nod": 0.99, "empathise": 0.9}, {"verbal_nod": 0.9})
    assert found["argue"].outcome == "shown"
    assert not {"verbal_nod", "empathise"} & set(found)


@pytest.mark.parametrize(
    "text",
    [
        "nobody is saying you are a liar",
        "they made you feel as if you are stupid",
        "you are not an idiot",
        "you must be mad at us",
        "we shut up shop at five",
        "so how did the parcel get lost",
    ],
)
def test_a_denied_or_reported_insult_is_none(text: str) -> None:
    assert "argue" not in judged(text)


@pytest.mark.parametrize(
    "text",
    [
        "I won't ask you to calm down, you have cause",
        "nobody here should tell you to settle down",
        "I'd never say calm down",
    ],
)
def test_a_fault_that_a_guard_cancels_is_not_shown(text: str) -> None:
    """The opposite of a fault is none, however sure the encoder is."""
    assert judged(text, {"calm_down": 0.95})["calm_down"].outcome == "listen"


def test_a_told_off_customer_is_still_told_off() -> None:
    assert (
        judged("I'm not asking, I'm telling you to calm down", *[{"calm_down": 0.95}] * 2)["calm_down"].outcome
        == "shown"
    )


def test_sympathy_that_mocks_is_not_done() -> None:
    """Sarcasm fails nobody, and acknowledges nothing."""
    assert judged("oh boo hoo how terrible for you", {"empathise": 0.99})["empathise"].outcome == "unsure"
    assert judged("that is terrible for your family", {"empathise": 0.99})["empathise"].outcome == "done"


def test_an_accusation_says_nothing_back() -> None:
    found = judged("you must have dropped the phone", {"restate_facts": 0.9, "blame_customer": 0.5})
    assert found["restate_facts"].outcome == "unsure"
    assert judged("you dropped the phone", {"restate_facts": 0.9})["restate_facts"].outcome == "done"


def test_the_story_said_back_is_no_offer() -> None:
    """What stands before "have I got that right?" is the customer's; what a cue knows as a promise still is one."""
    story = {"restate_facts": 0.9, "res_when": 0.9}
    found = judged(
        "the course starts on Monday, and the books are missing, is that right?",
        story,
        story,
        {"check_understanding": 0.9},
    )
    assert [found[code].outcome for code in ("restate_facts", "res_when")] == ["done", "unsure"]
    found = judged("the course starts on Monday, and the books are missing.", story, story)
    assert found["res_when"].outcome == "done"
    promised = judged(
        "you have no books. I will send you the books by Monday. Is that right?",
        {"restate_facts": 0.9}, {"resolution": 0.9}, {"check_understanding": 0.9},
    )  # fmt: skip
    assert promised["resolution"].outcome == "done"


def test_a_nod_adds_nothing() -> None:
    """Who nods and goes on to ask or to promise has not only nodded."""
    assert "verbal_nod" not in judged("yeah, all right, where is it", {"verbal_nod": 0.99}, {}, {"clarify": 0.9})
    assert judged("yeah well there it is", {"verbal_nod": 0.99})["verbal_nod"].outcome == "done"
