"""The parts of a call, each by itself: the tape, the memory, and the customer's line on its way out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from voicecoach import judge, prepare, testing
from voicecoach.call import Call, entries, memory
from voicecoach.call.saying import Saying
from voicecoach.call.tape import Tape
from voicecoach.errors import MissingModel
from voicecoach.measure import observe
from voicecoach.measure.observe import dbfs
from voicecoach.nouns import SAMPLE_RATE_HZ, Moment, Mood, Reaction, Reply
from voicecoach.testing import Block, FileDuplex, PlainRecording
from voicecoach.world.hearing import Hearing
from voicecoach.world.voice import Line

FRAME = 512


def make_call() -> Call:
    persona, persona_text = prepare.choose_persona("dana-printer")
    procedure, procedure_text = prepare.choose_procedure("six-guidelines")
    return Call(persona, persona_text, procedure, procedure_text, prepare.rules(cues_only=True))


def ramp(blocks: int) -> Tape:
    """A tape on which each sample is its own place."""
    tape = Tape()
    for at in range(0, blocks * FRAME, FRAME):
        tape.add(at, np.arange(at, at + FRAME, dtype=np.int16))
    return tape


# --- tape ------------------------------------------------------------------------------------------


def test_a_tape_gives_what_is_asked_for_as_far_as_it_is_kept() -> None:
    """By places on the session clock, also after the beginning has been forgotten."""
    tape = ramp(10)
    tape.forget(3 * FRAME - 1)

    assert tape.start == 3 * FRAME
    assert np.array_equal(tape.between(2000, 2003) * 32768, [2000, 2001, 2002])
    assert len(tape.between(0, 2000)) == 2000 - 3 * FRAME
    assert len(tape.between(0, 1000)) == 0
    assert len(tape.between(9 * FRAME)) == FRAME
    assert np.array_equal(tape.last(1), np.arange(9 * FRAME, 10 * FRAME))
    assert len(tape.all()) == 7 * FRAME


def test_an_empty_tape_has_nothing() -> None:
    tape = ramp(2)
    tape.forget(10 * FRAME)

    assert (tape.start, len(tape.all()), len(tape.between(0, 99))) == (0, 0, 0)


def test_levels() -> None:
    """A sine of half the full scale has -9.03 dBFS; zeros have a number, too."""
    sine = np.asarray(16384 * np.sin(2 * np.pi * np.arange(1600) / 16), np.int16)

    assert dbfs(sine) == pytest.approx(-9.03, abs=0.01)
    assert dbfs(np.zeros(FRAME, np.int16)) == pytest.approx(-120.0)


# --- memory ----------------------------------------------------------------------------------------


def seen() -> observe.Observation:
    voice = testing.voice_like(4.0) / np.float32(32768)
    hearing = Hearing(((0, len(voice)),), testing.flat_pitch(voice))
    return observe.observe(voice, hearing.speech, hearing.track)


def test_a_turn_is_counted_and_clears_what_the_customer_had_said() -> None:
    call = make_call()
    before = replace(memory.begin(call), said=("My printer!",))
    verdicts = judge.assess("Give me two minutes to look.", (), None, before.context, call.rules)
    after = memory.after(before, call, "Give me two minutes to look.", before.context, verdicts)

    assert (before.number, after.number, after.said) == (0, 1, ())
    assert after.previous is verdicts
    assert after.patient
    assert not memory.after(after, call, "I am back.", after.context, verdicts).patient


def test_of_a_line_that_was_stopped_only_what_was_heard_has_been_said() -> None:
    """Also where a nod over it had been judged already, and where nothing of it was heard."""
    begun = memory.begin(make_call())
    saying = replace(begun, said=("Hello?", "My printer jammed again."))
    nodded = replace(begun, context=replace(begun.context, customer_said="Hello? My printer jammed again."))

    assert memory.cut_short(saying, "My printer jammed again.", "My printer").said == ("Hello?", "My printer")
    assert memory.cut_short(saying, "My printer jammed again.", "").said == ("Hello?",)
    cut = memory.cut_short(nodded, "My printer jammed again.", "My printer")
    assert (cut.said, cut.context.customer_said) == ((), "Hello? My printer")
    assert memory.cut_short(begun, "My printer jammed again.", "My") == begun


def test_a_call_begins_where_its_moment_says() -> None:
    """What was said and judged before a retry is there from the start."""
    call = make_call()
    context = replace(memory.begin(call).context, history=("apologise",))
    moment = Moment(Mood(2.0, "upset"), Reply("Well?", "vent.1", 2), context, ("Well?",), own=(seen(),), patient=True)
    begun = memory.begin(replace(call, moment=moment))

    assert (begun.context.history, begun.said, begun.number) == (("apologise",), ("Well?",), 0)
    assert (len(begun.own), begun.patient) == (1, True)


def test_the_first_good_turns_stand_in_for_a_calibration_once() -> None:
    known = memory.begin(make_call())
    baselines = []
    for _ in range(observe.PROVISIONAL_TURNS + 1):
        known = memory.calibrated(known, seen(), "headset")
        baselines.append(known.baseline)

    assert baselines[: observe.PROVISIONAL_TURNS - 1] == [None] * (observe.PROVISIONAL_TURNS - 1)
    assert baselines[-1] is not None
    assert baselines[-1] is baselines[-2]
    assert (baselines[-1].device, len(known.own)) == ("headset", observe.PROVISIONAL_TURNS)


# --- the customer's line ---------------------------------------------------------------------------


def line(seconds: float, rest: object = None) -> Line:
    samples = testing.voice_like(seconds)
    return Line(samples, samples / np.float32(32768), "beep", rest)  # type: ignore[arg-type]


REACTION = Reaction(Mood(3.0, "upset"), Reply("My printer! Again!", "opening", 3))


def block(customer: bool) -> Block:
    return Block(np.zeros(FRAME, np.int16), np.zeros(FRAME, np.int16), customer)


def saying(worker: ThreadPoolExecutor) -> Saying:
    return Saying(FileDuplex(PlainRecording(np.zeros(SAMPLE_RATE_HZ, np.int16))), worker)


def test_a_line_grows_by_its_clauses_until_all_is_made() -> None:
    """Only then it is known how long it is, and only from its first sample on."""
    with ThreadPoolExecutor(1) as worker:
        said = saying(worker)
        said.begin(REACTION, line(1.0, iter([line(0.5)])))
        complete = [said.complete]
        assert not said.begins(block(False), 0)
        assert said.begins(block(True), FRAME)
        assert not said.begins(block(True), 2 * FRAME)
        complete.append(said.complete)
        while said.clause is not None:
            said.clause.exception()
            said.go_on()
        complete.append(said.complete)

    assert complete == [False, False, True]
    assert (said.start, said.end) == (FRAME, 3 * FRAME)
    assert said.now is not None
    assert entries.said(said.now, FRAME)["end"] == FRAME + 1.5 * SAMPLE_RATE_HZ


def test_a_voice_that_fails_leaves_what_there_is_of_the_line() -> None:
    def rest() -> object:
        raise MissingModel("The voice is gone.")
        yield

    with ThreadPoolExecutor(1) as worker:
        said = saying(worker)
        said.begin(REACTION, line(1.0, rest()))
        said.begins(block(True), 0)
        assert said.clause is not None
        said.clause.exception()
        with pytest.raises(MissingModel):
            said.go_on()

    assert said.complete


def test_a_line_that_is_taken_back_counts_for_nothing() -> None:
    """The one before is the last again, and neither is told twice."""
    with ThreadPoolExecutor(1) as worker:
        said = saying(worker)
        said.begin(REACTION, line(1.0))
        said.begins(block(True), 0)
        said.told, before = True, said.past()
        said.begin(replace(REACTION, reply=Reply("Hello?", "silence.1", 3)), line(1.0))
        assert said.name == "silence.1"
        said.take_back(before, 0)

    assert (said.name, said.start, said.complete) == ("opening", 0, False)


@pytest.mark.parametrize(("ends", "outcome"), [("", None), ("resolved", "resolved"), ("manager", "manager")])
def test_how_a_line_ends_the_call(ends: str, outcome: str | None) -> None:
    ended = entries.ended_by(replace(REACTION, reply=replace(REACTION.reply, ends=ends)), "Dana")  # type: ignore[arg-type]

    assert (ended[0] if ended else None) == outcome
    assert ended is None or "Dana" in ended[1]
