"""Calls for tests of the loop: fakes on a clock of their own, and the record that comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import numpy as np

from voicecoach import prepare, record, session, testing
from voicecoach.measure.activity import FRAME
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.session import Call, Keys, Outcome
from voicecoach.testing import Block, FileDuplex, RecordedTrainee, Reply, Samples
from voicecoach.world.ears import Ears
from voicecoach.world.glimpse import Glimpse
from voicecoach.world.voice import Voice

SPEED = 10
"""Calls on a clock run so many times as fast as a device; so does what takes time in them."""
GOOD = (
    "I am so sorry, that must be really frustrating.",
    "Go on.",
    "I see.",
    "Miss Whitfield, I understand how upset you are, and I am truly sorry that nobody came.",
    "So the printer jammed three times since March and the engineer never came on Tuesday. Is that right?",
    "I will send a new printer to you tomorrow morning before ten, and I will bring it myself. How does that sound?",
    "I will call you tomorrow at noon to make sure that it works. Is there anything else that is still unresolved?",
)


def make_call(**changes: object) -> Call:
    persona, persona_text = prepare.choose_persona("dana-printer")
    procedure, procedure_text = prepare.choose_procedure("six-guidelines")
    options: dict[str, object] = {"wall": "2026-11-21T12:00:00+00:00", "seed": 1, **changes}
    return Call(persona, persona_text, procedure, procedure_text, prepare.rules(), **options)  # type: ignore[arg-type]


class Held:
    """A finished call: how it ended and its record."""

    def __init__(self, folder: Path, outcome: Outcome | None) -> None:
        self.outcome = outcome
        self.record = record.read(folder)
        self.audio = record.read_audio(self.record)

    def data(self, kind: str) -> list[dict[str, object]]:
        return [dict(event.data) for event in self.record.of(kind)]


def hold(
    tmp_path: Path,
    sound: object,
    heard: Sequence[str] | Ears = (),
    call: Call | None = None,
    keys: Callable[[], Keys] = Keys,
    show: Callable[[object], None] = lambda _: None,
    voice: Voice | None = None,
) -> Held:
    """Hold a call through a Sound port; `heard` are the ears, or what scripted ones hear."""
    call = call or make_call()
    folder = record.new_folder(tmp_path, call.wall, "call")
    ears = testing.ScriptedEars(heard) if isinstance(heard, Sequence) else heard
    writer = record.Writer(folder, call.persona_text, call.procedure_text)
    try:
        outcome = session.rehearse(
            call, sound, ears, None, voice or testing.BeepVoice(), writer, show=show, keys=keys  # type: ignore[arg-type]
        )  # fmt: skip
    finally:
        writer.close(archive=False)
    return Held(folder, outcome)


def replies(count: int, seconds: float = 3.0, **options: object) -> RecordedTrainee:
    return RecordedTrainee([Reply(testing.voice_like(seconds), **options) for _ in range(count)])  # type: ignore[arg-type]


def pressing(pressed: Callable[[float], Keys]) -> Callable[[], Keys]:
    """The keys as a call asks for them, block by block, from what is pressed at so many seconds."""
    blocks = count(1)
    return lambda: pressed(next(blocks) * FRAME / SAMPLE_RATE_HZ)


def tapped(now: float, *times: float) -> bool:
    """Whether a key that is tapped at these seconds is pressed in this block."""
    return any(then <= now < then + FRAME / SAMPLE_RATE_HZ for then in times)


def speech(*parts: float) -> Samples:
    """Voice and silence in turns, in seconds, voice first; no syllable of it is silent."""
    made = []
    for n, seconds in enumerate(parts):
        made.append(testing.noise(seconds, -75.0) if n % 2 else testing.voice_like(seconds, syllables_per_s=0))
    return np.concatenate(made)


def seconds(sample: object) -> float:
    assert isinstance(sample, int)
    return sample / SAMPLE_RATE_HZ


class Glimpses(testing.ScriptedEars):
    """Scripted ears whose looks at what is said so far always find the same."""

    def __init__(self, texts: Sequence[str], seen: str, probability: float = 0.9) -> None:
        super().__init__(texts)
        self.seen, self.probability = seen, probability

    def glimpse(self, samples: np.ndarray, offset_s: float = 0.0) -> Glimpse:
        return Glimpse(self.seen, self.probability)


class Patient(RecordedTrainee):
    """Stays on the line until the last reply is answered, however slow the machine is."""

    def _maybe_start(self) -> None:
        super()._maybe_start()
        self.done = self.done and self._answerable


class Clocked(FileDuplex):
    """A device on a clock: the loop waits for nobody. Where the machine is busy, it is the clock that is late."""

    realtime = True

    def read(self) -> Block | None:
        time.sleep(FRAME / SAMPLE_RATE_HZ / SPEED)
        return super().read()


class Away(FileDuplex):
    """A device that is away from one second to another; nothing is played meanwhile."""

    def __init__(self, trainee: object, start_s: float, end_s: float, why: str = "stopped") -> None:
        super().__init__(trainee)  # type: ignore[arg-type]
        self.at, self.span, self.why = 0, (start_s, end_s), why

    def read(self) -> Block | None:
        start_s, end_s = self.span
        now, self.at = self.at / SAMPLE_RATE_HZ, self.at + FRAME
        if not start_s <= now < end_s:
            return super().read()
        if self.why == "stopped" and now - start_s < FRAME / SAMPLE_RATE_HZ:
            self.on_stall()
        silence = np.zeros(FRAME, np.int16)
        return Block(silence, silence, False, self.why)  # type: ignore[arg-type]


class Speakers(FileDuplex):
    """The customer comes back in the microphone: so many times as loud, so many samples later."""

    def __init__(self, trainee: object, gain: float, late: int) -> None:
        super().__init__(trainee)  # type: ignore[arg-type]
        self.gain, self.coming = gain, np.zeros(late, np.int16)

    def read(self) -> Block | None:
        block = super().read()
        if block is None:
            return None
        self.coming = np.concatenate([self.coming, block.out])
        back, self.coming = self.coming[:FRAME], self.coming[FRAME:]
        mic = np.asarray(np.clip(block.mic + self.gain * back, -32768, 32767), np.int16)
        return Block(mic, block.out, block.customer)
