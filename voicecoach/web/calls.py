"""The calls that are going on: each in a thread of its own, with a page at its far end.

A call belongs to the browser that began it (`Seat`); its page may go away for RESUME_WITHIN_S and come back. There are
never more calls at a time than the machine carries: the next one is told so before anything of it begins.
"""

from __future__ import annotations

import os
import random
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import numpy as np

from voicecoach import (
    before,
    calibration,
    consent,
    debrief,
    desk,
    drills,
    judge,
    prepare,
    record,
    retry,
    session,
    volume,
)
from voicecoach.errors import BadInput, VoicecoachError
from voicecoach.keys import MAX_NOTES
from voicecoach.measure.activity import FRAME
from voicecoach.measure.turns import PRESETS, Mode
from voicecoach.nouns import SAMPLE_RATE_HZ, Baseline, Event, Samples, Strict
from voicecoach.persona import LevelName, Persona
from voicecoach.persona.drills import CUE
from voicecoach.report.desk import Assignment
from voicecoach.report.head import head_of
from voicecoach.report.trainer import entries_of
from voicecoach.session import Keys, Outcome, Tick
from voicecoach.web.gate import Seat
from voicecoach.web.names import found, key_of
from voicecoach.web.sound import RATES_HZ, BrowserDuplex, BrowserInfo, Send
from voicecoach.web.wire import Frame
from voicecoach.world.ears import Ears
from voicecoach.world.echo import HALF_DUPLEX, HEADSET
from voicecoach.world.memory import give_back
from voicecoach.world.models import ModelFiles
from voicecoach.world.voice import Voice

TICK_EVERY_S = 0.08
"""How often the page hears of the state of the call."""
READING_S = 30.0
"""Of a calm reading; it takes about twenty seconds, and the page ends it earlier."""
NOTES_WITHIN_S = 300.0
"""How long the page may hand in notes: after the call, and after the last letter that was typed into them."""
SHOWN = frozenset({"started", "said", "heard", "interrupted", "held", "resumed", "moved", "fault", "wordless", "note"})
"""Events that the page of a call is told of; the rest is for the debrief."""
TOLD_AGAIN = frozenset({"said", "heard", "interrupted", "held", "note"})
"""Of these, what a page that was loaded again needs: who said what, and the notes."""


def calls_at_a_time(processors: int | None = None) -> int:
    """How many calls this machine carries at a time with answers in time: three on two processors (docs/web.md)."""
    return max(1, (processors or os.cpu_count() or 1) * 3 // 2)


@dataclass(frozen=True)
class Filled:
    """What the trainee wrote into the worksheet."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    goal: str = ""
    can: tuple[str, ...] = ()
    cannot: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    win_wins: tuple[str, ...] = ()


@dataclass(frozen=True)
class Again:
    """A turn of a recorded session, to be said again."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    session: str
    """As a page calls it."""
    turn: int


@dataclass(frozen=True)
class Wanted:
    """The call that a page asks for: names out of what it was offered, and switches."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    persona: str = prepare.DEFAULT_PERSONA
    procedure: str = prepare.DEFAULT_PROCEDURE
    level: LevelName | None = None
    mode: Mode = "hands-free"
    patience: Literal["quick", "normal", "patient"] = "normal"
    trainee: str = "trainee"
    cues: bool = True
    speakers: bool = False
    """No headset: the browser's echo cancellation, or where it has none, a microphone that rests."""
    consent: bool = False
    """The trainee has just agreed to be recorded."""
    worksheet: Filled | None = None
    """None: it was skipped."""
    focus: bool = False
    recovery: bool = False
    retry: Again | None = None
    """Instead of a new call: a moment of a recorded one."""
    drill: str = ""
    """Instead of a call: a drill, by its id."""
    assignment: str = ""
    """The session whose trainer set this call as the next assignment, as a page calls it."""


class Kit(Protocol):
    """What calls are made with; shared by all of them."""

    def ears(self) -> tuple[Ears, ModelFiles | None]:
        """The recogniser."""
        ...

    def rules(self) -> judge.Rules:
        """What judges the turns."""
        ...

    def voice(self, customer: Persona, volume_db: float) -> Voice:
        """A customer's voice."""
        ...


class Models:
    """The kit of this machine, each part loaded once, when it is first needed."""

    def __init__(self, data: Path, model: str) -> None:
        self._data, self._model = data, model
        self._lock = threading.Lock()
        self._ears: tuple[Ears, ModelFiles | None] | None = None
        self._rules: judge.Rules | None = None

    def ears(self) -> tuple[Ears, ModelFiles | None]:
        """See Kit."""
        with self._lock:
            if self._ears is None:
                self._ears = prepare.ears(self._model)
            return self._ears

    def rules(self) -> judge.Rules:
        """See Kit."""
        with self._lock:
            if self._rules is None:
                self._rules = prepare.rules()
            return self._rules

    def voice(self, customer: Persona, volume_db: float) -> Voice:
        """See Kit."""
        made = prepare.voice(customer, data=self._data)
        made.volume_db = volume_db
        return made


@dataclass(frozen=True)
class House:
    """What the server serves: the trainee's data, the customers to choose from, and how many calls at a time."""

    data: Path
    kit: Kit
    limit: int = 3
    customers: tuple[str, ...] = field(default_factory=lambda: tuple(prepare.names("personas")))
    """Names of bundled customers and paths that the command line gave."""
    inbox: Path | None = None
    """The folder that trainees submit to and trainers read; None: one beside the sessions."""

    @property
    def desk(self) -> Path:
        """See `inbox`."""
        return self.inbox or self.data / "desk"

    @property
    def sessions(self) -> Path:
        """Where the records are."""
        return self.data / "sessions"


class RefusedError(Exception):
    """A call that does not begin: `why` is known to the page, which has the sentence for it."""

    def __init__(self, why: Literal["full", "elsewhere", "reading", "gone", "consent"], **more: object) -> None:
        super().__init__(why)
        self.why, self.more = why, more


class Room:
    """One call, or one calibration, and the page at its far end."""

    def __init__(
        self, seat: Seat, sound: BrowserDuplex, run: Callable[[Room], None], about: Mapping[str, object] | None = None
    ) -> None:
        self.id = secrets.token_urlsafe(12)
        self.seat, self.sound = seat, sound
        self.about = about or {}
        """Who calls, and how the trainee talks: for a page that comes back and knows nothing."""
        self.talking = True
        """False once the call itself is over."""
        self._past: list[dict[str, object]] = []
        self._on_hold = False
        self._send: Send | None = None
        self._talk = False
        self._stop = False
        self._sent = False
        self._notes: deque[str] = deque()
        self._draft: list[str] = []
        """Notes as they are being typed after the call."""
        self._typed = 0.0
        self.ending: Mapping[str, object] | None = None
        """How the call ended, as the page was told, while its notes are waited for."""
        self._taken = 0
        self._holds: deque[bool] = deque()
        self._done = threading.Event()
        self._ticked = 0.0
        self.thread = threading.Thread(target=run, args=(self,), name=f"call-{self.id[:4]}")

    # --- the page's side -----------------------------------------------------------------------------

    def attach(self, send: Send, rate_hz: int, have: int | None) -> None:
        """A page is there (again); another one that thinks that it still is hears that it is not."""
        if self._send is not None:
            self._send({"t": "moved"})
        self._send = send
        self.sound.connect(send, rate_hz, have)

    def detach(self, send: Send) -> None:
        """The page is not there any more; it may come back."""
        self.sound.disconnect(send)
        if self._send == send:
            self._send = None
            self._talk = False
            if self._stop or self.reading:  # it hung up and left: no block will come to end the call with
                self.sound.end()

    def leave(self, send: Send) -> None:
        """The page at `send` is left for good: the call ends, and its browser may begin another at once."""
        if self._send == send:
            self._stop = True
            self.talking = False

    @property
    def given_up(self) -> bool:
        """Whether it was ended and nobody is there to be told."""
        return self._stop and self.alone

    @property
    def reading(self) -> bool:
        """Whether this is no call but a calm reading: nobody comes back to one."""
        return not self.about

    @property
    def alone(self) -> bool:
        """Whether no page is there."""
        return self._send is None

    def so_far(self) -> dict[str, object]:
        """The call for a page that comes back: who, how, and what was said."""
        return {**self.about, "hold": self._on_hold, "past": list(self._past)}

    def frame(self, send: Send, frame: Frame) -> None:
        """Sound from the page at `send`: from another than the one that is there it counts by another clock."""
        if send == self._send:
            self.sound.feed(frame)

    def told(self, send: Send, message: Mapping[str, Any]) -> None:
        """What the page at `send` says besides sound; what it cannot mean is nothing, nor what another page says."""
        if send != self._send:
            return
        match message:
            case {"t": "talk", "on": bool(on)}:
                self._talk = on
            case {"t": "send"}:
                self._sent = True
            case {"t": "stop"}:
                self._stop = True
                if self.sound.still:
                    self.sound.end()  # no block would come to end the call with
            case {"t": "note", "text": str(text)}:
                self._note(text)
            case {"t": "hold", "on": bool(on)} if on != self._on_hold and len(self._holds) < MAX_NOTES:
                self._holds.append(on)
                self._on_hold = on
            case {"t": "sound"}:
                self.sound.now_through(info_of(message))
            case {"t": "draft" | "done" as state, "notes": list(notes)}:
                self._draft = [str(text) for text in notes]
                self._typed = time.monotonic()
                if state == "done":
                    self._done.set()

    def _note(self, typed: str) -> None:
        text = before.plain(typed)
        if text and self._taken < MAX_NOTES:
            self._taken += 1
            self._notes.append(text)

    def end(self) -> None:
        """The server closes: stop at the next block, or where none comes, now."""
        self._stop = True
        self._done.set()
        self.sound.end()

    # --- the call's side -----------------------------------------------------------------------------

    def say(self, **message: object) -> None:
        """Tell the page, if it is there."""
        send = self._send
        if send is not None:
            send(message)

    def show(self, news: Event | Tick) -> None:
        """See `session.rehearse`."""
        if isinstance(news, Tick):
            if abs(news.at_s - self._ticked) >= TICK_EVERY_S:
                self._ticked = news.at_s
                self.say(t="tick", at=round(news.at_s, 2), who=news.who, level=round(news.level_dbfs), cue=news.cue)
        elif news.kind in SHOWN:
            told = {"kind": news.kind, **_for_the_page(news)}
            if news.kind in TOLD_AGAIN:
                self._past.append(told)
            self.say(t="event", **told)
        elif news.kind == "reacted":
            for cause in news.data["causes"]:
                if cause["cue"] == CUE:  # how a turn of a drill was marked, told at once
                    self.say(t="event", kind="marked", text=f"{cause['why'].capitalize()}: {cause['evidence']}")

    def keys(self) -> Keys:
        """See `session.rehearse`. Notes that the end of the call overtakes are for `notes_after`."""
        sent, self._sent = self._sent, False
        stop = self._stop
        return Keys(self._talk, stop, sent, self._notes.popleft() if self._notes and not stop else "")

    def held(self) -> bool | None:
        """Whether the customer was put on hold (or taken back) just now; None where nothing changed."""
        return self._holds.popleft() if self._holds else None

    def notes_after(self) -> list[str]:
        """What the page hands in after the call, waited for while it is there or may come back; else its draft."""
        self._typed = time.monotonic()
        while not self._done.wait(0.1) and self.sound.awaited and time.monotonic() < self._typed + NOTES_WITHIN_S:
            pass
        after = [line for typed in self._draft for line in before.lines(typed)]
        return [*self._notes, *after[:MAX_NOTES]]

    @property
    def read_enough(self) -> bool:
        """The trainee says that the sentences have been read."""
        return self._done.is_set()


def _for_the_page(event: Event) -> dict[str, object]:
    """The parts of an event that the page shows; the words only after they were spoken."""
    data = event.data
    match event.kind:
        case "started":
            return {"name": data["persona"]["name"]}
        case "said":
            return {"text": data["text"], "until": data["end"] / SAMPLE_RATE_HZ}
        case "held":
            return {"longer": (data["end"] - data["start"]) / SAMPLE_RATE_HZ}
        case "resumed":
            return {"other": data["other"], "input": data["input"], "rests": data["echo"] == HALF_DUPLEX}
        case "moved":
            return {"input": data["input"], "rests": data["echo"] == HALF_DUPLEX}
        case "fault" | "wordless":
            return {"kind": "fault", "what": data["what"], "do": data["do"]}
        case "heard":
            return {"text": data["text"], "turn": data["turn"]}
        case "note":
            return {"text": data["text"]}
        case _:
            return {"by": data["by"], "words": data.get("words", "")}


class Rooms:
    """All calls of the server."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._rooms: dict[str, Room] = {}
        self._lock = threading.Lock()
        self._opening = threading.Lock()

    def call(self, seat: Seat, wanted: Wanted, info: BrowserInfo) -> Room:
        """A room for a new call, not begun yet. Raises RefusedError, and BadInput for what is not on offer."""
        call = begun(self.house, replace(wanted, trainee=named(wanted.trainee)), info)
        with self._lock:
            self._refuse(seat)
            about = {
                "name": call.persona.name,
                "person": call.persona.person or call.persona.id,
                "sex": call.persona.sex,
                "mode": call.mode,
            }
            return self._room(Room(seat, BrowserDuplex(info), lambda room: self._hold(room, call), about))

    def calibration(self, seat: Seat, trainee: str, info: BrowserInfo) -> Room:
        """A room for a reading aloud, not begun yet; raises RefusedError where a call is going on."""
        with self._lock:
            self._refuse(seat)
            return self._room(Room(seat, BrowserDuplex(info), lambda room: self._calibrate(room, trainee)))

    def _room(self, room: Room) -> Room:
        self._rooms[room.id] = room
        return room

    def _refuse(self, seat: Seat) -> None:
        own = self._of(seat)
        if own is not None and not (own.reading and own.alone):
            raise RefusedError("reading" if own.reading else "elsewhere", call=own.id)
        if sum(room.talking and not (room.reading and room.alone) for room in self._rooms.values()) >= self.house.limit:
            raise RefusedError("full", limit=self.house.limit)

    def of(self, seat: Seat) -> Room | None:
        """The call of this browser that is going on."""
        with self._lock:
            return self._of(seat)

    def _of(self, seat: Seat) -> Room | None:
        return next((room for room in self._rooms.values() if room.seat == seat and room.talking), None)

    def again(self, seat: Seat, call: str) -> Room:
        """The call that a page comes back to, also for its notes; raises RefusedError where it is over, or somebody else's."""
        room = self._rooms.get(call)
        there = room is not None and (room.ending or (room.talking and not room.reading and not room.sound.gone))
        if room is None or room.seat != seat or not there:
            raise RefusedError("gone")
        return room

    def close(self) -> None:
        """End every call, each with its record whole."""
        rooms = list(self._rooms.values())
        for room in rooms:
            room.end()
        for room in rooms:
            if room.thread.is_alive():
                room.thread.join(20)

    def _left(self, room: Room) -> None:
        room.talking = False
        room.sound.close()
        with self._lock:
            self._rooms.pop(room.id, None)

    # --- in the call's own thread --------------------------------------------------------------------

    def _hold(self, room: Room, call: session.Call) -> None:
        """Hold the call, take notes, close the record, make its page: the same as on a terminal."""
        try:
            self._held(room, call)
        except VoicecoachError as error:
            room.say(t="failed", what=error.what, do=error.do)
        except Exception as error:
            room.say(t="failed", what=f"Something unexpected went wrong ({type(error).__name__}).", do="")
            raise
        finally:
            self._left(room)
            room.say(t="bye")
            give_back()  # the customer's lines, which `_held` no longer holds

    def _held(self, room: Room, call: session.Call) -> None:
        house, sound = self.house, room.sound
        ears, files = house.kit.ears()
        voice = house.kit.voice(call.persona, volume.load(house.data, sound.info.output) or 0.0)
        if room.given_up:
            return  # before it began: there is nothing to record
        outcome: Outcome = "fault"
        failure: VoicecoachError | None = None
        with self._opening:  # two calls that begin in one second are two folders
            folder = record.new_folder(house.sessions, call.wall, call.name or call.persona.id)
            writer = record.Writer(folder, call.persona_text, call.procedure_text)
        try:
            keys = _Keys(room, writer)
            outcome = session.rehearse(call, sound, ears, files, voice, writer, show=room.show, keys=keys)
        except VoicecoachError as error:
            failure = error
        finally:
            room.talking = False
            try:
                room.ending = {
                    "t": "ended",
                    "outcome": outcome,
                    "session": key_of(folder),
                    "what": failure.what if failure else "",
                }
                room.say(**room.ending)
                for note in room.notes_after():
                    writer.event("note", text=note)
            finally:
                room.ending = None
                writer.close(archive=failure is None)
        told = record.read(folder)
        debrief.write_page(debrief.page_of(told, debrief.report_on(told)), folder / record.PAGE)
        room.say(t="over", session=key_of(folder))

    def _calibrate(self, room: Room, trainee: str) -> None:
        """Listen to the reading, and keep the calm voice that it shows."""
        try:
            ears, _ = self.house.kit.ears()
            sound = room.sound
            blocks: list[Samples] = []
            sound.drain()
            room.say(t="listening")
            while len(blocks) * FRAME < READING_S * SAMPLE_RATE_HZ and not room.read_enough:
                blocks.append(sound.read().mic)
            room.say(t="measuring")
            samples = np.asarray(np.concatenate(blocks) / 32768, np.float32)
            baseline, seen = calibration.calibrate(samples, device_of(sound.browser), ears)
            calibration.save(self.house.data, trainee, baseline)
            room.say(
                t="calibrated",
                f0_hz=round(baseline.f0_median_hz),
                level_dbfs=round(baseline.level_dbfs),
                speech_s=round(seen.speech_s, 1),
                wpm=round(seen.rate.wpm) if seen.rate else None,
            )
        except VoicecoachError as error:
            room.say(t="failed", what=error.what, do=error.do)
        finally:
            self._left(room)
            room.say(t="bye")


class _Keys:
    """The page as the keyboard of the call; what it did to the microphone is written down."""

    def __init__(self, room: Room, writer: record.Writer) -> None:
        self._room, self._writer = room, writer

    def __call__(self) -> Keys:
        held = self._room.held()
        if held is not None:
            self._writer.event("hold", on=held)
        return self._room.keys()


def named(typed: str) -> str:
    """A trainee's name as it is kept."""
    return before.plain(typed) or Wanted.trainee


def device_of(info: BrowserInfo) -> str:
    """The name under which a calibration is kept: what a browser does to a microphone makes it another one."""
    changed = [
        name
        for name, on in (("echo cancelled", info.echo_cancellation), ("noise suppressed", info.noise_suppression))
        if on
    ]
    return ", ".join((f"{info.input} in the browser", *changed))


def begun(house: House, wanted: Wanted, info: BrowserInfo) -> session.Call:
    """The call that a page asks for: a new one, a moment again, or a drill. Names that are not on offer become no path.

    Raises BadInput for those, and RefusedError where the trainee has not agreed to be recorded.
    """
    offered = {Path(name).stem: name for name in house.customers}
    if wanted.persona not in offered or wanted.procedure not in prepare.names("assets/procedures"):
        raise BadInput("This customer or procedure is not on offer.", "Load the page again and choose another.")
    customer, customer_text = prepare.choose_persona(offered[wanted.persona], wanted.level)
    steps, steps_text = prepare.choose_procedure(wanted.procedure)
    rules, wall = house.kit.rules(), prepare.now()
    agreed = _agreed(house, wanted, wall)
    seed = random.randrange(1 << 30)
    call = session.Call(customer, customer_text, steps, steps_text, rules, seed=seed, cues=wanted.cues, wall=wall)
    if wanted.retry is not None:
        folder = found(record.list_sessions(house.sessions), wanted.retry.session)
        call = retry.begin(call, retry.prepare_retry(folder, wanted.retry.turn, rules))
    elif wanted.drill:
        chosen = next((one for one in drills.all_drills() if one.id == wanted.drill), None)
        if chosen is None:
            raise BadInput("There is no such drill.", "Load the page again and choose another.")
        call = drills.call_of(chosen, customer, customer_text, rules, seed=seed, wall=wall)
    else:
        recent = prepare.recent_lines(house.sessions, customer)
        call = replace(call, recent=recent, prepared=(*_prepared(house, wanted, customer, wall), *_task(house, wanted)))
    return replace(
        call,
        prepared=(*call.prepared, agreed),
        trainee=wanted.trainee,
        mode=wanted.mode,
        patience=PRESETS[wanted.patience],
        echo=HALF_DUPLEX if wanted.speakers and not info.echo_cancellation else HEADSET,
        baseline=calibration.load(house.data, wanted.trainee, device_of(info)) or _of_that_day(call, info),
    )


def _of_that_day(call: session.Call, info: BrowserInfo) -> Baseline | None:
    """The calm voice that a recorded moment was compared with, if this is the microphone of that day."""
    same = call.baseline is not None and call.baseline.device in {device_of(info), info.input}
    return call.baseline if same else None


def _agreed(house: House, wanted: Wanted, wall: str) -> before.Prepared:
    """The consent to the recording, given now or earlier; without it there is no call."""
    earlier = consent.load(house.data, wanted.trainee)
    if not earlier and not wanted.consent:
        raise RefusedError("consent", line=consent.LINE)
    if not earlier:
        consent.save(house.data, wanted.trainee, wall)
    return "consent", {"line": consent.LINE, "how": "earlier" if earlier else "asked", "given": earlier or wall}


def _task(house: House, wanted: Wanted) -> tuple[before.Prepared, ...]:
    """The assignment that this call is an attempt at."""
    if not wanted.assignment:
        return ()
    folder = found(record.list_sessions(house.sessions), wanted.assignment)
    told = record.read(folder)
    task = assigned(told)
    if task is None:
        raise BadInput("This assignment is not there any more.", "Load the page again.")
    if whose(told) != wanted.trainee:
        raise BadInput("This assignment is for another trainee.", "Change your name, or load the page again.")
    attempt = desk.attempt(house.sessions, task, wanted.trainee)
    return (("assignment", {"assignment": asdict(task), "attempt": attempt}),)


def assigned(told: record.Record) -> Assignment | None:
    """The next assignment that a trainer sent back with a session: the one that its debrief shows."""
    return entries_of(told.trainer, {}, ()).next


def whose(told: record.Record) -> str:
    """The trainee of a session."""
    return named(head_of(told.events).trainee)


def _prepared(house: House, wanted: Wanted, customer: Persona, wall: str) -> tuple[before.Prepared, ...]:
    """What was done before the call, as on a terminal."""
    hard = before.hard_call(house.sessions, wall, wanted.trainee)
    parts: list[before.Prepared] = []
    if hard:
        parts.append(("recovery", {"outcome": "done" if wanted.recovery else "skipped", "after": hard}))
    sheet = wanted.worksheet
    if sheet is None:
        parts.append(("worksheet", {"outcome": "skipped"}))
    else:
        parts.append(before.filled(customer.brief, sheet.goal, {key: getattr(sheet, key) for key, _ in before.PARTS}))
    parts.append(("focus", {"outcome": "done" if wanted.focus else "skipped"}))
    return tuple(parts)


def info_of(message: Mapping[str, Any]) -> BrowserInfo:
    """What a page says of its sound, bounded and as plain text. Raises ValueError where it makes no sense."""
    rate = message.get("rate")
    if not isinstance(rate, int | float) or isinstance(rate, bool) or not RATES_HZ[0] <= rate <= RATES_HZ[1]:
        raise ValueError("the rate of the page's sound")
    latency = message.get("latency_s")
    settings = message.get("settings")
    applied = settings if isinstance(settings, Mapping) else {}

    def switch(name: str) -> bool | None:
        value = applied.get(name)
        return value if isinstance(value, bool) else None

    def name(key: str, otherwise: str) -> str:
        value = message.get(key)
        return (before.plain(value) if isinstance(value, str) else "") or otherwise

    return BrowserInfo(
        "browser",
        name("input", "microphone"),
        name("output", "speaker of the system"),
        round(rate),
        round(float(latency), 4) if isinstance(latency, int | float) and 0 <= latency <= 1 else 0.0,
        switch("echoCancellation"),
        switch("noiseSuppression"),
        switch("autoGainControl"),
        name("browser", ""),
        message.get("speakers") is True,
    )
