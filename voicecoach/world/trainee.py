"""Trainees that are not people: recorded replies that answer a customer, and the Sound port that they speak through.

A trainee hears the customer's channel block by block and returns its own microphone; nothing here runs on wall time,
so a call of minutes takes as long as recognising it does, and comes out alike on every machine.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import numpy as np

from voicecoach.errors import BadInput
from voicecoach.measure.activity import FRAME
from voicecoach.nouns import RECORDED_TRAINEE, SAMPLE_RATE_HZ, Samples, Strict
from voicecoach.world.playback import Playback
from voicecoach.world.sound import Block, SoundInfo
from voicecoach.world.spoken import Spoken, load
from voicecoach.yamlfile import load as load_yaml

Manner = Literal["calm", "brisk", "loud"]
PATIENCE_S = 12.0
"""A trainee who gets no answer for this long goes on with the next reply."""
LEAVES_AFTER_S = 4.0
"""After the last reply and its answer, the trainee waits this long and puts the receiver down."""
ROOM_NOISE_DBFS = -70.0
"""A microphone never delivers exact zeros; neither does a recorded trainee."""


@dataclass(frozen=True)
class ScriptedReply:
    """One reply of a recorded trainee: `after` the customer's line, or `over` it from `gap_s` seconds into it."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    say: str
    manner: Manner
    when: Literal["after", "over"] = "after"
    gap_s: float = 0.6


@dataclass(frozen=True)
class TraineeScript:
    """A recorded trainee as authored in assets/trainees/*.yaml."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    id: str
    name: str
    about: str
    voice: str
    calibration: tuple[str, ...]
    turns: tuple[ScriptedReply, ...]


def load_script(path: Path) -> TraineeScript:
    """Read a trainee's script; raises BadInput with line numbers."""
    return load_yaml(path, TraineeScript)


def recorded(script: TraineeScript, spoken: Spoken, text: str, manner: Manner) -> Samples:
    """The recording of one of the script's sentences [shape=(n,)], 16 kHz."""
    path = spoken.find(script.voice, manner, text)
    if path is None:
        raise BadInput(
            f"The trainee '{script.id}' has no recording of: {text}", "Make it with: voicecoach personas render"
        )
    return np.asarray(np.clip(load(path), -1, 1) * 32767, np.int16)


def calibration_of(script: TraineeScript, spoken: Spoken) -> Samples:
    """The trainee's calibration sentences in one recording, half a second apart."""
    gap = np.zeros(SAMPLE_RATE_HZ // 2, np.int16)
    pieces = [piece for text in script.calibration for piece in (recorded(script, spoken, text, "calm"), gap)]
    return np.concatenate(pieces) if pieces else gap


class Trainee(Protocol):
    """Somebody at the microphone."""

    name: str
    done: bool

    def hear(self, out: Samples, customer: bool) -> Samples:
        """Hear FRAME samples of the customer's channel; return the same stretch of the own microphone."""
        ...


@dataclass(frozen=True)
class Reply:
    """A recorded reply ready to be played: see ScriptedReply."""

    samples: Samples
    when: Literal["after", "over"] = "after"
    gap_s: float = 0.6


class RecordedTrainee:
    """Answers each line of the customer with the next recorded reply, after it or over it."""

    def __init__(self, replies: Sequence[Reply], name: str = RECORDED_TRAINEE, seed: int = 0) -> None:
        self.name = name
        self.done = False
        self._replies = deque(replies)
        self._noise = np.random.default_rng(seed)
        self._saying: Samples = np.zeros(0, np.int16)
        self._customer = False
        self._answerable = False
        self._since = 0.0

    def hear(self, out: Samples, customer: bool) -> Samples:
        """See Trainee."""
        if customer != self._customer:
            self._answerable = self._answerable or customer
            self._since = 0.0
        self._customer = customer
        mic = self._noise.normal(0.0, 32768 * 10 ** (ROOM_NOISE_DBFS / 20), len(out))
        if self._saying.size:
            piece, self._saying = self._saying[: len(out)], self._saying[len(out) :]
            mic[: len(piece)] += piece
            if not self._saying.size:
                self._since = 0.0
                self._answerable = self._customer  # what the customer said and took back meanwhile was no answer
        else:
            self._maybe_start()
        self._since += len(out) / SAMPLE_RATE_HZ
        return np.asarray(np.clip(mic, -32768, 32767), np.int16)

    def _maybe_start(self) -> None:
        if not self._replies:
            self.done = not self._customer and self._since > LEAVES_AFTER_S
            return
        reply = self._replies[0]
        over = reply.when == "over" and self._customer and self._since >= reply.gap_s
        after = not self._customer and self._since >= reply.gap_s
        if (self._answerable and (over or after)) or (not self._customer and self._since > PATIENCE_S):
            self._saying = self._replies.popleft().samples
            self._answerable = False


class PlainRecording:
    """A microphone that plays one recording from the start, whatever the customer does."""

    def __init__(self, samples: Samples, name: str = "recording") -> None:
        self.name = name
        self.done = False
        self._rest = samples

    def hear(self, out: Samples, customer: bool) -> Samples:  # noqa: ARG002 - it hears nobody
        """See Trainee."""
        piece, self._rest = self._rest[: len(out)], self._rest[len(out) :]
        self.done = not self._rest.size
        return np.pad(piece, (0, len(out) - len(piece)))


class FileDuplex:
    """The file form of the Sound port: a trainee at the microphone and no loudspeaker."""

    realtime = False
    lost_blocks = 0
    xruns = 0

    def __init__(self, trainee: Trainee) -> None:
        self._trainee = trainee
        self._line = Playback(SAMPLE_RATE_HZ)
        self.on_stall: Callable[[], None] = lambda: None
        self.info = SoundInfo(
            RECORDED_TRAINEE, trainee.name, "none (the record keeps the customer's voice)", SAMPLE_RATE_HZ, 0.0
        )

    def read(self) -> Block | None:
        """See Duplex; None once the trainee has put the receiver down."""
        if self._trainee.done:
            return None
        out, filled = self._line.pull(FRAME)
        return Block(self._trainee.hear(out, bool(filled)), out, bool(filled))

    def drain(self) -> None:
        """Files wait for the loop: nothing comes in before it is read."""

    def play(self, samples: Samples) -> None:
        """See Duplex."""
        self._line.add(samples)

    def duck(self, db: float) -> None:
        """See Duplex."""
        self._line.duck(db)

    def hold(self) -> None:
        """See Duplex."""
        self._line.hold()

    def go_on(self) -> None:
        """See Duplex."""
        self._line.go_on()

    def stop(self) -> None:
        """See Duplex."""
        self._line.stop()

    def playing(self) -> bool:
        """See Duplex."""
        return self._line.playing

    def close(self) -> None:
        """Nothing to release."""


def recorded_trainee(script: TraineeScript, spoken: Spoken) -> RecordedTrainee:
    """The bundled trainee: every reply of the script, as recorded."""
    replies = [Reply(recorded(script, spoken, turn.say, turn.manner), turn.when, turn.gap_s) for turn in script.turns]
    return RecordedTrainee(replies, f"{script.name}, a recorded trainee")
