"""The page in a real browser: no errors, no requests, nothing wider than a phone, and it plays."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
import wave
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, ClassVar
from urllib.parse import unquote

import axe_playwright_python
import numpy as np
import pytest

from voicecoach.drills import all_drills
from voicecoach.report import progress_page
from voicecoach.report.page import as_html
from voicecoach.report.progress import Row, progress
from voicecoach.report.values import Report

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium on this machine"),
]

QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    "--enable-logging=stderr",
    "--v=0",
    "--virtual-time-budget=4000",
]


def chromium(tmp_path: Path, address: str, *options: str, time: str = "--virtual-time-budget=4000") -> tuple[str, str]:
    """(the page's markup after it ran, what the browser logged)."""
    command = ["chromium", *QUIET, time, f"--user-data-dir={tmp_path / 'profile'}", *options, "--dump-dom", address]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    return done.stdout.decode(), done.stderr.decode(errors="replace")


def tone(seconds: float) -> str:
    """A quiet tone as a data: URI."""
    samples = (np.sin(np.arange(int(8000 * seconds)) * 0.1) * 2000).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples.tobytes())
    return "data:audio/wav;base64," + base64.b64encode(buffer.getvalue()).decode()


PROBE = """
const widths = frame => {
  const root = frame.contentDocument.documentElement;
  return [root.scrollWidth, root.clientWidth];
};
addEventListener("load", () => {
  const result = {};
  for (const frame of document.querySelectorAll("iframe")) result[frame.width] = widths(frame);
  document.getElementById("out").textContent = JSON.stringify(result);
});
"""


def test_page_loads_silently_and_fits_every_window(tmp_path: Path, report: Report, waveform: Any) -> None:
    """Nothing is logged as an error, and at no width does the page scroll sideways."""
    (tmp_path / "page.html").write_text(as_html(report, waveform, tone(1.0)), encoding="utf-8")
    frames = "".join(
        f'<iframe src="page.html" width="{width}" height="900"></iframe>' for width in (360, 390, 768, 1366, 1920)
    )
    host = tmp_path / "host.html"
    host.write_text(f'<!DOCTYPE html><body>{frames}<p id="out"></p><script>{PROBE}</script></body>', encoding="utf-8")

    dom, log = chromium(tmp_path, host.as_uri(), "--allow-file-access-from-files")

    found = re.search(r'<p id="out">(.*?)</p>', dom)
    assert found
    widths = json.loads(unescape(found[1]))
    assert set(widths) == {"360", "390", "768", "1366", "1920"}
    for width, (scrolled, shown) in widths.items():
        assert scrolled <= shown, f"at {width} px the page is {scrolled} px wide"
    assert "CONSOLE" not in log


PLAY = """
addEventListener("DOMContentLoaded", () => {
  const frame = document.querySelector("iframe");
  const told = [];
  const start = () => {
    const page = frame.contentDocument;
    const audio = page.getElementById("audio");
    const button = [...page.querySelectorAll(".play")].find(one => one.dataset.start === "18.900");
    audio.addEventListener("play", () => told.push(button.hasAttribute("aria-pressed")));
    audio.addEventListener("seeking", () => told.push(audio.currentTime));
    audio.addEventListener("pause", () => {
      told.push(audio.currentTime, button.hasAttribute("aria-pressed"));
      fetch("/done?" + JSON.stringify(told));
    });
    button.click();
  };
  frame.addEventListener("load", start);
});
"""


class Frame(BaseHTTPRequestHandler):
    """Serves the page and a frame around it; its picture arrives when the script has told what it saw."""

    pages: ClassVar[dict[str, str]]
    asked: ClassVar[list[str]]
    told: ClassVar[list[Any]]
    done: ClassVar[Event]

    def do_GET(self) -> None:
        self.asked.append(self.path.partition("?")[0])
        if self.path.startswith("/done?"):
            self.told.extend(json.loads(unquote(self.path.partition("?")[2])))
            self.done.set()
        if self.path == "/wait.png":
            self.done.wait(30)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.pages.get(self.path, "").encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the standard library
        """Say nothing."""


def watched(tmp_path: Path, page: str, script: str) -> tuple[list[str], list[Any]]:
    """(what was asked of the server, what the script told) of the page in a frame beside the script."""
    Frame.pages = {
        "/page.html": page,
        "/": f'<!DOCTYPE html><iframe src="/page.html"></iframe><img src="/wait.png"><script>{script}</script>',
    }
    Frame.asked, Frame.told, Frame.done = [], [], Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Frame)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        chromium(tmp_path, f"http://127.0.0.1:{server.server_address[1]}/", time="--timeout=30000")
    finally:
        server.shutdown()
        server.server_close()
    return Frame.asked, Frame.told


def test_a_button_plays_its_moment_and_asks_the_network_for_nothing(tmp_path: Path, report: Report) -> None:
    """A press seeks to just before the moment, plays, stops just after it, and lets go of the button."""
    asked, told = watched(tmp_path, as_html(report, None, tone(30.0)), PLAY)

    assert sorted(set(asked) - {"/favicon.ico"}) == ["/", "/done", "/page.html", "/wait.png"]
    seeked_s, *_, paused_s, still_pressed = told
    pressed = next(value for value in told if isinstance(value, bool))
    assert (pressed, still_pressed) == (True, False)
    assert 18.6 <= seeked_s <= 18.9
    assert 19.5 <= paused_s < 28.0  # it is asked four times a second, on a busy machine less often; the sound has 30 s


FRAMES = """
addEventListener("DOMContentLoaded", () => {
  const frame = document.querySelector("iframe");
  frame.addEventListener("load", () => {
    const inside = frame.contentWindow;
    const native = inside.requestAnimationFrame.bind(inside);
    let asked = 0;
    inside.requestAnimationFrame = (draw) => {
      asked += 1;
      return native(draw);
    };
    inside.document.getElementById("audio").play();
    setTimeout(() => (asked = 0), 3000);
    setTimeout(() => fetch("/done?" + JSON.stringify([asked])), 4000);
  });
});
"""


def test_playing_on_does_not_ask_for_more_and_more_frames(tmp_path: Path, report: Report) -> None:
    """After some seconds of play the playhead is still drawn once a frame: 60 a second, and a few for the events."""
    _, told = watched(tmp_path, as_html(report, None, tone(30.0)), FRAMES)

    (frames,) = told
    assert 0 < frames < 100


def test_script_marks_the_page_as_playable(tmp_path: Path, report: Report, waveform: Any) -> None:
    """The policy lets the page's own script run: buttons appear, and no rule is violated."""
    page = tmp_path / "page.html"
    page.write_text(as_html(report, waveform, tone(1.0)), encoding="utf-8")

    dom, log = chromium(tmp_path, page.as_uri())

    assert re.search(r'<html[^>]* class="scripted plays"', dom)
    assert "Content Security Policy" not in log
    assert "CONSOLE" not in log


AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_serious(tmp_path: Path, report: Report, waveform: Any, dark: bool) -> None:
    """The accessibility checker finds nothing serious or critical, in the light and in the dark."""
    page = as_html(report, waveform, tone(1.0))
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)  # which would not let the checker in
    ask = (
        "addEventListener('load', async () => { const found = await axe.run(); const out = document.createElement('pre'); "
        "out.id = 'axe'; out.textContent = JSON.stringify(found.violations.map(v => [v.impact, v.id, "
        "v.nodes.map(n => n.html).slice(0, 3)])); document.body.append(out); });"
    )
    made = page.replace("</body>", f"<script>{AXE.read_text('utf-8')}</script><script>{ask}</script></body>")
    (tmp_path / "page.html").write_text(made, encoding="utf-8")
    options = ["--blink-settings=preferredColorScheme=0"] if dark else []

    dom, _ = chromium(tmp_path, (tmp_path / "page.html").as_uri(), *options, time="--virtual-time-budget=20000")
    found = re.search(r'<pre id="axe">(.*?)</pre>', dom, re.DOTALL)

    assert found
    assert [one for one in json.loads(unescape(found[1])) if one[0] in ("serious", "critical")] == []


def test_history_fits_every_window(tmp_path: Path) -> None:
    """The page of trends too: nothing is logged, and at no width does it scroll sideways."""
    rows = [
        Row(
            session=f"2026010{day}-180000-dana-printer-turn-{day}", wall=f"2026-01-0{day}T18:00:00+00:00", kind="call",
            trainee="Kim", demo=False, persona="Dana", scenario="dana-printer", level="hard",
            procedure="six-guidelines", procedure_name="Six guidelines", outcome="resolved", minutes=2.0, turns=8,
            anger=(4.0, 1.0), values=(("quiet", (0.0, 1.0, 1.0)), ("effort_db", (6.0 - day, 4.0, 3.0))),
            steps=(("clarify", "Clarify the situation", "not heard"),), moves=(), faults=(),
        )
        for day in range(1, 9)
    ]  # fmt: skip
    page = progress_page.as_html(progress(rows, all_drills(), skipped=["holiday is left out: it is not a session."]))
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    frames = "".join(f'<iframe src="page.html" width="{width}" height="900"></iframe>' for width in (360, 768, 1366))
    host = tmp_path / "host.html"
    host.write_text(f'<!DOCTYPE html><body>{frames}<p id="out"></p><script>{PROBE}</script></body>', encoding="utf-8")

    dom, log = chromium(tmp_path, host.as_uri(), "--allow-file-access-from-files")

    found = re.search(r'<p id="out">(.*?)</p>', dom)
    assert found
    assert all(scrolled <= shown for scrolled, shown in json.loads(unescape(found[1])).values())
    assert "CONSOLE" not in log
