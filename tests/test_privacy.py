"""Nothing leaves the machine, and nothing is left on it outside the one folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROBE = """
import socket
reached = []
connect = socket.socket.connect
socket.socket.connect = lambda self, address: reached.append(address)
socket.getaddrinfo = lambda *given, **also: reached.append(given) or []
from voicecoach import calibration, prepare
from voicecoach.world.trainee import recorded
ears, _ = prepare.ears()
script = prepare.demo_trainee()
samples = recorded(script, prepare.spoken(), script.turns[0].say, script.turns[0].manner)
calibration.measure_file((samples / 32768).astype("float32"), ears)
print(reached)
"""


@pytest.mark.models
def test_listening_asks_nobody_and_leaves_no_files(tmp_path: Path) -> None:
    """The libraries' own reporting is off: no connection, no look-up, and an empty home stays empty."""
    env = {
        **os.environ,
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / ".cache"),
        "VOICECOACH_DATA": str(tmp_path / "data"),
    }
    for name in ("ORT_DISABLE_TELEMETRY", "HF_HOME"):
        env.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", PROBE], env=env, capture_output=True, text=True, check=True, cwd=tmp_path
    )

    assert done.stdout.strip() == "[]"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_reporting_is_switched_off_before_any_library_is_loaded() -> None:
    """Importing voicecoach sets the switches; they must be there before onnxruntime is imported."""
    code = "import voicecoach, os, sys; print(os.environ['ORT_DISABLE_TELEMETRY'], 'onnxruntime' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["1", "False"]
