"""Barge-in: what the customer's line does while the trainee speaks over it. A pure state machine on voice-activity frames.

Voice over the line first ducks it, then makes it stand still, while somebody looks at the words so far. Nods ("mm hmm",
"go on") let it go on; a false alarm lets it go on where it stood still; other words stop it for good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from voicecoach.measure.activity import FRAME, THRESHOLD, THRESHOLD_END
from voicecoach.nouns import SAMPLE_RATE_HZ

DUCK_S = 0.25
"""Voice over the line for this long ducks it: shorter bursts are clicks and breaths."""
DUCK_DB = -12.0
"""Clearly further away, and still followed by whoever only nodded. Our judgement."""
LOOK_S = 0.3
"""From here on the words are looked at: a recogniser tells "I see" from "Let me" after so much (docs/voice-loop.md)."""
LOOK_AGAIN_S = 0.3
"""And again after so much more voice."""
HOLD_S = 0.42
"""Voice over the line for this long makes it stand still, unless it is known to be a nod: with what the detector needs to
hear a voice (up to 0.06 s) that is within half a second."""
UNTOLD_S = 1.2
"""Voice for this long is no nod, even where no look could tell its words: the longest of 50 spoken nods held 0.9 s. The
line stands still until the words of the turn are known."""
QUIET_S = 0.25
"""Without voice for this long the trainee has stopped."""
GAP_S = 0.5
"""After a word or two that may be the beginning of something, voice this soon goes on with them ("Hang on, which
invoice?"). Our judgement."""
RESUME_S = 2.0
"""The longest that a line stands still for nothing (LiveKit waits as long for a false interruption)."""
SURE = 0.4
"""Mean probability of the words from which they are believed: of 60 spoken interruptions all had more once they were
0.9 s long (docs/voice-loop.md)."""
SHORT_S, SURE_IF_SHORT = 0.9, 0.7
"""Before that, hums and coughs come back as words of up to 0.65 ("M.H.M."). The line stands still meanwhile."""
SURE_WORDS = 2
"""Whole words that are needed while the trainee is still speaking: one is often the beginning of something else."""

Words = Literal["nod", "words", "unclear", "none"]
"""What was said so far: only nods; other words; too little to tell; no words at all."""
Action = Literal["duck", "full", "hold", "go on", "look", "stop"]
Phase = Literal["clear", "voice", "held", "untold", "nodding", "stopped"]


@dataclass(frozen=True)
class Over:
    """One frame: its first sample, its probability of voice, and whether a line of the customer is on."""

    at: int
    probability: float
    line: bool
    """A line is being played or stands still."""
    words: Words | None = None
    """What the last look found, when it has just come back."""
    whole: bool = False
    """That look was taken after the trainee had stopped."""
    turn: Words | None = None
    """What the words of the whole turn are, once they are known."""


@dataclass(frozen=True)
class BargeIn:
    """Where a barge-in stands. `voiced` is samples of voice over the line, its gaps left out."""

    phase: Phase = "clear"
    onset: int = 0
    """First sample of the voice over the line."""
    voiced: int = 0
    last_voice: int = 0
    looked: int = 0
    """`voiced` at the last look; 0 before the first."""
    ducked: int = 0
    """Where the line was ducked; 0 while it is not."""
    held: int = 0
    """Where the line was told to stand still."""
    found: Words | None = None
    """What the last look found."""
    last_look: bool = False
    """A look at all of it was asked for: the trainee has stopped."""

    @property
    def over(self) -> bool:
        """Somebody is speaking over the line, or has just been."""
        return self.phase in {"voice", "held", "untold", "nodding"}

    @property
    def holding(self) -> bool:
        """The line stands still."""
        return self.phase in {"held", "untold"}

    @property
    def begun(self) -> bool:
        """Nobody knows yet what is said over the line, and it was more than a click."""
        return self.phase == "voice" and bool(self.ducked)


def next_step(state: BargeIn, frame: Over) -> tuple[BargeIn, tuple[Action, ...]]:
    """Take one frame in; give the new state and what the line must do, in order."""
    if not frame.line:
        return BargeIn(), (("full",) if state.ducked and state.phase != "stopped" else ())
    if state.phase == "stopped":
        return state, ()
    end = frame.at + FRAME
    paused = end - state.last_voice > QUIET_S * SAMPLE_RATE_HZ
    voice = frame.probability >= (THRESHOLD_END if state.over and not paused else THRESHOLD)
    if voice:
        state = state if state.over else BargeIn("voice", onset=frame.at)
        found = None if paused else state.found  # what was told of the words before a pause is not told of those after
        state = replace(state, voiced=state.voiced + FRAME, last_voice=end, last_look=False, found=found)
    if not state.over:
        return state, ()
    if frame.words is not None:
        state = replace(state, found=frame.words)
    quiet = end - state.last_voice >= QUIET_S * SAMPLE_RATE_HZ
    if state.phase == "held":
        return _held(state, frame, quiet)
    if state.phase == "untold":
        return _untold(state, frame, quiet)
    return _paused(state, frame) if quiet else _playing(state, end)


def _playing(state: BargeIn, now: int) -> tuple[BargeIn, tuple[Action, ...]]:
    """Voice over a line that is being played: duck, look, and stop it or let it go on."""
    actions: list[Action] = []
    if state.voiced >= DUCK_S * SAMPLE_RATE_HZ and not state.ducked:
        state = replace(state, ducked=now)
        actions.append("duck")
    state, looking = _look(state)
    actions += looking
    if state.found == "nod":
        return replace(state, phase="nodding"), tuple(actions)
    if state.voiced < HOLD_S * SAMPLE_RATE_HZ:
        return state, tuple(actions)
    if state.phase == "nodding" and state.found != "words":
        return state, tuple(actions)
    if state.found == "words":
        return replace(state, phase="stopped", held=now), (*actions, "stop")
    return replace(state, phase="held", held=now), (*actions, "hold")


def _paused(state: BargeIn, frame: Over) -> tuple[BargeIn, tuple[Action, ...]]:
    """A pause of who spoke over a line that is being played: the end of it, or of the first word or two."""
    nothing = frame.whole and frame.words in {"nod", "none"}
    if not state.begun or nothing or frame.at + FRAME - state.last_voice >= GAP_S * SAMPLE_RATE_HZ:
        return BargeIn(), (("full",) if state.ducked else ())
    if state.last_look:
        return state, ()
    return replace(state, last_look=True, looked=state.voiced), ("look",)


def _held(state: BargeIn, frame: Over, quiet: bool) -> tuple[BargeIn, tuple[Action, ...]]:
    """A line that stands still: stop it for good, or let it go on."""
    now = frame.at + FRAME
    if state.found == "words":
        return replace(state, phase="stopped"), ("stop",)
    if state.found in {None, "unclear"} and state.voiced >= UNTOLD_S * SAMPLE_RATE_HZ:
        return _look(replace(state, phase="untold"))
    if state.found == "nod":
        return replace(state, phase="nodding"), ("go on", "duck")
    if quiet and frame.words is not None and frame.whole:
        return BargeIn(), ("go on",)
    if now - state.held >= RESUME_S * SAMPLE_RATE_HZ:
        return (BargeIn() if quiet else replace(state, phase="nodding")), ("go on",)
    if quiet and not state.last_look:
        return replace(state, last_look=True, looked=state.voiced), ("look",)
    return (state, ()) if quiet else _look(state)


def _untold(state: BargeIn, frame: Over, quiet: bool) -> tuple[BargeIn, tuple[Action, ...]]:
    """A line that stands still for voice that no look could tell: the words of the turn decide, or that there are none."""
    waited = frame.at + FRAME - state.last_voice >= RESUME_S * SAMPLE_RATE_HZ
    if "words" in {state.found, frame.turn}:
        return replace(state, phase="stopped"), ("stop",)
    if "nod" in {state.found, frame.turn}:
        return (BargeIn(), ("go on",)) if quiet else (replace(state, phase="nodding"), ("go on", "duck"))
    if frame.turn is not None or waited:
        return BargeIn(), ("go on",)
    return (state, ()) if quiet else _look(state)


def _look(state: BargeIn) -> tuple[BargeIn, tuple[Action, ...]]:
    """Ask for the words so far, at LOOK_S of voice and again after each LOOK_AGAIN_S."""
    due = LOOK_S if not state.looked else state.looked / SAMPLE_RATE_HZ + LOOK_AGAIN_S
    if state.voiced < due * SAMPLE_RATE_HZ:
        return state, ()
    return replace(state, looked=state.voiced), ("look",)


def words_so_far(
    words: Sequence[str], probability: float, is_nod: Callable[[str], bool], *, voiced_s: float, speaking: bool
) -> Words:
    """What the words heard so far tell, with the recogniser's mean `probability` of them, after `voiced_s` of voice.

    While the trainee is still speaking the last word may be half a word, so it does not count.
    """
    if not words:
        return "none"
    if is_nod(" ".join(words)):
        return "nod"
    certain = words[:-1] if speaking else words
    if certain and is_nod(" ".join(certain)):
        return "nod"
    sure = SURE if voiced_s >= SHORT_S else SURE_IF_SHORT
    if probability < sure or (speaking and len(certain) < SURE_WORDS):
        return "unclear"
    return "words"


def words_played(text: str, share: float) -> str:
    """The words of a line that had been spoken when `share` of it (0 to 1) had been played: letters take equal time."""
    words = text.split()
    letters = sum(map(len, words)) * share
    spoken, so_far = [], 0
    for word in words:
        so_far += len(word)
        if so_far > letters:
            break
        spoken.append(word)
    return " ".join(spoken)
