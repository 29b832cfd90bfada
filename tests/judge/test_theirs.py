"""The customer's own words, made ready to be said back."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from voicecoach.judge.theirs import MAX_CHARS, MAX_WORDS, telling, turned

CORPUS = sorted(Path(__file__).parents[2].glob("benchmarks/moves/[a-e].jsonl"))


@pytest.mark.parametrize(
    ("said", "spoken"),
    [
        ("I waited in all Tuesday", "you waited in all Tuesday"),
        ("I was on hold for an hour", "you were on hold for an hour"),
        ("I wasn't told", "you weren't told"),
        ("I am stuck in Rome", "you are stuck in Rome"),
        ("I'm still without heating", "you're still without heating"),
        ("I’ve rung five times", "you've rung five times"),
        ("I've never once been late", "you've never once been late"),
        ("I'd booked a window seat", "you'd booked a window seat"),
        ("I'll miss my train", "you'll miss your train"),
        ("i was told id wait", ""),
        ("i just was told friday", "you just were told friday"),
        ("We were left on the pavement", "you were left on the pavement"),
        ("we've been in the dark since Sunday", "you've been in the dark since Sunday"),
        ("My boiler broke on Sunday", "your boiler broke on Sunday"),
        ("The fault is mine to fix", "the fault is yours to fix"),
        ("Nobody told me", "nobody told you"),
        ("They kept us waiting with our bags", "they kept you waiting with your bags"),
        ("I had to fix it myself", "you had to fix it yourself"),
        ("I rang twice and was told Friday", "you rang twice and were told Friday"),
        ("I rang and the man was rude", "you rang and the man was rude"),
        ("It was late and I was cold", "it was late and you were cold"),
        ("Your engineer never came", "our engineer never came"),
        ("You charged me twice", "we charged you twice"),
        ("I paid you in March", "you paid us in March"),
        ("You've lost my form", "we've lost your form"),
        ("You're still charging my card", "we're still charging your card"),
        ("Half of us got nothing", "half of you got nothing"),
    ],
)  # fmt: skip
def test_from_i_to_you(said: str, spoken: str) -> None:
    """Pronouns, the verb that goes with them, and contractions; "you" is the house."""
    assert turned(said) == spoken


@pytest.mark.parametrize(
    "said",
    [
        "My husband and I were left there",
        "Was I supposed to sleep in the car",
        "He said we can't help you",
        "You told me you would call",
        "You know what that is like",
        "You are being very unfair",
        "I says to him no",
        "And was told to wait",
        "Let us say it was Monday",
        "Boilers break, I get that",
        "you quote, calm down lady",
        "",
        "…",
    ],
)
def test_in_doubt_nothing_is_turned(said: str) -> None:
    """What might come out wrong is left as it was said."""
    assert turned(said) == ""


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        ("Hello? I waited in all Tuesday. Nobody came. What are you going to do?", "you waited in all Tuesday, and nobody came"),
        ("Well, you know, I closed my bakery on Tuesday for your engineer!", "you closed your bakery on Tuesday for our engineer"),
        ("You useless idiots! My daughter was left at the airport for two nights.", "your daughter was left at the airport for two nights"),
        ("Your man came on Tuesday, changed the drum, and by Wednesday morning every page had a grey stripe down it again.",
         "our man came on Tuesday"),
        ("I came for my blood test and the lab was closed. Just tell me when!", "you came for your blood test and the lab was closed"),
    ],
)  # fmt: skip
def test_the_most_telling_clause(said: str, fact: str) -> None:
    """Times, numbers and what was hard come before small talk, questions, commands and insults."""
    found = telling(said).said
    assert found is not None
    assert found.turned == fact


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Hello?",
        "What?!",
        "You are all useless idiots!",
        "Get me a manager.",
        "Thank you, goodbye.",
        "Can you refund me or not?",
    ],
)
def test_nothing_to_say_back(said: str) -> None:
    """Questions, commands, insults and pleasantries are no story."""
    assert telling(said).said is None
    assert telling(said).fact is None


def test_last_words_before_the_story() -> None:
    """Of equal weight, what was said last; the story where the last words say nothing."""
    story = "I waited in all Monday."
    assert telling("I waited in all Friday.", story).said == telling("I waited in all Friday.").said
    found = telling("Hello?", story).said
    assert found is not None
    assert found.turned == "you waited in all Monday"


def test_wishes_are_no_hardship() -> None:
    """What the customer wants is kept apart from what happened."""
    found = telling("I want a printer that prints by tomorrow.")
    assert found.wish is not None
    assert found.wish.turned == "you want a printer that prints by tomorrow"
    assert found.hardship is None


def test_a_thousand_customers() -> None:
    """Whatever the customers of the corpus said: bounded, no first person left, no broken agreement."""
    lines = {json.loads(line)["said"] for path in CORPUS for line in path.read_text(encoding="utf-8").splitlines()}
    assert len(lines) > 900
    found = 0
    for said in lines:
        told = telling(said)
        for one in {told.said, told.hardship, told.wish} - {None}:
            assert one is not None
            found += 1
            words = one.turned.split()
            assert 2 <= len(words) <= MAX_WORDS
            assert len(one.turned) <= MAX_CHARS + 10
            assert not re.search(r"\b(?:I|i|me|my|mine|i'm|i've|am)\b", one.turned), one.turned
            assert not re.search(
                r"\byou (?:was|am|is|has)\b|\bwe (?:was|am|is|has)\b|\byou're (?:was|were)\b", one.turned
            )
            assert not re.search(r'[?"“”<>\n]', one.turned)
    assert found > 500


def test_long_and_odd_text_stays_quick() -> None:
    """Hours of talking and nonsense cost no more than a minute of it."""
    for text in (
        "I waited, and nobody came. " * 2000,
        ", and i " * 5000,
        "x" * 100_000,
        "\x00\u202e" * 5000,
        "and " * 20_000,
    ):
        began = time.thread_time()
        telling(text)
        assert time.thread_time() - began < 5
