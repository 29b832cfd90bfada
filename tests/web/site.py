"""A whole server on the loopback with fakes behind it, and pages that are not browsers."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import uvicorn
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from voicecoach import judge, prepare, testing
from voicecoach.measure.activity import FRAME
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.persona import Persona
from voicecoach.testing import RecordedTrainee, Reply, ScriptedEars, Trainee
from voicecoach.web import app, wire
from voicecoach.web.calls import House
from voicecoach.web.gate import Seats

SAID = ["I can hear how upset you are, and I am so sorry.", "Please tell me what happened.", "I see. Go on."]


class FakeKit:
    """Scripted ears and a voice that beeps; each call hears the same."""

    def ears(self) -> tuple[ScriptedEars, None]:
        return ScriptedEars(SAID), None

    def rules(self) -> judge.Rules:
        return prepare.rules(cues_only=True)

    def voice(self, customer: Persona, volume_db: float) -> testing.BeepVoice:
        return testing.BeepVoice()


class SlowKit(FakeKit):
    """Its recogniser loads until a test says that it is there."""

    def __init__(self) -> None:
        self.loaded = threading.Event()

    def ears(self) -> tuple[ScriptedEars, None]:
        self.loaded.wait(60)
        return super().ears()


@dataclass
class Site:
    """A server that answers."""

    port: int
    seats: Seats
    house: House
    pages: list[Page] = field(default_factory=list)
    """All that came, so that none of them goes on when the server is closed."""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """(status, headers in lower case, body); `headers` is all that is sent, but for the Host where it has none."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        given = dict(headers or {})
        host = given.pop("Host", f"127.0.0.1:{self.port}")
        line.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        line.putheader("Host", host)
        for name, value in given.items():
            line.putheader(name, value)
        if body is not None and "Transfer-Encoding" not in given:
            line.putheader("Content-Length", str(len(body)))
        line.endheaders()
        if body is not None:
            with contextlib.suppress(ConnectionError):
                line.send(body)
        answer = line.getresponse()
        found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        line.close()
        return found

    def seat(self) -> dict[str, str]:
        """The headers of a browser that came in by an address of its own."""
        _, headers, _ = self.ask(f"/?token={self.seats.issue()}")
        return {"Cookie": headers["set-cookie"].split(";")[0], "Origin": self.origin}

    def line(self, headers: Mapping[str, str]) -> ClientConnection:
        """A WebSocket with these headers."""
        given = dict(headers)
        origin = given.pop("Origin", None)
        return connect(
            f"ws://127.0.0.1:{self.port}/call", origin=origin, additional_headers=given, compression=None, proxy=None
        )  # type: ignore[arg-type]


@contextlib.contextmanager
def serving(house: House) -> Iterator[Site]:
    """The server in a thread of its own, on a port of its own; closed as Ctrl-C closes it."""
    with socket.socket() as at:
        at.bind(("127.0.0.1", 0))
        at.listen()
        port, seats = at.getsockname()[1], Seats()
        server = uvicorn.Server(app.settings(house, seats, port))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [at]}, daemon=True)
        thread.start()
        site = Site(port, seats, house)
        try:
            yield site
        finally:
            server.should_exit = True
            thread.join(30)
            for page in site.pages:
                page.gone = True
        assert not thread.is_alive()


HELLO = {
    "rate": SAMPLE_RATE_HZ,
    "input": "A microphone",
    "latency_s": 0.02,
    "settings": {"echoCancellation": False, "noiseSuppression": False, "autoGainControl": False},
    "browser": "Chrome/156",
}
CALL = {"persona": "dana-printer", "procedure": "six-guidelines", "level": "medium", "trainee": "Sam", "consent": True}


def pack(frame: wire.Frame) -> bytes:
    """The bytes of a frame, as the page makes them."""
    has_out = bool(frame.out.any()) or frame.spoken[1] > 0
    flags = wire.HAS_OUT * has_out + wire.DEAF * frame.deaf
    head = wire._UP.pack(frame.first, frame.done, len(frame.mic), *frame.spoken, frame.dry, flags)
    return head + frame.mic.astype("<i2").tobytes() + (frame.out.astype("<i2").tobytes() if has_out else b"")


def unpack_chunk(data: bytes) -> tuple[int, testing.Samples]:
    """(first, samples) of a message of `wire.chunks`."""
    first, _ = wire._DOWN.unpack_from(data)
    return first, np.frombuffer(data, "<i2", offset=wire._DOWN.size).astype(np.int16)


class Page:
    """What the page does, without a browser: plays what comes, sends both channels, `speed` times as fast as time."""

    def __init__(
        self, site: Site, headers: Mapping[str, str], hello: Mapping[str, Any], replies: int = 0, speed: float = 4.0
    ) -> None:
        self.site, self.headers, self.speed = site, headers, speed
        site.pages.append(self)
        replying = [Reply(testing.voice_like(2.0, syllables_per_s=5.0, level_dbfs=-20)) for _ in range(replies)]
        self.trainee: Trainee = RecordedTrainee(replying)
        self.told: list[dict[str, Any]] = []
        self.line = np.zeros(0, np.int16)
        self.got = self.done = self.first = 0
        self.live = threading.Event()
        self.closed = threading.Event()
        self.gone = self.mute = self.deaf = False
        self.open({**HELLO, **hello})
        self._mouth = threading.Thread(target=self._speak, daemon=True)
        self._mouth.start()

    def open(self, hello: Mapping[str, Any]) -> None:
        self.closed.clear()
        self.socket = self.site.line(self.headers)
        self.socket.send(json.dumps(hello))
        threading.Thread(target=self._listen, args=(self.socket,), daemon=True).start()

    def _listen(self, line: ClientConnection) -> None:
        try:
            for message in line:
                if isinstance(message, bytes):
                    first, samples = unpack_chunk(message)
                    fresh = samples[max(0, self.got - first) :]
                    self.got += len(fresh)
                    self.line = np.concatenate([self.line, fresh])
                    continue
                told = json.loads(message)
                self.told.append(told)
                if told["t"] in {"ready", "resumed"}:
                    self.live.set()
                if told["t"] == "halt":
                    self.line, self.done = np.zeros(0, np.int16), told["upto"]
        except ConnectionClosed:
            pass
        if line is self.socket:
            self.closed.set()

    def _speak(self) -> None:
        """The audio clock: it goes on whether there is a connection or not."""
        self.live.wait(20)
        due = time.monotonic()
        while not self.gone and not any(message["t"] in {"bye", "moved"} for message in self.told):
            piece, self.line = self.line[:FRAME], self.line[FRAME:]
            out = np.pad(piece, (0, FRAME - len(piece)))
            mic = self.trainee.hear(out, bool(piece.size))
            if self.deaf:
                mic = np.zeros_like(mic)
            self.done += len(piece)
            frame = wire.Frame(self.first, self.done, (0, len(piece)), 0, mic, out, self.deaf)
            self.first += FRAME
            if not self.mute:
                with contextlib.suppress(ConnectionClosed, OSError):
                    self.socket.send(pack(frame))
            due += FRAME / SAMPLE_RATE_HZ / self.speed
            time.sleep(max(0.0, due - time.monotonic()))

    def say(self, **message: object) -> None:
        self.socket.send(json.dumps(message))

    def wait(self, what: str, seconds: float = 60.0, **parts: object) -> dict[str, Any]:
        """The first message of a kind with these parts, waited for."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for message in list(self.told):
                if message["t"] == what and all(message.get(key) == value for key, value in parts.items()):
                    return message
            time.sleep(0.01)
        raise AssertionError(f"no '{what}' {parts} came; there were {self.told[-5:]}")

    def leave(self) -> None:
        """The place is left for good, as the page says by how it closes the line."""
        self.gone = True
        self.socket.close(app.LEFT_CODE)

    def vanish(self) -> None:
        """The tab is gone, without a word."""
        self.gone = True
        self.socket.close()
