"""Who may ask: our own page, in a browser that came in by an address of its own, and nobody else."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route, WebSocketRoute
from websockets.exceptions import ConnectionClosed

from tests import sessions
from tests.web.site import CALL, HELLO, Site
from voicecoach import record
from voicecoach.web import gate
from voicecoach.web.app import settings
from voicecoach.web.gate import MAX_BODY_BYTES

STATIC = Path(__file__).parents[2] / "voicecoach" / "web" / "static"
PATHS = [
    ("GET", "/"),
    *(("GET", f"/static/{path.name}") for path in STATIC.iterdir()),
    ("GET", "/api/choices"),
    ("GET", "/api/state"),
    ("POST", "/api/voice"),
    ("POST", "/api/volume"),
    ("GET", "/api/volume.wav"),
    ("GET", "/api/sessions"),
    ("GET", "/api/sessions/0123"),
    ("DELETE", "/api/sessions/0123"),
    ("GET", "/api/sessions/0123/copies"),
    ("GET", "/api/sessions/0123/sound"),
    ("GET", "/api/sessions/0123/takes"),
    ("GET", "/api/sessions/0123/submit"),
    ("POST", "/api/sessions/0123/submit"),
    ("POST", "/api/collect"),
    ("GET", "/api/next"),
    ("GET", "/api/desk"),
    ("POST", "/api/desk/received"),
    ("GET", "/api/desk/agreement"),
    ("GET", "/api/desk/0123"),
    ("POST", "/api/desk/0123/say"),
    ("GET", "/api/desk/0123/sound"),
    ("GET", "/api/desk/0123/answer"),
    ("GET", "/sessions/0123/debrief"),
    ("GET", "/desk/0123/debrief"),
    ("GET", "/progress"),
    ("GET", "/nothing"),
]
PATHS += [("HEAD", path) for method, path in PATHS if method == "GET"]
"""What can be read can be asked for without its body, too."""


def test_every_route_is_in_the_list(site: Site) -> None:
    """A new route has to be put under these tests."""
    inner = settings(site.house, site.seats, site.port).app._app
    shape = {
        (method, route.path.replace("{key}", "0123").replace("{name}", "app.js"))
        for route in inner.routes
        if isinstance(route, Route)
        for method in route.methods - {"HEAD"}
    }

    assert shape <= set(PATHS)
    assert {type(route) for route in inner.routes} == {Route, WebSocketRoute}  # nothing is mounted beside them
    assert [route.path for route in inner.routes if isinstance(route, WebSocketRoute)] == ["/call"]


@pytest.mark.parametrize("cookie", ["", "voicecoach-{port}=guess", "=;;\x01"])
def test_without_the_cookie_nothing_answers(site: Site, cookie: str) -> None:
    given = {"Cookie": cookie.format(port=site.port)} if cookie else {}
    for method, path in PATHS:
        status, headers, _ = site.ask(path, method, {**given, "Origin": site.origin})

        assert status == 403, path
        assert "set-cookie" not in headers


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1.evil.example:{port}", "evil.example:{port}", ""]
)
def test_another_host_is_refused_even_with_the_cookie(site: Site, host: str) -> None:
    """DNS rebinding: a name of somebody else's that leads here."""
    named, seat = host.format(port=site.port), site.seat()
    for method, path in PATHS:
        status, _, _ = site.ask(path, method, {**seat, "Host": named, "Origin": f"http://{named}"})

        assert status in {400, 403}, path  # 400: the server itself refuses a Host that is none


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1:1",
        "http://127.0.0.1:{port}.evil.example",
    ],
)
def test_another_origin_is_refused_even_with_the_cookie(site: Site, origin: str) -> None:
    seat = {**site.seat(), "Origin": origin.format(port=site.port)}
    for method, path in PATHS:
        assert site.ask(path, method, seat)[0] == 403, path


def test_a_change_without_an_origin_is_refused(site: Site) -> None:
    headers = site.seat()
    del headers["Origin"]
    for method, path in PATHS:
        if method not in gate.READING:
            assert site.ask(path, method, headers, b"{}")[0] == 403, path


def test_what_is_asked_for_without_its_body_changes_nothing(site: Site) -> None:
    """HEAD goes to the routes for GET and needs no Origin: it must not be taken for the other method of a route."""
    sessions.write(site.house.sessions)
    headers = site.seat()
    (row,) = json.loads(site.ask("/api/sessions", headers=headers)[2])["rows"]
    del headers["Origin"]

    assert site.ask(f"/api/sessions/{row['key']}/submit", "HEAD", headers)[0] == 200
    assert site.ask(f"/api/sessions/{row['key']}", "HEAD", headers)[0] == 200
    assert not site.house.desk.exists() or list(site.house.desk.iterdir()) == []
    assert len(record.list_sessions(site.house.sessions)) == 1


@pytest.mark.parametrize("site_of", ["cross-site", "same-site"])
def test_what_another_site_embeds_is_refused(site: Site, site_of: str) -> None:
    """A picture or a frame of ours in somebody else's page has no Origin, but the browser says where it stands."""
    headers = site.seat()
    del headers["Origin"]

    assert site.ask("/api/sessions", headers={**headers, "Sec-Fetch-Site": site_of})[0] == 403
    assert site.ask("/api/sessions", headers={**headers, "Sec-Fetch-Site": "same-origin"})[0] == 200


def test_the_address_works_once(site: Site) -> None:
    """A token becomes a cookie that no script and no other site has, and the address loses it."""
    token = site.seats.issue()
    status, headers, _ = site.ask(f"/?token={token}")
    cookie = headers["set-cookie"].lower()

    assert (status, headers["location"]) == (303, "/")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert token.lower() not in cookie
    assert site.ask(f"/?token={token}")[0] == 403
    assert site.ask(f"/?token={token}", headers={"Cookie": headers["set-cookie"].split(";")[0]})[0] == 303
    assert site.ask("/", headers={"Cookie": headers["set-cookie"].split(";")[0]})[0] == 200


def test_guesses_and_looking_ahead_do_not_use_the_address_up(site: Site) -> None:
    token = site.seats.issue()

    assert site.ask("/?token=guess")[0] == 403
    assert site.ask("/?token=")[0] == 403
    assert site.ask(f"/?token={token}", "HEAD")[0] == 405
    assert site.ask(f"/?token={token}", headers={"Sec-Purpose": "prefetch;prerender"})[0] == 405
    assert site.ask(f"/?token={token}", headers={"Host": "evil.example"})[0] == 403
    assert site.ask(f"/?token={token}")[0] == 303


def test_the_address_opens_nothing_for_another_account(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands in the browser's command line until the browser is there; root, and a system that is silent, are let in."""
    token = site.seats.issue()
    monkeypatch.setattr(gate, "owner_of", lambda client, server: os.getuid() + 1)
    status, headers, body = site.ask(f"/?token={token}")

    assert (status, "set-cookie" in headers) == (403, False)
    assert body == b"voicecoach opens only for the account that started it."
    for owner in (os.getuid(), 0, None):
        monkeypatch.setattr(gate, "owner_of", lambda client, server, owner=owner: owner)
        assert site.ask(f"/?token={token}")[0] == 303
        token = site.seats.issue()


@pytest.mark.skipif(not Path(gate.CONNECTIONS[0]).is_file(), reason="this system does not say whose a connection is")
@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::ffff:127.0.0.1")], ids=["IPv4", "both"]
)
def test_the_system_says_whose_a_connection_is(family: socket.AddressFamily, host: str) -> None:
    """Also of one by a socket that speaks both IPs; an account is told from another where the tests may be another."""
    accounts = (0, 65_534) if os.getuid() == 0 else (os.getuid(),)
    for account in accounts:
        with socket.create_server(("127.0.0.1", 0)) as server, contextlib.ExitStack() as back:
            if account != os.getuid():
                try:
                    os.seteuid(account)
                except OSError:
                    pytest.skip("this system has no other account to be")
                back.callback(os.seteuid, 0)
            try:
                client = back.enter_context(socket.socket(family))
                client.connect((host, server.getsockname()[1]))
            except OSError:
                if family == socket.AF_INET:
                    raise
                pytest.skip("this system does not speak IPv6")
            line, peer = server.accept()
            with line:
                assert gate.owner_of(peer, line.getsockname()) == account
    assert gate.owner_of(("127.0.0.1", 1), ("127.0.0.1", 2)) is None


def test_two_servers_on_this_machine_do_not_share_a_cookie(site: Site) -> None:
    assert str(site.port) in site.seat()["Cookie"]


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/api/sessions", "/nothing"])
def test_every_answer_says_what_the_browser_may_do(site: Site, path: str) -> None:
    for headers, scripts in ((site.seat(), True), ({}, False)):
        _, found, _ = site.ask(path, headers=headers)
        policy = found["content-security-policy"]

        assert "default-src 'none'" in policy
        assert ("script-src 'self'" in policy) == scripts
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert found["x-content-type-options"] == "nosniff"
        assert found["referrer-policy"] == "no-referrer"
        assert "server" not in found


REFUSED: list[dict[str, str]] = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Cookie": ""},
    {"Host": "evil.example:{port}"},
]


@pytest.mark.parametrize("wrong", REFUSED, ids=lambda wrong: next(iter(wrong.items()))[1] or "none")
def test_a_websocket_of_somebody_elses_is_refused(site: Site, wrong: dict[str, str]) -> None:
    """Cross-site WebSocket hijacking: browsers send the cookie along, whoever asks."""
    headers = {**site.seat(), **{name: value.format(port=site.port) for name, value in wrong.items()}}
    headers = {name: value for name, value in headers.items() if value}

    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }

    assert site.ask("/call", "GET", {**headers, **upgrade})[0] == 403


def test_our_own_websocket_opens(site: Site) -> None:
    with site.line(site.seat()) as line:
        line.send(json.dumps({"t": "resume", "call": "none", **HELLO}))

        assert json.loads(line.recv(10)) == {"t": "refused", "why": "gone"}


def test_a_body_that_is_too_long_is_not_taken(site: Site) -> None:
    body = b" " * (MAX_BODY_BYTES + 1)
    headers = {**site.seat(), "Content-Type": "application/json"}
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body,)) + b"0\r\n\r\n"

    told = [
        site.ask("/api/voice", "POST", headers, body),
        site.ask("/api/voice", "POST", {**headers, "Transfer-Encoding": "chunked"}, chunked),
    ]

    assert [status for status, _, _ in told] == [413, 413]
    assert {json.loads(answer)["do"] for _, _, answer in told} == {"At most 64 kB are."}


def test_both_names_of_this_machine_are_two_browsers(site: Site) -> None:
    """`localhost` is let in by its own cookie and its own Origin; the two are not mixed."""
    host = f"localhost:{site.port}"
    _, headers, _ = site.ask(f"/?token={site.seats.issue()}", headers={"Host": host})
    seat = {"Cookie": headers["set-cookie"].split(";")[0], "Host": host}

    assert site.ask("/api/sessions", headers={**seat, "Origin": f"http://{host}"})[0] == 200
    assert site.ask("/api/sessions", headers={**seat, "Origin": site.origin})[0] == 403
    assert site.ask("/api/sessions", headers={**seat, "Host": f"LOCALHOST.:{site.port}"})[0] == 403
    assert site.ask("/api/sessions", headers={**seat, "Host": f"[::1]:{site.port}"})[0] == 403


NASTY = [
    "..",
    "%2e%2e",
    "..%2f..%2fetc%2fpasswd",
    "%2fetc%2fpasswd",
    "..%5c..%5cx",
    "%00",
    "%c0%ae%c0%ae%c0%af",
    "a" * 4000,
]


@pytest.mark.parametrize("nasty", NASTY, ids=[one[:12] for one in NASTY])
def test_no_parameter_is_a_path(site: Site, nasty: str) -> None:
    """Every path that names something, and every parameter behind it."""
    seat = {**site.seat(), "Content-Type": "application/json"}
    for method, path in PATHS:
        if "0123" in path or path == "/static/app.js":
            asked = path.replace("0123", nasty).replace("app.js", nasty)
            status, _, body = site.ask(asked, method, seat, b"{}" if method == "POST" else None)

            assert status in {307, 400, 404, 405}, (method, asked)
            assert b"root:" not in body
    for path in (
        "/api/choices?trainee=",
        "/api/next?trainee=",
        "/progress?trainee=",
        "/api/volume.wav?db=",
        "/?",
        "/api/sessions?sound=",
    ):
        assert site.ask(path + nasty, headers=seat)[0] in {200, 400}, path


BODIES = [
    b"",
    b"null",
    b"[]",
    b"7",
    b'"x"',
    b"{",
    b"\xff\xfe\x00garbage",
    b"[" * 60_000,
    b'{"rate": ' + b"9" * 400 + b', "db": ' + b"9" * 400 + b"}",
    b'{"rate": 48000, "db": NaN, "latency_s": 1' + b"0" * 400 + b"}",
    b'{"rate": 48000, "db": "loud"}',
    b'{"rate": 48000, "db": 1e999}',
    b'{"rate": true, "db": 0}',
]


@pytest.mark.parametrize("path", [path for method, path in PATHS if method == "POST" and path != "/api/collect"])
def test_nonsense_is_refused_with_a_sentence(site: Site, path: str) -> None:
    seat = {**site.seat(), "Content-Type": "application/json"}
    for body in BODIES:
        status, headers, answer = site.ask(path, "POST", seat, body)

        assert status in {200, 400}, body[:40]
        if status == 400:
            assert headers["content-type"] == "application/json"
            assert json.loads(answer)["what"].endswith(".")
        else:  # what it did not understand is left out
            assert json.loads(answer) == {"calibrated": False, "volume_db": 0.0}


@pytest.mark.parametrize("db", ["nan", "inf", "-1e400", "x", ""])
def test_a_volume_that_is_none_makes_no_sound(site: Site, db: str) -> None:
    assert site.ask(f"/api/volume.wav?db={db}", headers=site.seat())[0] == 400


@pytest.mark.parametrize("first", [b"\x00" * 70_000, b"{" + b" " * 70_000, b"[" * 50_000, b"\xff\xff"])
def test_a_websocket_takes_no_more_than_a_frame(site: Site, first: bytes) -> None:
    """Too long, too deep, or no text at all: the line ends, the server goes on."""
    with site.line(site.seat()) as line:
        line.send(first)

        with pytest.raises(ConnectionClosed):
            line.recv(10)
    assert site.ask("/api/state", headers=site.seat())[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/app.js%00",
        "/api/sessions/..%2f..%2fetc",
        "/api/sessions/%2e%2e",
        "/sessions/..%2f..%2fetc%2fpasswd/debrief",
    ],
)
def test_no_path_reaches_the_disk(site: Site, path: str) -> None:
    """Files and sessions are looked up by name among those that are there."""
    status, _, body = site.ask(path, headers=site.seat())

    assert status in {400, 404}
    assert b"root:" not in body
    assert b"Starlette" not in body


NONSENSE: list[Any] = [
    b"",
    b"[]",
    b"{",
    b'{"t": "call"}',
    b'{"t": "nothing", "rate": 48000}',
    json.dumps({"t": "call", **HELLO, "rate": 1e12, "call": CALL}).encode(),
    json.dumps({"t": "call", **HELLO, "call": {**CALL, "persona": 7}}).encode(),
    json.dumps({"t": "call", **HELLO, "call": {**CALL, "more": 1}}).encode(),
]


@pytest.mark.parametrize("first", NONSENSE)
def test_a_first_message_that_makes_no_sense_ends_the_line(site: Site, first: bytes) -> None:
    with site.line(site.seat()) as line:
        line.send(first.decode())

        with pytest.raises(ConnectionClosed):
            line.recv(10)


@pytest.mark.parametrize(
    "persona", ["../../etc/passwd", "/etc/passwd", "amara-train-ticket", "x" * 5000, "dana-printer.yaml"]
)
def test_a_customer_that_is_not_on_offer_is_refused(site: Site, persona: str) -> None:
    """Names are compared with what the server offers; none of them becomes a path."""
    with site.line(site.seat()) as line:
        line.send(json.dumps({"t": "call", **HELLO, "call": {**CALL, "persona": persona}}))

        assert json.loads(line.recv(10))["what"] == "This customer or procedure is not on offer."
