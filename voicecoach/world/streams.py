"""PortAudio streams: one for microphone and speaker, or one for each where that cannot be had. Callbacks only copy."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from voicecoach.errors import DeviceError
from voicecoach.nouns import Samples

DEVICE_RATE_HZ = 48_000
"""What consumer sound hardware runs at; other rates pass through more resamplers (docs/voice-loop.md)."""
OTHER_RATES_HZ = (44_100, 16_000, 8_000)
"""Bluetooth headsets have 16 or 8 kHz while their microphone is on."""
LATENCY_S = 0.2
"""Buffering that survived a loaded machine without a lost block; 0.1 s did not (docs/voice-loop.md)."""
BLOCK_MS = 20
QUEUE_BLOCKS = 1500
"""Thirty seconds: what the loop may fall behind before sound is lost, and that is told."""
SLACK_BLOCKS = 3
"""With two streams: how much of what was played may wait for its microphone block before silence in it is left out."""

Speaks = Callable[[int, int], tuple[Samples, int]]
"""(samples wanted, rate) to the samples and how many of them belong to a line."""


class Chunk(NamedTuple):
    """What the microphone gave and the speaker took in one block, each at the rate of its device."""

    mic: Samples
    out: Samples
    filled: int
    """Samples of `out`, from its beginning, that belong to a line."""
    dropped: int
    """Samples of the microphone that were lost before this block, because the loop had fallen too far behind."""
    at_s: float
    """When it came, on the monotonic clock."""


class Streams:
    """An open pair of microphone and speaker. Raises DeviceError where they do not open."""

    def __init__(self, sd: Any, devices: tuple[Any, Any], rate_hz: int | None, speaks: Speaks) -> None:
        self._sd, self._speaks = sd, speaks
        self.blocks: queue.Queue[Chunk] = queue.Queue(QUEUE_BLOCKS)
        self.finished = threading.Event()
        self.lost_blocks = 0
        self.xruns = 0
        self._dropped = 0
        """Samples dropped since the last block that was queued."""
        self._played: deque[tuple[Samples, int]] = deque()
        """With two streams: what the speaker took and the microphone has not given a block for yet."""
        self._played_lock = threading.Lock()
        self._asked_s: float | None = None
        """With two streams: when the speaker last took samples, on the monotonic clock."""
        self._opened_s = time.monotonic()
        self._owed = 0.0
        """With two streams: samples of the speaker that belong to the microphone's blocks so far, less those given."""
        self.rates_hz = (0, 0)
        """Of the microphone and of the speaker."""
        told = [sd.query_devices(device, kind) for device, kind in zip(devices, ("input", "output"), strict=True)]
        own = [int(device["default_samplerate"]) for device in told]
        rates = [rate_hz] if rate_hz else list(dict.fromkeys((DEVICE_RATE_HZ, *own, *OTHER_RATES_HZ)))
        failures: list[str] = []
        self._most = (_most(told[0], "max_input_channels"), _most(told[1], "max_output_channels"))
        """Channels of the microphone and of the speaker, where one alone is refused."""
        self._streams = self._one(devices, rates, failures) or self._two(devices, rates, failures)
        if not self._streams:
            raise DeviceError(
                f"The sound devices could not be opened at {' or '.join(str(rate) for rate in rates)} Hz.",
                "Close other programs that use them, choose others with --input and --output, or leave --rate out.",
                "; ".join(failures),
            )

    @property
    def latency_s(self) -> float:
        """Out plus in."""
        return sum(float(np.sum(stream.latency)) for stream in self._streams)

    def _one(self, devices: tuple[Any, Any], rates: Sequence[int], failures: list[str]) -> list[Any]:
        for rate in rates:
            self.rates_hz = (rate, rate)
            for channels in dict.fromkeys([(1, 1), self._most]):
                count: Any = channels if channels[0] != channels[1] else channels[0]
                stream = self._started(self._sd.Stream, rate, devices, count, self._both, failures)
                if stream is not None:
                    return [stream]
        return []

    def _two(self, devices: tuple[Any, Any], rates: Sequence[int], failures: list[str]) -> list[Any]:
        """Two streams, each at the first of the rates that its device takes. The microphone's is the clock."""
        for rate_out in rates:
            self.rates_hz = (rate_out, rate_out)
            speaker = self._alone(self._sd.OutputStream, rate_out, devices[1], self._most[1], self._output, failures)
            if speaker is None:
                continue
            for rate_in in rates:
                self.rates_hz = (rate_in, rate_out)
                microphone = self._alone(
                    self._sd.InputStream, rate_in, devices[0], self._most[0], self._input, failures
                )
                if microphone is not None:
                    return [microphone, speaker]
            speaker.abort(ignore_errors=True)
            speaker.close(ignore_errors=True)
            break
        self.finished.clear()
        return []

    def _alone(self, kind: Any, rate: int, device: Any, most: int, callback: Any, failures: list[str]) -> Any:
        """A running stream of one device, with one channel or, where that is refused, `most`."""
        tries = (self._started(kind, rate, device, count, callback, failures) for count in dict.fromkeys([1, most]))
        return next((stream for stream in tries if stream is not None), None)

    def _started(self, kind: Any, rate: int, device: Any, channels: Any, callback: Any, failures: list[str]) -> Any:
        """A running stream, or None with the reason added to `failures`."""
        stream = None
        try:
            stream = kind(
                samplerate=rate,
                blocksize=rate * BLOCK_MS // 1000,
                device=device,
                channels=channels,
                dtype="int16",
                latency=LATENCY_S,
                callback=callback,
                finished_callback=self.finished.set,
            )
            stream.start()
        except (self._sd.PortAudioError, ValueError) as error:
            failures.append(f"{rate} Hz: {error}")
            if stream is not None:
                stream.close(ignore_errors=True)
            self.finished.clear()
            return None
        return stream

    # --- the callbacks: they only copy ---------------------------------------------------------------

    def _both(self, indata: Samples, outdata: Samples, frames: int, _time: Any, status: Any) -> None:
        self.xruns += bool(status)
        out, filled = self._speaks(frames, self.rates_hz[1])
        outdata[:] = out[:, None]
        self._queue(indata[:, 0].copy(), out, filled)

    def _output(self, outdata: Samples, frames: int, _time: Any, status: Any) -> None:
        self.xruns += bool(status)
        self._asked_s = time.monotonic()
        out, filled = self._speaks(frames, self.rates_hz[1])
        outdata[:] = out[:, None]
        with self._played_lock:
            self._played.append((out, filled))

    def _input(self, indata: Samples, frames: int, _time: Any, status: Any) -> None:
        self.xruns += bool(status)
        out, filled = self._taken(frames)
        self._queue(indata[:, 0].copy(), out, filled)

    def _taken(self, frames: int) -> tuple[Samples, int]:
        """What the speaker took while the microphone gave `frames`; silence where it has taken less so far."""
        rate_in, rate_out = self.rates_hz
        self._owed += frames * rate_out / rate_in
        wanted = int(self._owed)
        self._owed -= wanted
        out, at, filled = np.zeros(wanted, np.int16), 0, 0
        slack = SLACK_BLOCKS * rate_out * BLOCK_MS // 1000
        with self._played_lock:
            depth = sum(len(piece) for piece, _ in self._played)
            while self._played and depth - len(self._played[0][0]) >= wanted + slack and not self._played[0][1]:
                depth -= len(self._played.popleft()[0])
            while self._played and at < wanted:
                piece, line = self._played.popleft()
                count = min(len(piece), wanted - at)
                out[at : at + count] = piece[:count]
                filled = at + min(line, count) if line else filled
                if count < len(piece):
                    self._played.appendleft((piece[count:], max(0, line - count)))
                at += count
        return out, filled

    def _queue(self, mic: Samples, out: Samples, filled: int) -> None:
        try:
            self.blocks.put_nowait(Chunk(mic, out, filled, self._dropped, time.monotonic()))
            self._dropped = 0
        except queue.Full:
            self.lost_blocks += 1
            self._dropped += len(mic)

    def mute(self, at_s: float, after_s: float, starts_s: float) -> bool:
        """With two streams: whether the speaker is gone, however well the microphone goes on.

        It is where it has ended, or had taken nothing for `after_s` at `at_s`; its first samples may take `starts_s`.
        """
        if len(self._streams) == 1:
            return False
        waited_s = at_s - self._opened_s >= starts_s if self._asked_s is None else at_s - self._asked_s >= after_s
        return waited_s or self.finished.is_set()

    def drain(self) -> None:
        """Drop what came in before now, and what that had lost."""
        while True:
            try:
                self.blocks.get_nowait()
            except queue.Empty:
                break
        self.lost_blocks = self._dropped = 0

    def close(self) -> None:
        """Stop and release; may wait for ever where the sound server hangs."""
        for stream in self._streams:
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)


def _most(device: Mapping[str, Any], name: str) -> int:
    """The channels to ask a device for that refuses one: two at most, as nothing is gained by more."""
    return min(2, int(device.get(name, 1)))
