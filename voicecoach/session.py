"""The call: customer speaks, trainee answers, the customer reacts; every step goes to the record as it happens.

This is the only module that knows all the rooms. Three threads at most: the sound callback (in `world.sound`), this
loop (turn-taking and writing), and one worker that recognises, measures, judges and speaks.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np

from voicecoach import RULES_VERSION, __version__, judge, persona
from voicecoach.errors import DiskError, VoicecoachError
from voicecoach.judge.context import next_context, talked_over_s
from voicecoach.judge.ending import unfinished
from voicecoach.judge.live import CUE_AFTER_S, CueState, next_cue
from voicecoach.judge.moves import only_nods
from voicecoach.judge.silence import EXPLAINED_S, announced
from voicecoach.measure import activity, observe, pieces
from voicecoach.measure.observe import Floats
from voicecoach.measure.turns import (
    NORMAL,
    Frame,
    Mode,
    Patience,
    TurnState,
    can_resume,
    deaf_patience,
    draft,
    flush,
    next_turn,
    resume,
    told,
)
from voicecoach.nouns import (
    SAMPLE_RATE_HZ,
    Assessment,
    Baseline,
    Event,
    Heard,
    Moment,
    Mood,
    Observation,
    Procedure,
    Reaction,
    Turn,
    TurnContext,
)
from voicecoach.persona import Persona
from voicecoach.persona.style import style_for, style_name
from voicecoach.record import Writer
from voicecoach.talkover import Stopped, TalkOver, words_played
from voicecoach.world import echo as echoes
from voicecoach.world import pitch, vad
from voicecoach.world.ears import Ears, QuickEars
from voicecoach.world.echo import CANCELLED, HALF_DUPLEX, HEADSET, EchoMode, EchoTest
from voicecoach.world.glimpse import Glimpsing
from voicecoach.world.hearing import Hearing, listen, weights
from voicecoach.world.models import ModelFiles
from voicecoach.world.playback import FADE_MS
from voicecoach.world.shouts import SecondLook
from voicecoach.world.sound import GIVE_UP_S, Block, Duplex, Samples
from voicecoach.world.voice import Line, Voice, joined, whole

Outcome = Literal["resolved", "hung up", "manager", "time limit", "stopped", "script over", "drill over", "fault"]

LEAD_IN_S = 0.7
"""Quiet before the first word: the line opens, and the room is heard once without anybody speaking."""
NOD_S = 1.0
"""A turn with less voice than this, wholly inside the customer's line, is a nod: the customer goes on."""
CONTINUE_S = 0.55
"""Voice that begins this soon after the customer's first sound (the delay of the device added) is no answer to it: planning
what to say takes over 0.6 s (Levinson & Torreira 2015). The trainee had only paused, so the customer takes the words back."""
WITHDRAWALS = 2
"""As often within one turn; then the customer goes on, so that no noise or echo can keep a line from being said."""
ANSWER_WITHIN_S = 20.0
"""An answer that takes longer will not come."""
SILENCE_S = 7.0
"""Silence after which the customer asks whether anybody is there; EXPLAINED_S where the trainee announced it."""
ECHO_TAIL_S = 0.3
"""In half duplex the microphone stays deaf for this long after the customer's last word."""
CUE_EVERY_S = 0.8
"""How often the last seconds are looked at: under a second after a cue is due it is there, the measuring included."""
CUE_WINDOW_S = 4.0
"""In 2.5 s one lively question of a calm voice measured +8 dB; in 4 s calm voices stayed under +5 and raised ones above
+8 (the recorded trainee, every second of every turn)."""
GRACE_S = 12.0
"""After the time limit, the longest that a closing line may take."""
SYNC_S = 1.0
LATER_S = 0.2
"""An echo that came after the microphone had rested makes it rest this much longer."""
PLAYED = 50
"""Blocks: 1.6 s, all that an echo can come from (world/echo.py)."""
ZEROS_S = 5.0
"""Exact zeros for this long mean a muted or dead microphone: even a quiet room has noise."""


@dataclass(frozen=True)
class Call:
    """Everything that a call is made of, chosen before it starts."""

    persona: Persona
    persona_text: str
    procedure: Procedure
    procedure_text: str
    rules: judge.Rules
    baseline: Baseline | None = None
    trainee: str = "trainee"
    seed: int = 0
    mode: Mode = "hands-free"
    patience: Patience = NORMAL
    time_limit_s: float = 600.0
    cues: bool = True
    half_duplex: bool = False
    echo: EchoMode = HEADSET
    """What is done about the customer's voice in the microphone; `half_duplex` is short for one of them."""
    echo_test: EchoTest | None = None
    """What was found on these devices, where they were tested."""
    echo_forced: bool = False
    """The mode stays, whatever is heard."""
    wall: str = ""
    """When the call began, ISO 8601; given, so that a call can be repeated to the byte."""
    recent: tuple[str, ...] = ()
    """Ids of lines that the last calls used up; the customer avoids them where there are others."""
    reword: Callable[[Persona, Reaction], Reaction] | None = None
    """Says a line in other words (world/reword.py); what it is and what it does to the anger stays."""
    prepared: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """Events of what was done before the call, as (kind, data): see `before.py`."""
    moment: Moment | None = None
    """Where a retry or a drill begins; None: at the customer's opening."""
    origin: Mapping[str, Any] = field(default_factory=dict)
    """What `started` tells besides of where the call comes from: `retry` or `drill`."""
    react: Callable[[Persona, Mood, Assessment, str], Reaction] | None = None
    """What the customer makes of a turn, where that is not `persona.react`."""
    name: str = ""
    """Ends the session folder's name; empty: the persona's id."""


Who = Literal["customer", "you", "pause", "thinking", "nobody", "paused"]
"""Who has the floor: in a pause it is still the trainee's, nobody means that it is free, paused that there is no device."""


@dataclass(frozen=True)
class Tick:
    """The state of the call for the screen, many times a second."""

    at_s: float
    who: Who
    level_dbfs: float
    cue: str = ""


@dataclass(frozen=True)
class Keys:
    """What the keyboard (or a test) says now: the talk key is down, the trainee wants to stop, a note was typed."""

    talk: bool = False
    stop: bool = False
    send: bool = False
    """The trainee sends the turn (manual)."""
    note: str = ""
    """A note that was typed and ended just now."""


@dataclass(frozen=True)
class _Part:
    """What a stretch of a turn was heard to be: its words, its voice, and how long that took."""

    heard: Heard
    hearing: Hearing
    took_ms: tuple[float, float]
    """Recognising, measuring."""


@dataclass(frozen=True)
class _Piece:
    """A stretch of the open turn, in samples, and what the worker hears in it."""

    start: int
    end: int
    part: Future[_Part]


@dataclass(frozen=True)
class _Answer:
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
class _Draft:
    """A turn as it would be if it ended now, and the answer to it in the making."""

    turn: Turn
    pieces: tuple[_Piece, ...]
    answer: Future[_Answer]
    at: int
    """The sample at which it was begun."""
    gap_from: int
    """End of the customer's line before the turn."""


@dataclass(frozen=True)
class _Pending:
    """A turn that is closed and waits for its answer."""

    draft: _Draft
    turn: Turn
    closed: int
    """The sample at which it was closed."""


@dataclass(frozen=True)
class _Held:
    """An answer whose line has begun and that nobody has written down yet: the trainee may only have paused."""

    answer: _Answer
    pending: _Pending
    before: tuple[Reaction | None, Line | None, int | None]
    """The reaction, the line and its first sample before this one."""


@dataclass(frozen=True)
class _Again:
    """A turn that the careful pass has heard and measured again."""

    number: int
    heard: Heard
    observation: Observation


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
    return _Loop(call, sound, ears, ears_files, voice, writer, show, keys).run()


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
        self.call, self.sound, self.ears, self.voice, self.writer = call, sound, ears, voice, writer
        self.ears_files, self.show, self.keys = ears_files, show, keys
        self.worker = ThreadPoolExecutor(1, "voicecoach-ears")
        self.detector = vad.VoiceActivity()
        self.second_look = SecondLook()
        self.echo_mode: EchoMode = HALF_DUPLEX if call.half_duplex else call.echo
        resting = self.echo_mode == HALF_DUPLEX
        self.turns = TurnState(call.mode, deaf_patience(call.patience) if resting else call.patience)
        self.kept: deque[tuple[int, Samples]] = deque()
        """The trainee's channel since the open turn's pre-roll, as (first sample, samples)."""
        moment = call.moment
        self.context = TurnContext(
            customer_name=call.persona.full_name, cannot=call.persona.brief.cannot, can=call.persona.brief.can
        )
        if moment is not None:
            self.context = moment.context
        self.previous = Assessment((), moment.delivery) if moment and moment.delivery else None
        self.said = list(moment.said) if moment else []
        """What the customer said since the trainee's last turn."""
        self.number = 0
        self.baseline = call.baseline
        self.own = list(moment.own) if moment else []
        """The first turns that were measured well, while there is no baseline."""
        self.pieces: list[_Piece] = []
        """Stretches of the open turn that are heard already, or about to be; what follows them is still open."""
        self.draft: _Draft | None = None
        """The answer to the open turn as far as it goes, thrown away when speech goes on."""
        self.pending: _Pending | None = None
        self.held: _Held | None = None
        self.withdrawals = 0
        """How often the customer took a line back in the turn that is open or was last."""
        self.gap_from = 0
        """`customer_end` when the turn opened."""
        self.later: deque[tuple[int, Turn, Floats, _Draft, Baseline | None]] = deque()
        """Turns for the careful pass, once the worker has nothing that anybody waits for."""
        self.again: Future[_Again] | None = None
        self.measuring: deque[tuple[Future[Observation], str, Mapping[str, Any]]] = deque()
        """Measurements in the making, each with the kind and the data of its event."""
        self.reaction: Reaction | None = None
        """The reaction whose line is being spoken, or was last."""
        self.line: Line | None = None
        self.line_from: int | None = None
        """Where the line being spoken began; None before its first sample has left."""
        self.clause: Future[Line | None] | None = None
        """The line's next clause in the making; None where all of it is spoken."""
        self.told = False
        """The line being spoken has its event."""
        self.customer_end = 0
        """One past the customer's last spoken sample."""
        self.barged = False
        self.over = TalkOver(
            sound,
            self.worker,
            ears.glimpse if isinstance(ears, Glimpsing) else None,
            lambda text: only_nods(text, call.rules.cues),
        )
        self.devices = (sound.info.input, sound.info.output)
        self.echo = echoes.Canceller() if self.echo_mode == CANCELLED else None
        leak = call.echo_test if self.echo_mode == HEADSET else None
        self.gate = leak.gate_dbfs if leak else None
        """Weaker sound (dBFS) while the customer speaks is a headset's leak."""
        self.settling = round(echoes.SETTLES_S * SAMPLE_RATE_HZ)
        """The customer's samples that the cancellation still needs before it can be trusted."""
        self.cleaned: deque[tuple[int, Samples]] = deque()
        """As `kept`, without the customer's voice: what barge-in is detected in."""
        self.played: deque[Samples] = deque(maxlen=PLAYED)
        """The last blocks of the customer's channel, in which an echo is looked for."""
        self.outs: deque[tuple[int, Samples]] = deque()
        """The customer's channel, as `kept`."""
        self.late_s = 0.0
        """By how much later than expected echoes have come."""
        self.away_s = 0.0
        """How long the call has been paused in all."""
        self.held_s = 0.0
        """How long the line being spoken has stood still so far."""
        self.away_from: int | None = None
        """Where the sound device went away; None while it is there."""
        self.back_at = -1
        """Where it last came back."""
        self.cut_in = False
        """The customer has cut into the turn that is open."""
        self.quiet_from = 0
        self.patient = moment is not None and moment.patient
        """The trainee's last turn announced a silence, and the customer has not asked since."""
        self.zeros = 0
        self.goodbye = False
        """The time is up and the customer has been told to say so."""
        self.cue = CueState()
        self.cued: list[int] = []
        """Where cues came in the turn that is open or waits for its answer."""
        self.cue_checked = 0
        self.synced = 0

    # --- the loop ----------------------------------------------------------------------------------

    def run(self) -> Outcome:
        """See `rehearse`."""
        failure: Exception | None = None
        outcome: Outcome = "fault"
        try:
            self._start()
            outcome, why = self._talk()
        except KeyboardInterrupt:
            outcome, why = "stopped", "The trainee stopped the call."
        except VoicecoachError as error:
            why, failure = error.what, error
        except Exception as error:  # noqa: BLE001 - whatever broke, the record must say so; it is raised again below
            why, failure = "Something in voicecoach broke.", error
        try:
            self._last_words(failure)
            if failure is not None:
                self._event(
                    "fault", what=why, do=getattr(failure, "do", ""), detail=getattr(failure, "detail", repr(failure))
                )
            self._event("ended", outcome=outcome, why=why, lost_blocks=self.sound.lost_blocks, xruns=self.sound.xruns)
            self.writer.sync()
        except DiskError as error:
            failure = failure or error
        finally:
            self.worker.shutdown(wait=False, cancel_futures=True)
        if failure is not None:
            raise failure
        return outcome

    def _last_words(self, failure: Exception | None) -> None:
        """Write down the turn that was open or waiting for its answer when the call ended, however it ended."""
        if isinstance(failure, DiskError):
            return
        try:
            self._finish_turn()
        except DiskError:
            raise
        except Exception:
            if failure is None:
                raise

    def _finish_turn(self) -> None:
        if self.held is not None:
            self._confirm(self.held)
        turn = flush(self.turns, self.writer.samples)
        if turn is not None:
            self._submit(turn)
        if self.pending is not None:
            pending, self.pending = self.pending, None
            answer = pending.draft.answer.result(ANSWER_WITHIN_S)
            if answer.heard.text:
                self._write_turn(answer, pending)
        self._close_line()
        self._take_measure(wait=True)
        self._hear_again(wait=True)

    def _talk(self) -> tuple[Outcome, str]:
        """Block by block until the call ends."""
        while True:
            block = self.sound.read()
            if block is None:
                return "script over", "The recorded trainee had no more to say."
            at = self.writer.samples
            self.writer.audio(np.stack([block.mic, block.out], axis=1))
            pressed = self.keys()
            if pressed.stop:
                return "stopped", "The trainee stopped the call."
            if pressed.note:
                self._event("note", text=pressed.note)
            if block.away:
                self._mind_away(block, at)
                continue
            if self.away_from is not None:
                self._come_back(self.away_from, at)
            self._follow_line(block, at)
            ended = self._ending(block)
            if ended:
                return ended
            self._follow_trainee(block, at, pressed)
            self._take_answer(at)
            self._take_measure()
            self._hear_again()
            self._mind_silence(block, at)
            self._housekeeping(block, at)

    def _start(self) -> None:
        call, files = self.call, self.ears_files
        self.sound.on_stall = self._stalled
        self.sound.drain()
        self._event(
            "started",
            wall=call.wall,
            voicecoach=__version__,
            rules=RULES_VERSION,
            trainee=call.trainee,
            persona={
                "id": call.persona.id,
                "name": call.persona.name,
                "person": call.persona.person,
                "level": call.persona.level or "",
                "sha256": hashlib.sha256(call.persona_text.encode()).hexdigest(),
            },
            procedure=call.procedure.id,
            seed=call.seed,
            mode=call.mode,
            patience_s=self.turns.patience.finished_s,
            patience=asdict(self.turns.patience),
            sound={**asdict(self.sound.info), **self._echo_told()},
            ears={
                "model": self.ears.name,
                "sha256": files.sha256 if files else "",
                "source": files.source if files else "",
            },
            voice=self.voice.name,
            words=getattr(call.reword, "name", "as authored"),
            vad=vad.NAME,
            tracker=pitch.name(),
            weights=weights(),
            baseline=asdict(call.baseline) if call.baseline else None,
            recent=call.recent,
            **({"moment": call.moment} if call.moment else {}),
            **call.origin,
        )
        for kind, data in call.prepared:
            self._event(kind, **data)
        moment = call.moment
        self.opening = (
            Reaction(moment.mood, moment.reply) if moment else persona.begin(call.persona, call.seed, call.recent)
        )
        self.opening_line = self._speak(self.opening)

    # --- the customer's line -----------------------------------------------------------------------

    def _say(self, reaction: Reaction, line: Line) -> None:
        """Queue a line of the customer, or as much of it as is spoken yet."""
        self._close_line()
        self.reaction, self.line, self.line_from, self.barged, self.told = reaction, line, None, False, False
        self.over.new_line()
        self.held_s = 0.0
        self.clause = self.worker.submit(next, line.rest, None) if line.rest else None
        self.sound.play(line.samples)

    def _speak(self, reaction: Reaction) -> Line:
        temper = self.call.persona.voice.style
        level = reaction.reply.level
        line = self.voice.speak(reaction.reply.text, style_for(level, temper), style_name(level, temper))
        return line if self.sound.realtime else whole(line)  # files wait, so that nothing depends on speed

    def _follow_line(self, block: Block, at: int) -> None:
        """Note when the customer's line begins and how far it has come; queue its next clause when that is spoken."""
        if at >= LEAD_IN_S * SAMPLE_RATE_HZ and self.reaction is None:
            self._say(self.opening, self.opening_line)
        if self.clause is not None and self.clause.done():
            self._take_clause(self.clause)
        if block.customer:
            self.customer_end = at + len(block.out)
            if self.line_from is None and self.reaction is not None and self.line is not None:
                self.line_from = at
                if self.call.moment is None or self.reaction is not self.opening:  # a line said again was heard before
                    self.said.append(self.reaction.reply.text)
        if self.line_from is not None and self.clause is None and not self.told and self.held is None:
            self._tell_line(self.line_from)

    def _take_clause(self, made: Future[Line | None]) -> None:
        """Queue the clause that has been spoken and have the next one made; a voice that fails ends the line."""
        self.clause = None
        try:
            clause = made.result()
        except VoicecoachError as error:
            self._event("fault", what=error.what, do=error.do, detail=error.detail)
            return
        if clause is None or self.line is None or self.line.rest is None:
            return
        rest = self.line.rest
        self.line = replace(joined([self.line, clause]), rest=rest)
        self.clause = self.worker.submit(next, rest, None)
        self.sound.play(clause.samples)

    def _close_line(self) -> None:
        """No more clauses: what was spoken of the line is all there is."""
        self.clause = None
        if self.line_from is not None and not self.told:
            self._tell_line(self.line_from)

    def _tell_line(self, start: int) -> None:
        """Write down what the customer says, and have it measured, as soon as it is known how long it is."""
        if self.reaction is None or self.line is None:
            return
        self.told = True
        reply = self.reaction.reply
        self._event(
            "said",
            line=reply.line,
            text=reply.text,
            level=reply.level,
            anger=self.reaction.mood.anger,
            voice=self.line.engine,
            start=start,
            end=start + len(self.line.samples),
        )
        job = self.worker.submit(self._measure_customer, self.line, reply.text, start)
        self.measuring.append((job, "measured", {"who": "customer", "line": reply.line}))

    def _measure_customer(self, line: Line, text: str, at: int) -> Observation:
        """The numbers of the customer's own voice, before the telephone band; the words are known."""
        hearing, heard = listen(line.clean), Heard(text, (), "as authored")
        return observe.observe(line.clean, hearing.speech, hearing.track, heard, offset_s=at / SAMPLE_RATE_HZ)

    def _take_measure(self, wait: bool = False) -> None:
        """Write down the numbers of the customer, or of what followed a cue, once the worker has them."""
        while self.measuring and (wait or not self.sound.realtime or self.measuring[0][0].done()):
            job, kind, data = self.measuring.popleft()
            self._event(kind, **data, observation=job.result())

    def _speaking(self, block: Block) -> bool:
        return block.customer or self.clause is not None or self.sound.playing()

    # --- the trainee's turn ------------------------------------------------------------------------

    def _follow_trainee(self, block: Block, at: int, pressed: Keys) -> None:
        """Endpointing, barge-in and the live cue on one block."""
        cleaned = self.echo.clean(block.mic, block.out) if self.echo else block.mic
        samples = np.asarray(cleaned / 32768, np.float32)
        self.cleaned.append((at, cleaned))
        self.played.append(block.out)
        self.outs.append((at, block.out))
        probability = self.second_look.push(samples, float(self.detector.push(samples)[0]))
        deaf = self._deaf(block, at)
        probability = 0.0 if deaf else probability
        frame = Frame(at, probability, block.customer, pressed.talk, pressed.send)
        self.kept.append((at, block.mic))
        was_speaking = self.turns.speaking
        self.turns, turn = next_turn(self.turns, frame)
        if self.turns.speaking and not was_speaking:
            self._open_turn(at)
        if self.turns.speaking or turn:
            self.quiet_from = at
        self._mind_barge_in(block, at, probability)
        self._mind_cut_in(block, at)
        self._mind_cue(at)
        if turn is not None:
            self._submit(turn)
        else:
            self._speculate(at + len(block.mic))

    def _open_turn(self, at: int) -> None:
        """A turn begins, or one goes on that was closed and not answered yet."""
        self.cue, self.cue_checked, self.cut_in = replace(self.cue, shown=""), at, False
        if self.held is not None:
            if self._within(self.held, self.turns.onset) and self.withdrawals < WITHDRAWALS:
                self._withdraw(self.held, at)
                return
            self._confirm(self.held)
        if self.pending is not None and self._can_resume(self.pending.turn, at):
            pending, self.pending = self.pending, None
            self._go_on(pending)
            return
        self.pieces, self.withdrawals, self.gap_from = [], 0, self.customer_end

    def _go_on(self, pending: _Pending) -> None:
        """Open a closed turn again."""
        pending.draft.answer.cancel()
        self._keep(pending.draft)
        self.turns = resume(self.turns, pending.turn)

    def _keep(self, draft: _Draft) -> None:
        """The last piece of a draft that came to nothing is kept where it is long enough to stand alone."""
        last = draft.pieces[-1]
        if isinstance(self.ears, QuickEars) and last.end - last.start >= pieces.PIECE_S * SAMPLE_RATE_HZ:
            voice_end = draft.turn.speech[-1][1]  # what follows has all of the pause in front
            self.pieces = [*draft.pieces[:-1], replace(last, end=voice_end)]
        else:
            last.part.cancel()

    def _speculate(self, now: int) -> None:
        """Begin the answer to the turn so far in its first silence; drop it when speech goes on."""
        if self.draft is not None and self.draft.turn.speech[-1][1] != self.turns.last_voice:
            self.draft.answer.cancel()
            self._keep(self.draft)
            self.draft = None
        turn = draft(self.turns, now)
        if turn is None:
            self._cut_piece(now)
            return
        if self.draft is None:
            self.draft = self._begin(turn, now)
        if self.turns.words == "unknown" and all(piece.part.done() for piece in self.draft.pieces):
            text = _text([piece.part.result() for piece in self.draft.pieces])
            self.turns = told(self.turns, "unfinished" if unfinished(text) else "finished")

    def _cut_piece(self, now: int) -> None:
        """Hand what is said to the worker in good time where a long turn has no pause."""
        if not (self.turns.speaking and isinstance(self.ears, QuickEars)):
            return
        start = self.pieces[-1].end if self.pieces else self.turns.start
        if now - start >= pieces.LONGEST_S * SAMPLE_RATE_HZ:
            end = start + pieces.cut(self._samples(start, now))
            self.pieces.append(self._piece(start, end))

    def _piece(self, start: int, end: int) -> _Piece:
        return _Piece(start, end, self.worker.submit(self._hear, self._samples(start, end), start))

    def _begin(self, turn: Turn, now: int) -> _Draft:
        """Have the worker answer `turn`."""
        spoken = activity.total(turn.speech)
        inside = activity.total(turn.overlap) == spoken and not self.barged
        nod = inside and (spoken < NOD_S * SAMPLE_RATE_HZ or self.over.nodding)
        start = self.pieces[-1].end if self.pieces else turn.start
        heard = (*self.pieces, self._piece(start, turn.end))
        answer = self.worker.submit(
            self._answer,
            turn,
            self._samples(turn.start, turn.end),
            heard,
            " ".join(self.said),
            self.line_from or 0,
            self.barged,
            self.gap_from,
            nod,
        )
        if not self.sound.realtime:
            answer.exception()  # files wait for the worker, so that nothing depends on its speed
        return _Draft(turn, heard, answer, now, self.gap_from)

    def _deaf(self, block: Block, at: int) -> bool:
        """Whether what the microphone hears may be the customer: always in half duplex, else while AEC settles."""
        if self.echo is not None and self.settling > 0:
            self.settling -= len(block.out) * block.customer
            return block.customer
        if self.echo_mode != HALF_DUPLEX:
            return self.gate is not None and block.customer and _dbfs(block.mic) < self.gate
        tail = round((ECHO_TAIL_S + self.late_s) * SAMPLE_RATE_HZ) + self._echo_late()
        return self._speaking(block) or (at - self.customer_end < tail and self.customer_end > 0)

    def _echo_late(self) -> int:
        """Samples from the customer's voice on its way out to its echo on its way in; 0 where there is none."""
        if self.echo_mode == HEADSET:
            return 0
        tested = self.call.echo_test
        late_s = tested.delay_s if tested and tested.match >= echoes.MATCH else self.sound.info.latency_s
        return round(late_s * SAMPLE_RATE_HZ)

    def _echo_told(self) -> dict[str, Any]:
        """What the record keeps of the echo: the mode, and what the test of the devices found."""
        return {"echo": self.echo_mode, "echo_test": asdict(self.call.echo_test) if self.call.echo_test else None}

    def _mind_barge_in(self, block: Block, at: int, probability: float) -> None:
        """Have the line ducked, held or stopped while the trainee speaks over it; who cuts in is not stopped."""
        line = block.customer and self.line_from is not None and not self.barged and not self.cut_in
        heard = self.turns.mode == "hands-free" or self.turns.speaking
        stopped = self.over.follow(at, probability if heard else 0.0, line, self._said_so_far)
        for start, end in self.over.holds:
            self.held_s += (end - start) / SAMPLE_RATE_HZ
            self._event("held", line=self.reaction.reply.line if self.reaction else "", start=start, end=end)
        self.over.holds.clear()
        if stopped is not None:
            self._interrupted(stopped, at + len(block.out))

    def _said_so_far(self) -> tuple[Floats, float]:
        """What the trainee has said over the line so far, as the detector hears it, and where the turn begins (s)."""
        self._mind_echo()
        start = self.turns.start
        joined = np.concatenate([samples for _, samples in self.cleaned])
        first = max(start, self.cleaned[0][0])
        return np.asarray(joined[first - self.cleaned[0][0] :] / 32768, np.float32), start / SAMPLE_RATE_HZ

    def _only_echo(self, turn: Turn) -> bool:
        """Whether most of a turn is the customer's own voice, come back later than was expected."""
        if self.call.echo_forced or not self.sound.realtime or not self.outs:
            return False
        first = self.outs[0][0]
        out = np.concatenate([samples for _, samples in self.outs])
        mic = np.concatenate([samples for at, samples in self.kept if at >= first])
        step = round(echoes.LOOK_BACK_S * SAMPLE_RATE_HZ)
        ends = [end for start, last in turn.speech for end in range(start + step, max(last, start + step) + 1, step)]
        same = [echoes.is_echo(mic[: end - first], out[: end - first]) for end in ends if first < end]
        return bool(same) and sum(same) > len(same) / 2

    def _mind_echo(self) -> None:
        """On what was taken for a headset: whether the voice over the line is the customer's own, come back."""
        if self.echo_mode != HEADSET or self.call.echo_forced or not self.sound.realtime or not self.played:
            return
        heard = np.concatenate([samples for _, samples in list(self.cleaned)[-PLAYED:]])
        if echoes.is_echo(heard, np.concatenate(self.played)):
            self.echo_mode = HALF_DUPLEX
            self.turns = replace(self.turns, patience=deaf_patience(self.call.patience))
            self._event(
                "fault",
                what="Your microphone hears the customer: from now on it rests while the customer speaks.",
                do="Use headphones to be able to interrupt, or choose with --echo.",
                detail="",
            )

    def _interrupted(self, stopped: Stopped, now: int) -> None:
        """The trainee has stopped the customer: what of the line was heard, and what of the story."""
        self.barged = True
        self._close_line()
        self._answer_again()
        if self.reaction is None or self.line is None or self.line_from is None:
            return
        reply = self.reaction.reply
        played_s = (stopped.onset - self.line_from) / SAMPLE_RATE_HZ - self.held_s
        silent = min(now, stopped.silent + round(FADE_MS / 1000 * SAMPLE_RATE_HZ))
        heard_s = (silent - self.line_from) / SAMPLE_RATE_HZ - self.held_s
        self._event(
            "interrupted",
            by="trainee",
            line=reply.line,
            start=stopped.onset,
            end=silent,
            played_s=played_s,
            stopped=True,
            noticed_s=(stopped.noticed - stopped.onset) / SAMPLE_RATE_HZ,
            of_s=len(self.line.samples) / SAMPLE_RATE_HZ,
            words=words_played(reply.text, heard_s * SAMPLE_RATE_HZ / max(1, len(self.line.samples))),
            told=self.reaction.mood.told,
        )

    def _answer_again(self) -> None:
        """What was being answered as a nod was an interruption after all."""
        if self.draft is not None:
            self.draft.answer.cancel()
            self._keep(self.draft)
            self.draft = None
        elif self.pending is not None:
            self.pending.draft.answer.cancel()
            self._keep(self.pending.draft)
            self.pending = replace(self.pending, draft=self._begin(self.pending.turn, self.pending.draft.at))

    def _can_resume(self, turn: Turn, at: int) -> bool:
        """Whether the trainee's next words still belong to `turn`: not where the device was away in between."""
        return can_resume(turn, at) and not turn.end <= self.back_at <= at

    def _mind_cut_in(self, block: Block, at: int) -> None:
        """Let a furious customer cut into a turn that does not end: once a turn, and never over another line."""
        if self.cut_in or self.reaction is None or self.turns.phase != "speaking" or self._speaking(block):
            return
        after_s = persona.cuts_in_after_s(self.call.persona, self.reaction.mood)
        if (
            after_s is None
            or self.pending is not None
            or self.goodbye
            or at - self.turns.onset < after_s * SAMPLE_RATE_HZ
        ):
            return
        self.cut_in = True
        reaction = persona.cut_in(self.call.persona, self.reaction.mood)
        self._event(
            "interrupted", by="customer", line=reaction.reply.line, start=at, end=at, played_s=0.0, stopped=False
        )
        self._react(reaction, self._speak(reaction), None)

    def _mind_cue(self, at: int) -> None:
        """At most one sparse cue, from the last seconds of an open turn."""
        due = at - self.cue_checked >= CUE_EVERY_S * SAMPLE_RATE_HZ
        into_turn = at - self.turns.onset
        long_enough = into_turn >= CUE_AFTER_S * SAMPLE_RATE_HZ
        if not (self.call.cues and self.baseline and self.turns.phase == "speaking" and due and long_enough):
            return
        self.cue_checked = at
        start = max(at - round(CUE_WINDOW_S * SAMPLE_RATE_HZ), 0)
        samples = self._samples(start, at)
        hearing = listen(samples)
        over = [(max(first, start) - start, last - start) for first, last in self.turns.overlap if last > start]
        seen = observe.observe(samples, hearing.speech, hearing.track, baseline=self.baseline, overlap=over)
        before, self.cue = self.cue, next_cue(self.cue, seen, into_turn / SAMPLE_RATE_HZ, at / SAMPLE_RATE_HZ)
        if self.cue.last_s > before.last_s and seen.relative:
            self.cued.append(self.writer.samples)  # where its event stands
            self._event(
                "cue",
                text=self.cue.shown,
                turn=self.number + 1,
                effort_db=seen.relative.effort_db,
                nuclei_ratio=seen.relative.nuclei_ratio,
            )

    def _submit(self, turn: Turn) -> None:
        """Take the draft of a finished turn for its answer, or have one made; the customer's echo is no turn."""
        draft, self.draft = self.draft, None
        if self._only_echo(turn):
            self.late_s = min(self.late_s + LATER_S, echoes.MAX_DELAY_S)
            if draft is not None:
                draft.answer.cancel()
            return
        if draft is None or draft.turn.speech != turn.speech:
            draft = self._begin(turn, self.writer.samples)
        self.pending = _Pending(draft, turn, self.writer.samples)

    def _samples(self, start: int, end: int) -> Floats:
        """The trainee's channel from `start` to `end`, from what is kept."""
        kept = list(self.kept)
        if not kept:
            return np.zeros(0, np.float32)
        first, joined = kept[0][0], np.concatenate([samples for _, samples in kept])
        return np.asarray(joined[max(0, start - first) : end - first].astype(np.float32) / 32768, np.float32)

    # --- the worker --------------------------------------------------------------------------------

    def _hear(self, samples: Floats, start: int) -> _Part:
        """The words and the voice of a stretch of a turn."""
        began = time.perf_counter()
        if isinstance(self.ears, QuickEars):
            heard = self.ears.hear_quickly(samples)
        else:
            heard = self.ears.hear(samples, start / SAMPLE_RATE_HZ)
        recognised = time.perf_counter()
        hearing = listen(samples)
        return _Part(heard, hearing, ((recognised - began) * 1000, (time.perf_counter() - recognised) * 1000))

    def _answer(
        self,
        turn: Turn,
        samples: Floats,
        heard_in: Sequence[_Piece],
        said: str,
        line_from: int,
        cut_off: bool,
        customer_end: int,
        nod: bool,
    ) -> _Answer:
        """Recognise, measure, judge, react and speak: pure, so that an unwanted answer can be thrown away."""
        parts = [piece.part.result() for piece in heard_in]
        began = time.perf_counter()
        heard = Heard(_text(parts), tuple(word for part in parts for word in part.heard.words), self.ears.name)
        hearing = _joined(parts, [piece.start - turn.start for piece in heard_in])
        baseline = self.baseline
        observation = self._measure_trainee(turn, samples, heard, hearing, customer_end, baseline)
        mood = self.reaction.mood if self.reaction else self.opening.mood
        context = next_context(
            self.context,
            self.previous,
            customer_said=said,
            customer_finished=not persona.has_more_to_tell(self.call.persona, mood),
            overlap_s=talked_over_s(_seconds(turn.overlap), [line_from / SAMPLE_RATE_HZ]),
            cut_off=cut_off,
        )
        previous = self.previous.delivery if self.previous else None
        assessment = judge.assess(heard.text, heard.words, observation, context, self.call.rules, previous)
        react = self.call.react or persona.react
        reaction = None if nod or not heard.text else react(self.call.persona, mood, assessment, heard.text)
        if reaction and self.call.reword:
            reaction = self.call.reword(self.call.persona, reaction)
        judged = time.perf_counter()
        line = self._speak(reaction) if reaction else None
        spoken = time.perf_counter()
        recognise_ms, measure_ms = parts[-1].took_ms
        took = (recognise_ms, measure_ms + (judged - began) * 1000, (spoken - judged) * 1000)
        return _Answer(heard, observation, context, assessment, baseline, reaction, line, took, self.writer.samples)

    def _measure_trainee(
        self,
        turn: Turn,
        samples: Floats,
        heard: Heard,
        hearing: Hearing,
        customer_end: int,
        baseline: Baseline | None,
    ) -> Observation:
        latency = round(self.sound.info.latency_s * SAMPLE_RATE_HZ)
        onset = turn.speech[0][0]
        gap = (onset - latency - customer_end) / SAMPLE_RATE_HZ if customer_end else None
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
            overlap=[(start - turn.start, end - turn.start + self._echo_late()) for start, end in turn.overlap],
        )

    # --- taking the answer -------------------------------------------------------------------------

    def _take_answer(self, at: int) -> None:
        """Let the customer speak a finished answer, unless the trainee went on; write it down once that is sure."""
        if self.held is not None and self._sure(self.held, at):
            self._confirm(self.held)
        pending = self.pending
        if pending is None:
            return
        if not pending.draft.answer.done():
            if at - pending.closed > ANSWER_WITHIN_S * SAMPLE_RATE_HZ:
                raise VoicecoachError(
                    f"The customer's answer did not come within {ANSWER_WITHIN_S:.0f} s.",
                    "Close what else keeps this machine busy, or take the lines as authored, and start a new call.",
                )
            return
        if self.over.holding or (self.turns.phase != "quiet" and self._can_resume(pending.turn, at)):
            return
        answer, self.pending = pending.draft.answer.result(), None
        if not answer.heard.text:
            self.quiet_from = self.writer.samples  # voice without words: a cough, a rustle; nobody said anything
        elif answer.reaction is None or answer.line is None:
            self._write_turn(answer, pending)
            self._note_nod(answer, pending.turn)
        else:
            before = (self.reaction, self.line, self.line_from)
            self._say(answer.reaction, answer.line)
            self.held = _Held(answer, pending, before)

    def _within(self, held: _Held, onset: int) -> bool:
        """Whether voice from `onset` on comes too soon to be an answer to the customer's line."""
        if self.line_from is None:
            return True
        soon_s = CONTINUE_S + self.sound.info.latency_s
        return onset < self.line_from + soon_s * SAMPLE_RATE_HZ and can_resume(held.pending.turn, onset)

    def _sure(self, held: _Held, at: int) -> bool:
        """Whether the trainee has let the customer speak."""
        return not self._within(held, at if self.turns.phase == "quiet" else self.turns.onset)

    def _withdraw(self, held: _Held, at: int) -> None:
        """The trainee had only paused: the customer stops at once, and the turn goes on as if nothing had been said."""
        self.sound.stop()
        self.held, self.clause, self.told = None, None, True
        if self.line_from is not None and self.reaction is not None:
            self.said.pop()
            self._event("withdrawn", turn=self.number + 1, line=self.reaction.reply.line, start=self.line_from, end=at)
        self.reaction, self.line, self.line_from = held.before
        self.withdrawals += 1
        self._go_on(held.pending)

    def _confirm(self, held: _Held) -> None:
        """Write down the turn, the customer's reaction and when each step of the answer was taken."""
        self.held = None
        answer, pending = held.answer, held.pending
        said = self.said[-1:] if self.line_from is not None else []  # the line that answers the turn
        self._write_turn(answer, pending)
        self.said = said
        if answer.reaction is not None:
            self._tell_reaction(answer.reaction, self.number)
        spoken_until = pending.turn.speech[-1][1] - round(activity.USUAL_HOLD_S * SAMPLE_RATE_HZ)
        first_out = self.line_from
        if first_out is None:
            return
        endpoint_ms, drafted_ms, answer_ms = (
            (to - spoken_until) * 1000 / SAMPLE_RATE_HZ for to in (pending.closed, pending.draft.at, first_out)
        )
        recognise_ms, judge_ms, voice_ms = answer.took_ms
        self._event(
            "timed",
            turn=self.number,
            speech_end=spoken_until,
            speculated=pending.draft.at,
            committed=pending.closed,
            chosen=answer.chosen,
            first_out=first_out,
            endpoint_ms=endpoint_ms,
            recognise_ms=recognise_ms,
            judge_ms=judge_ms,
            voice_ms=voice_ms,
            answer_ms=answer_ms if self.sound.realtime else max(endpoint_ms, drafted_ms + sum(answer.took_ms)),
            withdrawn=self.withdrawals,
        )

    def _note_nod(self, answer: _Answer, turn: Turn) -> None:
        """Good listening: a verbal nod over a line that went on."""
        if self.reaction is None or self.line_from is None or not only_nods(answer.heard.text, self.call.rules.cues):
            return
        start, end = turn.speech[0][0], turn.speech[-1][1]
        played_s = (start - self.line_from) / SAMPLE_RATE_HZ
        line = self.reaction.reply.line
        self._event("nodded", turn=self.number, line=line, start=start, end=end, played_s=played_s)

    def _write_turn(self, answer: _Answer, pending: _Pending) -> None:
        self.number += 1
        turn, self.context, self.previous = pending.turn, answer.context, answer.assessment
        self.said = []
        self.patient = bool(announced(answer.heard.text, self.call.rules.silence))
        self._event("spoke", turn=self.number, start=turn.start, end=turn.end, speech=turn.speech, overlap=turn.overlap)
        self._tell_heard(self.number, answer.heard, answer.observation, {})
        self._event("assessed", turn=self.number, assessment=answer.assessment)
        self._measure_after_cues(turn)
        self._mind_baseline(answer.observation)
        if isinstance(self.ears, QuickEars):
            samples = self._samples(turn.start, turn.end)
            self.later.append((self.number, turn, samples, pending.draft, answer.baseline))

    def _tell_heard(self, number: int, heard: Heard, seen: Observation, more: Mapping[str, Any]) -> None:
        words = [asdict(word) for word in heard.words]
        self._event("heard", who="trainee", turn=number, text=heard.text, words=words, model=heard.model, **more)
        self._event("measured", who="trainee", turn=number, observation=seen)

    def _hear_again(self, wait: bool = False) -> None:
        """The careful pass over the turns that were answered: while the worker has nothing else to do."""
        wait = wait or not self.sound.realtime
        while True:
            if self.again is not None and (wait or self.again.done()):
                again, self.again = self.again.result(), None
                if again.heard.text:  # what the quick pass heard stays where the careful one hears nothing
                    self._tell_heard(again.number, again.heard, again.observation, {"again": True})
            idle = self.turns.phase == "quiet" and self.pending is None and self.clause is None
            if self.again is not None or not self.later or not (wait or idle):
                return
            self.again = self.worker.submit(self._carefully, *self.later.popleft())

    def _carefully(self, number: int, turn: Turn, samples: Floats, draft: _Draft, baseline: Baseline | None) -> _Again:
        heard = self.ears.hear(samples, turn.start / SAMPLE_RATE_HZ)
        seen = self._measure_trainee(turn, samples, heard, listen(samples), draft.gap_from, baseline)
        return _Again(number, heard, seen)

    def _measure_after_cues(self, turn: Turn) -> None:
        """Have the rest of the turn after each cue measured, after the answer, so that nobody waits for it."""
        for at in self.cued:
            if turn.start <= at < turn.end:
                overlap = [(max(start, at) - at, end - at) for start, end in turn.overlap if end > at]
                job = self.worker.submit(_measure_rest, self._samples(at, turn.end), self.baseline, overlap)
                self.measuring.append((job, "after_cue", {"turn": self.number, "cue": at}))
        self.cued.clear()

    def _mind_baseline(self, seen: Observation) -> None:
        """Without a calibration the first turns become a provisional one."""
        if self.baseline is not None or not seen.quality.ok:
            return
        self.own.append(seen)
        if len(self.own) == observe.PROVISIONAL_TURNS:
            self.baseline = observe.baseline_from(self.own, self.sound.info.input, provisional=True)
            if self.baseline is not None:
                self._event("calibrated", baseline=asdict(self.baseline))

    def _react(self, reaction: Reaction, line: Line, turn: int | None) -> None:
        self._tell_reaction(reaction, turn)
        self._say(reaction, line)

    def _tell_reaction(self, reaction: Reaction, turn: int | None) -> None:
        self._event(
            "reacted",
            turn=turn,
            mood=reaction.mood,
            causes=[asdict(c) for c in reaction.causes],
            line=reaction.reply.line,
        )

    # --- silence, endings, housekeeping ------------------------------------------------------------

    def _mind_silence(self, block: Block, at: int) -> None:
        """The customer asks whether anybody is there, later where the silence had been announced."""
        waiting = (
            self.reaction is not None
            and not self._speaking(block)
            and self.pending is None
            and self.held is None
            and self.turns.phase == "quiet"
        )
        if not waiting or self.line_from is None or self._ends():
            self.quiet_from = at if not waiting else self.quiet_from
            return
        wait_s = EXPLAINED_S if self.patient else SILENCE_S
        if at - max(self.quiet_from, self.customer_end) >= wait_s * SAMPLE_RATE_HZ and self.reaction is not None:
            self.patient = False
            reaction = persona.react_to_silence(self.call.persona, self.reaction.mood)
            self._react(reaction, self._speak(reaction), None)

    # --- a device that goes away and comes back ----------------------------------------------------

    def _stalled(self) -> None:
        self._event(
            "fault",
            what="The sound device has stopped for a moment: the call is paused.",
            do=f"Waiting up to {GIVE_UP_S:g} s for it to come back: look at its plug, or choose another in your system.",
            detail="",
        )

    def _mind_away(self, block: Block, at: int) -> None:
        """The call stands still: the open turn ends where the sound ended, nobody waits, nothing is answered."""
        if self.away_from is None:
            self.away_from = at
            if block.away == "zeros":
                self._event(
                    "fault",
                    what="The microphone delivers nothing but zeros: the call is paused.",
                    do="Is it muted or unplugged? It goes on as soon as there is sound.",
                    detail="",
                )
            if self.held is not None:
                self._confirm(self.held)
            turn = flush(self.turns, at)
            self.turns = TurnState(self.turns.mode, self.turns.patience, floor=at)
            self.over.new_line()
            if turn is not None:
                self._submit(turn)
        self.kept.append((at, block.mic))
        self.cleaned.append((at, block.mic))
        self.outs.append((at, block.out))
        self.away_s += len(block.mic) / SAMPLE_RATE_HZ
        self._sync(at)
        self.show(Tick(at / SAMPLE_RATE_HZ, "paused", -120.0))

    def _come_back(self, since: int, at: int) -> None:
        """The device delivers again: the call goes on where it stood, perhaps on other devices."""
        self.away_from, self.back_at = None, at
        info = self.sound.info
        same = (info.input, info.output) == self.devices
        if not same and self.echo_mode != HALF_DUPLEX and not self.call.echo_forced:
            self.devices, self.echo_mode, self.echo = (info.input, info.output), HALF_DUPLEX, None
            self.turns = replace(self.turns, patience=deaf_patience(self.call.patience))
        if self.line_from is not None and self.sound.playing():
            self.held_s += (at - since) / SAMPLE_RATE_HZ
            self._event("held", line=self.reaction.reply.line if self.reaction else "", start=since, end=at)
        self._event(
            "resumed", start=since, end=at, input=info.input, output=info.output, latency_s=info.latency_s,
            echo=self.echo_mode, other=not same,
        )  # fmt: skip
        self.quiet_from = at
        if self.customer_end:
            self.customer_end = max(self.customer_end, at)  # nobody was waited for meanwhile
        self.second_look = SecondLook()

    def _ends(self) -> str:
        return self.reaction.reply.ends if self.reaction else ""

    def _ending(self, block: Block) -> tuple[Outcome, str] | None:
        """Whether the call is over: the customer's closing line is out, or the time is up."""
        if self.held is not None:
            return None
        over_s = self.writer.samples / SAMPLE_RATE_HZ - self.away_s - self.call.time_limit_s
        if self.goodbye and (not self._speaking(block) or over_s > GRACE_S):
            return "time limit", f"The time limit of {self.call.time_limit_s / 60:g} minutes was reached."
        name = self.call.persona.name
        if not self.goodbye and self.line_from is not None and not self._speaking(block):
            match self._ends():
                case "resolved":
                    return "resolved", f"{name} accepted the solution."
                case "hung up":
                    return "hung up", f"{name} hung up."
                case "manager":
                    return "manager", f"{name} was handed to a manager."
                case "drill over":
                    return "drill over", dict(self.reaction.mood.notes).get("why", "") if self.reaction else ""
        if over_s >= 0 and not self.goodbye and self.reaction is not None:
            self.goodbye = True
            if not self._speaking(block) and not self.turns.speaking:
                reaction = persona.say_goodbye(self.call.persona, self.reaction.mood)
                self._say(reaction, self._speak(reaction))
        return None

    def _housekeeping(self, block: Block, at: int) -> None:
        """Keep what the open turn may need, sync the disk, watch for a dead microphone, tell the screen."""
        resting = self.turns.phase == "quiet" and self.pending is None and self.held is None
        keep_s = 3.0 if resting else 150.0
        for kept in (self.kept, self.cleaned, self.outs):
            while kept and at - kept[0][0] > keep_s * SAMPLE_RATE_HZ:
                kept.popleft()
        self._sync(at)
        self.zeros = self.zeros + len(block.mic) if not block.mic.any() else 0
        if self.zeros >= ZEROS_S * SAMPLE_RATE_HZ and self.zeros - len(block.mic) < ZEROS_S * SAMPLE_RATE_HZ:
            self._event(
                "fault",
                what="The microphone delivers nothing but zeros.",
                do="Is it muted? Unmute it or choose another.",
                detail="",
            )
        self.show(Tick(at / SAMPLE_RATE_HZ, self._who(block), _dbfs(block.mic), self.cue.shown))

    def _sync(self, at: int) -> None:
        if at - self.synced >= SYNC_S * SAMPLE_RATE_HZ:
            self.synced = at
            self.writer.sync()

    def _who(self, block: Block) -> Who:
        if self.turns.speaking:
            return "pause" if self.draft is not None else "you"
        if block.customer:
            return "customer"
        return "thinking" if self.pending is not None else "nobody"

    def _event(self, kind: str, **data: Any) -> None:
        self.show(self.writer.event(kind, **data))


def _dbfs(samples: Samples) -> float:
    return 10 * float(np.log10(np.mean((samples.astype(np.float64) / 32768) ** 2) + 1e-12))


def _measure_rest(samples: Floats, baseline: Baseline | None, overlap: Sequence[activity.Span]) -> Observation:
    """The voice from a cue to the end of its turn."""
    hearing = listen(samples)
    return observe.observe(samples, hearing.speech, hearing.track, baseline=baseline, overlap=overlap)


def _text(parts: Sequence[_Part]) -> str:
    return " ".join(part.heard.text for part in parts if part.heard.text)


def _joined(parts: Sequence[_Part], starts: Sequence[int]) -> Hearing:
    """The voice of a turn out of its pieces, which begin at `starts` in it."""
    if len(parts) == 1:
        return parts[0].hearing
    return Hearing(
        pieces.joined_speech([(at, part.hearing.speech) for at, part in zip(starts, parts, strict=True)]),
        pieces.joined_track([(at, part.hearing.track) for at, part in zip(starts, parts, strict=True)]),
    )


def _seconds(spans: Sequence[activity.Span]) -> list[tuple[float, float]]:
    return [(start / SAMPLE_RATE_HZ, end / SAMPLE_RATE_HZ) for start, end in spans]
