"""The gate of the local server: who may ask anything at all, and what a browser may do with the answer.

A server on the loopback can be reached by every page that this browser shows. So every request, WebSockets included,
has to name our own address as its Host (against DNS rebinding), must not come from another origin, and must carry a
secret that only the address printed in the terminal gives away, once (OWASP: CSRF and cross-site WebSocket hijacking).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import sys
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECRET_BYTES = 32
MAX_BODY_BYTES = 64 * 1024
"""What a request may send where nothing else is said: a form is a few kilobytes (our judgement)."""
LOOPBACK = "127.0.0.1"
CONNECTIONS = ("/proc/net/tcp", "/proc/net/tcp6")
"""Linux: a line for each connection of this machine, with whose it is; the second has sockets that speak both IPs."""
READING = frozenset({"GET", "HEAD"})
OWN_SITE = frozenset({"same-origin", "none"})
"""What Sec-Fetch-Site says of our own page, and of an address that was typed or opened by a program."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(), geolocation=(), payment=()",
    "cache-control": "no-store",
}
"""On every answer, unless the answer has its own."""

STYLE = (
    ":root{color-scheme:light dark}body{max-width:34rem;margin:18vh auto 0;padding:0 1.5rem;"
    "font:1.05rem/1.55 system-ui,sans-serif}h1{font-size:1.7rem;letter-spacing:-.012em}"
)
STRANGER = f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>voicecoach</title><style>{STYLE}</style></head>
<body><main><h1>This browser is not known here yet</h1>
<p>For privacy, each address that voicecoach prints opens one browser, once.</p>
<p>Press Enter in the terminal where <code>voicecoach serve</code> runs: it prints a new one.
If it does not run any more, start it again.</p></main></body></html>
"""
"""What everybody else sees. It brings its style along: the files of the page are not for them either."""
STRANGER_POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Seat:
    """One browser that came in by an address of its own."""

    secret: str


class Seats:
    """The addresses that were given out and the browsers that used them. One process, one thread of the server."""

    def __init__(self) -> None:
        self._tokens: set[str] = set()
        self._seats: dict[str, Seat] = {}

    def issue(self) -> str:
        """A new one-time token."""
        token = secrets.token_urlsafe(SECRET_BYTES)
        self._tokens.add(token)
        return token

    def redeem(self, token: str) -> Seat | None:
        """The seat for a token that was never used; None for any other, which costs nothing."""
        known = next((one for one in self._tokens if secrets.compare_digest(one.encode(), token.encode())), None)
        if known is None:
            return None
        self._tokens.discard(known)
        seat = Seat(secrets.token_urlsafe(SECRET_BYTES))
        self._seats[seat.secret] = seat
        return seat

    def seat(self, secret: str) -> Seat | None:
        """The seat that a cookie names."""
        return self._seats.get(secret)


class Gate:
    """Lets our own page through and nobody else; puts `HEADERS` on every answer and bounds every body."""

    def __init__(self, app: ASGIApp, seats: Seats, port: int, limits: Mapping[str, int] | None = None) -> None:
        self._app, self._seats = app, seats
        self._hosts = frozenset({f"{LOOPBACK}:{port}", f"localhost:{port}"})
        self._cookie = f"voicecoach-{port}"  # cookies do not know ports: two servers must not share one
        self._limits = limits or {}
        """Paths that take more than MAX_BODY_BYTES."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See `Gate`."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        answer = self._checked(scope)
        if scope["type"] == "websocket":
            if answer is not None:
                await send({"type": "websocket.close", "code": 1008})  # before it was accepted: HTTP 403
                return
            await self._app(scope, receive, send)
            return
        if answer is None:
            limit = self._limits.get(scope["path"], MAX_BODY_BYTES)
            if _announced(Headers(scope=scope)) > limit:
                answer = too_much(limit)
        guarded = _with_headers(send)
        if answer is not None:
            await answer(scope, receive, guarded)
            return
        await self._app(scope, _bounded(receive, self._limits.get(scope["path"], MAX_BODY_BYTES)), guarded)

    def _checked(self, scope: Scope) -> Response | None:
        """What is answered instead of what was asked for; None where all is well."""
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return PlainTextResponse("voicecoach answers only at the address that it printed.", 403)
        reading = scope["type"] == "http" and scope["method"] in READING
        if origins != [f"http://{hosts[0]}"] and (origins or not reading):
            return PlainTextResponse("voicecoach answers only its own page.", 403)
        if headers.get("sec-fetch-site", "none") not in OWN_SITE:
            return PlainTextResponse("voicecoach answers only its own page.", 403)
        if scope["type"] == "http" and scope["path"] == "/" and b"token=" in scope["query_string"]:
            return self._admitted(scope, headers)
        seat = self._seats.seat(self._secret(headers))
        if seat is None:
            return _stranger()
        scope["seat"] = seat
        return None

    def _admitted(self, scope: Scope, headers: Headers) -> Response:
        """A cookie for a token, and the address without it; what only looks ahead does not use the token up."""
        if scope["method"] != "GET" or "prefetch" in headers.get("sec-purpose", ""):
            return PlainTextResponse("Open the address in a browser.", 405)
        owner = owner_of(scope["client"], scope["server"])
        if owner is not None and owner not in (0, os.getuid()):
            return PlainTextResponse("voicecoach opens only for the account that started it.", 403)
        (token, *_) = parse_qs(scope["query_string"].decode("ascii", "replace")).get("token", [""])
        seat = self._seats.redeem(token)
        if seat is None:
            known = self._seats.seat(self._secret(headers))  # the same address again, in the same browser
            return RedirectResponse("/", 303) if known else _stranger()
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._cookie, seat.secret, path="/", httponly=True, samesite="strict")
        return answer

    def _secret(self, headers: Headers) -> str:
        return cookie_parser(headers.get("cookie", "")).get(self._cookie, "")


def owner_of(client: tuple[str, int], server: tuple[str, int]) -> int | None:
    """The account (its user id) whose program made this connection; None where the system does not tell.

    The address stands in the browser's command line until it is opened, and every account may read that there.
    """
    for table in CONNECTIONS:
        with contextlib.suppress(OSError):  # no such table, or an address of another kind
            ends = tuple(
                f"{int.from_bytes(socket.inet_aton(host), sys.byteorder):08X}:{port:04X}"
                for host, port in (client, server)
            )
            for line in Path(table).read_text("ascii").splitlines()[1:]:
                fields = line.split()
                if fields[1].endswith(ends[0]) and fields[2].endswith(ends[1]):
                    return int(fields[7])
    return None


def _stranger() -> Response:
    return HTMLResponse(STRANGER, 403, {"content-security-policy": STRANGER_POLICY})


def _announced(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() else 0


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return guarded


class TooMuchError(Exception):
    """More was sent than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


def too_much(limit: int) -> Response:
    """The sentence for a body of more than `limit` bytes."""
    most = f"{limit // 1024**2} MB" if limit >= 1024**2 else f"{limit // 1024} kB"
    return JSONResponse({"what": "That is more than is taken here.", "do": f"At most {most} are."}, 413)


def _bounded(receive: Receive, limit: int) -> Receive:
    """A body that announced no length, or a false one, ends at the limit."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > limit:
                raise TooMuchError(limit)
        return message

    return bounded
