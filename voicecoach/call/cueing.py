"""The live cue: when the last seconds of the open turn are looked at, and where cues came in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from voicecoach.call.answering import measure_voice
from voicecoach.call.tape import Tape
from voicecoach.judge.live import CUE_AFTER_S, CueState, next_cue
from voicecoach.measure.activity import Span
from voicecoach.measure.turns import TurnState
from voicecoach.nouns import SAMPLE_RATE_HZ, Baseline, Relative, Turn

CUE_EVERY_S = 0.8
"""How often the last seconds are looked at: under a second after a cue is due it is there, the measuring included."""
CUE_WINDOW_S = 4.0
"""In 2.5 s one lively question of a calm voice measured +8 dB; in 4 s calm voices stayed under +5 and raised ones above
+8 (the recorded trainee, every second of every turn)."""


class Cueing:
    """The cue on the screen, and the last look."""

    def __init__(self, microphone: Tape) -> None:
        self._microphone = microphone
        self._state = CueState()
        self._looked = 0
        self._came: list[int] = []
        """Where cues came in the turn that is open or waits for its answer."""

    @property
    def shown(self) -> str:
        """The cue on the screen, "" for none."""
        return self._state.shown

    def open_turn(self, at: int) -> None:
        """A turn begins: without a cue, and with time to begin."""
        self._state, self._looked = replace(self._state, shown=""), at

    def look(
        self, turns: TurnState, baseline: Baseline, at: int, now: int, spoiled: Callable[[int, int], Sequence[Span]]
    ) -> Relative | None:
        """The numbers of a cue that came just now; None where none came. `now` is where its event stands.

        `spoiled` tells where the microphone held the customer's voice too, from a sample to another.
        """
        due = at - self._looked >= CUE_EVERY_S * SAMPLE_RATE_HZ
        into_turn = at - turns.onset
        if turns.phase != "speaking" or not due or into_turn < CUE_AFTER_S * SAMPLE_RATE_HZ:
            return None
        self._looked = at
        start = max(at - round(CUE_WINDOW_S * SAMPLE_RATE_HZ), 0)
        overlap = [(first - start, last - start) for first, last in spoiled(start, at)]
        seen = measure_voice(self._microphone.between(start, at), baseline, overlap)
        before, self._state = self._state, next_cue(self._state, seen, into_turn / SAMPLE_RATE_HZ, at / SAMPLE_RATE_HZ)
        if self._state.last_s <= before.last_s or seen.relative is None:
            return None
        self._came.append(now)
        return seen.relative

    def forget(self) -> None:
        """The turn turned out to be none."""
        self._came = []

    def take(self, turn: Turn) -> list[int]:
        """Where cues came in a turn that is written down now."""
        came, self._came = self._came, []
        return [at for at in came if turn.start <= at < turn.end]
