"""A real headless Chromium with a microphone that plays what we give it. See docs/web.md."""

from __future__ import annotations

import contextlib
import shutil
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soxr
from playwright.sync_api import Browser, sync_playwright

from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.testing import Samples

CHROMIUM = shutil.which("chromium") or ""
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")
FAKE = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
"""Grants the microphone, and makes it a file or a beep."""


def microphone(path: Path, samples: Samples) -> str:
    """A recording as a microphone file; the option that plays it once."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(np.asarray(soxr.resample(samples, SAMPLE_RATE_HZ, 48_000), "<i2").tobytes())
    return f"--use-file-for-fake-audio-capture={path}%noloop"


@contextlib.contextmanager
def chromium(*options: str, env: dict[str, str] | None = None, muted: bool = True) -> Iterator[Browser]:
    """One browser; each test opens contexts of its own in it. Playwright mutes it unless it is told not to."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM,
            args=[*QUIET, *options],
            ignore_default_args=None if muted else ["--mute-audio"],
            env=env,  # type: ignore[arg-type]
        )
        try:
            yield browser
        finally:
            browser.close()
