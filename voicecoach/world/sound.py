"""The Sound port: one duplex of microphone and speaker. A real device here; files and trainees in `testing`.

Whatever the device's rate, `read` hands out frames of 512 samples at 16 kHz of both channels, resampled once and
together, so that they stay aligned: the sample index is the clock of the whole session.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

import numpy as np

from voicecoach.errors import DeviceError, NoDevice, VoicecoachError
from voicecoach.measure.activity import FRAME
from voicecoach.nouns import SAMPLE_RATE_HZ, Samples
from voicecoach.world.down import down
from voicecoach.world.playback import Playback, resampled
from voicecoach.world.sound_server import Lookout, behind
from voicecoach.world.streams import DEVICE_RATE_HZ, Chunk, Speaks, Streams

T = TypeVar("T")
Opened = tuple[Streams, tuple[str, str], tuple[str, str]]
"""Streams, PortAudio's names of microphone and speaker, and those with what a sound server has behind them."""

STALLED_AFTER_S = 0.75
"""No block for this long: the device is away, and the call pauses. A sound server may be frozen, or die without notice."""
STARTS_WITHIN_S = 4.0
"""A stream may take this long until its first block (sound servers wake their devices up)."""
THAWS_WITHIN_S = 2.0
"""A device that only paused comes back by itself; after this long it is opened anew."""
GIVE_UP_S = 30.0
"""The longest that a call waits for its device: time to find the plug or to pair a headset again."""
OPENS_WITHIN_S = 12.0
"""A sound server that does not answer by then is stuck."""
CLOSES_WITHIN_S = 2.0
POLL_S = 0.05
RETRY_S = 0.5
ZEROS_AWAY_S = 0.8
"""Exact zeros for this long from a microphone that never gave any: it was unplugged or muted."""
STEADY_S = 5.0
"""What tells such a microphone from one with a noise gate, whose zeros mean nothing."""
GATED_S = 0.25
"""Zeros for this long that end by themselves are a noise gate's."""
WAKES_S = 1.0
"""Until then a device may be waking up: zeros from the start are a noise gate's only if they last longer."""
FALSE_ALARMS = 2
"""As often a microphone is taken for dead that comes back by itself; then it has a noise gate."""

Away = Literal["", "stopped", "zeros"]
"""Why there is no sound: the device stopped delivering, or its microphone gives nothing but zeros."""


@dataclass(frozen=True)
class Block:
    """FRAME samples of both channels; `customer` says that a line was being played somewhere in it."""

    mic: Samples
    out: Samples
    customer: bool
    away: Away = ""
    """The device was away: this is the silence in its place, and nobody heard or said anything."""


class Marks:
    """What there is to say of sound that was taken in and not handed out yet, in order. Positions in samples at 16 kHz."""

    def __init__(self) -> None:
        self._played: deque[tuple[float, float]] = deque()
        self._absent: deque[tuple[float, float, Away]] = deque()

    def played(self, start: float, end: float) -> None:
        """A line was played there."""
        self._played.append((start, end))

    def absent(self, start: float, end: float, why: Away) -> None:
        """The device was away there."""
        self._absent.append((start, end, why))

    def take(self, start: int, end: int) -> tuple[bool, Away]:
        """Of a block that is handed out: whether a line was played somewhere in it, and why there is no sound."""
        for marks in (self._played, self._absent):
            while marks and marks[0][1] <= start:
                marks.popleft()
        away: Away = self._absent[0][2] if self._absent and self._absent[0][0] < end else ""
        return bool(self._played) and self._played[0][0] < end, away


@dataclass(frozen=True)
class SoundInfo:
    """What the record keeps about the sound: port, device names, device rate, and latency out plus in.

    A sound server's "default" has the name of the device behind it, as other devices are other echoes and calm voices.
    """

    port: str
    input: str
    output: str
    device_rate_hz: int
    latency_s: float


class Duplex(Protocol):
    """A microphone and a speaker on one clock."""

    realtime: bool
    """False where the port waits for the loop (files), so that nothing depends on the machine's speed."""
    on_stall: Callable[[], None]
    """Called once each time the device has delivered nothing for STALLED_AFTER_S."""

    @property
    def info(self) -> SoundInfo:
        """What this is, at this moment."""
        ...

    @property
    def lost_blocks(self) -> int:
        """Blocks dropped because the loop had fallen too far behind."""
        ...

    @property
    def xruns(self) -> int:
        """Times that the device ran dry or over."""
        ...

    def read(self) -> Block | None:
        """The next block, waiting for it; None when there will be no more. Raises DeviceError when the device is lost."""
        ...

    def drain(self) -> None:
        """Drop what came in before now, while nobody was reading."""
        ...

    def play(self, samples: Samples) -> None:
        """Queue a line of the customer [shape=(n,)], 16 kHz."""
        ...

    def duck(self, db: float) -> None:
        """Play on `db` louder or, below 0, more quietly; 0 is as it was."""
        ...

    def hold(self) -> None:
        """Fade out what is being played and stand still."""
        ...

    def go_on(self) -> None:
        """Go on at full volume, from the sample at which `hold` was told."""
        ...

    def stop(self) -> None:
        """Fade out what is being played and forget the rest."""
        ...

    def playing(self) -> bool:
        """Whether a line is queued, being played or held."""
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
            "On Debian or Ubuntu: sudo apt install libportaudio2   (on macOS and Windows it is included)",
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
    """The real form: PortAudio through sounddevice. It survives the loss of its device for GIVE_UP_S.

    Silence stands in for the time without a device, so that the sample index keeps to the wall clock; what was being
    played goes on where it stopped.
    """

    realtime = True

    def __init__(self, device_in: str | None = None, device_out: str | None = None, rate_hz: int | None = None) -> None:
        os.environ.setdefault("PULSE_LATENCY_MSEC", "100")  # else PortAudio's stream may die under load on Linux
        self._wanted, self._asked_rate_hz = (device_in, device_out), rate_hz
        self._playback = Playback(DEVICE_RATE_HZ)
        self._lock = threading.Lock()
        self.on_stall: Callable[[], None] = lambda: None
        self._lost_before = self._xruns_before = 0
        """Of streams that are closed."""
        self._away: Away = ""
        self._away_from_s = 0.0
        self._told_until_s = 0.0
        """Until when, on the monotonic clock, sound or the silence in its place has been handed out."""
        self._reopening: _Reopening | None = None
        self._zeros = ZeroWatch()
        self._ready_mic: Samples = np.zeros(0, np.int16)
        self._ready_out: Samples = np.zeros(0, np.int16)
        self._at = 0
        self._taken = 0
        """Samples at 16 kHz that have been taken in so far."""
        self._marks = Marks()
        self._names = self._shown = ("", "")
        """What PortAudio calls the devices, and what people do."""
        self._lookout: Lookout | None = None
        """Where the names are a sound server's."""
        opened = _within(OPENS_WITHIN_S, lambda: _opened(self._wanted, rate_hz, self._speaks))
        self._use(*opened)

    @property
    def info(self) -> SoundInfo:
        """See Duplex. A Bluetooth headset, too, becomes another device soon after its microphone has been opened."""
        if self._lookout is not None and self._lookout.seen is not None:
            self._shown = self._lookout.seen
        return SoundInfo("device", *self._shown, self._streams.rates_hz[0], round(self._streams.latency_s, 4))

    @property
    def lost_blocks(self) -> int:
        """See Duplex."""
        return self._lost_before + self._streams.lost_blocks

    @property
    def xruns(self) -> int:
        """See Duplex."""
        return self._xruns_before + self._streams.xruns

    def _use(self, streams: Streams, names: tuple[str, str], shown: tuple[str, str]) -> None:
        """Take blocks from these streams from now on; PortAudio's `names` of them, and those that people know."""
        if shown == names == self._names:  # a server that has just started does not say what it has: as before, then
            shown = self._shown
        self._streams, self._names, self._shown = streams, names, shown
        if self._lookout is not None:
            self._lookout.close()
        self._lookout = Lookout(names) if shown != names else None
        rate_in, rate_out = streams.rates_hz
        self._down_mic, self._down_out = down(rate_in), down(rate_out)
        self._base, self._frames_out = self._taken, 0
        self._heard_from = False
        """It has delivered a block."""
        self._opened_s = time.monotonic()
        self._told_until_s = self._told_until_s or self._opened_s
        self._zeros = ZeroWatch()

    def _speaks(self, n: int, rate_hz: int) -> tuple[Samples, int]:
        """The next `n` samples for the speaker; nothing is played while the device is away."""
        with self._lock:
            if self._playback.rate_hz != rate_hz:
                self._playback.change_rate(rate_hz)
            return (np.zeros(n, np.int16), 0) if self._away else self._playback.pull(n)

    # --- blocks --------------------------------------------------------------------------------------

    def read(self) -> Block:
        """The next block; raises DeviceError once the device has been away for GIVE_UP_S."""
        while min(len(self._ready_mic), len(self._ready_out)) < FRAME:
            chunk = self._next()
            if chunk is not None:
                self._take(chunk)
        mic, self._ready_mic = self._ready_mic[:FRAME], self._ready_mic[FRAME:]
        out, self._ready_out = self._ready_out[:FRAME], self._ready_out[FRAME:]
        start, end = self._at, self._at + FRAME
        self._at = end
        return Block(mic.copy(), out.copy(), *self._marks.take(start, end))

    def _take(self, chunk: Chunk) -> None:
        """Bring a block to 16 kHz; silence in the place of dropped ones keeps the clock true."""
        rate_in, rate_out = self._streams.rates_hz
        mic, out, filled = chunk.mic, chunk.out, chunk.filled
        if chunk.dropped:
            more = round(chunk.dropped * rate_out / rate_in)
            mic = np.concatenate([np.zeros(chunk.dropped, np.int16), mic])
            out, filled = np.concatenate([np.zeros(more, np.int16), out]), filled and filled + more
        self._add(self._down_mic.resample_chunk(mic), self._down_out.resample_chunk(out))
        start = self._base + round(self._frames_out * SAMPLE_RATE_HZ / rate_out)
        if filled:
            self._marks.played(start, self._base + round((self._frames_out + filled) * SAMPLE_RATE_HZ / rate_out))
        self._frames_out += len(out)
        self._taken = self._base + round(self._frames_out * SAMPLE_RATE_HZ / rate_out)
        if self._away:
            self._marks.absent(start, self._taken, self._away)

    def _stand_in(self, seconds: float) -> None:
        """Silence in the place of `seconds` without a device."""
        n = round(seconds * SAMPLE_RATE_HZ)
        if self._frames_out:
            self._flush()
        self._marks.absent(self._taken, self._taken + n, self._away)
        self._taken += n
        self._base, self._frames_out = self._taken, 0
        self._add(np.zeros(n, np.int16), np.zeros(n, np.int16))

    def _flush(self) -> None:
        """Have the resamplers give what they hold back, so that both channels have all that was taken."""
        rate_in, rate_out = self._streams.rates_hz
        self._add(
            self._down_mic.resample_chunk(np.zeros(0, np.int16), last=True),
            self._down_out.resample_chunk(np.zeros(0, np.int16), last=True),
        )
        self._down_mic, self._down_out = down(rate_in), down(rate_out)
        due = self._taken - self._at
        self._ready_mic, self._ready_out = _as_long(self._ready_mic, due), _as_long(self._ready_out, due)

    def _add(self, mic: Samples, out: Samples) -> None:
        self._ready_mic = np.concatenate([self._ready_mic, mic])
        self._ready_out = np.concatenate([self._ready_out, out])

    # --- the watchdogs -------------------------------------------------------------------------------

    def _next(self) -> Chunk | None:
        """The next block, if there is one yet; silence in the place of what the device did not deliver."""
        if self._away == "stopped":
            return self._wait_for_device()
        try:
            chunk = self._streams.blocks.get(timeout=POLL_S)
        except queue.Empty:
            waited_s = time.monotonic() - self._told_until_s
            if self._streams.finished.is_set() or waited_s >= (
                STALLED_AFTER_S if self._heard_from else STARTS_WITHIN_S
            ):
                self._leave("stopped")
            return None
        self._heard_from, self._told_until_s = True, chunk.at_s
        dead = self._zeros.dead(bool(chunk.mic.any()), len(chunk.mic) / self._streams.rates_hz[0])
        if dead and not self._away:
            self._leave("zeros")
        elif self._away and not dead:
            self._away = ""
        if self._streams.mute(chunk.at_s, STALLED_AFTER_S, STARTS_WITHIN_S):
            self._leave("stopped")
        self._mind_giving_up("The microphone gave nothing but zeros", "Unmute it, or plug it in again,")
        return chunk

    def _leave(self, why: Away) -> None:
        """The device is away from now on: nothing is played, and the call pauses."""
        self._away, self._away_from_s = why, time.monotonic()
        if why == "stopped":
            self.on_stall()

    def _wait_for_device(self) -> Chunk | None:
        """Silence until the device delivers again, by itself or opened anew."""
        if self._reopening is not None and self._reopening.result is not None:
            self._lost_before, self._xruns_before = self.lost_blocks, self.xruns
            self._flush()
            self._use(*self._reopening.result)
            self._reopening = None
        chunk = None if self._reopening is not None else self._fresh()
        now = chunk.at_s - len(chunk.mic) / self._streams.rates_hz[0] if chunk else time.monotonic()
        if now - self._told_until_s >= POLL_S:
            self._stand_in(now - self._told_until_s)
            self._told_until_s = now
        if chunk is not None:
            self._away, self._heard_from, self._told_until_s = "", True, chunk.at_s
            return chunk
        self._mind_giving_up("The sound device did not come back", "Plug it in again")
        waited_s = now - max(self._away_from_s, self._opened_s)
        patience_s = STARTS_WITHIN_S if self._opened_s > self._away_from_s else THAWS_WITHIN_S
        if self._reopening is None and (self._streams.finished.is_set() or waited_s >= patience_s):
            self._reopening = _Reopening(
                self._streams, lambda: _opened(self._known(), self._asked_rate_hz, self._speaks)
            )
        return None

    def _fresh(self) -> Chunk | None:
        """The newest block, if the device has delivered any since silence stands in for it; the rest of a burst is late."""
        chunk = None
        try:
            chunk = self._streams.blocks.get(timeout=POLL_S)
            while True:
                chunk = self._streams.blocks.get_nowait()
        except queue.Empty:
            if chunk is None or chunk.at_s < self._told_until_s or self._streams.finished.is_set():
                return None
            return None if self._streams.mute(chunk.at_s, STALLED_AFTER_S, STARTS_WITHIN_S) else chunk

    def _mind_giving_up(self, what: str, do: str) -> None:
        if self._away and time.monotonic() - self._away_from_s >= GIVE_UP_S:
            raise DeviceError(f"{what} for {GIVE_UP_S:g} s.", f"{do} and start a new call; what was recorded is kept.")

    def _known(self) -> tuple[str | None, str | None]:
        """The devices by their full names, where they were chosen: their numbers change when one is plugged in."""
        wanted_in, wanted_out = self._wanted
        return wanted_in and self._names[0], wanted_out and self._names[1]

    # --- playing -------------------------------------------------------------------------------------

    def drain(self) -> None:
        """See Duplex."""
        self._streams.drain()
        self._told_until_s = time.monotonic()

    def play(self, samples: Samples) -> None:
        """Queue a line, resampled to the device's rate."""
        rate = self._playback.rate_hz
        line = resampled(samples, SAMPLE_RATE_HZ, rate)
        with self._lock:
            self._playback.add(resampled(line, rate, self._playback.rate_hz))

    def duck(self, db: float) -> None:
        """See Duplex."""
        with self._lock:
            self._playback.duck(db)

    def hold(self) -> None:
        """See Duplex."""
        with self._lock:
            self._playback.hold()

    def go_on(self) -> None:
        """See Duplex."""
        with self._lock:
            self._playback.go_on()

    def stop(self) -> None:
        """See Duplex."""
        with self._lock:
            self._playback.stop()

    def playing(self) -> bool:
        """Whether the callback has something to play."""
        with self._lock:
            return self._playback.playing

    def close(self) -> None:
        """Stop and release the streams. A sound server that hangs is left behind after CLOSES_WITHIN_S."""
        if self._lookout is not None:
            self._lookout.close()
        if self._reopening is None:
            _released(self._streams)
        else:
            self._reopening.cancel()


class _Reopening:
    """Closes old streams and opens new ones, as often as it takes. PortAudio may hang, so all of it is off the loop."""

    def __init__(self, old: Streams, opened: Callable[[], Opened]) -> None:
        self.result: Opened | None = None
        self._old, self._opened, self._stop = old, opened, threading.Event()
        self._thread = threading.Thread(target=self._run, name="voicecoach-device", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        sd = import_sounddevice()
        closed = _released(self._old)
        while not self._stop.is_set():
            if closed:  # only a new start sees what was plugged in since; sounddevice's own functions hide stderr
                sd._lib.Pa_Terminate()
                sd._lib.Pa_Initialize()
            try:
                self.result = self._opened()
                return
            except (VoicecoachError, sd.PortAudioError, ValueError):
                self._stop.wait(RETRY_S)

    def cancel(self) -> None:
        """Give up, and release what may have been opened."""
        self._stop.set()
        self._thread.join(CLOSES_WITHIN_S)
        if self.result is not None:
            _released(self.result[0])
        elif self._thread.is_alive():
            _leave_to_the_server()


def _released(streams: Streams) -> bool:
    """Whether these streams could be closed; a server that was killed or hangs keeps PortAudio waiting for ever."""
    try:
        _within(CLOSES_WITHIN_S, streams.close)
    except DeviceError:
        _leave_to_the_server()
        return False
    return True


def _leave_to_the_server() -> None:
    """Do not wait at the end of the program for streams that cannot be closed."""
    atexit.unregister(import_sounddevice()._exit_handler)


def _opened(devices: tuple[str | None, str | None], rate_hz: int | None, speaks: Speaks) -> Opened:
    """Open streams on these devices; also the names of what was opened."""
    sd = import_sounddevice()
    names = check_devices(*devices)
    streams = Streams(sd, (_number(devices[0]), _number(devices[1])), rate_hz, speaks)
    return streams, names, behind(names)


def _within(seconds: float, job: Callable[[], T]) -> T:
    """What `job` gives, or DeviceError where it takes too long: PortAudio waits for ever for a server that hangs."""
    done: list[T] = []  # [result] once there is one, which may be None
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(job())
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            failed.append(error)

    thread = threading.Thread(target=run, name="voicecoach-device", daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not done:
        raise DeviceError(
            f"The sound server has not answered for {seconds:g} s.",
            "Restart it (on most Linux systems: systemctl --user restart pipewire pulseaudio), then start again.",
        )
    return done[0]


class ZeroWatch:
    """Tells a microphone that was unplugged or muted from one whose noise gate gives zeros of its own."""

    def __init__(self) -> None:
        self._steady_s = self._zeros_s = 0.0
        self._gated = False
        self._came_back = 0

    def dead(self, sound: bool, seconds: float) -> bool:
        """Take in the next `seconds`, with any sound at all or not; whether the microphone is dead now."""
        if sound:
            quiet_s, self._zeros_s = self._zeros_s, 0.0
            if self._is_dead(quiet_s):
                self._came_back += 1
            elif quiet_s >= (GATED_S if self._steady_s else WAKES_S):
                self._gated = True
            self._gated = self._gated or self._came_back >= FALSE_ALARMS
            self._steady_s += seconds
            return False
        self._zeros_s += seconds
        return self._is_dead(self._zeros_s)

    def _is_dead(self, zeros_s: float) -> bool:
        return zeros_s >= ZEROS_AWAY_S and self._steady_s >= STEADY_S and not self._gated


def _as_long(samples: Samples, n: int) -> Samples:
    """The first `n` samples, with silence behind them where there are fewer."""
    return np.pad(samples[:n], (0, max(0, n - len(samples))))
