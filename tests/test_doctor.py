"""The doctor: what is there, what is missing, and the line that mends it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from voicecoach import cli, doctor, errors, record
from voicecoach.errors import DeviceError, MissingModel
from voicecoach.measure.turns import NORMAL, PRESETS, deaf_patience
from voicecoach.world import pitch, voice
from voicecoach.world.sound import SoundInfo


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines that start at once; whether real ones do is tested with the voices."""
    works = type("Works", (), {"name": "good"})
    monkeypatch.setattr(voice, "ENGINES", (works,))


def named(data: Path, name: str, **options: Any) -> list[doctor.Check]:
    return [check for check in doctor.checks(data, **options) if check.name.strip().startswith(name)]


@pytest.mark.models
def test_every_failure_has_a_remedy(tmp_path: Path) -> None:
    """Whatever this machine lacks, each finding says what it is and what to do."""
    checks = list(doctor.checks(tmp_path))
    names = [check.name for check in checks]

    assert names[:3] == ["voicecoach", "Python", "libraries"]
    assert {"recogniser", "voice activity", "pitch tracker", "spoken lines", "voice good", "disk"} <= set(names)
    assert all(check.found for check in checks)
    assert all(check.do for check in checks if not check.ok)


@pytest.mark.models
def test_the_recogniser_is_named_with_hash_size_and_source(tmp_path: Path) -> None:
    """And one that is not there with the command that fetches it."""
    (good,) = named(tmp_path, "recogniser")
    (bad,) = named(tmp_path, "recogniser", model="small.en")

    assert good.ok
    assert "tiny.en, 76 MB, SHA-256 1a5afae06a4db91c..., from the package" in good.found
    assert not bad.ok
    assert bad.needed
    assert "doctor --fetch small.en" in bad.do


def test_the_page_is_there_or_the_line_that_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor._page().ok
    assert "starlette" in doctor._page().found

    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(doctor, "version", version)
    missing = doctor._page()

    assert not missing.ok
    assert not missing.needed
    assert errors.install("web") in missing.do


@pytest.mark.models
def test_missing_things_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library, PortAudio, the pitch tracker and a voice that are missing: needed ones fail, others only tell."""

    def version(name: str) -> str:
        if name == "librosa":
            raise PackageNotFoundError(name)
        return "1.0"

    def no_sound() -> None:
        raise DeviceError("The sound library PortAudio is not installed.", "sudo apt install libportaudio2")

    def no_voice() -> None:
        raise MissingModel("It cannot speak.", "apt install espeak-ng")

    no_voice.name = "mute"  # type: ignore[attr-defined]
    with monkeypatch.context() as without:
        without.setattr(doctor, "version", version)
        without.setattr(doctor, "import_sounddevice", no_sound)
        without.setattr(voice, "ENGINES", (no_voice,))
        without.setattr(pitch, "_tracker", lambda: None)
        found = {check.name: check for check in doctor.checks(tmp_path)}
    (mended,) = named(tmp_path, "pitch tracker")

    assert found["libraries"].do == "pip install librosa"
    assert (found["libraries"].ok, found["libraries"].needed) == (False, True)
    assert (found["sound library"].ok, found["sound library"].needed) == (False, False)
    assert (found["voice mute"].ok, found["voice mute"].needed) == (False, False)
    assert "fallback" in found["pitch tracker"].found
    assert found["pitch tracker"].do == "pip install swift-f0"
    assert mended.ok


class Sd(SimpleNamespace):
    """As much of sounddevice as the doctor asks for."""

    PortAudioError = type("PortAudioError", (Exception,), {})
    __version__ = "0"
    devices: Any = ()

    def get_portaudio_version(self) -> tuple[int, str]:
        return 1, "PortAudio V19"

    def query_devices(self, device: object = None, kind: str | None = None) -> Any:
        if kind is None:
            return self.devices
        for one in self.devices:
            if one[f"max_{kind}_channels"]:
                return one
        raise ValueError(f"No {kind} device matching None")


MIC = {"name": "USB headset", "max_input_channels": 1, "max_output_channels": 0, "default_samplerate": 44100.0}


@pytest.mark.models
@pytest.mark.parametrize("devices", [(), (MIC,)])
def test_devices_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, devices: Any) -> None:
    """A microphone with its rate; a missing one with what to do until there is one."""
    monkeypatch.setattr(doctor, "import_sounddevice", lambda: Sd(devices=devices))
    (microphone,), (speaker,) = named(tmp_path, "microphone"), named(tmp_path, "speaker")

    assert microphone.ok == bool(devices)
    assert ("USB headset, 44100 Hz" in microphone.found) == bool(devices)
    assert devices or "rehearse --demo" in microphone.do
    assert not speaker.ok
    assert len(named(tmp_path, "device")) == len(devices)


@pytest.mark.models
def test_the_disk_and_the_sessions_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is still to be made is judged by the one above it."""
    (disk,) = named(tmp_path / "not" / "yet", "disk")
    assert disk.ok
    assert "(0 sessions)" in disk.found

    monkeypatch.setattr(doctor, "ROOM_NEEDED_BYTES", 1 << 62)
    (full,) = named(tmp_path, "disk")
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    (locked,) = named(tmp_path, "disk")

    assert not full.ok
    assert "--data" in full.do
    assert "cannot be written to" in locked.found


def session(data: Path, name: str, sound: Any, *times: Any, **settings: Any) -> None:
    with record.Writer(data / "sessions" / name, "", "") as writer:
        writer.event("started", sound=sound, **settings)
        for answer_ms in times:
            writer.event("timed", turn=1, answer_ms=answer_ms)


@pytest.mark.models
def test_answer_times_come_from_live_calls(tmp_path: Path) -> None:
    """Demonstrations are left out, and so is what a damaged record says."""
    session(tmp_path, "1", {"port": "device"}, 900.0, 1100.0)
    session(tmp_path, "2", {"port": "recorded trainee"}, 9000.0)
    session(tmp_path, "3", "device", 9000.0)
    session(tmp_path, "4", None)
    session(tmp_path, "5", {"port": "device"}, "soon", None, [1])
    (times,) = named(tmp_path, "answer time")

    assert "p50 1000 ms" in times.found
    assert "over 2 turns" in times.found
    assert "p95 1090 ms" in times.found
    (nothing,) = named(tmp_path / "empty", "answer time")
    assert (nothing.ok, "not measured yet" in nothing.found) == (True, True)


@pytest.mark.models
def test_answer_times_at_other_settings_are_told_apart(tmp_path: Path) -> None:
    """The aims are for normal patience, hands-free: patient, half-duplex and keyed turns end later by intent."""
    device = {"port": "device", "echo": "headset"}
    normal, patient, resting = map(asdict, (NORMAL, PRESETS["patient"], deaf_patience(NORMAL)))
    session(tmp_path, "1", device, 600.0, mode="hands-free", patience=normal)
    session(tmp_path, "2", device, 1000.0, 1000.0, mode="hands-free", patience=patient)
    session(tmp_path, "3", {**device, "echo": "half duplex"}, 1000.0, mode="hands-free", patience=resting)
    session(tmp_path, "4", device, 200.0, mode="push-to-talk", patience=normal)
    (times,), (others,) = named(tmp_path, "answer time"), named(tmp_path, "at other")

    assert times.found.startswith("p50 600 ms, p95 600 ms over 1 turns")
    assert "targets" in times.found
    assert others.found.startswith("p50 1000 ms, p95 1000 ms over 4 turns")
    assert "targets" not in others.found
    session(tmp_path / "patient", "1", device, 1000.0, mode="hands-free", patience=patient)
    (times,) = named(tmp_path / "patient", "answer time")

    assert "not measured yet" in times.found


@pytest.mark.models
def test_the_command_prints_and_fails_by_what_is_needed(tmp_path: Path) -> None:
    """JSON a line for other programs; exit code 5 when a needed model is missing."""
    runner = CliRunner()
    lines = runner.invoke(cli.app, ["--data", str(tmp_path), "doctor", "--json"]).stdout.splitlines()
    bad = runner.invoke(cli.app, ["--data", str(tmp_path), "doctor", "--no-listen", "--model", "small.en"])

    assert all({"name", "ok", "found", "do", "needed"} == set(json.loads(line)) for line in lines)
    assert bad.exit_code == 5
    assert "MISSING  recogniser" in bad.output
    assert "-> Fetch it once" in bad.output


# --- listening -------------------------------------------------------------------------------------


class Microphone:
    """A device that hears what a test wants it to."""

    info = SoundInfo("device", "mic", "speaker", 48_000, 0.1)
    sound: Iterator[Any] = iter(())

    def __init__(self, *_: object) -> None:
        self.closed = False

    def play(self, samples: Any) -> None:
        assert 0 < np.abs(samples.astype(int)).max() < 3000

    def read(self) -> Any:
        level = next(type(self).sound)
        if level is None:
            raise DeviceError("The sound device was lost.", "Plug it in again.")
        return SimpleNamespace(mic=np.full(512, level, np.int16))

    def close(self) -> None:
        type(self).sound = iter(())


@pytest.mark.parametrize(
    ("levels", "ok", "what", "do"),
    [
        ([0] * 200, False, "nothing but zeros", "Unmute"),
        ([3, -3] * 100, False, "very quiet", "turn the microphone up"),
        ([10] * 100 + [2000] * 60, True, "loudest -24 dBFS", ""),
        ([10] * 20 + [None], False, "was lost", "Plug it in"),
    ],
)
def test_the_microphone_check(monkeypatch: pytest.MonkeyPatch, levels: list[Any], ok: bool, what: str, do: str) -> None:
    """Muted, quiet, good and lost microphones are told apart."""
    shown: list[float] = []
    monkeypatch.setattr(doctor, "Device", Microphone)
    monkeypatch.setattr(Microphone, "sound", iter(levels))
    check = doctor.listen(None, None, shown.append)

    assert check.ok is ok
    assert what in check.found
    assert do in check.do
    assert len(shown) >= 20
    assert next(Microphone.sound, "closed") == "closed"


def test_a_device_that_does_not_open_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check fails with the device's own remedy."""

    def refuse(*_: object) -> None:
        raise DeviceError("No microphone was found.", "Plug one in.")

    monkeypatch.setattr(doctor, "Device", refuse)
    check = doctor.listen(None, None, lambda _: None)

    assert (check.ok, check.found, check.do) == (False, "No microphone was found.", "Plug one in.")


def test_all_engines_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of engines is the voices' own: the shipped ones, plug-ins, and the speech URL where it is set."""
    hums = type("Hums", (), {"name": "hums", "probe": lambda: True})
    monkeypatch.setattr(voice.engines, "plugged", lambda: iter((hums,)))
    monkeypatch.setenv("VOICECOACH_SPEECH_URL", "http://localhost:8880/v1")
    _, *voices = doctor._voices()

    assert [(check.name, check.found) for check in voices] == [
        ("voice good", "speaks"), ("voice hums", "is there"), ("voice openai", "is there"),
    ]  # fmt: skip
