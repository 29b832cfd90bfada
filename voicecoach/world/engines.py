"""The plug-in line for speech engines: entry points of the group `voicecoach.tts`, and the speech URL that ships.

An engine is a class with `name`, `capabilities`, `probe`, `voices` and `synthesize`; it inherits from nothing. What it
cannot do to a voice itself (pitch, range, spectrum, level), `effects` does afterwards, alike for every engine.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, runtime_checkable

import numpy as np

from voicecoach.errors import MissingModel
from voicecoach.nouns import Floats, Style
from voicecoach.world import http

GROUP = "voicecoach.tts"


@dataclass(frozen=True)
class Availability:
    """Whether an engine can speak here, and if not, why and what to do, as sentences."""

    ok: bool
    why: str = ""
    do: str = ""


@dataclass(frozen=True)
class VoiceInfo:
    """One voice of an engine. What is not known is empty."""

    id: str
    sex: str = ""
    accent: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Capabilities:
    """Which parts of a Style the engine does itself."""

    rate: bool = True
    pitch: bool = False
    range: bool = False
    level: bool = False
    offline: bool = True
    """False where what is said leaves this machine."""


@dataclass(frozen=True)
class Audio:
    """What an engine made: float32 mono in -1..1 [shape=(n,)] at its own rate."""

    samples: Floats
    rate_hz: int


@runtime_checkable
class Plugin(Protocol):
    """A speech engine as a plug-in."""

    name: str
    capabilities: Capabilities

    @classmethod
    def probe(cls) -> Availability:
        """Whether it could speak here: quick, never raises, never downloads."""
        ...

    def voices(self) -> tuple[VoiceInfo, ...]:
        """What it can speak with."""
        ...

    def synthesize(self, text: str, voice: str, style: Style) -> Audio:
        """`text` by `voice` (one of `voices`, or "" for its own choice). Raises MissingModel when it cannot."""
        ...


def plugged() -> Iterator[type[Any]]:
    """The classes that other packages plugged in, by name; one that cannot be loaded is left out."""
    seen: set[str] = set()
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        kind = _loaded(point)
        name = str(getattr(kind, "name", ""))
        if kind is not None and name and name not in seen:
            seen.add(name)
            yield kind


def _loaded(point: EntryPoint) -> type[Any] | None:
    try:
        kind = point.load()
    except Exception:  # noqa: BLE001 - somebody else's package: whatever is wrong with it, ours goes on
        return None
    needed = ("capabilities", "probe", "voices", "synthesize")
    return kind if isinstance(kind, type) and all(hasattr(kind, name) for name in needed) else None


def probe(kind: type[Any]) -> Availability:
    """What `kind.probe` says; one that breaks is not available."""
    try:
        found = kind.probe()
        return found if isinstance(found, Availability) else Availability(bool(found))
    except Exception as error:  # noqa: BLE001 - as above
        return Availability(False, f"The engine {kind.name} broke ({type(error).__name__}).", "Update or remove it.")


def neutral(style: Style, capabilities: Capabilities) -> Style:
    """`style` without what the engine has done itself."""
    from dataclasses import replace

    done: dict[str, float] = {}
    if capabilities.pitch:
        done["f0_st"] = 0.0
    if capabilities.range:
        done["f0_range"] = 1.0
    return replace(style, **done)


# --- the speech URL --------------------------------------------------------------------------------


class SpeechUrl:
    """Any server that speaks as OpenAI's /v1/audio/speech does (Kokoro-FastAPI, LocalAI, openedai-speech...).

    Only where VOICECOACH_SPEECH_URL is set, such as http://localhost:8880/v1; besides, VOICECOACH_SPEECH_MODEL,
    VOICECOACH_SPEECH_VOICE and VOICECOACH_SPEECH_KEY. The customer's lines are sent there, never the trainee's words.
    """

    name = "openai"
    capabilities = Capabilities(rate=True, offline=False)
    TIMEOUT_S = 10.0
    MAX_BYTES = 20 * 1024 * 1024
    BASE_WPM = 180.0
    """Taken for the rate at speed 1; not measured, and every server has its own."""

    def __init__(self) -> None:
        found = self.probe()
        if not found.ok:
            raise MissingModel(found.why, found.do)
        self._base = os.environ["VOICECOACH_SPEECH_URL"].rstrip("/")

    @classmethod
    def probe(cls) -> Availability:
        """See Plugin. Asks nobody: a server that does not answer shows when it is to speak."""
        url = os.environ.get("VOICECOACH_SPEECH_URL", "")
        do = "Set VOICECOACH_SPEECH_URL, such as http://localhost:8880/v1"
        if not url:
            return Availability(False, "No speech URL is set.", do)
        return (
            Availability(True)
            if http.is_address(url)
            else Availability(False, "VOICECOACH_SPEECH_URL is not an http(s) address.", do)
        )

    def voices(self) -> tuple[VoiceInfo, ...]:
        """See Plugin. The servers have no common list; the name that is set, or OpenAI's first."""
        return (VoiceInfo(os.environ.get("VOICECOACH_SPEECH_VOICE") or "alloy"),)

    def synthesize(self, text: str, voice: str, style: Style) -> Audio:
        """See Plugin."""
        import soundfile

        body = {
            "model": os.environ.get("VOICECOACH_SPEECH_MODEL") or "tts-1",
            "input": text,
            "voice": voice or self.voices()[0].id,
            "response_format": "wav",
            "speed": round(min(max(style.wpm / self.BASE_WPM, 0.25), 4.0), 3),
        }
        key = os.environ.get("VOICECOACH_SPEECH_KEY", "")
        try:
            data = http.post(f"{self._base}/audio/speech", body, key, self.TIMEOUT_S, self.MAX_BYTES)
            samples, rate_hz = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise MissingModel(
                "The speech URL did not speak.", "Check VOICECOACH_SPEECH_URL and its server.", str(error)
            ) from error
        return Audio(np.asarray(samples.mean(axis=1), np.float32), int(rate_hz))
