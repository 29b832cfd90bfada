"""What the worker does with a turn: hears it piece by piece, measures and judges it, and has the customer answer.

Nothing here changes the call, so that an answer which nobody wants any more can be thrown away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event

from voicecoach import judge, persona
from voicecoach.call import Call
from voicecoach.call.memory import Memory, cut_short
from voicecoach.judge.context import next_context, talked_over_s
from voicecoach.judge.moves import only_nods
from voicecoach.measure import activity, observe, pieces
from voicecoach.measure.bargein import SURE
from voicecoach.nouns import (
    SAMPLE_RATE_HZ,
    Assessment,
    Baseline,
    Floats,
    Heard,
    Mood,
    Observation,
    Reaction,
    Turn,
    TurnContext,
)
from voicecoach.persona.style import style_for, style_name
from voicecoach.world.ears import Ears, QuickEars, plain
from voicecoach.world.hearing import Hearing, listen
from voicecoach.world.voice import Line, Voice, whole

WORDLESS_S = 1.0
"""Voice for this long in which the quick pass finds no words is heard with care before it counts as none: a cough or a
hum is shorter. Our judgement."""


@dataclass(frozen=True)
class Tools:
    """What the worker works with, the same for the whole call."""

    call: Call
    ears: Ears
    voice: Voice
    realtime: bool


@dataclass(frozen=True)
class Part:
    """What a stretch of a turn was heard to be: its words, its voice, and how long that took."""

    heard: Heard
    hearing: Hearing
    took_ms: tuple[float, float]
    """Recognising, measuring."""


@dataclass(frozen=True)
class Piece:
    """A stretch of a turn, in samples, and what the worker hears in it."""

    start: int
    end: int
    part: Future[Part]


@dataclass(frozen=True)
class Question:
    """A turn that is to be answered."""

    turn: Turn
    samples: Floats
    """Of the turn [shape=(n,)]."""
    pieces: tuple[Piece, ...]
    """What it is heard in; between them is only silence."""
    said: tuple[str, ...]
    """What the customer has said since the trainee's turn before."""
    lines_from: tuple[int, ...]
    """The first samples of the customer's lines."""
    taken_back: tuple[activity.Span, ...]
    """The lines that the customer took back, in samples."""
    cut_off: bool
    """A line was stopped in this turn, or is if these are words other than nods."""
    stopped: bool
    """The customer's last line was stopped, in this turn or before it, or is if these are words other than nods."""
    line_heard: tuple[str, str] | None
    """Where that is not known yet: the line, and what was heard of it if it is stopped."""
    gap_from: int
    """The end of the customer's line before the turn; 0 for none."""
    spoiled: tuple[activity.Span, ...]
    """Where the microphone held the customer's voice too."""
    customer: tuple[activity.Span, ...]
    """Where the customer was heard."""
    inside: bool
    """All of it was said while the customer had the floor: if it is nothing but nods, the customer goes on."""
    nod: bool
    """It is taken for a nod whatever its words are."""
    dropped: Event = field(default_factory=Event)
    """Set once nobody wants the answer any more."""


@dataclass(frozen=True)
class Standing:
    """How the call stands when the worker comes to a turn."""

    mood: Mood
    memory: Memory
    latency: int
    """Of the sound device, out plus in, in samples."""


@dataclass(frozen=True)
class Answer:
    """What the worker makes of a turn: nothing of it is true until the loop has taken it."""

    heard: Heard
    observation: Observation
    context: TurnContext
    assessment: Assessment
    baseline: Baseline | None
    reaction: Reaction | None
    """None after a verbal nod over the customer's line: the customer simply goes on."""
    line: Line | None
    took_ms: tuple[float, float, float]
    """Recognising, measuring and judging, speaking."""
    chosen: int
    """The sample at which the customer's line was ready."""


@dataclass(frozen=True)
class Answered:
    """A turn that has been answered and waits for the careful pass."""

    number: int
    turn: Turn
    samples: Floats
    gap_from: int
    spoiled: tuple[activity.Span, ...]
    customer: tuple[activity.Span, ...]
    baseline: Baseline | None


@dataclass(frozen=True)
class Again:
    """A turn that the careful pass has heard and measured again."""

    number: int
    heard: Heard
    observation: Observation


def hear(ears: Ears, samples: Floats, start: int) -> Part:
    """The words and the voice of a stretch of a turn that begins at the sample `start`."""
    began = time.perf_counter()
    heard = ears.hear_quickly(samples) if isinstance(ears, QuickEars) else ears.hear(samples, start / SAMPLE_RATE_HZ)
    recognised = time.perf_counter()
    hearing = listen(samples)
    measured = time.perf_counter()
    if not heard.text and isinstance(ears, QuickEars) and activity.total(hearing.speech) >= WORDLESS_S * SAMPLE_RATE_HZ:
        heard = _believed(ears.hear(samples))
    again = time.perf_counter() - measured
    return Part(heard, hearing, ((recognised - began + again) * 1000, (measured - recognised) * 1000))


def _believed(heard: Heard) -> Heard:
    """What the careful pass heard where the quick one found no words, if it is sure; without times, as by the quick one."""
    words = [word.probability for word in heard.words if plain(word.text)]  # a hum may come back as dots
    sure = words and sum(words) / len(words) >= SURE
    return Heard(heard.text if sure else "", (), heard.model)


def answer(tools: Tools, question: Question, standing: Callable[[], Standing], now: Callable[[], int]) -> Answer:
    """Measure, judge, react and speak, once all pieces of the turn are heard; `now` is the last sample recorded.

    Raises CancelledError where the question was dropped meanwhile, so that the next one need not wait.
    """
    parts = [piece.part.result() for piece in question.pieces]
    began = time.perf_counter()
    _mind_dropped(question)
    call, turn, known = tools.call, question.turn, standing()
    memory = replace(known.memory, said=question.said)
    heard = Heard(text_of(parts), tuple(word for part in parts for word in part.heard.words), tools.ears.name)
    hearing = _joined(parts, [piece.start - turn.start for piece in question.pieces])
    nod = question.nod or (question.inside and only_nods(heard.text, call.rules.cues))
    if question.line_heard and not nod:
        memory = cut_short(memory, *question.line_heard)
    observation = measure_turn(
        turn, question.samples, heard, hearing, question.gap_from, question.spoiled, question.customer, memory.baseline,
        known.latency,
    )  # fmt: skip
    context = next_context(
        memory.context,
        memory.previous,
        customer_said=" ".join(memory.said),
        customer_finished=not persona.has_more_to_tell(call.persona, known.mood),
        overlap_s=talked_over_s(
            _seconds(turn.overlap),
            [start / SAMPLE_RATE_HZ for start in question.lines_from],
            _seconds(question.taken_back),
        ),
        cut_off=question.cut_off and not nod,
    )
    delivery = memory.previous.delivery if memory.previous else None
    assessment = judge.assess(heard.text, heard.words, observation, context, call.rules, delivery)
    react = call.react or partial(persona.react, stopped=question.stopped)
    reaction = None if nod or not heard.text else react(call.persona, known.mood, assessment, heard.text)
    if reaction and call.reword:
        _mind_dropped(question)
        reaction = call.reword(call.persona, reaction)
    judged = time.perf_counter()
    _mind_dropped(question)
    line = speak(tools, reaction) if reaction else None
    spoken = time.perf_counter()
    recognise_ms, measure_ms = parts[-1].took_ms
    took = (recognise_ms, measure_ms + (judged - began) * 1000, (spoken - judged) * 1000)
    return Answer(heard, observation, context, assessment, memory.baseline, reaction, line, took, now())


def _mind_dropped(question: Question) -> None:
    if question.dropped.is_set():
        raise CancelledError


def speak(tools: Tools, reaction: Reaction) -> Line:
    """The line of a reaction, or its first clause; files wait for all of it, so that nothing depends on speed."""
    temper, reply = tools.call.persona.voice.style, reaction.reply
    line = tools.voice.speak(reply.text, style_for(reply.level, temper), style_name(reply.level, temper))
    return line if tools.realtime else whole(line)


def hear_again(ears: Ears, answered: Answered, latency: int) -> Again:
    """The careful pass over a turn that was answered to what a quick one heard."""
    turn, samples = answered.turn, answered.samples
    heard = ears.hear(samples, turn.start / SAMPLE_RATE_HZ)
    seen = measure_turn(
        turn, samples, heard, listen(samples), answered.gap_from, answered.spoiled, answered.customer,
        answered.baseline, latency,
    )  # fmt: skip
    return Again(answered.number, heard, seen)


def measure_turn(
    turn: Turn,
    samples: Floats,
    heard: Heard,
    hearing: Hearing,
    gap_from: int,
    spoiled: Sequence[activity.Span],
    customer: Sequence[activity.Span],
    baseline: Baseline | None,
    latency: int,
) -> Observation:
    """The numbers of a turn of the trainee, with its gap after the customer's line, below 0 where it overlaps that."""
    onset = turn.speech[0][0]
    gap = (onset - latency - gap_from) / SAMPLE_RATE_HZ if gap_from else None
    if gap is not None and turn.overlap and turn.overlap[0][0] == onset:
        gap = -activity.total(turn.overlap) / SAMPLE_RATE_HZ
    return observe.observe(
        samples,
        hearing.speech,
        hearing.track,
        heard,
        baseline,
        offset_s=turn.start / SAMPLE_RATE_HZ,
        response_gap_s=gap,
        overlap=[(start - turn.start, end - turn.start) for start, end in spoiled],
        customer=[(start - turn.start, end - turn.start) for start, end in customer],
    )


def measure_voice(samples: Floats, baseline: Baseline | None, overlap: Sequence[activity.Span]) -> Observation:
    """The numbers of some seconds of the trainee's voice, without their words."""
    hearing = listen(samples)
    return observe.observe(samples, hearing.speech, hearing.track, baseline=baseline, overlap=overlap)


def measure_line(line: Line, text: str, at: int) -> Observation:
    """The numbers of the customer's own voice, before the telephone band; the words are known."""
    hearing, heard = listen(line.clean), Heard(text, (), "as authored")
    return observe.observe(line.clean, hearing.speech, hearing.track, heard, offset_s=at / SAMPLE_RATE_HZ)


def text_of(parts: Sequence[Part]) -> str:
    """The words of a turn out of its pieces."""
    return " ".join(part.heard.text for part in parts if part.heard.text)


def _joined(parts: Sequence[Part], starts: Sequence[int]) -> Hearing:
    """The voice of a turn out of its pieces, which begin at `starts` in it."""
    if len(parts) == 1:
        return parts[0].hearing
    return Hearing(
        pieces.joined_speech([(at, part.hearing.speech) for at, part in zip(starts, parts, strict=True)]),
        pieces.joined_track([(at, part.hearing.track) for at, part in zip(starts, parts, strict=True)]),
    )


def _seconds(spans: Sequence[activity.Span]) -> list[tuple[float, float]]:
    return [(start / SAMPLE_RATE_HZ, end / SAMPLE_RATE_HZ) for start, end in spans]
