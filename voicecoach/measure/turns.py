"""Endpointing: when the trainee starts and stops speaking. A pure state machine on voice-activity frames.

Starting and stopping have rules of their own. A turn starts with voice (or with the talk key); it stops by silence, whose
length depends on what the words say, by the key, or by its time-out.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from voicecoach.measure.activity import FRAME, THRESHOLD, THRESHOLD_END, USUAL_HOLD_S, Span, extended, intersect, total
from voicecoach.nouns import SAMPLE_RATE_HZ, Turn

START_S = 0.16
"""Voice for this long opens a turn (5 frames): shorter bursts are clicks, breaths and keyboard noise."""
SPECULATE_S = 0.2
"""Silence after which the turn is recognised and answered as if it had ended; speech that goes on throws that away."""
PATIENCE_S = 1.0
"""Silence that ends a turn of a recording, where nobody waits for an answer. Planning what to say takes over 0.6 s
(Levinson & Torreira 2015), and a calm speaker leaves up to 0.8 s between sentences."""
PRE_ROLL_S = 0.5
"""Kept before the first voice, so that a soft onset is not lost to the recogniser."""
TAIL_S = 0.3
"""Kept after the last voice, for the same reason at the end."""
MAX_TURN_S = 60.0
"""A turn is closed after this long, so that a noisy line cannot keep the customer waiting for ever."""

CALM_S = 0.8
"""Silence that ends the rest of a turn in which a pause was once taken for the end: what a calm speaker leaves between
sentences. After the second time it is PATIENCE_S."""
KEY_TAIL_S = 0.2
"""After the talk key is let go, or the turn is sent: fingers are faster than last syllables."""
SENT_S = 1.0
"""Manual: a turn that is sent while a voice goes on is over after this long anyway."""
IDLE_S = 20.0
"""Push-to-talk and manual: a turn in which nobody has spoken for this long is sent anyway."""
LONGER_S = 0.7
"""How much longer the silence after unfinished words must be: 1.2 s instead of 0.5 s (docs/voice-loop.md)."""

Mode = Literal["hands-free", "push-to-talk", "manual"]
Words = Literal["unknown", "finished", "unfinished"]


@dataclass(frozen=True)
class Patience:
    """Silence that ends a turn, in seconds: after words that may be a finished step, and after unfinished ones."""

    name: str
    finished_s: float
    unfinished_s: float


PRESETS = {
    "quick": Patience("quick", 0.35, 0.9),
    "normal": Patience("normal", 0.5, 0.5 + LONGER_S),
    "patient": Patience("patient", 0.9, 2.0),
}
"""Calm speakers pause, and a short time-out would punish the very skill that is trained: whoever is cut off can choose `patient`."""
NORMAL = PRESETS["normal"]
LEAST_S, MOST_S = 0.3, 3.0
"""Own settings, in seconds. Under 0.3 s there is no time to recognise anything."""


def patience_of(text: str) -> Patience:
    """A preset's name, or seconds from LEAST_S to MOST_S as text; raises ValueError with what there is."""
    if text in PRESETS:
        return PRESETS[text]
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not LEAST_S <= seconds <= MOST_S:
        raise ValueError(f"'{text}' is neither {', '.join(PRESETS)} nor seconds from {LEAST_S:g} to {MOST_S:g}")
    return Patience("", seconds, seconds + LONGER_S)


def deaf_patience(patience: Patience) -> Patience:
    """For a microphone that rests while the customer speaks: going on then is not heard, so a preset waits CALM_S."""
    return replace(patience, finished_s=max(patience.finished_s, CALM_S)) if patience.name else patience


@dataclass(frozen=True)
class Frame:
    """One voice-activity frame: its first sample, its probability, and the state of the call while it lasted."""

    at: int
    probability: float
    customer: bool = False
    """The customer is speaking."""
    talk_key: bool = False
    """The talk key is down (push-to-talk)."""
    send: bool = False
    """The trainee has just sent the turn (manual)."""


@dataclass(frozen=True)
class TurnState:
    """Where the trainee is: `phase` quiet, starting (voice, not long enough yet), speaking or stopping."""

    mode: Mode = "hands-free"
    patience: Patience = NORMAL
    phase: Literal["quiet", "starting", "speaking", "stopping"] = "quiet"
    onset: int = 0
    """First sample of the voice (or of the key) that opened the turn."""
    last_voice: int = 0
    """One past the last sample of voice, as the detector has it."""
    last_key: int = 0
    """One past the last sample with the talk key down, or of the frame in which the turn was sent (manual)."""
    spent: bool = False
    """The turn was ended although the talk key is down (it was forgotten): now only voice opens another one."""
    floor: int = 0
    """End of the previous turn: a pre-roll never reaches into it."""
    speech: tuple[Span, ...] = ()
    overlap: tuple[Span, ...] = ()
    resumed: int = 0
    """How often the trainee went on after the turn had been closed."""
    words: Words = "unknown"
    """What the words say since the last voice: see `told`."""

    @property
    def speaking(self) -> bool:
        """The trainee holds the floor."""
        return self.phase in {"speaking", "stopping"}

    @property
    def start(self) -> int:
        """Where the turn begins, its pre-roll included."""
        return max(self.floor, self.onset - round(PRE_ROLL_S * SAMPLE_RATE_HZ), 0)


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
    speech = extended(state.speech, frame.at, end)
    overlap = extended(state.overlap, frame.at, end) if frame.customer else state.overlap
    return replace(state, speech=speech, overlap=overlap, last_voice=end, words="unknown")


def _by_voice(state: TurnState, frame: Frame, voice: bool) -> tuple[TurnState, Turn | None]:
    now = frame.at + FRAME
    if state.phase == "starting":
        if not voice:
            return replace(state, phase="quiet"), None
        long_enough = now - state.onset >= START_S * SAMPLE_RATE_HZ
        return (replace(state, phase="speaking") if long_enough else state), None
    if not state.speaking:
        return state, None
    sent = frame.send and state.mode == "manual"
    state = replace(state, phase="speaking" if voice else "stopping", last_key=now if sent else state.last_key)
    return _close(state, now) if _over(state, now, frame.customer) else (state, None)


def silence_s(state: TurnState, now: int) -> float:
    """Silence since the last sound of speech: the detector holds on for USUAL_HOLD_S after it."""
    return (now - state.last_voice) / SAMPLE_RATE_HZ + USUAL_HOLD_S


def _over(state: TurnState, now: int, customer: bool) -> bool:
    """The stop rules of turns that voice has opened, at the frame that is nearest to the silence that they want.

    What was said while the customer goes on speaking is a nod over the line, not an answer that waits to be sent.
    """
    quiet_s = silence_s(state, now) + FRAME / 2 / SAMPLE_RATE_HZ
    if now - state.onset >= MAX_TURN_S * SAMPLE_RATE_HZ:
        return True
    if state.mode == "manual":
        if state.last_key > state.onset:
            return quiet_s >= KEY_TAIL_S or now - state.last_key >= SENT_S * SAMPLE_RATE_HZ
        if not customer or total(state.speech) > total(state.overlap):
            return quiet_s >= IDLE_S
    finished_s = max(state.patience.finished_s, (0.0, CALM_S, PATIENCE_S)[min(state.resumed, 2)])
    if state.words == "finished" and quiet_s >= finished_s:
        return True
    return quiet_s >= max(state.patience.unfinished_s, finished_s)


def _by_key(state: TurnState, frame: Frame) -> tuple[TurnState, Turn | None]:
    now = frame.at + FRAME
    quiet_s = silence_s(state, now)
    if frame.talk_key:
        if not state.speaking:
            if state.spent and state.phase == "quiet":
                return state, None
            opened = replace(state, phase="speaking", onset=frame.at, last_voice=frame.at, last_key=now)
            return (opened if state.phase == "starting" else replace(opened, speech=(), overlap=())), None
        state = replace(state, last_key=now)
        if now - state.onset < MAX_TURN_S * SAMPLE_RATE_HZ and quiet_s < IDLE_S:
            return state, None
        state, turn = _close(state, now)
        return replace(state, spent=True), turn
    state = replace(state, spent=False)
    if not state.speaking:
        return state, None
    let_go_s = (now - state.last_key) / SAMPLE_RATE_HZ
    return _close(state, now) if min(let_go_s, quiet_s) >= KEY_TAIL_S else (state, None)


def told(state: TurnState, words: Words) -> TurnState:
    """What the words of the turn so far say about its end; voice that follows makes it unknown again."""
    return replace(state, words=words) if state.speaking else state


def draft(state: TurnState, now: int) -> Turn | None:
    """The open turn as it would be if it ended now; None while there is voice or SPECULATE_S of silence is not over."""
    quiet = state.speaking and state.speech and silence_s(state, now) >= SPECULATE_S
    return _close(state, now)[1] if quiet else None


def resume(state: TurnState, turn: Turn) -> TurnState:
    """The trainee went on before the customer had answered: `turn` is open again, with what was said since."""
    return replace(
        state,
        onset=turn.start + round(PRE_ROLL_S * SAMPLE_RATE_HZ),
        floor=turn.start,
        speech=turn.speech + state.speech,
        overlap=turn.overlap + state.overlap,
        resumed=turn.resumed + 1,
    )


def can_resume(turn: Turn, now: int) -> bool:
    """Whether `turn` may go on: not where that would make it longer than a turn can be."""
    return now - turn.start < MAX_TURN_S * SAMPLE_RATE_HZ


def _close(state: TurnState, now: int) -> tuple[TurnState, Turn | None]:
    """End the turn; a key press without any voice is no turn (nothing is recognised without voice)."""
    quiet = TurnState(state.mode, state.patience, floor=now)
    if not state.speech:
        return quiet, None
    end = min(now, state.last_voice + round(TAIL_S * SAMPLE_RATE_HZ))
    return quiet, Turn(state.start, end, state.speech, state.overlap, state.resumed)


def flush(state: TurnState, now: int) -> Turn | None:
    """The turn that is still open when the call ends, if there is one."""
    return _close(state, now)[1] if state.speaking else None


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
