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
from voicecoach.judge.live import CUE_AFTER_S, CueState, next_cue
from voicecoach.judge.silence import EXPLAINED_S, announced
from voicecoach.measure import activity, observe
from voicecoach.measure.observe import Floats
from voicecoach.measure.turns import PATIENCE_S, Frame, Mode, TurnState, flush, merge, next_turn
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
from voicecoach.world import pitch, vad
from voicecoach.world.ears import Ears
from voicecoach.world.hearing import listen, weights
from voicecoach.world.models import ModelFiles
from voicecoach.world.shouts import SecondLook
from voicecoach.world.sound import Block, Duplex, Samples
from voicecoach.world.voice import Line, Voice, joined, whole

Outcome = Literal["resolved", "hung up", "manager", "time limit", "stopped", "script over", "drill over", "fault"]

LEAD_IN_S = 0.7
"""Quiet before the first word: the line opens, and the room is heard once without anybody speaking."""
BARGE_IN_S = 0.5
"""Voice over the customer for this long stops the customer; shorter is a verbal nod or a cough."""
NOD_S = 1.0
"""A turn with less voice than this, wholly inside the customer's line, is a nod: the customer goes on."""
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
    patience_s: float = PATIENCE_S
    time_limit_s: float = 600.0
    cues: bool = True
    half_duplex: bool = False
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


@dataclass(frozen=True)
class Tick:
    """The state of the call for the screen, many times a second."""

    at_s: float
    who: Literal["customer", "you", "thinking", "nobody"]
    level_dbfs: float
    cue: str = ""


@dataclass(frozen=True)
class Keys:
    """What the keyboard (or a test) says now: the talk key is down, the trainee wants to stop, a note was typed."""

    talk: bool = False
    stop: bool = False
    note: str = ""
    """A note that was typed and ended just now."""


@dataclass(frozen=True)
class _Answer:
    """What the worker makes of a turn: nothing of it is true until the loop has taken it."""

    turn: Turn
    heard: Heard
    observation: Observation
    context: TurnContext
    assessment: Assessment
    reaction: Reaction | None
    """None after a verbal nod over the customer's line: the customer simply goes on."""
    line: Line | None
    took_ms: tuple[float, float, float]
    """Recognising, measuring and judging, speaking."""


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
        self.turns = TurnState(call.mode, call.patience_s)
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
        self.pending: tuple[Future[_Answer], Turn, int] | None = None
        """The answer in the making, its turn, and the sample at which the turn was closed."""
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
        turn = flush(self.turns, self.writer.samples)
        if turn is not None:
            self._submit(turn)
        if self.pending is not None:
            answer, self.pending = self.pending[0].result(), None
            if answer.heard.text:
                self._write_turn(answer)
        self._close_line()
        self._take_measure(wait=True)

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
            self._follow_line(block, at)
            ended = self._ending(block)
            if ended:
                return ended
            self._follow_trainee(block, at, pressed)
            self._take_answer()
            self._take_measure()
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
            patience_s=call.patience_s,
            sound={**asdict(self.sound.info), "echo": "half duplex" if call.half_duplex else "headset"},
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
        if self.line_from is not None and self.clause is None and not self.told:
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
        samples = np.asarray(block.mic / 32768, np.float32)
        probability = self.second_look.push(samples, float(self.detector.push(samples)[0]))
        deaf = self.call.half_duplex and (
            self._speaking(block) or (at - self.customer_end < ECHO_TAIL_S * SAMPLE_RATE_HZ and self.customer_end > 0)
        )
        frame = Frame(at, 0.0 if deaf else probability, block.customer, pressed.talk)
        was_speaking = self.turns.speaking
        self.turns, turn = next_turn(self.turns, frame)
        if self.turns.speaking and not was_speaking:
            self.cue, self.cue_checked, self.cut_in = replace(self.cue, shown=""), at, False
        if self.turns.speaking or turn:
            self.quiet_from = at
        self._mind_barge_in(block, at)
        self._mind_cut_in(block, at)
        self._mind_cue(at)
        if turn is not None:
            self._submit(turn)

    def _mind_barge_in(self, block: Block, at: int) -> None:
        """Stop the customer once the trainee has spoken over the line for BARGE_IN_S."""
        over = sum(end - start for start, end in self.turns.overlap if end >= at - SAMPLE_RATE_HZ)
        if self.barged or not (block.customer and self.turns.speaking) or over < BARGE_IN_S * SAMPLE_RATE_HZ:
            return
        if self.cut_in:
            return  # who cuts in does not stop for being talked over
        self.barged = True
        self._close_line()
        self.sound.stop()
        start = self.turns.overlap[0][0]
        line = self.reaction.reply.line if self.reaction else ""
        played_s = (start - self.line_from) / SAMPLE_RATE_HZ if self.line_from is not None else 0.0
        self._event(
            "interrupted",
            by="trainee",
            line=line,
            start=start,
            end=at + len(block.out),
            played_s=played_s,
            stopped=True,
        )

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
        """Hand a finished turn to the worker; speech that goes on before the answer joins the turn before."""
        if self.pending is not None:
            turn = merge(self.pending[1], turn)
            self.pending[0].cancel()
        spoken = activity.total(turn.speech)
        nod = activity.total(turn.overlap) == spoken and spoken < NOD_S * SAMPLE_RATE_HZ and not self.barged
        samples = self._samples(turn.start, turn.end)
        future = self.worker.submit(
            self._answer, turn, samples, " ".join(self.said), self.line_from or 0, self.barged, self.customer_end, nod
        )
        self.pending = (future, turn, self.writer.samples)
        if not self.sound.realtime:
            future.exception()  # files wait for the worker, so that nothing depends on its speed

    def _samples(self, start: int, end: int) -> Floats:
        """The trainee's channel from `start` to `end`, from what is kept."""
        kept = list(self.kept)
        if not kept:
            return np.zeros(0, np.float32)
        first, joined = kept[0][0], np.concatenate([samples for _, samples in kept])
        return np.asarray(joined[max(0, start - first) : end - first].astype(np.float32) / 32768, np.float32)

    # --- the worker --------------------------------------------------------------------------------

    def _answer(
        self, turn: Turn, samples: Floats, said: str, line_from: int, cut_off: bool, customer_end: int, nod: bool
    ) -> _Answer:
        """Recognise, measure, judge, react and speak: pure, so that an unwanted answer can be thrown away."""
        began = time.perf_counter()
        offset_s = turn.start / SAMPLE_RATE_HZ
        heard = self.ears.hear(samples, offset_s)
        recognised = time.perf_counter()
        observation = self._measure_trainee(turn, samples, heard, customer_end)
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
        took = ((recognised - began) * 1000, (judged - recognised) * 1000, (spoken - judged) * 1000)
        return _Answer(turn, heard, observation, context, assessment, reaction, line, took)

    def _measure_trainee(self, turn: Turn, samples: Floats, heard: Heard, customer_end: int) -> Observation:
        hearing = listen(samples)
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
            self.baseline,
            offset_s=turn.start / SAMPLE_RATE_HZ,
            response_gap_s=gap,
            overlap=[(start - turn.start, end - turn.start) for start, end in turn.overlap],
        )

    # --- taking the answer -------------------------------------------------------------------------

    def _take_answer(self) -> None:
        """Make a finished answer true: write it down and let the customer speak, unless the trainee went on."""
        if self.pending is None or not self.pending[0].done() or self.turns.phase != "quiet":
            return
        (future, _, closed), self.pending = self.pending, None
        answer, now = future.result(), self.writer.samples
        if not answer.heard.text:
            self.quiet_from = now  # voice without words: a cough, a rustle; nobody said anything
            return
        self._write_turn(answer)
        if answer.reaction is None or answer.line is None:
            return
        self._react(answer.reaction, answer.line, self.number)
        recognise_ms, judge_ms, voice_ms = answer.took_ms
        spoken_until = answer.turn.speech[-1][1]
        endpoint_ms = (closed - spoken_until) * 1000 / SAMPLE_RATE_HZ
        waited_ms = (now - spoken_until) * 1000 / SAMPLE_RATE_HZ
        self._event(
            "timed",
            turn=self.number,
            endpoint_ms=endpoint_ms,
            recognise_ms=recognise_ms,
            judge_ms=judge_ms,
            voice_ms=voice_ms,
            answer_ms=waited_ms if self.sound.realtime else endpoint_ms + sum(answer.took_ms),
        )

    def _write_turn(self, answer: _Answer) -> None:
        self.number += 1
        turn, self.context, self.previous = answer.turn, answer.context, answer.assessment
        self.said.clear()
        self.patient = bool(announced(answer.heard.text, self.call.rules.silence))
        self._event("spoke", turn=self.number, start=turn.start, end=turn.end, speech=turn.speech, overlap=turn.overlap)
        self._event(
            "heard",
            who="trainee",
            turn=self.number,
            text=answer.heard.text,
            words=[asdict(w) for w in answer.heard.words],
            model=answer.heard.model,
        )
        self._event("measured", who="trainee", turn=self.number, observation=answer.observation)
        self._event("assessed", turn=self.number, assessment=answer.assessment)
        self._measure_after_cues(turn)
        self._mind_baseline(answer.observation)

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
        self._event(
            "reacted",
            turn=turn,
            mood=reaction.mood,
            causes=[asdict(c) for c in reaction.causes],
            line=reaction.reply.line,
        )
        self._say(reaction, line)

    # --- silence, endings, housekeeping ------------------------------------------------------------

    def _mind_silence(self, block: Block, at: int) -> None:
        """The customer asks whether anybody is there, later where the silence had been announced."""
        waiting = (
            self.reaction is not None
            and not self._speaking(block)
            and self.pending is None
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

    def _stalled(self) -> None:
        self._event(
            "fault", what="The sound device has stopped for a moment.", do="Waiting for it to come back.", detail=""
        )

    def _ends(self) -> str:
        return self.reaction.reply.ends if self.reaction else ""

    def _ending(self, block: Block) -> tuple[Outcome, str] | None:
        """Whether the call is over: the customer's closing line is out, or the time is up."""
        over_s = self.writer.samples / SAMPLE_RATE_HZ - self.call.time_limit_s
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
        self.kept.append((at, block.mic))
        keep_s = 3.0 if self.turns.phase == "quiet" and self.pending is None else 150.0
        while self.kept and at - self.kept[0][0] > keep_s * SAMPLE_RATE_HZ:
            self.kept.popleft()
        if at - self.synced >= SYNC_S * SAMPLE_RATE_HZ:
            self.synced = at
            self.writer.sync()
        self.zeros = self.zeros + len(block.mic) if not block.mic.any() else 0
        if self.zeros >= ZEROS_S * SAMPLE_RATE_HZ and self.zeros - len(block.mic) < ZEROS_S * SAMPLE_RATE_HZ:
            self._event(
                "fault",
                what="The microphone delivers nothing but zeros.",
                do="Is it muted? Unmute it or choose another.",
                detail="",
            )
        power = float(np.mean((block.mic.astype(np.float64) / 32768) ** 2))
        self.show(Tick(at / SAMPLE_RATE_HZ, self._who(block), 10 * float(np.log10(power + 1e-12)), self.cue.shown))

    def _who(self, block: Block) -> Literal["customer", "you", "thinking", "nobody"]:
        if self.turns.speaking:
            return "you"
        if block.customer:
            return "customer"
        return "thinking" if self.pending is not None else "nobody"

    def _event(self, kind: str, **data: Any) -> None:
        self.show(self.writer.event(kind, **data))


def _measure_rest(samples: Floats, baseline: Baseline | None, overlap: Sequence[activity.Span]) -> Observation:
    """The voice from a cue to the end of its turn."""
    hearing = listen(samples)
    return observe.observe(samples, hearing.speech, hearing.track, baseline=baseline, overlap=overlap)


def _seconds(spans: Sequence[activity.Span]) -> list[tuple[float, float]]:
    return [(start / SAMPLE_RATE_HZ, end / SAMPLE_RATE_HZ) for start, end in spans]
