"""What this machine has and what it lacks: each check a fact and, where it failed, the line that mends it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from voicecoach import RULES_VERSION, __version__, echotest, prepare, record, retention
from voicecoach.errors import DeviceError, VoicecoachError, install
from voicecoach.measure.activity import FRAME
from voicecoach.measure.observe import dbfs
from voicecoach.measure.turns import NORMAL
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.record import ROOM_NEEDED_BYTES
from voicecoach.world import echo, engines, pitch, reader, vad, voice
from voicecoach.world.ears import Whisper
from voicecoach.world.hearing import weights
from voicecoach.world.models import OFFLINE, find
from voicecoach.world.places import bundled
from voicecoach.world.sound import Device, import_sounddevice
from voicecoach.world.spoken import Spoken

LIBRARIES = ("faster-whisper", "ctranslate2", "onnxruntime", "swift-f0", "librosa", "numpy", "sounddevice", "pyttsx3")
PAGE_LIBRARIES = ("starlette", "uvicorn", "websockets")
LISTEN_S = 5.0
AIM_P50_MS = 700.0
AIM_P95_MS = 1100.0
"""End of speech to the customer's first sample at normal patience, hands-free (docs/voice-loop.md)."""
QUIET_MIC_DBFS = -60.0
"""Speech close to a working microphone is 20 to 40 dB above this."""


@dataclass(frozen=True)
class Check:
    """One finding: `ok`, what was found, and what to do where it is not ok. `needed` ones fail the command."""

    name: str
    ok: bool
    found: str
    do: str = ""
    needed: bool = True


def checks(data: Path, model: str = OFFLINE) -> Iterator[Check]:
    """Every check that needs no listening, in the order in which a person would ask."""
    yield Check("voicecoach", True, f"{__version__}, rules {RULES_VERSION}")
    yield Check("Python", True, f"{platform.python_version()} on {platform.platform()}, {os.cpu_count()} processors")
    yield _libraries()
    yield from _sound()
    yield from _echo(data)
    yield _recogniser(model)
    hashes = weights()
    yield Check("voice activity", True, f"{vad.NAME}, {_hash(hashes[vad.NAME])}, from the package faster-whisper")
    own = pitch.model_path() is not None
    from_where = f", {_hash(hashes[pitch.name()])}, from the package swift-f0" if own else ""
    yield Check("pitch tracker", own, f"{pitch.name()}{from_where}", "pip install swift-f0", needed=False)
    yield _encoder()
    yield from _voices()
    yield _page()
    yield _disk(data)
    yield _kept(data)
    yield from _latency(data)


def _hash(sha256: str) -> str:
    return f"SHA-256 {sha256[:16]}..."


def _versions(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """(what is installed with its version, what is not)."""
    found, missing = [], []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    return found, missing


def _page() -> Check:
    found, missing = _versions(PAGE_LIBRARIES)
    told = ", ".join(found) if not missing else f"{', '.join(missing)} not installed"
    return Check("page", not missing, told, f"For `voicecoach serve`: {install('web')}", needed=False)


def _libraries() -> Check:
    found, missing = _versions(LIBRARIES)
    return Check("libraries", not missing, ", ".join(found), f"pip install {' '.join(missing)}" if missing else "")


def _sound() -> Iterator[Check]:
    try:
        sd = import_sounddevice()
    except DeviceError as error:
        yield Check("sound library", False, error.what, error.do, needed=False)
        return
    yield Check("sound library", True, f"{sd.get_portaudio_version()[1]}, sounddevice {sd.__version__}")
    for kind, what in (("input", "microphone"), ("output", "speaker")):
        try:
            chosen = sd.query_devices(kind=kind)
            yield Check(what, True, f"{chosen['name']}, {chosen['default_samplerate']:.0f} Hz (default)")
        except (ValueError, sd.PortAudioError) as error:
            do = "Plug one in; until then: voicecoach rehearse --demo" if kind == "input" else "Plug one in."
            yield Check(what, False, f"none found ({error})", do, needed=False)
    for index, device in enumerate(sd.query_devices()):
        ways = f"{device['max_input_channels']} in, {device['max_output_channels']} out"
        yield Check(f"  device {index}", True, f"{device['name']}: {ways}, {device['default_samplerate']:.0f} Hz")


def _echo(data: Path) -> Iterator[Check]:
    """Whether the cancellation is there, and what was found and chosen on each pair of devices."""
    there = echo.installed()
    found = "WebRTC's, from the package livekit" if there else "not installed: headset, or half duplex"
    yield Check("echo cancellation", there, found, "" if there else echo.INSTALL, needed=False)
    for pair, test in echotest.found_on(data).items():
        heard = f", {test.echo_dbfs:.0f} dBFS after {test.delay_s * 1000:.0f} ms" if test.match >= echo.MATCH else ""
        yield Check("  echo", True, f"{pair}: {echo.decide(test)}{heard}")


def _recogniser(model: str) -> Check:
    try:
        files = find(model)
        Whisper(files)
    except VoicecoachError as error:
        return Check("recogniser", False, error.what, error.do)
    found = f"{files.name}, {files.megabytes:.0f} MB, {_hash(files.sha256)}, from {files.source}"
    return Check("recogniser", True, found)


def _encoder() -> Check:
    """The second layer of the judge; without it the cues judge alone."""
    try:
        name = reader.load(bundled("assets") / "moves").name
    except VoicecoachError as error:
        return Check("judge", False, f"{error.what} The cues judge alone, and find less.", error.do, needed=False)
    return Check("judge", True, f"cues and text encoder, SHA-256 {name}...")


def _voices() -> Iterator[Check]:
    lines = Spoken.open(bundled("assets") / "spoken")
    yield Check("spoken lines", bool(lines.entries), f"{len(lines.entries)} bundled", "Install voicecoach again.")
    for kind in voice.all_engines():
        if kind not in voice.ENGINES:
            found = engines.probe(kind)
            yield Check(f"voice {kind.name}", found.ok, "is there" if found.ok else found.why, found.do, needed=False)
            continue
        try:
            kind()
            yield Check(f"voice {kind.name}", True, "speaks")
        except VoicecoachError as error:
            yield Check(f"voice {kind.name}", False, error.what, error.do, needed=False)


def _disk(data: Path) -> Check:
    folder = data
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    writable = os.access(folder, os.W_OK)
    found = f"{free / 1e9:.1f} GB free for {data} ({len(record.list_sessions(data / 'sessions'))} sessions)"
    if not writable:
        return Check("disk", False, f"{folder} cannot be written to", "Choose another folder with --data.")
    return Check("disk", free > ROOM_NEEDED_BYTES, found, "Free some space, or choose another folder with --data.")


def _kept(data: Path) -> Check:
    """How long sessions are kept, and whether some are older than that."""
    days = retention.load(data)
    if days is None:
        return Check(
            "retention", True, "sessions are kept until you delete them (`voicecoach delete --keep 90d` sets it)"
        )
    old = len(retention.older_than(data / "sessions", days, prepare.now()))
    return Check(
        "retention", not old, f"{days} days; {old} sessions are older", "voicecoach delete --expired", needed=False
    )


def _latency(data: Path) -> Iterator[Check]:
    """How fast the customer answered in the last live calls: from the end of speech to the answer."""
    usual: list[float] = []
    others: list[float] = []
    for folder in record.list_sessions(data / "sessions")[-20:]:
        session = record.read(folder)
        started = session.first("started")
        sound = started.data.get("sound") if started else None
        if started is None or not isinstance(sound, Mapping) or sound.get("port") != "device":
            continue
        measured = [event.data.get("answer_ms") for event in session.of("timed")]
        times = usual if _as_usual(started.data) else others
        times += [float(value) for value in measured if isinstance(value, int | float)]
    if usual:
        aims = f"(targets: {AIM_P50_MS:.0f} and {AIM_P95_MS:.0f} ms)"
        yield Check("answer time", True, f"{_percentiles(usual)}, without the device's latency {aims}")
    else:
        yield Check("answer time", True, "not measured yet: live calls with normal patience measure it")
    if others:
        why = "half duplex, keys or another patience end turns later or earlier"
        yield Check("  at other", True, f"{_percentiles(others)}, with other settings: {why}")


def _as_usual(started: Mapping[str, Any]) -> bool:
    """Whether a call ended turns as the aims want it; a half-duplex one had more patience by itself."""
    usual = {"mode": "hands-free", "patience": asdict(NORMAL)}
    return all(started.get(name, value) == value for name, value in usual.items())


def _percentiles(times: Sequence[float]) -> str:
    p50, p95 = np.percentile(times, (50, 95))
    return f"p50 {p50:.0f} ms, p95 {p95:.0f} ms over {len(times)} turns"


def listen(device_in: str | None, device_out: str | None, show: Callable[[float], None]) -> Check:
    """Play a soft tone and listen for LISTEN_S; `show` gets the level in dBFS many times a second."""
    try:
        device = Device(device_in, device_out)
    except DeviceError as error:
        return Check("microphone and speaker", False, error.what, error.do)
    try:
        t = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
        device.play(np.asarray(1500 * np.sin(2 * np.pi * 440 * t) * np.hanning(len(t)), np.int16))
        peak, zeros = -120.0, True
        blocks = round(LISTEN_S * SAMPLE_RATE_HZ / FRAME)
        for _ in range(blocks):
            block = device.read()
            zeros = zeros and not block.mic.any()
            level = dbfs(block.mic)
            peak = max(peak, level)
            show(level)
    except DeviceError as error:
        return Check("microphone and speaker", False, error.what, error.do)
    finally:
        device.close()
    where = f"{device.info.input} / {device.info.output} at {device.info.device_rate_hz} Hz, latency {device.info.latency_s * 1000:.0f} ms"
    if zeros:
        return Check(
            "microphone", False, f"{where}: nothing but zeros", "Unmute the microphone, or choose another with --input."
        )
    if peak < QUIET_MIC_DBFS:
        return Check(
            "microphone",
            False,
            f"{where}: very quiet (loudest {peak:.0f} dBFS)",
            "Speak during the check, or turn the microphone up.",
        )
    return Check("microphone", True, f"{where}: loudest {peak:.0f} dBFS")


def stdout_is_terminal() -> bool:
    """Whether somebody can see a meter."""
    return sys.stdout is not None and sys.stdout.isatty()
