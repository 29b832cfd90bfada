"""What every test may use: a seed, an empty home for data, no network, and nothing of the shell that starts it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from voicecoach import testing
from voicecoach.world import pitch, vad

settings.load_profile("ci")  # no deadline for an example, and the same ones on every machine

SCREEN = {"COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "PY_COLORS", "TTY_COMPATIBLE", "GITHUB_ACTIONS"}
"""What rich and typer go by."""
HUB = {"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_ENDPOINT"}
for _name in [*os.environ]:
    if _name in SCREEN | HUB or _name.startswith("VOICECOACH_") or _name.lower().endswith("_proxy"):
        del os.environ[_name]
os.environ["HF_HOME"] = f"{os.devnull}/hub"  # what somebody has fetched is not there; read when the library is loaded


@pytest.fixture
def rng() -> np.random.Generator:
    """Seeded randomness."""
    return np.random.default_rng(20261121)


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the data of whoever runs it."""
    monkeypatch.setenv("VOICECOACH_DATA", str(tmp_path / "data"))


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leaves the machine: a connection to any other address than the loopback fails the test."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else "127.0.0.1"
        assert str(host) in {"127.0.0.1", "::ffff:127.0.0.1", "::1", "localhost"}, f"a test tried to reach {host}"

        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


class EnergyActivity:
    """A voice-activity detector whose answers are known."""

    def push(self, samples: np.ndarray) -> np.ndarray:
        return testing.energy_activity(samples)


@pytest.fixture
def known_detectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Energy for voice, a flat pitch for what the voice speaks; the pitch of turns is the real tracker's (`track_of`)."""
    monkeypatch.setattr(vad, "VoiceActivity", EnergyActivity)
    monkeypatch.setattr(vad, "probabilities", testing.energy_activity)
    monkeypatch.setattr(pitch, "track", testing.flat_pitch)
