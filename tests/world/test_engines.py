"""Speech engines as plug-ins: found by entry point, probed, replaced when they fail; and the speech URL."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from voicecoach import testing
from voicecoach.errors import MissingModel
from voicecoach.nouns import SAMPLE_RATE_HZ, Style
from voicecoach.persona.style import style_for
from voicecoach.world import engines, voice
from voicecoach.world.engines import Audio, Availability, Capabilities, SpeechUrl, VoiceInfo
from voicecoach.world.spoken import Spoken, spoken_key

NOTHING = Spoken(Path("/nowhere"), {})


class Hums:
    """A plug-in that hums and does the pitch itself."""

    name = "hums"
    capabilities = Capabilities(pitch=True, range=True)
    asked: list[tuple[str, str]] = []  # noqa: RUF012

    @classmethod
    def probe(cls) -> Availability:
        return Availability(True)

    def voices(self) -> tuple[VoiceInfo, ...]:
        return (VoiceInfo("low", "male"), VoiceInfo("high", "female"))

    def synthesize(self, text: str, voice: str, style: Style) -> Audio:
        self.asked.append((text, voice))
        return Audio(testing.voice_like(1.0).astype(np.float32) / 32768, SAMPLE_RATE_HZ)


class Breaks(Hums):
    name = "breaks"

    def synthesize(self, text: str, voice: str, style: Style) -> Audio:
        raise RuntimeError("out of order")


class Odd:
    """No engine at all."""


def plug(monkeypatch: pytest.MonkeyPatch, *kinds: type[Any]) -> None:
    points = [EntryPoint(kind.__name__, f"{__name__}:{kind.__name__}", engines.GROUP) for kind in kinds]
    loads = {point.name: kind for point, kind in zip(points, kinds, strict=True)}
    monkeypatch.setattr(engines, "entry_points", lambda group: points)
    monkeypatch.setattr(EntryPoint, "load", lambda self: loads[self.name])
    monkeypatch.setattr(voice, "ENGINES", ())
    monkeypatch.delenv("VOICECOACH_SPEECH_URL", raising=False)


def test_shipped_engines_are_plug_ins() -> None:
    """Piper, pyttsx3 and the speech URL have what a plug-in has, and say what they are."""
    for kind in (voice.Piper, voice.Pyttsx3, SpeechUrl):
        assert all(hasattr(kind, name) for name in ("capabilities", "probe", "voices", "synthesize"))
    assert engines.probe(voice.Piper).ok or "GPL-3" in engines.probe(voice.Piper).do


def test_a_preferred_plug_in_speaks_with_the_voice_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, Hums, Odd)
    customer = voice.CustomerVoice(["kokoro/none", "hums/high"], NOTHING)
    line = customer.speak("Hello.", style_for(3, "hot"), "hot-3")
    assert line.engine == "hums/high"
    assert Hums.asked[-1] == ("Hello.", "high")
    assert [kind.name for kind in engines.plugged()] == ["hums"]


def test_what_the_engine_does_is_not_done_twice() -> None:
    style = style_for(5, "hot")
    rest = engines.neutral(style, Hums.capabilities)
    assert (rest.f0_st, rest.f0_range, rest.level_db) == (0.0, 1.0, style.level_db)
    assert engines.neutral(style, Capabilities()) == style


def test_an_engine_that_breaks_falls_to_the_next_with_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, Breaks, Hums)
    customer = voice.CustomerVoice(["breaks/low"], NOTHING)
    assert customer.speak("Hello.", Style(), "hot-0").engine == "hums"
    assert customer.speak("Hello again.", Style(), "hot-0").engine == "hums"
    assert customer.notices == ["breaks broke (RuntimeError). hums speaks instead."]


def test_without_an_engine_the_nearest_mood_speaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch)
    soundfile.write(tmp_path / "1.wav", testing.tone(440, 0.5), SAMPLE_RATE_HZ)
    spoken = Spoken(tmp_path, {spoken_key("a/1", "hot-2", "Hello."): {"file": "1.wav"}})
    customer = voice.CustomerVoice(["a/1"], spoken)
    customer.ready([("Hello.", "hot-4")])
    assert len(customer.notices) == 1
    assert customer.speak("Hello.", style_for(4, "hot"), "hot-4").engine == "a/1"
    with pytest.raises(MissingModel):
        customer.speak("Never spoken.", style_for(4, "hot"), "hot-4")


def test_a_probe_that_breaks_is_an_answer() -> None:
    class Bad(Hums):
        @classmethod
        def probe(cls) -> Availability:
            raise RuntimeError

    assert not engines.probe(Bad).ok


# --- the speech URL --------------------------------------------------------------------------------


class Server(BaseHTTPRequestHandler):
    """Speaks as /v1/audio/speech does, or badly."""

    manner = "good"
    asked: list[dict[str, Any]] = []  # noqa: RUF012

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append({"path": self.path, "key": self.headers.get("Authorization"), **body})
        if self.manner == "slow":
            time.sleep(1.0)
        if self.manner == "elsewhere":
            self.send_response(307)
            self.send_header("Location", "http://127.0.0.1:1/steal")
            self.end_headers()
            return
        self.send_response(500 if self.manner == "broken" else 200)
        self.end_headers()
        out = io.BytesIO()
        soundfile.write(out, testing.tone(440, 1.0), SAMPLE_RATE_HZ, format="WAV")
        self.wfile.write(b"<html>" if self.manner == "no audio" else out.getvalue())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Server]]:
    made = HTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    monkeypatch.setenv("VOICECOACH_SPEECH_URL", f"http://127.0.0.1:{made.server_port}/v1/")
    Server.manner, Server.asked = "good", []
    yield Server
    made.shutdown()
    made.server_close()


def test_a_speech_url_speaks(server: type[Server], monkeypatch: pytest.MonkeyPatch) -> None:
    """One request: words, voice, rate, and the key where one is set."""
    monkeypatch.setenv("VOICECOACH_SPEECH_KEY", "secret")
    audio = SpeechUrl().synthesize("Where is it?", "nova", Style(wpm=225))
    assert (audio.rate_hz, audio.samples.dtype, len(audio.samples)) == (SAMPLE_RATE_HZ, np.float32, SAMPLE_RATE_HZ)
    (asked,) = server.asked
    assert asked["path"] == "/v1/audio/speech"
    assert (asked["input"], asked["voice"], asked["speed"]) == ("Where is it?", "nova", 1.25)
    assert asked["key"] == "Bearer secret"


@pytest.mark.parametrize("manner", ["slow", "broken", "no audio", "elsewhere"])
def test_a_bad_speech_url_is_a_sentence(server: type[Server], monkeypatch: pytest.MonkeyPatch, manner: str) -> None:
    server.manner = manner
    if manner == "slow":
        monkeypatch.setattr(SpeechUrl, "TIMEOUT_S", 0.4)
    began = time.monotonic()
    with pytest.raises(MissingModel, match="did not speak"):
        SpeechUrl().synthesize("Hello.", "", Style())
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "ftp://x/v1", "http://", "http://[", "nonsense"])
def test_only_http_addresses_are_used(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICECOACH_SPEECH_URL", url)
    assert not SpeechUrl.probe().ok
    with pytest.raises(MissingModel):
        SpeechUrl()
