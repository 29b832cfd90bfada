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
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voicecoach.report.page import as_html
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


def chromium(tmp_path: Path, page: Path, *options: str) -> tuple[str, str]:
    """(the page's markup after it ran, what the browser logged)."""
    command = ["chromium", *QUIET, f"--user-data-dir={tmp_path / 'profile'}", *options, "--dump-dom", page.as_uri()]
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

    dom, log = chromium(tmp_path, host, "--allow-file-access-from-files")

    found = re.search(r'<p id="out">(.*?)</p>', dom)
    assert found
    widths = json.loads(unescape(found[1]))
    assert set(widths) == {"360", "390", "768", "1366", "1920"}
    for width, (scrolled, shown) in widths.items():
        assert scrolled <= shown, f"at {width} px the page is {scrolled} px wide"
    assert "CONSOLE" not in log


def test_script_marks_the_page_as_playable(tmp_path: Path, report: Report, waveform: Any) -> None:
    """The policy lets the page's own script run: buttons appear, and no rule is violated."""
    page = tmp_path / "page.html"
    page.write_text(as_html(report, waveform, tone(1.0)), encoding="utf-8")

    dom, log = chromium(tmp_path, page)

    assert re.search(r'<html[^>]* class="plays"', dom)
    assert "Content Security Policy" not in log
    assert "CONSOLE" not in log
