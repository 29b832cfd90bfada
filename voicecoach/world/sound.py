"""The Sound port: one duplex of microphone and speaker. A real device here; files and trainees in `testing`.

Whatever the device's rate, `read` hands out frames of 512 samples at 16 kHz of both channels, resampled once and
together, so that they stay aligned: the sample index is the clock of the whole session.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import queue
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from voicecoach.errors import DeviceError, NoDevice
from voicecoach.measure.activity import FRAME
from voicecoach.nouns import SAMPLE_RATE_HZ

Samples = npt.NDArray[np.int16]

DEVICE_RATE_HZ = 48_000
"""What consumer sound hardware runs at; other rates pass through more resamplers (docs/voice-loop.md)."""
LATENCY_S = 0.2
"""Buffering that survived a loaded machine without a lost block; 0.1 s did not (docs/voice-loop.md)."""
BLOCK_MS = 20
QUEUE_BLOCKS = 1500
"""Thirty seconds: what the loop may fall behind before sound is lost, and that is told."""
STALLED_AFTER_S = 0.5
"""No block for this long is told: a sound server may be frozen, or die without any notice."""
LOST_AFTER_S = 3.0
"""No block for this long means that the device is gone; a busy machine comes back before."""
STARTS_WITHIN_S = 4.0
"""A stream may take this long until its first block (sound servers wake their devices up)."""
FADE_MS = 60


@dataclass(frozen=True)
class Block:
    """FRAME samples of both channels; `customer` says that a line was being played somewhere in it."""

    mic: Samples
    out: Samples
    customer: bool


@dataclass(frozen=True)
class SoundInfo:
    """What the record keeps about the sound: port, device names, device rate, and latency out plus in."""

    port: str
    input: str
    output: str
    device_rate_hz: int
    latency_s: float


class Duplex(Protocol):
    """A microphone and a speaker on one clock."""

    info: SoundInfo
    realtime: bool
    """False where the port waits for the loop (files), so that nothing depends on the machine's speed."""
    lost_blocks: int
    """Blocks dropped because the loop had fallen too far behind."""
    xruns: int
    """Times that the device ran dry or over."""
    on_stall: Callable[[], None]
    """Called once each time the device has delivered nothing for STALLED_AFTER_S."""

    def read(self) -> Block | None:
        """The next block, waiting for it; None when there will be no more. Raises DeviceError when the device is lost."""
        ...

    def drain(self) -> None:
        """Drop what came in before now, while nobody was reading."""
        ...

    def play(self, samples: Samples) -> None:
        """Queue a line of the customer [shape=(n,)], 16 kHz."""
        ...

    def stop(self) -> None:
        """Fade out what is being played and forget the rest."""
        ...

    def playing(self) -> bool:
        """Whether a line is queued or being played."""
        ...

    def close(self) -> None:
        """Release the device."""
        ...


def import_sounddevice() -> Any:
    """The module `sounddevice`, or DeviceError with the line that mends its absence."""
    try:
        import sounddevice
    except (OSError, ImportError) as error:
        raise DeviceError(
            "The sound library PortAudio is not installed.",
            "On Debian or Ubuntu: sudo apt install libportaudio2   (macOS and Windows bring it along)",
            str(error),
        ) from error
    _quiet_alsa()
    return sounddevice


def _quiet_alsa() -> None:
    """Keep ALSA from writing its own lines over the screen; what matters of them is counted as `xruns`."""
    if not sys.platform.startswith("linux"):
        return
    try:
        alsa = ctypes.CDLL("libasound.so.2")
        alsa.snd_lib_error_set_handler(_ALSA_SILENT)
    except (OSError, AttributeError):
        return


_ALSA_SILENT = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)(
    lambda *_: None
)
"""Kept for as long as the process lives: ALSA calls it at any time."""


def check_devices(device_in: str | None, device_out: str | None) -> tuple[str, str]:
    """Names of the input and output that will be used; raises DeviceError where there is none or it is unknown."""
    sd = import_sounddevice()
    names = []
    for device, kind in ((device_in, "input"), (device_out, "output")):
        what = "microphone" if kind == "input" else "speaker"
        try:
            names.append(str(sd.query_devices(_number(device), kind)["name"]))
        except (ValueError, sd.PortAudioError) as error:
            if device is None:
                raise NoDevice(
                    f"No {what} was found.",
                    "Plug one in, or let the recorded trainee take the call: voicecoach rehearse --demo",
                    str(error),
                ) from error
            raise DeviceError(
                f"There is no {what} called '{device}'.", "See the names with: voicecoach doctor", str(error)
            ) from error
    return names[0], names[1]


def _number(device: str | None) -> str | int | None:
    return int(device) if device is not None and device.isdecimal() else device


class Device:
    """The real form: one PortAudio duplex stream through sounddevice. Its callback only copies."""

    realtime = True

    def __init__(self, device_in: str | None = None, device_out: str | None = None, rate_hz: int | None = None) -> None:
        import soxr

        os.environ.setdefault("PULSE_LATENCY_MSEC", "100")  # else PortAudio's stream may die under load on Linux
        sd = import_sounddevice()
        names = check_devices(device_in, device_out)
        self._blocks: queue.Queue[tuple[Samples, Samples, int, int]] = queue.Queue(QUEUE_BLOCKS)
        self._line: deque[Samples] = deque()
        self._lock = threading.Lock()
        self._finished = threading.Event()
        self._frames = 0
        self._spoken: deque[tuple[int, int]] = deque()
        self.lost_blocks = 0
        self.xruns = 0
        self.on_stall: Callable[[], None] = lambda: None
        self._dropped = 0
        """Samples dropped since the last block that was queued."""
        self._stream, rate_hz = self._open(sd, device_in, device_out, rate_hz)
        self._rate_hz = rate_hz
        self._down = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 2, dtype="int16")
        self._ready: Samples = np.zeros((0, 2), np.int16)
        self._at = 0
        latency_s = float(sum(self._stream.latency))
        self.info = SoundInfo("device", names[0], names[1], rate_hz, round(latency_s, 4))

    def _open(self, sd: Any, device_in: str | None, device_out: str | None, rate_hz: int | None) -> tuple[Any, int]:
        devices = (_number(device_in), _number(device_out))
        own = int(sd.query_devices(devices[0], "input")["default_samplerate"])
        rates = [rate_hz] if rate_hz else list(dict.fromkeys((DEVICE_RATE_HZ, own, 44_100, SAMPLE_RATE_HZ)))
        failures = []
        for rate in rates:
            stream = None
            try:
                stream = sd.Stream(
                    samplerate=rate,
                    blocksize=rate * BLOCK_MS // 1000,
                    device=devices,
                    channels=1,
                    dtype="int16",
                    latency=LATENCY_S,
                    callback=self._callback,
                    finished_callback=self._finished.set,
                )
                stream.start()
                return stream, rate
            except (sd.PortAudioError, ValueError) as error:
                failures.append(f"{rate} Hz: {error}")
                if stream is not None:
                    stream.close(ignore_errors=True)
                self._finished.clear()
        raise DeviceError(
            f"The sound devices could not be opened at {' or '.join(str(rate) for rate in rates)} Hz.",
            "Close other programs that use them, choose others with --input and --output, or leave --rate out.",
            "; ".join(failures),
        )

    def _callback(self, indata: Samples, outdata: Samples, frames: int, time: Any, status: Any) -> None:
        del time
        self.xruns += bool(status)
        filled = 0
        with self._lock:
            while self._line and filled < frames:
                piece = self._line[0]
                taken = min(len(piece), frames - filled)
                outdata[filled : filled + taken, 0] = piece[:taken]
                filled += taken
                if taken == len(piece):
                    self._line.popleft()
                else:
                    self._line[0] = piece[taken:]
        outdata[filled:, 0] = 0
        try:
            self._blocks.put_nowait((indata[:, 0].copy(), outdata[:, 0].copy(), filled, self._dropped))
            self._dropped = 0
        except queue.Full:
            self.lost_blocks += 1
            self._dropped += frames

    def read(self) -> Block:
        """The next block; raises DeviceError once the device is gone."""
        while len(self._ready) < FRAME:
            mic, out, filled, dropped = self._next()
            if dropped:  # silence in their place keeps the clock and both channels true
                mic, out = (np.concatenate([np.zeros(dropped, np.int16), part]) for part in (mic, out))
                filled = filled and filled + dropped
            if filled:
                self._spoken.append((self._frames, self._frames + filled))
            self._frames += len(mic)
            both = self._down.resample_chunk(np.stack([mic, out], axis=1))
            self._ready = np.concatenate([self._ready, both])
        block, self._ready = self._ready[:FRAME], self._ready[FRAME:]
        start, end = (round(at * self._rate_hz / SAMPLE_RATE_HZ) for at in (self._at, self._at + FRAME))
        while self._spoken and self._spoken[0][1] <= start:
            self._spoken.popleft()
        self._at += FRAME
        customer = bool(self._spoken) and self._spoken[0][0] < end
        return Block(block[:, 0].copy(), block[:, 1].copy(), customer)

    def _next(self) -> tuple[Samples, Samples, int, int]:
        """What the callback queued next; tells of a stall and raises when the device is gone."""
        waited, limit = 0.0, LOST_AFTER_S if self._frames else STARTS_WITHIN_S
        while waited < limit and not (self._finished.is_set() and self._blocks.empty()):
            try:
                return self._blocks.get(timeout=STALLED_AFTER_S)
            except queue.Empty:
                waited += STALLED_AFTER_S
                if waited == STALLED_AFTER_S and self._frames:
                    self.on_stall()
        raise DeviceError(
            "The sound device was lost." if self._finished.is_set() else "The sound device has stopped delivering.",
            "Plug it in again and start a new call; what was recorded is kept.",
        )

    def drain(self) -> None:
        """See Duplex."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._blocks.get_nowait()

    def play(self, samples: Samples) -> None:
        """Queue a line, resampled to the device's rate."""
        import soxr

        line = soxr.resample(samples, SAMPLE_RATE_HZ, self._rate_hz) if self._rate_hz != SAMPLE_RATE_HZ else samples
        with self._lock:
            self._line.append(np.asarray(line, np.int16))

    def stop(self) -> None:
        """Fade out over FADE_MS and drop the rest."""
        fade = self._rate_hz * FADE_MS // 1000
        with self._lock:
            rest = np.concatenate(list(self._line)) if self._line else np.zeros(0, np.int16)
            self._line.clear()
            if rest.size:
                self._line.append(fade_out(rest, fade))

    def playing(self) -> bool:
        """Whether the callback has something to play."""
        with self._lock:
            return bool(self._line)

    def close(self) -> None:
        """Stop and release the stream; a stream that died is released all the same."""
        sd = import_sounddevice()
        try:
            self._stream.abort(ignore_errors=True)
            self._stream.close(ignore_errors=True)
        except sd.PortAudioError as error:
            print(f"The sound device did not close cleanly: {error}", file=sys.stderr)


def fade_out(samples: Samples, n: int) -> Samples:
    """The first `n` samples, fading to silence, so that stopping does not click."""
    head = samples[:n].astype(np.float32)
    return np.asarray(head * np.linspace(1.0, 0.0, len(head), dtype=np.float32), np.int16)
