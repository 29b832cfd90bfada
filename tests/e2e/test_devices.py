"""A sound server that is killed, frozen or loses its devices in the middle of a turn, and comes back."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.e2e import rig
from tests.waiting import wait_until
from voicecoach import record, testing
from voicecoach.measure.activity import FRAME
from voicecoach.nouns import SAMPLE_RATE_HZ

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.models,
    pytest.mark.timeout(180),
    pytest.mark.skipif(bool(rig.missing()), reason=f"needs {', '.join(rig.missing())}"),
]
AWAY_S = 4.0
"""Long enough for a device to be opened anew, which is tried after 2 s."""
BEGUN = 6 * SAMPLE_RATE_HZ * 4
"""Bytes: six seconds of a call are on record."""
Accident = Callable[[dict[str, str]], contextlib.AbstractContextManager[None]]


def hold(data: Path, accident: Accident, away_s: float, then: str) -> tuple[record.Record, str, float]:
    """A call in which something happens to the device while the trainee speaks, and which is hung up a second after the
    event `then`; without one, while the device is away."""
    talking = np.concatenate([testing.noise(1.0, -60.0), *[testing.voice_like(8.0, level_dbfs=-26.0)] * 8])
    command = [sys.executable, "-m", "voicecoach", "--data", str(data), "rehearse", "--seed", "1", "--echo", "headset"]
    with rig.sound_server() as env, rig.at_the_microphone(testing.PlainRecording(talking), env):
        call = subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            wait_until(lambda: any(path.stat().st_size > BEGUN for path in data.glob("sessions/*/audio.wav")))
            with accident(env):
                time.sleep(away_s)
                if not then:
                    call.send_signal(signal.SIGINT)
                    call.wait(60)
            if then:
                wait_until(
                    lambda: any(f'"{then}"' in path.read_text() for path in data.glob("sessions/*/events.jsonl"))
                )
                time.sleep(1.0)
                call.send_signal(signal.SIGINT)
            printed, _ = call.communicate(timeout=60)
        finally:
            call.kill()  # nothing, where it has ended
    (folder,) = record.list_sessions(data / "sessions")
    return record.read(folder), printed, call.returncode


@pytest.mark.parametrize("accident", [rig.killed, rig.frozen, rig.unplugged])
def test_the_call_pauses_says_so_and_goes_on(tmp_path: Path, accident: Accident) -> None:
    """Told soon after the last sound; back when the device is; one clock; a readable record with its debrief."""
    session, printed, _ = hold(tmp_path, accident, AWAY_S, then="resumed")
    both = record.read_audio(session)
    resumed, *_ = session.of("resumed")  # a server that has just started may stall again
    fault = session.first("fault")
    start, end = resumed.data["start"], resumed.data["end"]
    before = np.flatnonzero(both[:start, 0])[-1]

    assert fault is not None
    assert "paused" in fault.data["what"]
    assert (fault.at - before) / SAMPLE_RATE_HZ <= 3.0  # within a second, where the machine has nothing else to do
    assert AWAY_S - 1.0 <= (end - start) / SAMPLE_RATE_HZ <= AWAY_S + 30.0
    assert not both[start + 2 * FRAME : end - 2 * FRAME].any()  # the edges share a block with sound
    assert session.problems == ()
    assert session.events[-1].data["outcome"] == "stopped"
    assert (session.folder / "debrief.html").is_file()
    assert "the call is paused" in printed
    assert "Traceback" not in printed


@contextlib.contextmanager
def moved(env: dict[str, str]) -> Iterator[None]:
    """Somebody chooses other headphones in the system's settings."""
    module = "load-module module-null-sink sink_name=other rate=48000 sink_properties=device.description=Headphones"
    subprocess.run(["pactl", *module.split()], env=env, check=True, capture_output=True)
    subprocess.run(["pactl", "set-default-sink", "other"], env=env, check=True)
    yield


def test_another_default_device_is_noticed_while_the_sound_goes_on(tmp_path: Path) -> None:
    """What was found on the old ones says nothing any more: the microphone rests, and the call says where it goes on."""
    session, printed, _ = hold(tmp_path, moved, 0.0, then="moved")
    (event,) = session.of("moved")

    assert event.data["output"] == "default (Headphones)"
    assert session.events[0].data["sound"]["output"] == "default (Null Output)"
    assert "speaking through default (Headphones)" in " ".join(printed.split())


@pytest.mark.parametrize("accident", [rig.killed, rig.frozen])
def test_a_call_can_be_hung_up_while_the_device_is_away(tmp_path: Path, accident: Accident) -> None:
    """Nothing waits for a server that does not answer."""
    session, printed, code = hold(tmp_path, accident, 1.5, then="")

    assert session.events[-1].data["outcome"] == "stopped"
    assert (session.folder / "debrief.html").is_file()
    assert code == 130
    assert "Traceback" not in printed
