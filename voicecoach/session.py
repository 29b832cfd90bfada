"""The call: customer speaks, trainee answers, the customer reacts; every step goes to the record as it happens.

It knows measure, judge, persona, the ports of the world and the record. Three threads are on the live path: the sound
callback (in `world.sound`), this loop (turn-taking and writing), and one worker that recognises, measures, judges and
speaks (`call.answering`). A fourth one does what nobody waits for (`call.aside`).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from voicecoach import persona
from voicecoach.call import Call, Keys, Outcome, Tick, Who, answering, entries, memory
from voicecoach.call.answering import Answer, Answered, Piece, Question, Standing, Tools
from voicecoach.call.aside import Aside
from voicecoach.call.cueing import Cueing
from voicecoach.call.echoguard import EchoGuard
from voicecoach.call.openturn import OpenTurn
from voicecoach.call.saying import Past, Saying, Spoken
from voicecoach.call.tape import Tape
from voicecoach.errors import DiskError, VoicecoachError
from voicecoach.judge.context import TOGETHER_S
from voicecoach.judge.ending import unfinished
from voicecoach.judge.moves import only_nods
from voicecoach.judge.silence import EXPLAINED_S
from voicecoach.measure import activity
from voicecoach.measure.observe import dbfs
from voicecoach.measure.turns import (
    SPECULATE_S,
    Frame,
    Patience,
    TurnState,
    can_resume,
    deaf_patience,
    draft,
    flush,
    next_turn,
    resume,
    silence_s,
    told,
)
from voicecoach.nouns import SAMPLE_RATE_HZ, Baseline, Event, Floats, Heard, Observation, Reaction, Turn
from voicecoach.record import Writer
from voicecoach.talkover import Stopped, TalkOver
from voicecoach.world import vad
from voicecoach.world.ears import Ears, QuickEars
from voicecoach.world.glimpse import Glimpsing
from voicecoach.world.memory import give_back
from voicecoach.world.models import ModelFiles
from voicecoach.world.shouts import SecondLook
from voicecoach.world.sound import Block, Duplex
from voicecoach.world.voice import Line, Voice

__all__ = ["Call", "Keys", "Outcome", "Tick", "Who", "rehearse"]

LEAD_IN_S = 0.7
"""Quiet before the first word: the line opens, and the room is heard once without anybody speaking."""
NOD_S = 1.0
"""A turn with less voice than this, wholly inside the customer's line, is a nod: the customer goes on."""
CONTINUE_S = 0.55
"""Voice that begins this soon after the customer's first sound (the delay of the device added) is no answer to it: planning
what to say takes over 0.6 s (Levinson & Torreira 2015). The trainee had only paused, so the customer takes the words back."""
WITHDRAWALS = 3
"""As often within one turn; then the customer goes on, so that no noise or echo can keep a line from being said."""
ANSWER_WITHIN_S = 20.0
"""An answer that takes longer will not come."""
SILENCE_S = 7.0
"""Silence after which the customer asks whether anybody is there; EXPLAINED_S where the trainee announced it."""
GRACE_S = 12.0
"""After the time limit, the longest that whoever is speaking may go on, and then the longest that a closing line may take."""
SYNC_S = 1.0
"""How often the disk is told to keep what it has: the most that a power cut costs. Our judgement."""
KEPT_S = 3.0
"""What is kept of the sound while nobody's turn is open: enough for the pre-roll, and to find an echo in."""
OPEN_S = 150.0
"""While one is open or waits for its answer: longer than any turn and its answer."""
ZEROS_S = 5.0
"""Exact zeros for this long mean a muted or dead microphone: even a quiet room has noise."""


@dataclass(frozen=True)
class _Draft:
    """A turn as it would be if it ended now, and the answer to it in the making."""

    turn: Turn
    pieces: tuple[Piece, ...]
    answer: Future[Answer]
    at: int
    """The sample at which it was begun."""
    gap_from: int
    """End of the customer's line before the turn."""
    cut_off: bool
    """It is answered as an interruption."""
    dropped: threading.Event
    """To be set where nobody wants the answer."""

    def drop(self) -> None:
        """Nobody wants the answer; its pieces stay."""
        self.answer.cancel()
        self.dropped.set()


@dataclass(frozen=True)
class _Pending:
    """A turn that is closed and waits for its answer."""

    draft: _Draft
    turn: Turn
    closed: int
    """The sample at which it was closed."""
    waited_from: int
    """From this sample on its answer is waited for."""


Why = Literal["silence", "cut in", "goodbye"]


@dataclass(frozen=True)
class _Remark:
    """A line that answers no turn, while the worker speaks it; it is said only if there still is a reason to."""

    why: Why
    reaction: Reaction
    line: Future[Line]
    at: int
    """The sample at which it was begun."""


def _too_late() -> VoicecoachError:
    return VoicecoachError(
        f"The customer's answer did not come within {ANSWER_WITHIN_S:.0f} s.",
        "Close what else keeps this machine busy, or take the lines as authored, and start a new call.",
    )


@dataclass(frozen=True)
class _Held:
    """An answer whose line has begun and that nobody has written down yet: the trainee may only have paused."""

    answer: Answer
    pending: _Pending
    before: Past
    """The line before this one."""
    line_end: int
    """One past the last sample of that line."""


def rehearse(
    call: Call,
    sound: Duplex,
    ears: Ears,
    ears_files: ModelFiles | None,
    voice: Voice,
    writer: Writer,
    *,
    show: Callable[[Event | Tick], None] = lambda _: None,
    keys: Callable[[], Keys] = Keys,
) -> Outcome:
    """Hold one call and record it; returns how it ended. The writer is left open for the caller to close.

    A lost device or a full disk ends the call with a `fault` and raises after the record is safe.
    """
    try:
        return _Loop(call, sound, ears, ears_files, voice, writer, show, keys).run()
    finally:
        give_back()  # the recogniser's scratch space: 30 to 60 MB that the next call would not always find again


class _Loop:
    """The state of one call in progress."""

    def __init__(
        self,
        call: Call,
        sound: Duplex,
        ears: Ears,
        ears_files: ModelFiles | None,
        voice: Voice,
        writer: Writer,
        show: Callable[[Event | Tick], None],
        keys: Callable[[], Keys],
    ) -> None:
        self.call, self.sound, self.ears, self.writer = call, sound, ears, writer
        self.ears_files, self.show, self.keys = ears_files, show, keys
        self.tools = Tools(call, ears, voice, sound.realtime)
        self.worker = ThreadPoolExecutor(1, "voicecoach-ears")
        self.detector = vad.VoiceActivity()
        self.second_look = SecondLook()
        self.guard = EchoGuard(call, sound)
        self.turns = TurnState(call.mode, self._patience())
        self.mic = Tape()
        """The trainee's channel since the open turn's pre-roll."""
        self.memory = memory.begin(call)
        self.open = OpenTurn(ears, self.worker, self.mic)
        self.draft: _Draft | None = None
        """The answer to the open turn as far as it goes, thrown away when speech goes on."""
        self.pending: _Pending | None = None
        self.held: _Held | None = None
        self.withdrawals = 0
        """How often the customer took a line back in the turn that is open or was last."""
        self.gap_from = 0
        """The end of the customer's last line when the turn opened, or of voice without words that came after it."""
        self.wordless_to = 0
        """Up to here the trainee was heard, and no words in it."""
        self.careful = ThreadPoolExecutor(1, "voicecoach-aside")
        self.aside = Aside(ears, self.careful, sound.realtime)
        self.remark: _Remark | None = None
        """What the customer is about to say of its own accord, while it is being spoken."""
        self.saying = Saying(sound, self.worker)
        self.over = TalkOver(
            sound,
            self.worker,
            ears.glimpse if isinstance(ears, Glimpsing) else None,
            lambda text: only_nods(text, call.rules.cues),
        )
        self.stopped_at = -1
        """Where the voice began that last stopped a line."""
        self.away_s = 0.0
        """How long the call has been paused in all."""
        self.away_from: int | None = None
        """Where the sound device went away; None while it is there."""
        self.back_at = -1
        """Where it last came back."""
        self.microphone = sound.info.input
        self.voices: dict[str, tuple[Baseline | None, tuple[Observation, ...]]] = {}
        """What was learnt of the trainee's voice on other microphones, by their names."""
        self.presses: deque[Keys] = deque()
        """What was pressed and belongs to sound that is not here yet."""
        self.cut_in = False
        """The customer has cut into the turn that is open."""
        self.quiet_from = 0
        self.zeros = 0
        self.goodbye = False
        """The time is up and the customer has been told to say so."""
        self.goodbye_s = 0.0
        """How long after the time limit."""
        self.cues = Cueing(self.mic)
        self.synced = 0

    # --- the loop ----------------------------------------------------------------------------------

    def run(self) -> Outcome:
        """See `rehearse`."""
        failure: BaseException | None = None
        outcome: Outcome = "fault"
        try:
            self._start()
            outcome, why = self._talk()
        except KeyboardInterrupt:
            outcome, why = "stopped", "The trainee stopped the call."
        except Exception as error:  # noqa: BLE001 - whatever broke, the record must say so; it is raised again below
            failure, why = error, entries.failed(error)["what"]
        self.sound.stop()
        try:
            failure = self._last_words(failure)
            if isinstance(failure, Exception):
                self._event("fault", **entries.failed(failure))
            self._event("ended", outcome=outcome, why=why, lost_blocks=self.sound.lost_blocks, xruns=self.sound.xruns)
            self.writer.sync()
        except DiskError as error:
            failure = failure or error
        finally:
            for executor in (self.worker, self.careful):
                executor.shutdown(wait=False, cancel_futures=True)
            # The device outlives the call: a circle through it would keep every line of the customer, some 50 MB.
            self.sound.on_stall = lambda: None
        if failure is not None:
            raise failure
        return outcome

    def _last_words(self, failure: BaseException | None) -> BaseException | None:
        """Write down the turn that was open or waiting for its answer when the call ended, however it ended.

        Returns the `failure` of the call or, where there was none, what broke now: also a second Ctrl-C, after which
        nobody waits any more.
        """
        if isinstance(failure, DiskError):
            return failure
        try:
            self._finish_turn()
        except DiskError:
            raise
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - raised again once the end is written down
            return failure or error
        return failure

    def _finish_turn(self) -> None:
        if self.held is not None:
            self._confirm(self.held)
        turn = flush(self.turns, self.writer.samples)
        if turn is not None:
            self._submit(turn)
        self.show(Tick(self.writer.samples / SAMPLE_RATE_HZ, "thinking", -120.0))
        broken: Exception | None = None
        try:
            if self.pending is not None:
                self._write_late(self.pending)
        except Exception as error:  # noqa: BLE001 - the other turns have a careful pass to come; it is raised again below
            broken = error
        self._close_line()
        for take in (self._take_measured, self._take_heard_again):
            try:
                take(wait=True)
            except TimeoutError:
                self._event("fault", **entries.UNMEASURED)
        if broken is not None:
            raise broken

    def _talk(self) -> tuple[Outcome, str]:
        """Block by block until the call ends."""
        while True:
            block = self.sound.read()
            if block is None:
                return "script over", "The recorded trainee had no more to say."
            at = self.writer.samples
            self.writer.audio(np.stack([block.mic, block.out], axis=1))
            pressed = self.keys()
            if pressed.note:
                self._event("note", text=pressed.note)
            if pressed.stop:
                return "stopped", "The trainee stopped the call."
            if block.away:
                self._mind_away(block, at)
                continue
            if self.away_from is not None:
                self._come_back(self.away_from, at)
            self._mind_devices()
            self._follow_line(block, at)
            ended = self._ending(block, at)
            if ended:
                return ended
            self._follow_trainee(block, at, pressed)
            self._take_answer(block, at)
            self._take_measured()
            self._take_heard_again()
            self._mind_silence(block, at)
            self._housekeeping(block, at)

    def _start(self) -> None:
        call, sound = self.call, self.sound
        sound.on_stall = lambda: self._event("fault", **entries.STALLED)
        sound.drain()
        started = entries.started(
            call, self.turns.patience, sound.info, self.guard.told(), self.ears, self.ears_files, self.tools.voice.name
        )
        self._event("started", **started)
        for kind, data in call.prepared:
            self._event(kind, **data)
        moment = call.moment
        self.opening = (
            Reaction(moment.mood, moment.reply) if moment else persona.begin(call.persona, call.seed, call.recent)
        )
        self.opening_line = self._speak(self.opening)

    # --- the customer's line -----------------------------------------------------------------------

    def _speak(self, reaction: Reaction) -> Line:
        return answering.speak(self.tools, reaction)

    def _say(self, reaction: Reaction, line: Line) -> None:
        """Queue a line of the customer, or as much of it as is spoken yet."""
        self._close_line()
        self.over.new_line()
        self.remark = None
        self.saying.begin(reaction, line)

    def _follow_line(self, block: Block, at: int) -> None:
        """Note when the customer's line begins and how far it has come; queue its next clause when that is spoken."""
        saying = self.saying
        if at >= LEAD_IN_S * SAMPLE_RATE_HZ and saying.now is None:
            self._say(self.opening, self.opening_line)
        try:
            saying.go_on()
        except VoicecoachError as error:  # a voice that fails ends the line
            self._event("fault", **entries.failed(error))
        waited = at - saying.end if saying.clause is not None and saying.start is not None else 0
        if waited > ANSWER_WITHIN_S * SAMPLE_RATE_HZ:
            self._event("fault", **entries.UNSPOKEN)  # and so does one that hangs
            self._close_line()
        if saying.begins(block, at) and saying.reaction is not None and not self._heard_before():
            self._remember(said=(*self.memory.said, saying.reaction.reply.text))
        if saying.complete and self.held is None:
            self._tell_line()

    def _close_line(self) -> None:
        """No more clauses: what was spoken of the line is all there is."""
        self.saying.close()
        if self.saying.complete:
            self._tell_line()

    def _tell_line(self) -> None:
        """Write down what the customer says, and have it measured, as soon as it is known how long it is."""
        spoken = self.saying.now
        if spoken is None or spoken.start is None:
            return
        self.saying.tell()
        reply = spoken.reaction.reply
        self._event("said", **entries.said(spoken, spoken.start))
        about = {"who": "customer", "line": reply.line}
        self.aside.measure("measured", about, answering.measure_line, spoken.line, reply.text, spoken.start)

    # --- the trainee's turn ------------------------------------------------------------------------

    def _follow_trainee(self, block: Block, at: int, pressed: Keys) -> None:
        """Endpointing, barge-in and the live cue on one block."""
        samples = np.asarray(self.guard.clean(block, at) / 32768, np.float32)
        probability = self.second_look.push(samples, float(self.detector.push(samples)[0]))
        deaf = self.guard.deaf(block, at, self.saying.going_on(block), self.saying.end)
        probability = 0.0 if deaf else probability
        pressed = self._pressed_then(pressed)
        frame = Frame(at, probability, block.customer, pressed.talk, pressed.send)
        self.mic.add(at, block.mic)
        if self.turns.phase == "quiet":
            floor = max(self.turns.floor, self.guard.quiet_from(at, self.saying.end))
            self.turns = replace(self.turns, floor=floor)
        was_speaking = self.turns.speaking
        self.turns, turn = next_turn(self.turns, frame)
        if self.turns.speaking and not was_speaking:
            self._open_turn(at)
        if self.turns.speaking or turn:
            self.quiet_from = at
        self._tell_words()
        self._mind_barge_in(block, at, probability)
        self._mind_cut_in(block, at)
        self._mind_cue(at)
        if turn is not None:
            self._submit(turn)
        else:
            self._speculate(at + len(block.mic))

    def _pressed_then(self, pressed: Keys) -> Keys:
        """What was pressed when the sound that is read now was made: it takes half of the device's latency to come in."""
        self.presses.append(pressed)
        late = round(self._latency() / 2 / activity.FRAME) if self.sound.realtime else 0
        then = Keys()
        while len(self.presses) > late:
            one = self.presses.popleft()
            then = replace(one, send=one.send or then.send)
        return then

    def _open_turn(self, at: int) -> None:
        """A turn begins, or one goes on that was closed and not answered yet."""
        self.cues.open_turn(at)
        if self.held is not None:
            if self._within(self.held, self.turns.onset) and self.withdrawals < WITHDRAWALS:
                self._withdraw(self.held, at)
                return
            self._confirm(self.held)
        if self.pending is not None and self._can_resume(self.pending.turn, at):
            pending, self.pending = self.pending, None
            self._go_on(pending)
            return
        self.open.clear()
        self.withdrawals, self.gap_from, self.cut_in = 0, max(self.saying.end, self.wordless_to), False

    def _go_on(self, pending: _Pending) -> None:
        """Open a closed turn again."""
        self._drop(pending.draft)
        self.turns = resume(self.turns, pending.turn)

    def _drop(self, draft: _Draft) -> None:
        """The turn did not end there, or is to be answered otherwise."""
        draft.drop()
        self.open.go_on(draft.pieces, draft.turn.speech[-1][1])

    def _speculate(self, now: int) -> None:
        """Begin the answer to the turn so far in its first silence; drop it when speech goes on."""
        if self.draft is not None and self.draft.turn.speech != self.turns.speech:
            self._drop(self.draft)
            self.draft = None
        turn = draft(self.turns, now)
        if turn is None:
            if self.turns.speaking:
                self.open.cut(self.turns.start, now, self.turns.speech)
            return
        if self.draft is None:
            self.draft = self._begin(turn, now)
        if self.turns.words == "unknown" and all(piece.part.done() for piece in self.draft.pieces):
            text = answering.text_of([piece.part.result() for piece in self.draft.pieces])
            self.turns = told(self.turns, "unfinished" if unfinished(text) else "finished")

    def _begin(self, turn: Turn, now: int, before: _Draft | None = None) -> _Draft:
        """Have the worker answer `turn`; `before` is its answer so far, whose pieces are heard already."""
        spoken = activity.total(turn.speech)
        alone = activity.without(turn.speech, [*turn.overlap, *self.over.stood])
        inside = not alone and not self.saying.stopped
        question = Question(
            turn,
            self.mic.between(turn.start, turn.end),
            before.pieces if before else self.open.whole(turn.start, turn.end, turn.speech),
            said=self.memory.said,
            lines_from=self.saying.starts,
            taken_back=self.saying.taken_back,
            cut_off=self._stopped_in(turn) or self.over.undecided,
            stopped=self.saying.stopped or self.over.undecided,
            line_heard=self._line_heard(),
            gap_from=before.gap_from if before else self.gap_from,
            spoiled=self.guard.spoiled(turn.start, turn.end, turn.overlap),
            customer=self.guard.heard_customer(turn.start, turn.end),
            inside=inside,
            nod=inside and not self.over.undecided and (spoken < NOD_S * SAMPLE_RATE_HZ or self.over.nodding),
        )
        answer = self.worker.submit(answering.answer, self.tools, question, self._standing, lambda: self.writer.samples)
        if not self.sound.realtime:
            answer.exception()  # files wait for the worker, so that nothing depends on its speed
        return _Draft(turn, question.pieces, answer, now, question.gap_from, question.cut_off, question.dropped)

    def _standing(self) -> Standing:
        """How the call stands; the worker asks when it comes to a turn, as the one before may not be written down yet."""
        mood = (self.saying.reaction or self.opening).mood
        return Standing(mood, self.memory, self._latency())

    def _latency(self) -> int:
        return round(self.sound.info.latency_s * SAMPLE_RATE_HZ)

    def _mind_barge_in(self, block: Block, at: int, probability: float) -> None:
        """Have the line ducked, held or stopped while the trainee speaks over it; who cuts in is not stopped."""
        saying = self.saying
        line = block.customer and saying.on and saying.start is not None and not saying.stopped and not self.cut_in
        line = line and not saying.is_out(at + len(block.out))  # who begins with its last syllable stops nothing
        heard = self.turns.mode != "push-to-talk" or self.turns.speaking
        rested = self.guard.resting
        stopped = self.over.follow(at, probability if heard else 0.0, line, self._said_so_far)
        if self.guard.resting and not rested and stopped is None:
            self.over.go_away(at + len(block.out))  # what is over the line is its own echo: there is nothing to look at
        self._tell_holds()
        if stopped is not None:
            self._interrupted(stopped, at + len(block.out))

    def _tell_holds(self) -> None:
        """Write down where the line stood still and went on."""
        for start, end in self.over.holds:
            self._stood_still(start, end)
        self.over.holds.clear()

    def _stood_still(self, start: int, end: int) -> None:
        self.saying.stood_still(start, end)
        self._event("held", line=self.saying.name, start=start, end=end)

    def _tell_words(self) -> None:
        """Where no look could tell what is said over the line, the words of the turn can, once they are heard."""
        if not self.over.undecided:
            return
        draft = self.draft or (self.pending.draft if self.pending else None)
        if draft is None:
            if self.turns.phase == "quiet":
                self.over.tell("")  # it was no turn
        elif all(piece.part.done() for piece in draft.pieces):
            self.over.tell(answering.text_of([piece.part.result() for piece in draft.pieces]))

    def _said_so_far(self) -> tuple[Floats, float]:
        """What the trainee has said over the line so far, as the detector hears it, and where the turn begins (s)."""
        if self.guard.hears_customer():
            self._rest()
        turn = self.turns if self.turns.speaking or self.pending is None else self.pending.turn  # closed, and may go on
        start = turn.start
        return self.guard.cleaned_from(start), start / SAMPLE_RATE_HZ

    def _rest(self) -> None:
        """The microphone hears the customer where none was expected: from now on it rests."""
        self.guard.rest()
        self.turns = replace(self.turns, patience=self._patience())
        self._event("fault", **entries.ECHO)

    def _patience(self) -> Patience:
        return deaf_patience(self.call.patience) if self.guard.resting else self.call.patience

    def _interrupted(self, stopped: Stopped, now: int) -> None:
        """The trainee has stopped the customer: what of the line was heard, and what of the story."""
        saying, self.stopped_at = self.saying, stopped.onset
        saying.stop()
        self._close_line()
        line = saying.now
        if line is None or line.start is None:
            return
        played_s, words = saying.played_s(stopped.onset), self._words_heard(line, stopped.silent)
        if not self._heard_before():
            self.memory = memory.cut_short(self.memory, line.reaction.reply.text, words)
        self._answer_again()
        together = (stopped.onset - line.start) / SAMPLE_RATE_HZ < TOGETHER_S
        self._event("interrupted", **entries.interrupted(line, played_s, words, stopped, now, together))

    def _line_heard(self) -> tuple[str, str] | None:
        """Where nobody knows yet whether the line is stopped: the line, and what was heard of it if it is."""
        line = self.saying.now
        if not self.over.undecided or line is None or self._heard_before():
            return None
        return line.reaction.reply.text, self._words_heard(line, self.over.held)

    def _words_heard(self, line: Spoken, silent: int) -> str:
        """What was heard of the line, where it stands still from `silent` on."""
        heard_s = self.saying.played_s(entries.silent_from(silent, self.writer.samples))
        return entries.words_heard(line, heard_s)

    def _heard_before(self) -> bool:
        """Whether the line is the one that a retry or a drill began with."""
        return self.call.moment is not None and self.saying.reaction is self.opening

    def _answer_again(self) -> None:
        """What was being answered as a nod was an interruption after all."""
        if self.draft is not None and not self.draft.cut_off:
            self._drop(self.draft)
            self.draft = None
        elif self.pending is not None and not self.pending.draft.cut_off and self._stopped_in(self.pending.turn):
            self._answer_anew(self.pending)

    def _untold(self) -> bool:
        """Whether the customer has to say the last line again, which was stopped; nothing is told again in a drill."""
        return self.saying.stopped and self.call.react is None

    def _stopped_in(self, turn: Turn) -> bool:
        """Whether the trainee stopped a line in this turn: the customer may have cut in since."""
        return turn.start <= self.stopped_at <= turn.end

    def _answer_anew(self, pending: _Pending) -> None:
        """What the turn was to the customer has turned out to be something else."""
        pending.draft.drop()
        again = self._begin(pending.turn, pending.draft.at, pending.draft)
        self.pending = replace(pending, draft=again, waited_from=self.writer.samples)

    def _can_resume(self, turn: Turn, at: int) -> bool:
        """Whether the trainee's next words still belong to `turn`: not if it was sent, or the device was away in between."""
        return self.turns.mode != "manual" and can_resume(turn, at) and not turn.end <= self.back_at <= at

    def _mind_cut_in(self, block: Block, at: int) -> None:
        """Let a furious customer cut into a turn that does not end: once a turn, and never over another line.

        The trainee must be speaking, and have been for some time since the customer fell silent: the talk key alone says
        nothing, and a word over the customer's line is no long speech.
        """
        reaction, speech = self.saying.reaction, self.turns.speech
        if self.cut_in or reaction is None or self.turns.phase != "speaking" or self.saying.going_on(block):
            return
        if not speech or silence_s(self.turns, at) >= SPECULATE_S:
            return
        after_s = persona.cuts_in_after_s(self.call.persona, reaction.mood)
        speaking = at - max(speech[0][0], self.saying.end)
        if after_s is None or self.pending is not None or self.goodbye or speaking < after_s * SAMPLE_RATE_HZ:
            return
        spoken = self._spoken("cut in", persona.cut_in(self.call.persona, reaction.mood, self._untold()), at)
        if spoken is None:
            return
        self.cut_in, reaction = True, spoken[0]
        self._event(
            "interrupted", by="customer", line=reaction.reply.line, start=at, end=at, played_s=0.0,
            stopped=False,
        )  # fmt: skip
        self._react(*spoken)

    def _mind_cue(self, at: int) -> None:
        """At most one sparse cue, from the last seconds of an open turn."""
        if not (self.call.cues and self.memory.baseline):
            return
        overlap = self.turns.overlap
        seen = self.cues.look(
            self.turns,
            self.memory.baseline,
            at,
            self.writer.samples,
            lambda start, end: self.guard.spoiled(start, end, overlap),
        )
        if seen is not None:
            turn, text = self.memory.number + 1, self.cues.shown
            self._event("cue", text=text, turn=turn, effort_db=seen.effort_db, nuclei_ratio=seen.nuclei_ratio)

    def _submit(self, turn: Turn) -> None:
        """Take the draft of a finished turn for its answer, or have one made; the customer's echo is no turn."""
        draft, self.draft = self.draft, None
        if self.guard.is_only_echo(turn):
            self.guard.wait_longer()
            if not self.guard.resting:
                self._rest()
            if draft is not None:
                draft.drop()
            self.cues.forget()
            self._event("echo", start=turn.start, end=turn.end)
            return
        if self.pending is not None:
            self._write_late(self.pending)
            draft = None  # it was begun without knowing that turn
        if draft is None or draft.turn.speech != turn.speech:
            draft = self._begin(turn, self.writer.samples)
        self.pending = _Pending(draft, turn, self.writer.samples, self.writer.samples)

    def _write_late(self, pending: _Pending) -> None:
        """Write down a turn that the trainee has not let the customer answer."""
        self.pending = None
        try:
            answer = pending.draft.answer.result(ANSWER_WITHIN_S)
        except Exception as error:
            self._remember(number=self.memory.number + 1)
            self._event("spoke", **entries.spoke(self.memory.number, pending.turn))
            self._hear_again(pending, self.memory.baseline)
            if not isinstance(error, TimeoutError):
                raise
            self._event("fault", **entries.UNHEARD)
            return
        if answer.heard.text:
            self._write_turn(answer, pending)
        else:
            self._note_wordless(pending.turn)

    # --- taking the answer -------------------------------------------------------------------------

    def _take_answer(self, block: Block, at: int) -> None:
        """Let the customer speak a finished answer, unless the trainee went on; write it down once that is sure.

        An answer with a line waits until the customer has finished the line before.
        """
        if self.held is not None and self._sure(self.held, at):
            self._confirm(self.held)
        pending = self.pending
        if pending is None:
            return
        if not pending.draft.answer.done():
            if at - pending.waited_from > ANSWER_WITHIN_S * SAMPLE_RATE_HZ:
                raise _too_late()
            return
        if self.over.holding or self.over.begun or (self.turns.phase != "quiet" and self._can_resume(pending.turn, at)):
            return
        answer = pending.draft.answer.result()
        if pending.draft.cut_off and not self._stopped_in(pending.turn) and answer.reaction is not None:
            self._answer_anew(pending)  # its words came so late that the line went on: it was no interruption
            return
        silent = answer.reaction is None or answer.line is None
        if not silent and self.saying.going_on(block):
            return
        self.pending = None
        if not answer.heard.text:
            self.quiet_from = self.writer.samples
            self._note_wordless(pending.turn)
        elif answer.reaction is None or answer.line is None or self.goodbye:
            self._write_turn(answer, pending)
            self._note_nod(answer, pending.turn)
        else:
            if self.draft is not None:  # of the next turn already, begun without knowing this answer
                self._drop(self.draft)
                self.draft = None
            before, line_end = self.saying.past(), self.saying.end
            self._say(answer.reaction, answer.line)
            self.held = _Held(answer, pending, before, line_end)

    def _within(self, held: _Held, onset: int) -> bool:
        """Whether voice from `onset` on comes too soon to be an answer to the customer's line."""
        if self.saying.start is None:
            return True
        soon_s = CONTINUE_S + self.sound.info.latency_s
        return onset < self.saying.start + soon_s * SAMPLE_RATE_HZ and self._can_resume(held.pending.turn, onset)

    def _sure(self, held: _Held, at: int) -> bool:
        """Whether the trainee has let the customer speak."""
        return not self._within(held, at if self.turns.phase == "quiet" else self.turns.onset)

    def _withdraw(self, held: _Held, at: int) -> None:
        """The trainee had only paused: the customer stops at once, and the turn goes on as if nothing had been said."""
        self.held = None
        name, start = self.saying.name, self.saying.start
        self.saying.take_back(held.before, at)
        self.over.new_line()
        if start is not None:
            self._remember(said=self.memory.said[:-1])
            self._event("withdrawn", turn=self.memory.number + 1, line=name, start=start, end=at)
        self.withdrawals += 1
        self._go_on(held.pending)

    def _confirm(self, held: _Held) -> None:
        """Write down the turn, the customer's reaction and when each step of the answer was taken."""
        self.held = None
        answer, pending, first_out = held.answer, held.pending, self.saying.start
        said = self.memory.said[-1:] if first_out is not None else ()  # the line that answers the turn
        self._write_turn(answer, pending)
        self._remember(said=said)
        number = self.memory.number
        if answer.reaction is not None:
            self._event("reacted", **entries.reacted(answer.reaction, number))
        if first_out is not None:
            timed = entries.timed(
                number, answer, pending.turn, drafted=pending.draft.at, closed=pending.closed, first_out=first_out,
                line_end=held.line_end, withdrawn=self.withdrawals, realtime=self.sound.realtime,
            )  # fmt: skip
            self._event("timed", **timed)

    def _note_wordless(self, turn: Turn) -> None:
        """Voice without words is nobody's turn; where it is too long for a cough or a rustle, the trainee should know."""
        self.cues.forget()
        if activity.total(activity.without(turn.speech, turn.overlap)) >= answering.WORDLESS_S * SAMPLE_RATE_HZ:
            self.wordless_to = turn.speech[-1][1]
            self._event("wordless", **entries.wordless(turn))

    def _note_nod(self, answer: Answer, turn: Turn) -> None:
        """Good listening: a verbal nod over a line that went on."""
        if self.saying.start is None or not only_nods(answer.heard.text, self.call.rules.cues):
            return
        start, end = turn.speech[0][0], turn.speech[-1][1]
        number, name, played_s = self.memory.number, self.saying.name, self.saying.played_s(start)
        self._event("nodded", turn=number, line=name, start=start, end=end, played_s=played_s)

    def _write_turn(self, answer: Answer, pending: _Pending) -> None:
        turn = pending.turn
        self.memory = memory.after(self.memory, self.call, answer.heard.text, answer.context, answer.assessment)
        number = self.memory.number
        self._event("spoke", **entries.spoke(number, turn))
        self._tell_heard(number, answer.heard, answer.observation)
        self._event("assessed", turn=number, assessment=answer.assessment)
        self._measure_after_cues(turn)
        self._mind_baseline(answer.observation)
        self._hear_again(pending, answer.baseline)

    def _hear_again(self, pending: _Pending, baseline: Baseline | None) -> None:
        """Have the turn that was written down last heard with care, where that was not done at once."""
        if isinstance(self.ears, QuickEars):
            turn, number = pending.turn, self.memory.number
            samples = self.mic.between(turn.start, turn.end)
            spoiled = self.guard.spoiled(turn.start, turn.end, turn.overlap)
            customer = self.guard.heard_customer(turn.start, turn.end)
            self.aside.hear_again(Answered(number, turn, samples, pending.draft.gap_from, spoiled, customer, baseline))

    def _remember(self, **changes: Any) -> None:
        self.memory = replace(self.memory, **changes)

    def _tell_heard(self, number: int, heard: Heard, seen: Observation, **more: Any) -> None:
        self._event("heard", **entries.heard(number, heard), **more)
        self._event("measured", who="trainee", turn=number, observation=seen)

    def _take_measured(self, wait: bool = False) -> None:
        """Write down what was measured while nobody waited for it."""
        for kind, data in self.aside.measured(wait or not self.sound.realtime):
            self._event(kind, **data)

    def _take_heard_again(self, wait: bool = False) -> None:
        """Write down which turns were heard again while nobody waited for it."""
        idle = self.turns.phase == "quiet" and self.pending is None and self.saying.clause is None
        for again in self.aside.heard_again(wait or not self.sound.realtime, idle, self._latency()):
            if isinstance(again, Exception):
                self._event("fault", **entries.not_heard_again(again))
                continue
            self._tell_heard(again.number, again.heard, again.observation, again=True)

    def _measure_after_cues(self, turn: Turn) -> None:
        """Have the rest of the turn after each cue measured, after the answer, so that nobody waits for it."""
        for at in self.cues.take(turn):
            about, samples = {"turn": self.memory.number, "cue": at}, self.mic.between(at, turn.end)
            overlap = [(start - at, end - at) for start, end in self.guard.spoiled(at, turn.end, turn.overlap)]
            self.aside.measure("after_cue", about, answering.measure_voice, samples, self.memory.baseline, overlap)

    def _mind_baseline(self, seen: Observation) -> None:
        """Without a calibration the first turns become a provisional one."""
        before = self.memory
        self.memory = memory.calibrated(before, seen, self.sound.info.input)
        if before.baseline is None:
            self._tell_baseline()

    def _tell_baseline(self) -> None:
        """The calm voice that turns are compared with from here on, where there is one."""
        if self.memory.baseline is not None:
            self._event("calibrated", baseline=asdict(self.memory.baseline))

    def _spoken(self, why: Why, reaction: Reaction, at: int) -> tuple[Reaction, Line] | None:
        """A reaction to something else than a turn and its line; None while the worker still speaks it."""
        if self.remark is None or self.remark.why != why:
            self.remark = _Remark(why, reaction, self.worker.submit(self._speak, reaction), at)
            if not self.sound.realtime:
                self.remark.line.exception()  # files wait for the worker
        remark = self.remark
        if remark.line.done():
            return remark.reaction, remark.line.result()
        if at - remark.at > ANSWER_WITHIN_S * SAMPLE_RATE_HZ:
            raise _too_late()
        return None

    def _react(self, reaction: Reaction, line: Line) -> None:
        """To something else than a turn."""
        self._event("reacted", **entries.reacted(reaction, None))
        self._say(reaction, line)

    # --- a device that goes away and comes back ----------------------------------------------------

    def _mind_away(self, block: Block, at: int) -> None:
        """The call stands still: the open turn ends where the sound ended, nobody waits, nothing is answered."""
        if self.away_from is None:
            self.away_from = at
            if block.away == "zeros":
                self._event("fault", **entries.PAUSED_BY_ZEROS)
            if self.held is not None:
                self._confirm(self.held)
            turn = flush(self.turns, at)
            self.turns = TurnState(self.turns.mode, self.turns.patience, floor=at)
            self.over.go_away(at)
            self._tell_holds()
            if turn is not None:
                self._submit(turn)
        self.mic.add(at, block.mic)
        self.guard.clean(block, at)
        self.away_s += len(block.mic) / SAMPLE_RATE_HZ
        self._sync(at)
        self.show(Tick(at / SAMPLE_RATE_HZ, "paused", -120.0))

    def _come_back(self, since: int, at: int) -> None:
        """The device delivers again: the call goes on where it stood, perhaps on other devices."""
        self.away_from, self.back_at = None, at
        info, saying = self.sound.info, self.saying
        other = self._on_others()
        if saying.start is not None and self.sound.playing():
            self._stood_still(since, at)
        self._event(
            "resumed", start=since, end=at, input=info.input, output=info.output, latency_s=info.latency_s,
            echo=self.guard.mode, other=other,
        )  # fmt: skip
        if other:
            self._tell_baseline()
        self.quiet_from = at
        saying.wait_from(at)
        self.second_look = SecondLook()

    def _mind_devices(self) -> None:
        """A sound server moves streams to other devices without stopping them."""
        if self._on_others():
            now_in, now_out = self.guard.devices
            self._event("moved", input=now_in, output=now_out, echo=self.guard.mode)
            self._tell_baseline()

    def _on_others(self) -> bool:
        """Whether the sound has moved to other devices since it was last asked; what was found on the old ones is dropped."""
        info = self.sound.info
        before, self.microphone = self.microphone, info.input
        if self.microphone != before:
            self.voices[before] = self.memory.baseline, self.memory.own
            baseline, own = self.voices.get(self.microphone, (None, ()))
            self.memory = replace(self.memory, baseline=baseline, own=own)
        other = self.guard.look_at_devices(info)
        if other:
            self.turns = replace(self.turns, patience=self._patience())
        return other

    # --- silence, endings, housekeeping ------------------------------------------------------------

    def _mind_silence(self, block: Block, at: int) -> None:
        """The customer asks whether anybody is there, later where the silence had been announced."""
        saying = self.saying
        waiting = (
            saying.reaction is not None
            and not saying.going_on(block)
            and self.pending is None
            and self.held is None
            and self.turns.phase == "quiet"
            and (self.remark is None or self.remark.why != "goodbye")
        )
        if not waiting or saying.start is None or saying.ends:
            self.quiet_from = at if not waiting else self.quiet_from
            return
        wait_s = EXPLAINED_S if self.memory.patient else SILENCE_S
        if at - max(self.quiet_from, saying.end) >= wait_s * SAMPLE_RATE_HZ and saying.reaction is not None:
            reaction = persona.react_to_silence(self.call.persona, saying.reaction.mood, self._untold())
            spoken = self._spoken("silence", reaction, at)
            if spoken is not None:
                self._remember(patient=False)
                self._react(*spoken)

    def _ending(self, block: Block, at: int) -> tuple[Outcome, str] | None:
        """Whether the call is over: the customer's closing line is out, or the time is up."""
        if self.held is not None:
            return None
        over_s = self.writer.samples / SAMPLE_RATE_HZ - self.away_s - self.call.time_limit_s
        speaking, reaction = self.saying.going_on(block), self.saying.reaction
        if self.goodbye:
            if speaking and over_s - self.goodbye_s <= GRACE_S:
                return None
            return "time limit", f"The time limit of {self.call.time_limit_s / 60:g} minutes was reached."
        if reaction is None:
            return None
        if self.saying.start is not None and not speaking:
            ended = entries.ended_by(reaction, self.call.persona.name)
            if ended is not None:
                return ended
        waiting = speaking or self.turns.phase != "quiet" or self.pending is not None
        if over_s >= 0 and not (waiting and over_s <= GRACE_S):
            if not speaking:
                spoken = self._spoken("goodbye", persona.say_goodbye(self.call.persona, reaction.mood), at)
                if spoken is None:
                    return None
                self._say(*spoken)
            self.goodbye, self.goodbye_s = True, over_s
        return None

    def _housekeeping(self, block: Block, at: int) -> None:
        """Keep what the open turn may need, sync the disk, watch for a dead microphone, tell the screen."""
        resting = self.turns.phase == "quiet" and self.pending is None and self.held is None
        before = at - round((KEPT_S if resting else OPEN_S) * SAMPLE_RATE_HZ)
        self.mic.forget(before)
        self.guard.forget(before)
        self._sync(at)
        self.zeros = self.zeros + len(block.mic) if not block.mic.any() else 0
        if self.zeros >= ZEROS_S * SAMPLE_RATE_HZ and self.zeros - len(block.mic) < ZEROS_S * SAMPLE_RATE_HZ:
            self._event("fault", **entries.ZEROS)
        self.show(Tick(at / SAMPLE_RATE_HZ, self._who(block), dbfs(block.mic), self.cues.shown))

    def _sync(self, at: int) -> None:
        if at - self.synced >= SYNC_S * SAMPLE_RATE_HZ:
            self.synced = at
            self.writer.sync()

    def _who(self, block: Block) -> Who:
        if self.turns.speaking:
            return "pause" if self.draft is not None else "you"
        if self.turns.spent:
            return "you"  # the talk key is still down: who speaks is heard, and the key sends
        if block.customer:
            return "customer"
        return "thinking" if self.pending is not None or self.remark is not None else "nobody"

    def _event(self, kind: str, **data: Any) -> None:
        self.show(self.writer.event(kind, **data))
