"""Both at once: nods, cut-ins, interruptions and false alarms, with looks and answers that take their time."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.test_session import Held, _known_detectors, hold, make_call  # noqa: F401 - a fixture
from tests.test_turn_taking import hold_with, seconds, speech
from voicecoach import testing
from voicecoach.measure.observe import Floats
from voicecoach.nouns import SAMPLE_RATE_HZ, Heard, Word
from voicecoach.session import Call
from voicecoach.testing import Block, FileDuplex, RecordedTrainee, Reply
from voicecoach.world.glimpse import Glimpse

SPEED = 8
"""Calls on a clock run so many times as fast as a device; so does what takes time in them."""
WORDS = "I am sorry to hear that."


class Clocked(FileDuplex):
    """A device on a clock: the loop waits for nobody."""

    realtime = True

    def __init__(self, *replies: Reply) -> None:
        super().__init__(RecordedTrainee(replies))
        self._next: float | None = None

    def read(self) -> Block | None:
        now = time.monotonic()
        self._next = (self._next or now) + 512 / SAMPLE_RATE_HZ / SPEED
        time.sleep(max(0.0, self._next - now))
        return super().read()


class Timed:
    """Ears that take their time; over 2.5 s they hear `WORDS`, under it `short`."""

    name = "timed"

    def __init__(self, short: str, look_s: float = 0.2, careful_s: float = 0.05) -> None:
        self.short, self.look_s, self.careful_s = short, look_s, careful_s

    def glimpse(self, samples: Floats, offset_s: float = 0.0) -> Glimpse:
        time.sleep(self.look_s / SPEED)
        return Glimpse(self.short, 0.9)

    def hear_quickly(self, samples: Floats) -> Heard:
        time.sleep(0.15 / SPEED)
        return Heard(WORDS if len(samples) > 2.5 * SAMPLE_RATE_HZ else self.short, (), self.name)

    def hear(self, samples: Floats, offset_s: float = 0.0) -> Heard:
        time.sleep(self.careful_s / SPEED)
        text = WORDS if len(samples) > 2.5 * SAMPLE_RATE_HZ else self.short
        return Heard(text, (Word(text.split()[0], offset_s, offset_s + 0.1, 0.9),), self.name)


def furious() -> Call:
    """With a customer who cuts in after nine seconds."""
    call = make_call()
    mood = replace(call.persona.mood, start=4.5, patience="normal")
    return replace(call, persona=replace(call.persona, mood=mood))


def codes(held: Held) -> list[set[str]]:
    """What was found in each turn."""
    found = [data["assessment"]["findings"] for data in held.data("assessed")]  # type: ignore[index]
    return [{one["code"] for one in findings} for findings in found]


def played_apart(held: Held) -> bool:
    """Whether no line begins before the one before it has ended."""
    said = [(seconds(data["start"]), seconds(data["end"])) for data in held.data("said")]
    return all(b[0] >= a[1] - 0.01 for a, b in zip(said, said[1:], strict=False))


# --- nods ------------------------------------------------------------------------------------------


def test_a_nod_that_is_looked_at_for_a_while_is_a_nod(tmp_path: Path) -> None:
    """The line stands still for the look, goes on, and nobody answers the nod, on a clock too."""
    sound = Clocked(Reply(speech(2.0)), Reply(speech(0.6), "over", 0.8))
    held = hold_with(tmp_path, sound, Timed("I see."))

    assert [data["turn"] for data in held.data("reacted")] == [1]
    assert [data["turn"] for data in held.data("nodded")] == [2]
    assert held.data("interrupted") == []
    assert len(held.data("held")) == 1
    assert len(held.data("said")) == 2


def test_several_nods_in_one_turn_are_nods(tmp_path: Path) -> None:
    """ "I see. Right." over the line, with a pause in between: the customer goes on and answers nothing."""
    sound = FileDuplex(RecordedTrainee([Reply(speech(0.85, 0.35, 0.25), "over", 0.8)]))
    held = hold_with(tmp_path, sound, Looking(["I see. Right."], "I see."))

    assert held.data("reacted") == []
    assert len(held.data("nodded")) == 1


class Looking(testing.ScriptedEars):
    """Scripted ears whose looks always find the same."""

    def __init__(self, texts: list[str], seen: str, probability: float = 0.9) -> None:
        super().__init__(texts)
        self.seen, self.probability = seen, probability

    def glimpse(self, samples: Floats, offset_s: float = 0.0) -> Glimpse:
        return Glimpse(self.seen, self.probability)


# --- the customer cuts in --------------------------------------------------------------------------


def test_the_answer_waits_until_the_customer_has_finished(tmp_path: Path) -> None:
    """Who stops when the customer cuts in is answered after that line, and the wait is counted from its end."""
    held = hold(tmp_path, FileDuplex(RecordedTrainee([Reply(speech(9.5))])), [WORDS], furious())
    (_, cut_in, answer), (timed,) = held.data("said"), held.data("timed")

    assert str(cut_in["line"]).startswith("cuts_in.")
    assert played_apart(held)
    assert timed["first_out"] == answer["start"]
    assert 0 <= timed["answer_ms"] < 600  # type: ignore[operator]
    assert np.abs(held.audio[answer["start"] : answer["end"], 1].astype(int)).max() > 100  # type: ignore[misc]
