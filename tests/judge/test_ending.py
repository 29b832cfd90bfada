"""Words that call for more, and words that do not."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

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


@pytest.mark.parametrize(
    "text",
    [
        "Can you tell me your?",
        "What is the?",
        "Could you give me the, um?",
        "And?",
        "Can you.",
        "Would you.",
        "If you.",
        "When you.",
        "I am sorry about that. Could you tell me.",
        "Please tell me.",
        "Do you have.",
        "May I have.",
        "I was wondering.",
        "I wanted to ask you.",
        "One more thing.",
        "I can.",
        "So we have.",
        "It has.",
        "I will need.",
        "How many.",
        "What time did.",
        "What time was",
        "I'd like to know.",
        "I am sorry that.",
        "What I want to",
        "I am looking for.",
    ],
)
def test_a_full_stop_or_a_question_mark_does_not_finish_a_beginning(text: str) -> None:
    """Recognisers set one where somebody pauses."""
    assert unfinished(text)


@pytest.mark.parametrize(
    "text",
    [
        "You have two options.",
        "There are a couple of things I can do. I can send you a new one.",
        "I have two questions. What is the model?",
        "First of all, I want to refund the delivery.",
        "First I will look at your account.",
        "I can either send you a new one.",
        "The engineer comes between nine.",
        "If you give me your order number.",
        "I am sorry. Once you have the new router.",
    ],
)
def test_a_step_that_is_only_begun(text: str) -> None:
    """One of several, one of two, a condition without what follows from it."""
    assert unfinished(text)


@pytest.mark.parametrize(
    "text",
    [
        "You have two options. I can refund it, or send you a new one.",
        "There are two things. I can send you a new one. Another is a refund.",
        "I have two questions. What is the model, and when did you buy it?",
        "There are two ways to do this, which would you like?",
        "First I will look at your account, then I will call the depot.",
        "I can either send you a new one or refund it.",
        "I do not like that either way.",
        "The engineer comes between nine and twelve.",
        "If you give me your order number, I will look it up.",
        "I can look it up if you give me your order number.",
        "I can look it up. If you like.",
        "So you waited all Monday, and nobody came.",
        "Yes, I can.",
        "Could you tell me?",
        "What happened then? Please tell me.",
        "That is not what it's for.",
        "I will see what I can do.",
        "I will find out where they are.",
        "I can get you a plan you can live with.",
        "How old is he?",
        "Can I see what it was",
        "I will talk to them, shall we",
    ],
)
def test_a_step_that_may_be_the_end(text: str) -> None:
    """Both halves are there, or there is no telling; a summary needs no question behind it."""
    assert not unfinished(text)


def test_few_whole_turns_count_as_unfinished() -> None:
    """A wait too long is felt in every turn: at most one in a hundred of the corpus, which has trailing ones, too."""
    corpus = sorted((Path(__file__).parents[2] / "benchmarks" / "moves").glob("[a-e].jsonl"))
    lines = [json.loads(line) for path in corpus for line in path.read_text("utf-8").splitlines()]
    turns = [" ".join(part for part, _ in line["parts"]) for line in lines]
    plain = [re.sub(r"[^\w\s'’-]", "", turn.lower()) + "." for turn in turns]  # as recognisers may write it

    assert len(turns) > 2000
    for written in (turns, plain):
        assert sum(map(unfinished, written)) <= 0.01 * len(turns)


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
    began = time.thread_time()
    unfinished("and so I have to ask you some " * 20_000)

    assert time.thread_time() - began < 5
