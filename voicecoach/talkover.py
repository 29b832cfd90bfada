"""The customer's line while the trainee speaks over it: the decisions of `measure.bargein`, carried out on a Sound port."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from voicecoach.measure.activity import FRAME, Span
from voicecoach.measure.bargein import DUCK_DB, BargeIn, Over, Words, next_step, words_so_far
from voicecoach.nouns import SAMPLE_RATE_HZ, Floats
from voicecoach.world.glimpse import Glimpse
from voicecoach.world.sound import Duplex

BARGE_IN_S = 0.5
"""With ears that cannot look, voice over the line for this long is an interruption."""

Glimpses = Callable[[Floats, float], Glimpse]


@dataclass(frozen=True)
class Stopped:
    """A real interruption: where the voice over the line began, was noticed, and where the line stood still."""

    onset: int
    noticed: int
    silent: int


class TalkOver:
    """Follows one line after the other. `glimpse` is None for ears that have none: then any long voice is words."""

    def __init__(
        self, sound: Duplex, worker: Executor, glimpse: Glimpses | None, is_nod: Callable[[str], bool]
    ) -> None:
        self._sound, self._worker, self._glimpse, self._is_nod = sound, worker, glimpse, is_nod
        self._state = BargeIn()
        self._look: tuple[Future[Words], bool] | None = None
        """What is being looked at, and whether it is all that the trainee said."""
        self._wanted = False
        self.holds: list[Span] = []
        """Where the line stood still and went on, since they were last taken."""
        self.nodding = False
        """What was said over the line so far was nothing but nods."""
        self.stood: list[Span] = []
        """Where this line stood still so far, each up to where it was heard again."""
        self._standing = False
        """It stands still, or is not heard again yet."""
        self._turn: Words | None = None

    @property
    def holding(self) -> bool:
        """The line stands still."""
        return self._state.holding

    @property
    def begun(self) -> bool:
        """A word or two over the line, which may be all, or the beginning of more."""
        return self._state.begun

    @property
    def held(self) -> int:
        """Where the line was last told to stand still."""
        return self._state.held

    @property
    def undecided(self) -> bool:
        """The line stands still until somebody `tell`s the words of the turn."""
        return self._state.phase == "untold"

    def tell(self, text: str) -> None:
        """The words of the turn so far, which decide where no look could."""
        self._turn = "none" if not text else "nod" if self._is_nod(text) else "words"

    def new_line(self) -> None:
        """Another line begins, or there is none any more."""
        self._reset()

    def go_away(self, at: int) -> None:
        """The sound is away from `at` on: a line that stands still has stood still until then, and goes on with it."""
        if self.holding:
            self.holds.append((self._state.held, at))
        self._reset()

    def _reset(self) -> None:
        self._state, self._look, self._wanted = BargeIn(), None, False
        self.stood, self._standing = [], False
        self._sound.go_on()

    def follow(
        self, at: int, probability: float, line: bool, said: Callable[[], tuple[Floats, float]]
    ) -> Stopped | None:
        """Take in one frame; `said` gives the trainee's voice so far and where it begins (s). Tells of a real one."""
        self._mind_standing(at, line)
        words, whole = self._words()
        turn, self._turn = self._turn if self.undecided else None, None
        before = self._state
        self._state, actions = next_step(before, Over(at, probability, line or self._standing, words, whole, turn))
        self._wanted = (self._wanted or "look" in actions) and self._state.over
        if not self._state.over:
            self._look = None  # what it finds is of no use for what is said next
        if self._wanted and self._look is None:
            self._wanted = False
            self._start_look(said, whole=at + FRAME > self._state.last_voice)
        if before.holding and self._state.phase in {"clear", "nodding"}:
            self.holds.append((before.held, at + FRAME))
        self.nodding = self._state.phase == "nodding" or (self.nodding and not self._state.over)
        for action in actions:
            match action:
                case "duck":
                    self._sound.duck(DUCK_DB)
                case "full":
                    self._sound.duck(0.0)
                case "hold":
                    self._sound.hold()
                    self._standing = True
                case "go on":
                    self._sound.go_on()
                case "stop":
                    self._sound.stop()
                    self._standing = False
                    return Stopped(self._state.onset, self._state.ducked, self._state.held)
                case "look":
                    pass
        return None

    def _mind_standing(self, at: int, line: bool) -> None:
        """Follow a line that stands still until it is heard again: blocks that were recorded before it went on come first."""
        if not self._standing:
            return
        if not self.holding and (line or not self._sound.playing()):
            self._standing = False
        elif self.stood and self.stood[-1][1] == at:
            self.stood[-1] = (self.stood[-1][0], at + FRAME)
        else:
            self.stood.append((at, at + FRAME))

    def _words(self) -> tuple[Words | None, bool]:
        """What the look has found, once it is there, and whether it was a look at everything."""
        if self._look is None or not self._look[0].done():
            return None, False
        (future, whole), self._look = self._look, None
        return future.result(), whole

    def _start_look(self, said: Callable[[], tuple[Floats, float]], whole: bool) -> None:
        if self._glimpse is None:
            long = self._state.voiced >= BARGE_IN_S * SAMPLE_RATE_HZ
            done: Future[Words] = Future()
            done.set_result("words" if long else "unclear")
            self._look = (done, whole)
            return
        self._look = (self._worker.submit(self._looked, self._glimpse, said(), self._state.voiced, not whole), whole)
        if not self._sound.realtime:
            self._look[0].exception()  # files wait, so that nothing depends on the machine's speed

    def _looked(self, glimpse: Glimpses, said: tuple[Floats, float], voiced: int, speaking: bool) -> Words:
        seen, voiced_s = glimpse(*said), voiced / SAMPLE_RATE_HZ
        return words_so_far(seen.text.split(), seen.probability, self._is_nod, voiced_s=voiced_s, speaking=speaking)
