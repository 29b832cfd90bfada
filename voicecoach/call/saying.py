"""The customer's lines on their way out, one after the other: each clause by clause, and how far it has come."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace

from voicecoach.measure.activity import Span, intersect, total
from voicecoach.nouns import SAMPLE_RATE_HZ, Reaction
from voicecoach.world.playback import FADE_MS
from voicecoach.world.sound import Block, Duplex
from voicecoach.world.voice import Line, joined


@dataclass(frozen=True)
class Past:
    """A line as another one finds it that may be taken back."""

    spoken: Spoken | None
    stopped: bool
    holds: tuple[Span, ...]


@dataclass(frozen=True)
class Spoken:
    """A line as far as it has come."""

    reaction: Reaction
    line: Line
    """As much of it as is made."""
    start: int | None = None
    """Its first sample; None before that has left."""


class Saying:
    """The line that is being spoken, or was last."""

    def __init__(self, sound: Duplex, worker: Executor) -> None:
        self._sound, self._worker = sound, worker
        self.now: Spoken | None = None
        """None before the first line."""
        self.clause: Future[Line | None] | None = None
        """The line's next clause in the making; None where all of it is spoken."""
        self.told = False
        """The line has its event."""
        self.stopped = False
        """The trainee has stopped it."""
        self.holds: tuple[Span, ...] = ()
        """Where it stood still and went on."""
        self.end = 0
        """One past the customer's last spoken sample."""
        self.starts: tuple[int, ...] = ()
        """The first samples of all lines that have begun and were not taken back."""
        self.taken_back: tuple[Span, ...] = ()
        """The lines that were, from their first sample to where they were told to stop."""
        self.on = False
        """What is heard of the customer is this line: not after one was taken back, until the next is queued."""

    @property
    def reaction(self) -> Reaction | None:
        """The reaction that the line belongs to."""
        return self.now.reaction if self.now else None

    @property
    def start(self) -> int | None:
        """The first sample of the line, once that has left."""
        return self.now.start if self.now else None

    @property
    def name(self) -> str:
        """The id of the line, "" before the first one."""
        return self.now.reaction.reply.line if self.now else ""

    @property
    def ends(self) -> str:
        """The outcome that the line leads to, "" for none."""
        return self.now.reaction.reply.ends if self.now else ""

    @property
    def complete(self) -> bool:
        """The line has begun, it is known how long it is, and that is not told yet."""
        return self.start is not None and self.clause is None and not self.told

    def begin(self, reaction: Reaction, line: Line) -> None:
        """Queue a line, or as much of it as is made."""
        self.now, self.told, self.stopped, self.holds = Spoken(reaction, line), False, False, ()
        self.on = True
        self.clause = self._worker.submit(next, line.rest, None) if line.rest else None
        self._sound.play(line.samples)

    def go_on(self) -> None:
        """Queue the next clause once it is made, and have the one after it made.

        Raises what the voice raised; the line then ends with what there is of it.
        """
        if self.clause is None or not self.clause.done():
            return
        made, self.clause = self.clause, None
        clause = made.result()
        if clause is None or self.now is None or self.now.line.rest is None:
            return
        rest = self.now.line.rest
        self.now = replace(self.now, line=replace(joined([self.now.line, clause]), rest=rest))
        self.clause = self._worker.submit(next, rest, None)
        self._sound.play(clause.samples)

    def begins(self, block: Block, at: int) -> bool:
        """Take in a block; whether the line begins in it."""
        if not block.customer:
            return False
        self.end = at + len(block.out)
        if self.now is None or self.now.start is not None:
            return False
        self.now = replace(self.now, start=at)
        self.starts = (*self.starts, at)
        return True

    def tell(self) -> None:
        """The line has its event now."""
        self.told = True

    def stood_still(self, start: int, end: int) -> None:
        """The line stood still there, and went on."""
        self.holds = (*self.holds, (start, end))

    def stop(self) -> None:
        """The trainee has stopped the line."""
        self.stopped = True

    def is_out(self, now: int) -> bool:
        """Whether all of the line has been heard by the sample `now`, but for what would fade out."""
        if self.now is None or self.clause is not None:
            return False
        fading_s = FADE_MS / 1000
        return self.played_s(now) >= len(self.now.line.samples) / SAMPLE_RATE_HZ - fading_s

    def wait_from(self, at: int) -> None:
        """Nobody was waited for before this sample."""
        if self.end:
            self.end = max(self.end, at)

    def close(self) -> None:
        """No more clauses: what was spoken of the line is all there is."""
        self.clause = None

    def past(self) -> Past:
        """The line as it is now, for `take_back`."""
        return Past(self.now, self.stopped, self.holds)

    def take_back(self, before: Past, at: int) -> None:
        """Stop at once: the line counts for nothing, the one before it is the last again, as it was."""
        self._sound.stop()
        if self.start is not None:
            self.taken_back = (*self.taken_back, (self.start, at))
            self.starts = self.starts[:-1]
        self.now, self.stopped, self.holds = before.spoken, before.stopped, before.holds
        self.clause, self.told, self.on = None, True, False

    def going_on(self, block: Block) -> bool:
        """Whether the customer has the floor: something of the line is heard, queued or being made."""
        return block.customer or self.clause is not None or self._sound.playing()

    def played_s(self, until: int) -> float:
        """How much of the line had been heard by a sample, in seconds; 0 where it has not begun."""
        if self.start is None:
            return 0.0
        stood = total(intersect(self.holds, [(self.start, until)]))
        return (until - self.start - stood) / SAMPLE_RATE_HZ
