"""Words that call for more, and words that do not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecoach.judge.ending import unfinished


@pytest.mark.parametrize(
    "text",
    [
        "I am sorry to hear that and",
        "I am sorry to hear that, um.",
        "Can you tell me your",
        "I would like to",
        "So the printer jammed, and then the",
        "I understand that this is very annoying,",
        "Okay, so",
        "Let me see.",
        "Let me see...",
        "Can I ask you something?",
        "May I just ask you a quick question?",
        "I have one more question for you.",
        "Here is what I will do.",
        "Here's what we'll do.",
        "What I can do",
        "First of all.",
        "First.",
        "I’m",
        "You are right, you know",
        "I will make sure that",
        "The first thing",
        "I'm sorry, it's",
        "I would be angry too, because",
        "Well.",
        "UM",
    ],
)
def test_words_that_call_for_more(text: str) -> None:
    """However the recogniser writes them."""
    assert unfinished(text)
    assert unfinished(text.upper())


@pytest.mark.parametrize("mark", ["", ".", ",", "..."])
def test_a_mark_does_not_finish_them(mark: str) -> None:
    """Recognisers end what they hear with a full stop, finished or not."""
    assert unfinished(f"I am sorry to hear that, and{mark}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ... ",
        "Yes.",
        "Mm hmm, I see.",
        "Go on.",
        "I understand that.",
        "I think so.",
        "It took quite a while.",
        "I am so sorry about that.",
        "Is that right?",
        "What is it about?",
        "Which model is it, please?",
        "How does that sound?",
        "I will call you tomorrow at noon.",
        "What can I do for you?",
        "Does that help you as well?",
        "One moment while I check that for you.",
        "I am truly sorry that our engineer did not come",
        "Could you tell me who you were waiting for?",
        "That should never have happened to you.",
        "I hear you.",
        "No.",
        "Thank you for telling me.",
        "And I want to help.",
        "I would like to look at the notes from your last call first.",
        "Which of them came second?",
    ],
)
def test_words_that_may_be_the_end(text: str) -> None:
    """What can be a finished step is answered after the short silence."""
    assert not unfinished(text)


@given(st.text(max_size=400))
def test_any_text_has_an_answer(text: str) -> None:
    """Whatever the recogniser writes."""
    assert unfinished(text) in {True, False}


def test_a_long_text_takes_no_time() -> None:
    """Only the end is looked at."""
    began = time.perf_counter()
    unfinished("and so I have to ask you some " * 20_000)

    assert time.perf_counter() - began < 0.5
