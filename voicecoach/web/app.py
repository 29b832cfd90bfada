"""The server: a page, its data as JSON, and a WebSocket for each call."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
import socket
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from voicecoach import bundles, calibration, copies, record, retention, volume
from voicecoach import desk as trainers
from voicecoach.errors import DeviceError, VoicecoachError
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.record import from_json
from voicecoach.web import desk, places, wire
from voicecoach.web.calls import House, RefusedError, Room, Rooms, Wanted, device_of, info_of
from voicecoach.web.gate import LOOPBACK, Gate, Seat, Seats, TooMuchError, too_much
from voicecoach.web.names import found, key_of
from voicecoach.world import hearing
from voicecoach.world.ears import QuickEars

PORT = 8477
"""Where it listens if that is free: the same address each time, so that the browser remembers the microphone."""
MAX_MESSAGE_BYTES = 64 * 1024
"""Of one WebSocket message; the largest frame has 38 kB."""
HELLO_WITHIN_S = 10.0
"""Who has opened the line and not said what for by then is let go. Our judgement."""
LEFT_CODE = 4001
"""How a page closes a line to which nobody comes back: one of the codes for private use (RFC 6455, 7.4.2)."""
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FRAMED_POLICY = "sandbox allow-scripts; frame-ancestors 'self'"
"""Joined to a page's own policy (hashes of its style and script)."""
UPLOAD = "/api/desk/received"


def build(house: House, seats: Seats, port: int) -> ASGIApp:
    """The whole application behind its gate."""
    rooms = Rooms(house)

    @contextlib.asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(rooms.close)

    app = Starlette(
        routes=_Pages(house, rooms).routes(),
        exception_handlers={
            VoicecoachError: _sentence,
            TooMuchError: _too_much,
            ValueError: _nonsense,
            RecursionError: _nonsense,
            OverflowError: _nonsense,
            KeyError: _nonsense,
            TypeError: _nonsense,
        },
        middleware=[Middleware(GZipMiddleware, compresslevel=6)],
        lifespan=life,
    )
    return Gate(app, seats, port, {UPLOAD: desk.MAX_BUNDLE_BYTES})


class _Pages:
    """What a browser can ask for, each a method from its request to the response."""

    def __init__(self, house: House, rooms: Rooms) -> None:
        self._house, self._rooms = house, rooms
        self._shelf, self._files = places.Shelf(), _static()

    def routes(self) -> list[BaseRoute]:
        """Where each of them is asked for."""
        return [
            Route("/", self.page),
            Route("/static/{name}", self.static),
            Route("/api/choices", self.choices),
            Route("/api/state", self.state),
            Route("/api/voice", self.voice, methods=["POST"]),
            Route("/api/volume", self.loudness, methods=["POST"]),
            Route("/api/volume.wav", self.sample),
            Route("/api/sessions", self.sessions),
            Route("/api/sessions/{key}", self.session, methods=["GET", "DELETE"]),
            Route("/api/sessions/{key}/copies", self.made_of),
            Route("/api/sessions/{key}/sound", self.sound),
            Route("/api/sessions/{key}/takes", self.takes),
            Route("/api/sessions/{key}/submit", self.submit, methods=["GET", "POST"]),
            Route("/api/collect", self.collect, methods=["POST"]),
            Route("/api/next", self.steps),
            Route("/api/desk", self.submissions),
            Route(UPLOAD, self.received, methods=["POST"]),
            Route("/api/desk/agreement", self.agreement),
            Route("/api/desk/{key}", self.submission),
            Route("/api/desk/{key}/say", self.said, methods=["POST"]),
            Route("/api/desk/{key}/sound", self.submission_sound),
            Route("/api/desk/{key}/answer", self.answer),
            Route("/sessions/{key}/debrief", self.debrief),
            Route("/desk/{key}/debrief", self.submission_page),
            Route("/progress", self.progress),
            WebSocketRoute("/call", self.call),
        ]

    def page(self, _: Request) -> Response:
        return self._files["index.html"]()

    def static(self, request: Request) -> Response:
        made = self._files.get(request.path_params["name"])
        return made() if made else PlainTextResponse("There is no such file.", 404)

    def choices(self, request: Request) -> Response:
        return JSONResponse(places.choices(self._house, request.query_params.get("trainee", "")))

    def state(self, request: Request) -> Response:
        room = self._rooms.of(request.scope["seat"])
        there = room is not None and not room.reading
        return JSONResponse({"call": room.id if room and there else None, "away": bool(room and there and room.alone)})

    async def voice(self, request: Request) -> Response:
        message = _object(await request.json())
        info, trainee = info_of(message), _text(message, "trainee")
        kept = await run_in_threadpool(calibration.load, self._house.data, trainee, device_of(info))
        volume_db = volume.load(self._house.data, info.output) or 0.0
        return JSONResponse({"calibrated": kept is not None, "volume_db": volume_db})

    async def loudness(self, request: Request) -> Response:
        message = _object(await request.json())
        db = _volume_db(message["db"])
        await run_in_threadpool(volume.save, self._house.data, info_of(message).output, db)
        return JSONResponse({"volume_db": db})

    def sample(self, request: Request) -> Response:
        return Response(places.volume_sample(_volume_db(request.query_params.get("db", "0"))), media_type="audio/wav")

    async def call(self, socket: WebSocket) -> None:
        await _Line(socket, self._rooms).run()

    # --- the trainee's own sessions --------------------------------------------------------------------

    def sessions(self, request: Request) -> Response:
        return JSONResponse(self._shelf.rows(self._house, "all" in request.query_params))

    def session(self, request: Request) -> Response:
        folder = self._own(request)
        if request.method == "DELETE":
            made = copies.of(folder) if request.query_params.get("copies") == "yes" else ()
            retention.delete(folder, self._house.data)
            return JSONResponse({"left": [str(copy.path) for copy in made if not copies.remove(copy)]})
        return JSONResponse(places.told(self._shelf.report(folder), self._shelf.row(folder)))

    def made_of(self, request: Request) -> Response:
        return JSONResponse({"copies": [f"{copy.what}: {copy.path}" for copy in copies.of(self._own(request))]})

    def sound(self, request: Request) -> Response:
        return _recording(*places.sound_of(record.read(self._own(request))))

    def takes(self, request: Request) -> Response:
        return JSONResponse(places.takes_told(self._house, self._own(request)))

    def debrief(self, request: Request) -> Response:
        folder = self._own(request)
        return _framed(places.page_of(folder, self._shelf.report(folder)))

    def submit(self, request: Request) -> Response:
        with_sound = request.query_params.get("sound") != "no"
        if request.method == "POST":
            return JSONResponse(desk.submit(self._house, self._own(request), with_sound))
        return JSONResponse({"lines": desk.would_give(self._own(request), with_sound)})

    def collect(self, _: Request) -> Response:
        return JSONResponse({"lines": desk.collect(self._house)})

    def steps(self, request: Request) -> Response:
        return JSONResponse(places.next_steps(self._house, self._shelf, request.query_params.get("trainee", "")))

    def progress(self, request: Request) -> Response:
        return _framed(places.progress_page_of(self._house, request.query_params.get("trainee", "")))

    def _own(self, request: Request) -> Path:
        return found(record.list_sessions(self._house.sessions), request.path_params["key"])

    # --- the trainer's desk ----------------------------------------------------------------------------

    def submissions(self, _: Request) -> Response:
        return JSONResponse(desk.listed(self._house))

    async def received(self, request: Request) -> Response:
        await run_in_threadpool(desk.take_in, self._house, await request.body())
        return JSONResponse({})

    def submission(self, request: Request) -> Response:
        path = self._submitted(request)
        report = trainers.report_of(path)
        return JSONResponse({**places.told(report, {"key": key_of(path)}), **desk.marks(report)})

    async def said(self, request: Request) -> Response:
        message = _object(await request.json())
        await run_in_threadpool(desk.say, self._house, request.path_params["key"], message)
        return JSONResponse({})

    def submission_page(self, request: Request) -> Response:
        return _framed(trainers.page_of(self._submitted(request))[1])

    def submission_sound(self, request: Request) -> Response:
        with bundles.opened(self._submitted(request)) as told:
            return _recording(*places.sound_of(told))

    def answer(self, request: Request) -> Response:
        headers = {"content-disposition": 'attachment; filename="session.trainer.jsonl"'}
        data = desk.trainer_lines(self._house, request.path_params["key"])
        return Response(data, media_type="application/jsonl", headers=headers)

    def agreement(self, _: Request) -> Response:
        return JSONResponse(desk.agreement(self._house))

    def _submitted(self, request: Request) -> Path:
        return desk.path_of(self._house, request.path_params["key"])


def _recording(kind: str, data: bytes) -> Response:
    """A recording, or nothing where there is none."""
    return Response(data, media_type=kind) if data else Response(status_code=204)


def _framed(html: str) -> Response:
    """A page that brings its own style and script, to be shown in a frame that is nobody's origin."""
    own = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    policy = "; ".join((own[1] if own else "default-src 'none'", FRAMED_POLICY))
    return Response(
        html, media_type="text/html", headers={"content-security-policy": policy, "x-frame-options": "SAMEORIGIN"}
    )


def _static() -> Mapping[str, Callable[[], Response]]:
    """The page's own files, read once: what a request names is looked up here and never on the disk."""
    folder = resources.files("voicecoach.web").joinpath("static")
    return {
        file.name: partial(
            Response,
            file.read_bytes(),
            media_type=KINDS["." + file.name.rpartition(".")[2]],
            headers={"cache-control": "no-cache"},
        )
        for file in folder.iterdir()
        if file.is_file()
    }


def _sentence(_: Request, error: Exception) -> Response:
    what, do = (error.what, error.do) if isinstance(error, VoicecoachError) else (str(error), "")
    return JSONResponse({"what": what, "do": do}, 400)


def _too_much(_: Request, error: Exception) -> Response:
    assert isinstance(error, TooMuchError)
    return too_much(error.limit)


def _nonsense(_: Request, __: Exception) -> Response:
    return JSONResponse({"what": "This request makes no sense.", "do": "Load the page again."}, 400)


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("not an object")
    return value


def _text(message: Mapping[str, Any], key: str) -> str:
    from voicecoach.before import plain

    value = message.get(key)
    return plain(value) if isinstance(value, str) else ""


def _volume_db(value: Any) -> float:
    """A volume, within what there is. Raises ValueError for what is no number."""
    db = float(value)
    if not math.isfinite(db):
        raise ValueError("not a volume")
    return min(max(db, volume.LOWEST_DB), volume.HIGHEST_DB)


class _Line:
    """One WebSocket: what arrives goes to its room, what the room says goes out."""

    def __init__(self, socket: WebSocket, rooms: Rooms) -> None:
        self._socket, self._rooms = socket, rooms
        self._loop = asyncio.get_running_loop()
        self._out: asyncio.Queue[bytes | dict[str, object]] = asyncio.Queue()

    def send(self, message: bytes | dict[str, object]) -> None:
        """Queue a message; called by any thread."""
        with contextlib.suppress(RuntimeError):  # the server has closed
            self._loop.call_soon_threadsafe(self._out.put_nowait, message)

    async def run(self) -> None:
        """From the first message to the end of the connection."""
        await self._socket.accept()
        pump = asyncio.create_task(self._pump())
        room: Room | None = None
        try:
            hello = _object(await asyncio.wait_for(self._socket.receive_json(), HELLO_WITHIN_S))
            room = await self._room(hello)
            while True:
                message = await self._socket.receive()
                if message["type"] == "websocket.disconnect":
                    if message.get("code") == LEFT_CODE:
                        room.leave(self.send)
                    break
                data = message.get("bytes")
                if data is not None:
                    room.frame(self.send, wire.unpack(data))
                else:
                    room.told(self.send, _object(_json(message.get("text"))))
        except RefusedError as refused:
            self.send({"t": "refused", "why": refused.why, **refused.more})
            self.send({"t": "bye"})
            await pump
        except VoicecoachError as error:
            self.send({"t": "failed", "what": error.what, "do": error.do})
            self.send({"t": "bye"})
            await pump
        except (ValueError, KeyError, TypeError, TimeoutError, RecursionError):
            await self._close(1008)
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            if room is not None:
                room.detach(self.send)
            pump.cancel()

    async def _room(self, hello: Mapping[str, Any]) -> Room:
        """The room that the first message asks for; a new one begins when the page knows of it."""
        seat: Seat = self._socket.scope["seat"]
        info = info_of(hello)
        match hello.get("t"):
            case "call":
                wanted = from_json(Wanted, hello.get("call"))
                room = await run_in_threadpool(self._rooms.call, seat, wanted, info)
            case "calibrate":
                room = self._rooms.calibration(seat, _text(hello, "trainee"), info)
            case "resume":
                have = hello.get("have")
                room = self._rooms.again(seat, str(hello.get("call")))
                room.sound.now_through(info)
                self.send({"t": "resumed", "call": room.id, **room.so_far()})
                room.attach(self.send, info.device_rate_hz, have if type(have) is int else None)
                if room.ending:
                    self.send(dict(room.ending))
                return room
            case _:
                raise ValueError("an unknown first message")
        self.send({"t": "ready", "call": room.id})
        room.attach(self.send, info.device_rate_hz, None)
        room.thread.start()
        return room

    async def _pump(self) -> None:
        """Send what is queued, in order; "bye" is the last."""
        while True:
            message = await self._out.get()
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                if isinstance(message, bytes):
                    await self._socket.send_bytes(message)
                    continue
                await self._socket.send_json(message)
            if isinstance(message, dict) and message["t"] in {"bye", "moved"}:
                await self._close(1000)
                return

    async def _close(self, code: int) -> None:
        if self._socket.application_state is WebSocketState.CONNECTED:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await self._socket.close(code)


def _json(text: str | None) -> Any:
    import json

    return json.loads(text or "null")


def listen(port: int | None) -> socket.socket:
    """A socket on the loopback: at `port`, else at PORT, or where that is taken at any that is free."""
    failure: OSError | None = None
    for wanted in (port,) if port else (PORT, 0):
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((LOOPBACK, wanted))
            return found
        except OSError as error:
            found.close()
            failure = error
    raise DeviceError(
        f"The address {LOOPBACK}:{port} cannot be used ({failure}).", "Choose another with --port, or leave it out."
    )


def settings(house: House, seats: Seats, port: int) -> uvicorn.Config:
    """How the server runs."""
    return uvicorn.Config(
        build(house, seats, port),
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )


def serve(house: House, port: int | None, ready: Callable[[Callable[[], str]], None]) -> None:
    """Serve until Ctrl-C. `ready` is called once requests are answered, with what makes a new one-time address."""
    places.people(house.customers)
    places.procedures()
    with listen(port) as at:
        number = at.getsockname()[1]
        seats = Seats()
        server = uvicorn.Server(settings(house, seats, number))
        at.listen()
        threading.Thread(target=_warm, args=(house,), daemon=True).start()
        ready(lambda: f"http://{LOOPBACK}:{number}/?token={seats.issue()}")
        server.run(sockets=[at])


def _warm(house: House) -> None:
    """Load what calls need, and use it once: a first recognition takes a second longer than the next.

    Where something is missing, the call will say so.
    """
    with contextlib.suppress(VoicecoachError):
        house.kit.rules()
        ears, _ = house.kit.ears()
        samples = np.random.default_rng(0).normal(0, 0.05, SAMPLE_RATE_HZ).astype(np.float32)
        hearing.listen(samples)
        ears.hear(samples)
        if isinstance(ears, QuickEars):
            ears.hear_quickly(samples)
