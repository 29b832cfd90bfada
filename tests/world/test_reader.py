"""The encoder that ships: it loads, it is whole, and it hears what it is for."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from voicecoach import judge
from voicecoach.errors import MissingModel
from voicecoach.judge.clauses import split
from voicecoach.judge.moves import find
from voicecoach.judge.reading import CODES, question
from voicecoach.nouns import Reading, TurnContext
from voicecoach.world import reader

ASSETS = Path(__file__).parents[2] / "assets"


@pytest.fixture(scope="module")
def reading() -> Reading:
    return reader.load(ASSETS / "moves")


@pytest.fixture(scope="module")
def rules(reading: Reading) -> judge.Rules:
    return replace(judge.load_rules(ASSETS), reading=reading)


def codes(rules: judge.Rules, text: str, said: str = "") -> set[str]:
    found = find(text, (), TurnContext(customer_said=said), rules.cues, rules.reading)
    return {finding.code for finding in found if finding.outcome in ("done", "shown")}


def test_what_it_means_is_written_beside_it(reading: Reading) -> None:
    """Codes in the order of the program, a line to cross for each, and not too large a file."""
    meaning = json.loads((ASSETS / "moves" / "reading.json").read_text("utf-8"))
    assert meaning["codes"] == list(CODES)
    assert set(meaning["sure"]) == set(meaning["maybe"]) == set(CODES)
    assert all(0 < meaning["maybe"][code] <= meaning["sure"][code] < 1 for code in CODES)
    assert sum(path.stat().st_size for path in (ASSETS / "moves").iterdir()) < 30e6


@pytest.mark.parametrize(
    ("text", "said", "code"),
    [
        ("I am so sorry you were left waiting like that", "I waited all day.", "apologise"),
        ("so your boiler packed up on Friday and nobody came out", "My boiler broke on Friday, nobody came.", "restate_facts"),
        ("what I'll do is get a new one out to you first thing tomorrow", "It broke again.", "resolution"),
        ("does that sound all right to you", "", "checkback"),
        ("well you should have read the label before you plugged it in", "It went bang.", "blame_customer"),
        ("could you tell me what it says on the screen", "It does nothing.", "clarify"),
    ],
)  # fmt: skip
def test_what_is_plainly_said_is_heard(rules: judge.Rules, text: str, said: str, code: str) -> None:
    history = TurnContext(customer_said=said, history=("resolution",))
    found = find(text, (), history, rules.cues, rules.reading)
    assert code in {finding.code for finding in found if finding.outcome in ("done", "shown")}


def test_routine_talk_is_nothing(rules: judge.Rules) -> None:
    assert not codes(rules, "okay and that is four four one two, let me just type that in")


@pytest.mark.parametrize(
    "text",
    ["", "x", "😀 <b>", "word " * 5000, "sorry. " * 300, "Bitte rufen Sie morgen wieder an", "sorry \udcff\udc80"],
)
def test_any_text_is_read(rules: judge.Rules, text: str) -> None:
    """Quotes are the text's own words, and every clause has been looked at."""
    for finding in find(text, (), TurnContext(customer_said="y " * 3000), rules.cues, rules.reading):
        assert text[finding.start : finding.end] == finding.quote


def test_a_long_turn_is_read_in_pieces(rules: judge.Rules, reading: Reading) -> None:
    """Each clause gets its probabilities, wherever it stands."""
    text = "I will send the van on Monday. " * 60
    clauses = split(text)
    asked = question(text, clauses, TurnContext(), ())
    likely = reading.read(asked)
    assert likely.shape == (len(clauses), len(CODES))
    assert np.isfinite(likely).all()
    assert (likely >= 0).all()
    assert (likely <= 1).all()


def test_the_same_turn_reads_the_same(reading: Reading) -> None:
    text = "I'm sorry about that, I'll call you by four"
    asked = question(text, split(text), TurnContext(), ())
    assert (reading.read(asked) == reading.read(asked)).all()


def test_a_changed_or_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingModel, match="cannot be used"):
        reader.load(tmp_path)
    copy = tmp_path / "moves"
    shutil.copytree(ASSETS / "moves", copy)
    (copy / "tokenizer.json").write_text("{}", "utf-8")
    with pytest.raises(MissingModel, match="not the file that it should be"):
        reader.load(copy)
