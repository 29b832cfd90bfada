"""A real sound server without hardware: PulseAudio with null devices, and a trainee who listens and speaks through it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from voicecoach.measure.activity import FRAME
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.testing import Samples, Trainee

TOOLS = ("pulseaudio", "pactl", "parec", "pacat")
AUDIBLE_DBFS = -60.0
HANG_S = 0.6
"""A customer pauses between clauses; only silence for this long means that the line is over."""

ASOUND = """
pcm.!default {{ type pulse hint {{ show on description "rig default" }} }}
ctl.!default {{ type pulse }}
"""
DAEMON = """
load-module module-native-protocol-unix auth-anonymous=1 socket={socket}
load-module module-null-sink sink_name=speaker rate=48000 channels=1 channel_map=mono
load-module module-null-sink sink_name=micfeed rate=48000 channels=1 channel_map=mono
load-module module-remap-source source_name=mic master=micfeed.monitor
set-default-sink speaker
set-default-source mic
"""


def missing() -> list[str]:
    """The tools that this rig needs and this machine lacks."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


@contextlib.contextmanager
def sound_server() -> Iterator[dict[str, str]]:
    """A PulseAudio of its own; yields the environment in which programs find it."""
    with tempfile.TemporaryDirectory(prefix="vcrig") as folder:
        root = Path(folder)
        for name in ("pulse", "state", "config", "home"):
            (root / name).mkdir(mode=0o700)
        socket = root / "pulse" / "native"
        (root / "asound.conf").write_text(ASOUND.format())
        (root / "rig.pa").write_text(DAEMON.format(socket=socket))
        env = {
            **os.environ,
            "HOME": str(root / "home"),
            "XDG_RUNTIME_DIR": folder,
            "PULSE_RUNTIME_PATH": str(root / "pulse"),
            "PULSE_STATE_PATH": str(root / "state"),
            "PULSE_CONFIG_PATH": str(root / "config"),
            "PULSE_COOKIE": str(root / "cookie"),
            "PULSE_SERVER": f"unix:{socket}",
            "PULSE_LATENCY_MSEC": "100",
            "ALSA_CONFIG_PATH": str(root / "asound.conf"),
        }
        started = [start(env)]
        _RUNNING[folder] = started
        try:
            yield env
        finally:
            del _RUNNING[folder]
            for server in started:
                server.send_signal(signal.SIGCONT)
                server.terminate()
                server.wait(10)


_RUNNING: dict[str, list[subprocess.Popen[bytes]]] = {}
"""The servers of each rig, by its folder; the last one is running."""


def start(env: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start the rig's server, at first or after it was killed."""
    root = Path(env["XDG_RUNTIME_DIR"])
    (root / "pulse" / "native").unlink(missing_ok=True)
    flags = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--high-priority=no", "--realtime=no"]
    with open(root / "log", "ab") as log:
        server = subprocess.Popen(["pulseaudio", *flags, "-F", str(root / "rig.pa")], env=env, stdout=log, stderr=log)
    _wait_for(env, server)
    return server


@contextlib.contextmanager
def killed(env: dict[str, str]) -> Iterator[None]:
    """The server is killed, and starts again at the end of the block."""
    servers = _RUNNING[env["XDG_RUNTIME_DIR"]]
    servers[-1].kill()
    servers[-1].wait(10)
    yield
    servers.append(start(env))


@contextlib.contextmanager
def frozen(env: dict[str, str]) -> Iterator[None]:
    """The server stands still for the length of the block."""
    server = _RUNNING[env["XDG_RUNTIME_DIR"]][-1]
    server.send_signal(signal.SIGSTOP)
    yield
    server.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def unplugged(env: dict[str, str]) -> Iterator[None]:
    """Microphone and speaker are gone for the length of the block; the server stays."""
    listed = subprocess.run(["pactl", "list", "short", "modules"], env=env, capture_output=True, text=True, check=True)
    for line in reversed(listed.stdout.splitlines()):
        if "null-sink" in line or "remap-source" in line:
            subprocess.run(["pactl", "unload-module", line.split()[0]], env=env, check=True, capture_output=True)
    yield
    for line in DAEMON.splitlines():
        if "null-sink" in line or "remap-source" in line:
            subprocess.run(["pactl", *line.split()], env=env, check=True, capture_output=True)
    subprocess.run(["pactl", "set-default-sink", "speaker"], env=env, check=True)
    subprocess.run(["pactl", "set-default-source", "mic"], env=env, check=True)


def _wait_for(env: dict[str, str], server: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        if server.poll() is not None:
            break
        if subprocess.run(["pactl", "info"], env=env, capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    raise RuntimeError("PulseAudio did not start")


@dataclass
class Ear:
    """Everything that came out of the loudspeaker, 16 kHz."""

    blocks: list[Samples] = field(default_factory=list)

    @property
    def samples(self) -> Samples:
        """As one array [shape=(n,)]."""
        return np.concatenate(self.blocks) if self.blocks else np.zeros(0, np.int16)


@contextlib.contextmanager
def at_the_microphone(trainee: Trainee, env: dict[str, str]) -> Iterator[Ear]:
    """Let `trainee` hear the loudspeaker and speak into the virtual microphone, in real time, until the end of the block."""
    form = [f"--rate={SAMPLE_RATE_HZ}", "--channels=1", "--format=s16le"]
    ears = subprocess.Popen(
        ["parec", "-d", "speaker.monitor", *form, "--latency-msec=20"], env=env, stdout=subprocess.PIPE
    )
    mouth = subprocess.Popen(["pacat", "-d", "micfeed", *form, "--latency-msec=60"], env=env, stdin=subprocess.PIPE)
    ear, stop = Ear(), threading.Event()

    def live() -> None:
        assert ears.stdout is not None
        assert mouth.stdin is not None
        silent = SAMPLE_RATE_HZ
        while not stop.is_set():
            raw = ears.stdout.read(FRAME * 2)
            if len(raw) < FRAME * 2:
                return
            out = np.frombuffer(raw, np.int16)
            ear.blocks.append(out)
            level = 10 * np.log10(np.mean((out / 32768.0) ** 2) + 1e-12)
            silent = 0 if level > AUDIBLE_DBFS else silent + FRAME
            with contextlib.suppress(BrokenPipeError):
                mouth.stdin.write(trainee.hear(out, silent < HANG_S * SAMPLE_RATE_HZ).tobytes())
                mouth.stdin.flush()

    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    try:
        yield ear
    finally:
        stop.set()
        for process in (ears, mouth):
            process.terminate()
        thread.join(5)
        for process in (ears, mouth):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()  # a server that has just stood still may keep them waiting
            process.wait()
