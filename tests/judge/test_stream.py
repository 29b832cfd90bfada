"""One line in, one line out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from voicecoach.errors import BadInput
from voicecoach.judge import load_rules, stream
from voicecoach.judge.sources import rule_of
from voicecoach.judge.stream import judge_line
from voicecoach.nouns import TurnContext

RULES = load_rules(Path(__file__).parents[2] / "assets")


def test_a_line_is_judged_in_its_context() -> None:
    """The answer has the id, and for each finding code, quote, offsets, confidence and outcome; it is plain JSON."""
    line = {
        "id": "a1",
        "text": "Mrs Quist, I'm so sorry. You need to calm down though.",
        "context": "It leaks!",
        "customer_name": "Quist",
        "history_steps": ["clarify"],
    }
    answer = judge_line(line, RULES)
    assert answer == json.loads(json.dumps(answer))
    assert answer["id"] == "a1"
    assert [move["code"] for move in answer["moves"]] == ["use_name", "apologise"]
    assert [fault["code"] for fault in answer["faults"]] == ["calm_down"]
    for finding in answer["moves"] + answer["faults"]:
        assert set(finding) == {"code", "quote", "start", "end", "confidence", "outcome", "source", "rule", "advice"}
        assert all(finding[key] for key in ("source", "rule", "advice"))
        assert line["text"][finding["start"] : finding["end"]] == finding["quote"]  # type: ignore[index]


def test_only_the_text_is_needed() -> None:
    """Everything but the text may be missing or null."""
    answer = judge_line({"text": "", "id": None, "context": None, "history_steps": None}, RULES)
    assert answer == {"id": None, "moves": [], "faults": []}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ([], "A line must be a JSON object, not a list."),
        ({"id": 7}, "Line '7' has no 'text'."),
        ({"text": 5}, "'text' must be text, not a number."),
        ({"text": None}, "'text' must be text, not null."),
        ({"text": "x", "context": ["y"]}, "'context' must be text, not a list."),
        ({"text": "x", "customer_name": True}, "'customer_name' must be text, not true or false."),
        ({"text": "x", "history_steps": "clarify"}, "'history_steps' must be a list of codes."),
        ({"text": "x", "history_steps": [1]}, "'history_steps' must be a list of codes."),
        ({"text": "x", "limits": "a refund"}, "'limits' must be a list of phrases."),
        ({"text": "x", "limits": [None]}, "'limits' must be a list of phrases."),
    ],
)
def test_wrong_types_are_told_in_a_sentence(line: Any, message: str) -> None:
    """A line of the wrong shape is a BadInput that says what it should be."""
    with pytest.raises(BadInput) as caught:
        judge_line(line, RULES)
    assert message in str(caught.value)


def test_limits_reach_the_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """What may not be promised is part of the context; without it there are no limits."""
    seen: list[TurnContext] = []
    monkeypatch.setattr(stream, "find", lambda text, words, context, cues, reading: seen.append(context) or ())
    for limits in ({"limits": ["a refund", "an engineer today"], "offers": ["a loan"]}, {"limits": None}, {}):
        judge_line({"text": "x", **limits}, RULES)

    assert [context.cannot for context in seen] == [("a refund", "an engineer today"), (), ()]
    assert [context.can for context in seen] == [("a loan",), (), ()]


def test_rule_and_advice_fit_the_mark() -> None:
    """The rule is the published step's in our words, or ours; the advice uses what can be offered."""
    line = {
        "text": "I can't send an engineer today. Calm down.",
        "context": "Nobody came.",
        "offers": ["an engineer tomorrow"],
    }
    first, second = judge_line(line, RULES)["faults"]
    assert first["advice"] == "Put what you can do first: “What I can do is an engineer tomorrow.”"
    assert (second["source"], second["rule"]) == ("house", "Do not tell the customer to calm down.")
    (sorry,) = judge_line({"text": "I am sorry that nobody came."}, RULES)["moves"]
    assert sorry["rule"] == "Be sorry, in person, for the upset, without accepting liability."


def test_every_source_has_its_rule() -> None:
    """Whatever a cue names as its source can be told in words."""
    for code, (source, _) in RULES.cues.advice.items():
        assert rule_of(code, source, RULES.sources), (code, source)
    for ready in RULES.cues.ready:
        assert rule_of(ready.cue.code, ready.cue.source, RULES.sources), ready.cue
