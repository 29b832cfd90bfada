"""Words, syllables and rates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecoach.measure import rate
from voicecoach.nouns import Word


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("sorry", 2), ("understand", 3), ("replacement", 3), ("the", 1), ("table", 2), ("makes", 1), ("called", 1),
        ("waited", 2), ("prices", 2), ("frustrating", 3), ("immediately", 5), ("don't", 1), ("didn't", 2), ("I'm", 1),
        ("you're", 1), ("couldn't", 2), ("trying", 2), ("quiet", 2), ("serious", 3), ("experience", 4), ("engineer", 3),
        ("seven", 2), ("7", 2), ("10", 3), ("resolution", 4), ("o'clock", 2), ("handled", 2), ("hundred", 2), ("area", 3),
    ],
)  # fmt: skip
def test_syllables(word: str, count: int) -> None:
    """Common words of a call, as a dictionary counts them."""
    assert rate.syllables(word) == count


@given(st.text(max_size=40))
def test_any_text_has_countable_words(text: str) -> None:
    """No text breaks the count, and every word has a syllable."""
    assert all(rate.syllables(word) >= 1 for word in rate.words_of(text))


def test_rates_of_a_known_utterance() -> None:
    """Ten words, fourteen syllables in five seconds of span and four of speech."""
    found = rate.rate("I am so sorry that you had to wait again", 5.0, 4.0)

    assert found is not None
    assert (found.words, found.syllables) == (10, 12)
    assert (found.wpm, found.articulation_sps) == (120.0, 3.0)


def test_fillers_do_not_count_as_words() -> None:
    """Hesitations are listed, and leave the rate alone."""
    words = tuple(Word(text, 0.0, 0.1, 1.0) for text in ("Um,", "yes", "uh", "please"))

    assert [word.text for word in rate.fillers(words)] == ["Um,", "uh"]
    assert rate.rate("um yes uh please", 2.0, 2.0).words == 2  # type: ignore[union-attr]


@pytest.mark.parametrize(("text", "span_s", "speech_s"), [("", 1, 1), ("!?", 1, 1), ("yes", 0, 0)])
def test_nothing_to_count_is_not_measured(text: str, span_s: float, speech_s: float) -> None:
    """No words or no time: None, never 0."""
    assert rate.rate(text, span_s, speech_s) is None
