"""The trainee's open turn, handed to the worker in pieces while it goes on, so that little is left to hear at its end."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace

from voicecoach.call import answering
from voicecoach.call.answering import Piece
from voicecoach.call.tape import Tape
from voicecoach.measure import pieces
from voicecoach.measure.activity import Span, intersect, total
from voicecoach.measure.turns import PRE_ROLL_S, START_S
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.world.ears import Ears, QuickEars


class OpenTurn:
    """The pieces of the turn that are heard already, or about to be; what follows them is still open."""

    def __init__(self, ears: Ears, worker: Executor, microphone: Tape) -> None:
        self._ears, self._worker, self._microphone = ears, worker, microphone
        self._pieces: tuple[Piece, ...] = ()

    def clear(self) -> None:
        """Another turn begins."""
        self._pieces = ()

    def cut(self, start: int, now: int, speech: Sequence[Span]) -> None:
        """Hand over what is said of a turn that began at `start` in good time where it has no pause."""
        if not isinstance(self._ears, QuickEars):
            return
        voice = self._voice_from(start, speech)
        if voice is None:
            return
        start = voice
        if now - start >= pieces.LONGEST_S * SAMPLE_RATE_HZ:
            end = start + pieces.cut(self._microphone.between(start, now))
            self._pieces = (*self._pieces, self._piece(start, end))

    def whole(self, start: int, end: int, speech: Sequence[Span]) -> tuple[Piece, ...]:
        """The turn from `start` to `end` in pieces, should it end there."""
        voice = self._voice_from(start, speech)
        rest = total(intersect(speech, [(self._pieces[-1].end, end)])) if self._pieces else 0
        if self._pieces and rest < START_S * SAMPLE_RATE_HZ:  # the detector holds on: recognisers invent words for that
            return self._pieces
        return (*self._pieces, self._piece(start if voice is None else voice, end))

    def go_on(self, whole: Sequence[Piece], voice_end: int) -> None:
        """It did not end there: the last piece is kept, up to the end of its voice, where it is long enough to stand alone."""
        last = whole[-1]
        if last in self._pieces:
            return
        if isinstance(self._ears, QuickEars) and last.end - last.start >= pieces.PIECE_S * SAMPLE_RATE_HZ:
            self._pieces = (*whole[:-1], replace(last, end=voice_end))  # what follows has all of the pause in front
        else:
            last.part.cancel()

    def _voice_from(self, start: int, speech: Sequence[Span]) -> int | None:
        """Where the voice begins that is in no piece yet, its pre-roll included: recognisers invent words for silence."""
        start = self._pieces[-1].end if self._pieces else start
        first = next((max(begin, start) for begin, end in speech if end > start), None)
        return None if first is None else max(start, first - round(PRE_ROLL_S * SAMPLE_RATE_HZ))

    def _piece(self, start: int, end: int) -> Piece:
        samples = self._microphone.between(start, end)
        return Piece(start, end, self._worker.submit(answering.hear, self._ears, samples, start))
