"""The page on this machine: `python benchmarks/page.py first`, `python benchmarks/page.py calls [--calls 1 3]` or
`python benchmarks/page.py rig [--by terminal|page]`.

`first`: from the request to a button that can be pressed, by visits with nothing kept from the one before. `calls`: a server of its own and as many pages as it takes, each with the recorded trainee, in real time; the next call
must be refused. `rig`: one call by the terminal and one by the page in headless Chromium, both on a virtual sound server,
with the same trainee. Waiting is heard where a person hears it: from the trainee's last sound to the customer's first,
at the page's own microphone and loudspeaker, or at the sound server's.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.web.site import CALL, Page, Site
from voicecoach import prepare, record
from voicecoach.measure.activity import FRAME
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.testing import RecordedTrainee, Reply, Samples, Trainee
from voicecoach.web import app
from voicecoach.web.calls import House, Models
from voicecoach.world.trainee import recorded

AUDIBLE = 150
"""Peak of a block that counts as sound; the trainee's room noise stays below 60."""
PAUSE_S = 0.6
"""A customer pauses between clauses, a trainee between words; only longer silence ends either."""
CALM = (2, 3, 5, 6, 7, 8, 9)
"""Replies that wait for the customer to finish."""
PORT = 8493
LIMIT_S = 200
WARM_S = 15
"""For loading the models; a person takes longer to choose."""


def waits_s(mic: Samples, out: Samples) -> list[float]:
    """Seconds from the end of each utterance at the microphone to the customer's next sound."""
    n = min(len(mic), len(out)) // FRAME
    heard = [np.abs(side[: n * FRAME].reshape(n, FRAME).astype(int)).max(axis=1) > AUDIBLE for side in (mic, out)]
    step = FRAME / SAMPLE_RATE_HZ
    found, last, spoke = [], None, False
    for at, (mine, theirs) in enumerate(zip(*heard, strict=True)):
        if mine:
            last, spoke = at + 1, True
        elif theirs and spoke and last is not None and (at - last) * step > 0.1:
            found.append((at - last) * step)
            spoke = False
    return found


def replies() -> list[Reply]:
    """What the trainee says."""
    script, spoken = prepare.demo_trainee(), prepare.spoken()
    return [Reply(recorded(script, spoken, script.turns[index].say, "calm"), gap_s=0.8) for index in CALM]


def figures(found: list[float]) -> dict[str, Any]:
    """Median and 95th percentile in milliseconds."""
    ms = np.array(found or [np.nan]) * 1000
    return {
        "answers": len(found),
        "p50_ms": round(float(np.median(ms))),
        "p95_ms": round(float(np.percentile(ms, 95))),
        "each_ms": [round(one) for one in ms],
    }


class Serving:
    """The server in a process of its own, with an address for each page."""

    def __init__(self, data: Path, calls: int, addresses: int) -> None:
        command = [sys.executable, __file__, "serve", "--data", str(data), "--calls", str(calls)]
        self.process = subprocess.Popen(
            [*command, "--addresses", str(addresses)], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        assert self.process.stdout is not None
        self.addresses = [self.process.stdout.readline().strip() for _ in range(addresses)]

    def issue(self) -> str:
        """A one-time token, as `Site` asks for it."""
        return self.addresses.pop(0).partition("token=")[2]

    def cpu_s(self) -> float:
        """Processor seconds so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """The most that it held."""
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        return int(found[1]) / 1024 if found else float("nan")

    def close(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)


def serve(data: Path, calls: int, addresses: int) -> None:
    """What `Serving` runs."""
    house = House(data, Models(data, "tiny.en"), calls)

    def ready(address: Callable[[], str]) -> None:
        for _ in range(addresses):
            print(address(), flush=True)

    app.serve(house, PORT, ready)


class Heard:
    """A trainee whose both sides are kept."""

    def __init__(self, trainee: Trainee) -> None:
        self.trainee, self.name = trainee, trainee.name
        self.mic: list[Samples] = []
        self.out: list[Samples] = []

    @property
    def done(self) -> bool:
        """See Trainee."""
        return self.trainee.done

    def hear(self, out: Samples, customer: bool) -> Samples:
        """See Trainee."""
        mic = self.trainee.hear(out, customer)
        self.mic.append(mic)
        self.out.append(out)
        return mic

    def waits_s(self) -> list[float]:
        """See `waits_s`."""
        return waits_s(np.concatenate(self.mic), np.concatenate(self.out))


def over(page: Page) -> bool:
    """Whether the call has ended."""
    return any(message["t"] == "ended" for message in page.told)


def together(count: int) -> dict[str, Any]:
    """`count` calls at a time, and one more that is refused."""
    with tempfile.TemporaryDirectory() as folder:
        server = Serving(Path(folder), count, count + 1)
        try:
            time.sleep(WARM_S)
            site = Site(PORT, server, None)  # type: ignore[arg-type]
            pages, ears = [], []
            began, cpu_s = time.monotonic(), server.cpu_s()
            for number in range(count):
                page = Page(site, site.seat(), {"t": "call", "call": CALL}, speed=1.0)
                page.trainee = Heard(RecordedTrainee(replies(), seed=number))
                pages.append(page)
                ears.append(page.trainee)
                time.sleep(1.3)
            late = Page(site, site.seat(), {"t": "call", "call": CALL}, speed=1.0)
            refused = late.wait("refused")["why"]
            while not all(ear.done or over(page) for ear, page in zip(ears, pages, strict=True)):
                if time.monotonic() - began > LIMIT_S:
                    break
                time.sleep(0.2)
            took_s, used_s = time.monotonic() - began, server.cpu_s() - cpu_s
            for page in pages:
                if not over(page):
                    page.say(t="stop")
                page.wait("ended")
                page.vanish()
            found = [wait for ear in ears for wait in ear.waits_s()]
            return {
                "calls": count,
                **figures(found),
                "the next one": refused,
                "cores used": round(used_s / took_s, 2),
                "memory_mb": round(server.memory_mb()),
            }
        finally:
            server.close()


def first_place(visits: int = 7) -> dict[str, Any]:
    """How long headless Chromium takes to the button that answers a call."""
    from tests.web.browser import chromium

    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        server = Serving(Path(folder), 1, visits)
        try:
            found = []
            for _ in range(visits):
                shown = browser.new_context().new_page()
                shown.goto(server.addresses.pop(0))
                shown.wait_for_selector(".answer")
                found.append(shown.evaluate("performance.now()"))
                shown.context.close()
        finally:
            server.close()
    return {"visits": visits, "p50_ms": round(float(np.median(found))), "each_ms": [round(one) for one in found]}


def in_the_rig(page: bool) -> dict[str, Any]:
    """One call on a virtual sound server, by the terminal or by the page."""
    from tests.e2e import rig
    from tests.web.browser import chromium

    trainee = Heard(RecordedTrainee(replies()))
    with tempfile.TemporaryDirectory() as folder, rig.sound_server() as env:
        data = Path(folder)

        def until_done(ended: Callable[[], bool]) -> None:
            began = time.monotonic()
            while not trainee.done and not ended() and time.monotonic() - began < LIMIT_S:
                time.sleep(0.2)

        if page:
            server = Serving(data, 1, 1)
            try:
                with chromium("--use-fake-ui-for-media-stream", env=env, muted=False) as browser:
                    shown = browser.new_context().new_page()
                    shown.goto(server.addresses[0])
                    shown.wait_for_timeout(1000 * WARM_S)
                    shown.click(".answer")
                    shown.click("text=I agree")
                    with rig.at_the_microphone(trainee, env):
                        until_done(lambda: shown.locator("#rest").count() > 0)
                    if not shown.locator("#rest").count():
                        shown.click("text=End the call")
            finally:
                server.close()
        else:
            options = ["--no-cues", "--echo", "headset"]  # what the page takes it for, too
            command = [sys.executable, "-m", "voicecoach", "--data", str(data), "rehearse", *options]
            with rig.at_the_microphone(trainee, env):
                process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
                until_done(lambda: process.poll() is not None)
                process.send_signal(signal.SIGINT)
                process.wait(60)
        parts = told(data)
    return {"by": "page" if page else "terminal", **figures(trainee.waits_s()), **parts}


def told(data: Path) -> dict[str, Any]:
    """What the record itself says of the answers: its own median wait, its parts, and the delay of the device."""
    (folder,) = record.list_sessions(data / "sessions")
    session = record.read(folder)
    timed = [event.data for event in session.of("timed")]
    started = session.first("started")
    return {
        "recorded": {
            part: round(float(np.median([one[part] for one in timed])))
            for part in ("endpoint_ms", "recognise_ms", "judge_ms", "answer_ms")
        },
        "device_s": started.data["sound"]["latency_s"] if started else None,
    }


def main() -> None:
    """See the top."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["first", "calls", "rig", "serve"])
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 3])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--addresses", type=int, default=1)
    parser.add_argument("--by", choices=["terminal", "page"], help="rig: only one of the two")
    given = parser.parse_args()
    if given.what == "serve":
        with contextlib.suppress(KeyboardInterrupt):
            serve(given.data, given.calls[0], given.addresses)
    elif given.what == "first":
        print(json.dumps(first_place()))
    elif given.what == "calls":
        for count in given.calls:
            print(json.dumps(together(count)), flush=True)
    else:
        for by in [given.by] if given.by else ["terminal", "page"]:
            print(json.dumps(in_the_rig(by == "page")), flush=True)


if __name__ == "__main__":
    main()
