"""The browser form of the Sound port: microphone and loudspeaker are at the far end of a WebSocket.

The page does what the callback of a device does: it plays what is queued and sends, block by block, what the microphone
heard and what the loudspeaker got meanwhile, counted by its own audio clock. From there on it is as in `world.sound`:
both channels are resampled together, and the sample index is the clock of the session. What the page could not send is
silence in both channels, for as long as it lasted; while there is no microphone, or the browser sleeps, the call stands
still.
"""

from __future__ import annotations

import contextlib
import math
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import soxr

from voicecoach.errors import DeviceError
from voicecoach.measure.activity import FRAME
from voicecoach.nouns import SAMPLE_RATE_HZ, Samples
from voicecoach.web.wire import Frame, chunks
from voicecoach.world.down import down
from voicecoach.world.playback import FADE_MS
from voicecoach.world.sound import GIVE_UP_S, Away, Block, Marks, SoundInfo

RATES_HZ = (8000, 192_000)
"""What audio contexts run at; anything else is no sound."""
RESUME_WITHIN_S = 5.0
"""A page that is away for longer has lost its call."""
SILENT_FOR_S = 30.0
"""A page that is there and sends no sound: the browser has put it to sleep, and somebody has to press a button."""
SLACK_S = 0.5
"""For the way there: a page that comes back in the last moment still finds its call."""
QUEUE_FRAMES = 1500
"""About thirty seconds that the loop may fall behind before sound is lost, as with a device."""
STILL_S = 0.5
"""Frames come every 21 ms."""
POLL_S = 0.05
AWAY_S = 0.3
"""Shorter holes are the browser's own hiccups: the call does not stand still for them."""
MAX_GAP_S = SILENT_FOR_S
"""After a longer jump of the browser's clock (the machine was asleep) nobody is on the line any more."""
STEP_S = 1.0
"""A jump that is this much longer than our own clock says is no sleep: the time of day was set. Our judgement."""
BOOTTIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)
"""Linux: the clock that goes on while the machine sleeps, and that nobody sets. Elsewhere the browser's is believed."""

LEFT = (
    "The page in the browser was closed, lost its connection, or fell asleep.",
    "What was recorded is kept. Open the page again and start a new call.",
)
NO_MICROPHONE = (
    f"The microphone did not come back within {GIVE_UP_S:g} s.",
    "What was recorded is kept. Unmute it, or plug it in again, and start a new call.",
)

Send = Callable[[bytes | dict[str, object]], None]
"""Hands a message to the page: samples as bytes, everything else as JSON."""


@dataclass(frozen=True)
class BrowserInfo(SoundInfo):
    """What the record keeps of a browser's sound: also what it says it really did to the microphone (None: it is silent)."""

    echo_cancellation: bool | None = None
    noise_suppression: bool | None = None
    gain_control: bool | None = None
    browser: str = ""
    speakers: bool = False
    """The trainee said: no headset."""


@dataclass(frozen=True)
class _Piece:
    """One stretch of both channels on its way to the loop; `rate_hz` differs where the page came back with another device."""

    mic: Samples
    out: Samples
    spoken: tuple[int, int]
    rate_hz: int
    away: Away = ""
    """Why this is nothing but silence in the place of sound."""


class BrowserDuplex:
    """A page's microphone and loudspeaker. `read` and `play` belong to the call's thread, the rest to the server's."""

    realtime = True

    def __init__(self, info: BrowserInfo) -> None:
        self.info: SoundInfo = info
        self.browser = info
        self.lost_blocks = 0
        self.xruns = 0
        self.on_stall: Callable[[], None] = lambda: None  # nothing is heard of while the page is away
        self._pieces: queue.Queue[_Piece] = queue.Queue(QUEUE_FRAMES)
        self._lock = threading.Lock()
        self._rate_hz = info.device_rate_hz
        self._send: Send | None = None
        self._next: int | None = None
        """The sample of the browser's clock that the next frame should begin with; None before its first."""
        self._behind_s = math.inf
        """By how much the browser's clock is behind ours, as the frame that was on its way for the shortest time shows it."""
        self._heard_at = time.monotonic()
        """When the page was last heard of."""
        self._gone = threading.Event()
        self._why = LEFT
        self._deaf = 0
        """Samples since there was a microphone."""
        self._dry = 0
        self._line: deque[tuple[int, Samples]] = deque()
        """What the page was sent, or will be, and has not played yet: (first sample, samples)."""
        self._sent = 0
        self._done = 0
        self._halted = False
        """The customer was stopped while the page was away."""
        # Of the call's thread alone:
        self._down = down(self._rate_hz, 2)
        self._down_hz = self._rate_hz
        self._ready: Samples = np.zeros((0, 2), np.int16)
        self._at = 0
        """Samples handed out, 16 kHz."""
        self._base = 0
        self._frames = 0
        """Samples taken at `_down_hz` since `_base` (16 kHz)."""
        self._marks = Marks()

    # --- the server's side ---------------------------------------------------------------------------

    def connect(self, send: Send, rate_hz: int, have: int | None) -> None:
        """A page is there, or is there again. `have` counts the samples of the customer that it got; None: it is new.

        A new page begins a clock of its own, so the time since the last frame of the old one becomes silence here.
        """
        with self._lock:
            if have is None:
                if self._next is not None:
                    away_s = min(time.monotonic() - self._heard_at, MAX_GAP_S)
                    self._put_silence(round(away_s * self._rate_hz))
                self._restart(rate_hz)
                have = 0
            elif self._halted:
                send(self._halt())
            self._send, self._heard_at, self._halted = send, time.monotonic(), False
            for first, samples in self._line:
                fresh = samples[max(0, have - first) :]
                if fresh.size:
                    self._ship(first + len(samples) - len(fresh), fresh)

    def _restart(self, rate_hz: int) -> None:
        """The customer's samples that were not played yet, counted anew and at the new page's rate."""
        rest = [samples[max(0, self._done - first) :] for first, samples in self._line]
        self._line.clear()
        self._next, self._sent, self._done, self._dry = None, 0, 0, 0
        self._behind_s = math.inf
        for samples in rest:
            if samples.size:
                fits = samples if rate_hz == self._rate_hz else soxr.resample(samples, self._rate_hz, rate_hz)
                self._line.append((self._sent, np.asarray(fits, np.int16)))
                self._sent += len(fits)
        self._rate_hz = rate_hz

    def disconnect(self, send: Send) -> None:
        """The page that was given `send` is not there any more."""
        with self._lock:
            if self._send == send:
                self._send, self._heard_at = None, time.monotonic()

    def end(self) -> None:
        """There will be no more from the page: after one more block, `read` raises at once."""
        with self._lock:
            self._put_silence(self._rate_hz * 2 * FRAME // SAMPLE_RATE_HZ)
        self._gone.set()

    def now_through(self, info: BrowserInfo) -> None:
        """The page has another microphone, or does something else to it; the rate is told by `connect`."""
        self.info = self.browser = replace(info, device_rate_hz=self.browser.device_rate_hz)

    def feed(self, frame: Frame) -> None:
        """Take a frame; what lies between it and the one before is silence, what was there already is left out."""
        with self._lock:
            if self._gone.is_set():
                return
            due = frame.first if self._next is None else self._next
            gap = frame.first - due
            if gap < 0:
                return
            gap = self._went_by(frame, gap)
            self._heard_at = time.monotonic()
            if gap > MAX_GAP_S * self._rate_hz:
                self._gone.set()
                return
            self.xruns += gap > 0
            if gap and not self._put_silence(gap):
                return
            away: Away = "zeros" if frame.deaf else ""
            self._deaf = self._deaf + len(frame.mic) if frame.deaf else 0
            if self._deaf > GIVE_UP_S * self._rate_hz:
                self._why = NO_MICROPHONE
                self._gone.set()
                return
            if not self._put(_Piece(frame.mic, frame.out, frame.spoken, self._rate_hz, away)):
                self._next = frame.first  # the hole is filled with silence before the next frame that finds room
                return
            self._next = frame.first + len(frame.mic)
            self.xruns += (frame.dry - self._dry) & 0xFFFF
            self._dry = frame.dry
            self._done = max(self._done, min(frame.done, self._sent))
            while self._line and self._line[0][0] + len(self._line[0][1]) <= self._done:
                self._line.popleft()

    def _went_by(self, frame: Frame, gap: int) -> int:
        """How much of a gap (samples) before this frame is time that went by; a step of the system's clock is none."""
        if BOOTTIME is None:
            return gap
        behind_s = time.clock_gettime(BOOTTIME) - (frame.first + len(frame.mic)) / self._rate_hz
        leapt_s = self._behind_s - behind_s
        self._behind_s = min(self._behind_s, behind_s)
        return max(0, gap - round(leapt_s * self._rate_hz)) if gap and leapt_s > STEP_S else gap

    def _put_silence(self, n: int) -> bool:
        zeros = np.zeros(n, np.int16)
        away: Away = "stopped" if n >= AWAY_S * self._rate_hz else ""
        return self._put(_Piece(zeros, zeros, (0, 0), self._rate_hz, away)) if n else True

    def _put(self, piece: _Piece) -> bool:
        try:
            self._pieces.put_nowait(piece)
        except queue.Full:
            self.lost_blocks += 1
            return False
        return True

    # --- the call's side -----------------------------------------------------------------------------

    def read(self) -> Block:
        """The next block; raises DeviceError once the page has been away for too long."""
        while len(self._ready) < FRAME:
            self._take(self._wait())
        block, self._ready = self._ready[:FRAME], self._ready[FRAME:]
        start, end = self._at, self._at + FRAME
        self._at = end
        return Block(block[:, 0].copy(), block[:, 1].copy(), *self._marks.take(start, end))

    def _take(self, piece: _Piece) -> None:
        """Resample one stretch of both channels; another rate begins where the last one ended."""
        if piece.rate_hz != self._down_hz:
            self._keep(self._down.resample_chunk(np.zeros((0, 2), np.int16), last=True))
            self._down = down(piece.rate_hz, 2)
            self._base, self._frames, self._down_hz = self._at + len(self._ready), 0, piece.rate_hz
        start, end = (0, len(piece.mic)) if piece.away else piece.spoken
        if end > start:
            a, b = (self._base + (self._frames + edge) * SAMPLE_RATE_HZ / piece.rate_hz for edge in (start, end))
            if piece.away:
                self._marks.absent(a, b, piece.away)
            else:
                self._marks.played(a, b)
        self._frames += len(piece.mic)
        self._keep(self._down.resample_chunk(np.stack([piece.mic, piece.out], axis=1)))

    def _keep(self, both: Samples) -> None:
        self._ready = np.concatenate([self._ready, both])

    def _wait(self) -> _Piece:
        """What the page sent next. Nothing is read while it is away: what it kept meanwhile comes later."""
        while not self._gone.is_set():
            try:
                return self._pieces.get(timeout=POLL_S)
            except queue.Empty:
                patience_s = SILENT_FOR_S if self._send is not None else RESUME_WITHIN_S + SLACK_S
                if time.monotonic() - self._heard_at >= patience_s:
                    break
        with contextlib.suppress(queue.Empty):
            return self._pieces.get_nowait()
        self._gone.set()
        raise DeviceError(*self._why)

    @property
    def still(self) -> bool:
        """Whether nothing has come from the page for STILL_S: its sound is asleep."""
        return time.monotonic() - self._heard_at > STILL_S

    @property
    def awaited(self) -> bool:
        """Whether the page is there, or was until RESUME_WITHIN_S ago."""
        return self._send is not None or time.monotonic() - self._heard_at < RESUME_WITHIN_S

    @property
    def gone(self) -> bool:
        """Whether the page was away for too long to come back to this call."""
        return self._gone.is_set()

    def drain(self) -> None:
        """See Duplex."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._pieces.get_nowait()

    def play(self, samples: Samples) -> None:
        """Queue a line, at the rate of the page's loudspeaker; it is sent at once and waits there."""
        with self._lock:
            rate_hz = self._rate_hz
            line = samples if rate_hz == SAMPLE_RATE_HZ else soxr.resample(samples, SAMPLE_RATE_HZ, rate_hz)
            line = np.asarray(line, np.int16)
            first, self._sent = self._sent, self._sent + len(line)
            self._line.append((first, line))
            self._ship(first, line)

    def stop(self) -> None:
        """See Duplex: the page fades out over FADE_MS and forgets the rest."""
        with self._lock:
            self._line.clear()
            if self._send is not None:
                self._send(self._halt())
            else:
                self._done, self._halted = self._sent, True

    def _halt(self) -> dict[str, object]:
        return {"t": "halt", "upto": self._sent, "fade_ms": FADE_MS}

    def duck(self, db: float) -> None:
        """Play on `db` louder or, below 0, more quietly; 0 is as it was."""
        self._tell({"t": "gain", "db": db})

    def hold(self) -> None:
        """Fade out what is being played and stand still."""
        self._tell({"t": "pause", "fade_ms": FADE_MS})

    def go_on(self) -> None:
        """Go on at full volume, from the sample at which `hold` reached the page."""
        self._tell({"t": "go_on"})

    def _tell(self, message: dict[str, object]) -> None:
        with self._lock:
            if self._send is not None:
                self._send(message)

    def playing(self) -> bool:
        """Whether the page has something of the customer's left to play."""
        with self._lock:
            return self._done < self._sent

    def close(self) -> None:
        """See Duplex."""
        self._gone.set()

    def _ship(self, first: int, samples: Samples) -> None:
        if self._send is not None:
            for message in chunks(first, samples):
                self._send(message)
