"""Endpointing: when the trainee starts and stops speaking. A pure state machine on voice-activity frames."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from voicecoach.measure.activity import FRAME, THRESHOLD, THRESHOLD_END, Span, intersect
from voicecoach.nouns import SAMPLE_RATE_HZ, Turn

START_S = 0.16
"""Voice for this long opens a turn (5 frames): shorter bursts are clicks, breaths and keyboard noise."""
PATIENCE_S = 1.0
"""Silence that ends a turn. Planning what to say takes over 0.6 s (Levinson & Torreira 2015), and a calm speaker leaves
up to 0.8 s between sentences: less would punish the very skill that is trained."""
PRE_ROLL_S = 0.5
"""Kept before the first voice, so that a soft onset is not lost to the recogniser."""
TAIL_S = 0.3
"""Kept after the last voice, for the same reason at the end."""
MAX_TURN_S = 60.0
"""A turn is closed after this long, so that a noisy line cannot keep the customer waiting for ever."""

Mode = Literal["hands-free", "push-to-talk"]


@dataclass(frozen=True)
class Frame:
    """One voice-activity frame: its first sample, its probability, and the state of the call while it lasted."""

    at: int
    probability: float
    customer: bool = False
    """The customer is speaking."""
    talk_key: bool = False
    """The talk key is down (push-to-talk)."""


@dataclass(frozen=True)
class TurnState:
    """Where the trainee is: `phase` quiet, starting (voice, not long enough yet), speaking or stopping."""

    mode: Mode = "hands-free"
    patience_s: float = PATIENCE_S
    phase: Literal["quiet", "starting", "speaking", "stopping"] = "quiet"
    onset: int = 0
    """First sample of the voice (or of the key) that opened the turn."""
    last_voice: int = 0
    """One past the last sample of voice."""
    floor: int = 0
    """End of the previous turn: a pre-roll never reaches into it."""
    speech: tuple[Span, ...] = ()
    overlap: tuple[Span, ...] = ()

    @property
    def speaking(self) -> bool:
        """The trainee holds the floor."""
        return self.phase in {"speaking", "stopping"}


def next_turn(state: TurnState, frame: Frame) -> tuple[TurnState, Turn | None]:
    """Take one frame in; give the new state and, when the trainee has just finished, the turn."""
    voice = frame.probability >= (THRESHOLD if state.phase in {"quiet", "starting"} else THRESHOLD_END)
    state = _note_voice(state, frame, voice)
    if state.mode == "push-to-talk":
        return _by_key(state, frame)
    return _by_voice(state, frame, voice)


def _note_voice(state: TurnState, frame: Frame, voice: bool) -> TurnState:
    """Extend the stretches of speech and of overlap by a voiced frame."""
    if not voice or (state.mode == "push-to-talk" and not frame.talk_key):
        return state
    end = frame.at + FRAME
    if state.phase == "quiet":
        state = replace(state, phase="starting", onset=frame.at, speech=(), overlap=())
    speech = _extend(state.speech, frame.at, end)
    overlap = _extend(state.overlap, frame.at, end) if frame.customer else state.overlap
    return replace(state, speech=speech, overlap=overlap, last_voice=end)


def _extend(spans: tuple[Span, ...], start: int, end: int) -> tuple[Span, ...]:
    if spans and spans[-1][1] >= start:
        return (*spans[:-1], (spans[-1][0], end))
    return (*spans, (start, end))


def _by_voice(state: TurnState, frame: Frame, voice: bool) -> tuple[TurnState, Turn | None]:
    now = frame.at + FRAME
    if state.phase == "starting":
        if not voice:
            return replace(state, phase="quiet"), None
        return (
            (replace(state, phase="speaking"), None) if now - state.onset >= START_S * SAMPLE_RATE_HZ else (state, None)
        )
    if not state.speaking:
        return state, None
    state = replace(state, phase="speaking" if voice else "stopping")
    waited = now - state.last_voice >= state.patience_s * SAMPLE_RATE_HZ
    return _close(state, now) if waited or now - state.onset >= MAX_TURN_S * SAMPLE_RATE_HZ else (state, None)


def _by_key(state: TurnState, frame: Frame) -> tuple[TurnState, Turn | None]:
    now = frame.at + FRAME
    if frame.talk_key:
        if state.speaking:
            return (state, None) if now - state.onset < MAX_TURN_S * SAMPLE_RATE_HZ else _close(state, now)
        fresh = replace(state, phase="speaking", onset=frame.at, last_voice=frame.at)
        return (fresh if state.phase == "starting" else replace(fresh, speech=(), overlap=())), None
    return _close(state, now) if state.speaking else (state, None)


def _close(state: TurnState, now: int) -> tuple[TurnState, Turn | None]:
    """End the turn; a key press without any voice is no turn (nothing is recognised without voice)."""
    quiet = TurnState(state.mode, state.patience_s, floor=now)
    if not state.speech:
        return quiet, None
    start = max(state.floor, state.onset - round(PRE_ROLL_S * SAMPLE_RATE_HZ), 0)
    end = min(now, state.last_voice + round(TAIL_S * SAMPLE_RATE_HZ))
    return quiet, Turn(start, end, state.speech, state.overlap)


def flush(state: TurnState, now: int) -> Turn | None:
    """The turn that is still open when the call ends, if there is one."""
    return _close(state, now)[1] if state.speaking else None


def merge(first: Turn, second: Turn) -> Turn:
    """One turn out of two: the trainee went on before the customer had answered."""
    return Turn(first.start, second.end, first.speech + second.speech, first.overlap + second.overlap)


def turns_of(
    spans: Sequence[Span], others: Sequence[Span], n_samples: int, patience_s: float = PATIENCE_S
) -> list[Turn]:
    """The turns of one channel of a finished recording: stretches of speech less than `patience_s` apart.

    `others` are the stretches of the other speaker, in order, for the overlaps.
    """
    groups: list[list[Span]] = []
    for span in spans:
        near = groups and span[0] - groups[-1][-1][1] < patience_s * SAMPLE_RATE_HZ
        if near and span[1] - groups[-1][0][0] < MAX_TURN_S * SAMPLE_RATE_HZ:
            groups[-1].append(span)
        else:
            groups.append([span])
    turns, floor = [], 0
    starts, ends = [start for start, _ in others], [end for _, end in others]
    for index, group in enumerate(groups):
        ceiling = groups[index + 1][0][0] if index + 1 < len(groups) else n_samples
        start = max(floor, group[0][0] - round(PRE_ROLL_S * SAMPLE_RATE_HZ))
        floor = min(ceiling, group[-1][1] + round(TAIL_S * SAMPLE_RATE_HZ))
        first, last = bisect_right(ends, group[0][0]), bisect_left(starts, group[-1][1])
        turns.append(Turn(start, floor, tuple(group), intersect(group, others[first:last])))
    return turns
