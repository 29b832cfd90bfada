"""The customer's voice in the trainee's microphone: how much of it there is, and its cancellation (WebRTC, optional).

What comes out of the cancellation serves to notice a barge-in and nothing else: it is never recorded, recognised as a
turn or measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from voicecoach.errors import MissingModel, install
from voicecoach.measure.activity import FRAME, THRESHOLD, THRESHOLD_END
from voicecoach.measure.observe import dbfs
from voicecoach.nouns import SAMPLE_RATE_HZ, Floats, Samples
from voicecoach.world.sound import Duplex

EchoMode = Literal["headset", "cancelled", "half duplex"]
EchoFault = Literal["", "zeros", "not played", "away"]
"""Why a test says nothing: the microphone gave zeros only, nothing was played, or the device was away meanwhile."""
HEADSET: EchoMode = "headset"
CANCELLED: EchoMode = "cancelled"
HALF_DUPLEX: EchoMode = "half duplex"

INSTALL = install("echo")
APM_FRAME = 160
"""WebRTC's frames: 10 ms."""
TEST_S = 5.0
QUIET_S = 0.6
"""The beginning of the test, before the sentence is played: the noise of the room."""
MAX_DELAY_S = 0.8
"""Between a sample's way out and its way in: the device has up to 0.4 s of it, Bluetooth as much again."""
MATCH = 0.1
"""From this correlation with what was played on, the sound in the microphone is an echo; other sound has 0.02 to 0.05."""
HEARD = 0.04
"""An echo matters if the detector hears a voice in at least this share of the test."""
SETTLES_S = 1.0
"""What the cancellation needs before it can be judged (docs/voice-loop.md)."""
NOTICED_S = 0.45
"""Through the cancellation a voice must be noticed as fast as without it: within half a second."""
GATE_DB = 9.0
"""Blocks of speech are up to this much louder than its RMS (our measurement on the bundled lines)."""
LEAK_DB = 24.0
"""An echo this much weaker than the trainee is a headset's leak: a gate between the two levels tells them apart."""
TRAINEE_DBFS = -26.0
"""The level of a trainee who is not calibrated: speech close to a headset's microphone."""

LOOK_BACK_S = 0.5
SAME = 0.18
"""Correlation (pre-emphasised) of half a second of the microphone with what was played before: unrelated speech had at most
0.13, echoes in rooms at least 0.23 (our measurement, 150 pairs of each)."""

Detect = Callable[[Floats], Floats]
"""Samples to probabilities of voice, a frame of FRAME samples each."""


class Canceller:
    """WebRTC's echo cancellation, from the package livekit (Apache-2.0). Nothing leaves the machine."""

    def __init__(self) -> None:
        try:
            from livekit import rtc
        except Exception as error:
            raise MissingModel(
                "The echo cancellation is not installed.",
                f"Install it with: {INSTALL}; or use a headset.",
                str(error),
            ) from error
        self._frame: Any = rtc.AudioFrame
        self._apm: Any = rtc.AudioProcessingModule(echo_cancellation=True)
        self._mic: Samples = np.zeros(0, np.int16)
        self._out: Samples = np.zeros(0, np.int16)
        self._done: Samples = np.zeros(APM_FRAME, np.int16)  # a frame of delay, so that there always is enough

    def clean(self, mic: Samples, out: Samples) -> Samples:
        """`mic` without what it holds of `out` [shape=(n,) both], 10 ms late."""
        self._mic, self._out = np.concatenate([self._mic, mic]), np.concatenate([self._out, out])
        n = len(self._mic) // APM_FRAME
        pieces = [self._done]
        for index in range(n):
            part = slice(index * APM_FRAME, (index + 1) * APM_FRAME)
            self._apm.process_reverse_stream(self._as_frame(self._out[part]))
            near = self._as_frame(self._mic[part])
            self._apm.process_stream(near)
            pieces.append(np.frombuffer(near.data, np.int16))
        self._mic, self._out = self._mic[n * APM_FRAME :], self._out[n * APM_FRAME :]
        done = np.concatenate(pieces)
        self._done = done[len(mic) :]
        return done[: len(mic)]

    def _as_frame(self, samples: Samples) -> Any:
        return self._frame(bytearray(samples.tobytes()), SAMPLE_RATE_HZ, 1, APM_FRAME)


def installed() -> bool:
    """Whether the package for the cancellation is there."""
    try:
        return find_spec("livekit.rtc") is not None
    except ModuleNotFoundError:
        return False


@dataclass(frozen=True)
class EchoTest:
    """What a test of a pair of devices found. Levels are RMS while the sentence was played."""

    match: float
    """Largest correlation of the microphone with what was played, 0 to 1."""
    delay_s: float
    """From a sample's way out to its way in, where there is a match."""
    echo_dbfs: float
    noise_dbfs: float
    voiced: float
    """Share of the sentence in which the microphone seemed to hold a voice."""
    left: float | None = None
    """The same after the cancellation; None where there is none."""
    noticed_s: float | None = None
    """How soon the trainee's voice was noticed through the cancellation; None: not at all, or not tried."""
    trainee_dbfs: float = TRAINEE_DBFS
    """The level of the trainee's voice that this was tried with."""
    fault: EchoFault = ""

    @property
    def gate_dbfs(self) -> float | None:
        """Sound weaker than this while the customer speaks is the customer; None where there is no echo."""
        return self.echo_dbfs + GATE_DB if self.match >= MATCH and self.voiced >= HEARD else None


def measure(
    mic: Samples,
    out: Samples,
    detect: Detect,
    canceller: Canceller | None = None,
    voice: Samples | None = None,
    trainee_dbfs: float = TRAINEE_DBFS,
) -> EchoTest:
    """Both channels of a test [shape=(n,)], 16 kHz. `voice` is laid over the cancelled echo at `trainee_dbfs`."""
    playing = np.flatnonzero(out)
    if not len(playing):
        return EchoTest(0.0, 0.0, -120.0, dbfs(mic), 0.0, fault="not played")
    if not mic[playing[0] :].any():
        return EchoTest(0.0, 0.0, -120.0, -120.0, 0.0, fault="zeros")
    first, last = int(playing[0]), int(playing[-1]) + 1
    delay, match = _delay(mic, out)
    start, end = first + delay, min(last + delay, len(mic))
    noise_dbfs = dbfs(mic[max(0, first - round(QUIET_S * SAMPLE_RATE_HZ)) : first])
    spoken = _share(detect(_floats(mic)), start, end)
    found = EchoTest(match, delay / SAMPLE_RATE_HZ, dbfs(mic[start:end]), noise_dbfs, spoken, trainee_dbfs=trainee_dbfs)
    if canceller is None or match < MATCH:
        return found
    settled = min(start + round(SETTLES_S * SAMPLE_RATE_HZ), end)
    cleaned = canceller.clean(mic, out)
    left = _share(detect(_floats(cleaned)), settled, end)
    noticed = None if voice is None else _noticed(mic, out, detect, _at(voice, trainee_dbfs), settled)
    return replace(found, left=left, noticed_s=noticed)


def decide(found: EchoTest) -> EchoMode:
    """What to do on these devices; where nothing could be found out, what is safe on all."""
    if found.fault:
        return HALF_DUPLEX
    if found.match < MATCH or found.voiced < HEARD or found.echo_dbfs <= found.trainee_dbfs - LEAK_DB:
        return HEADSET
    works = found.left is not None and found.left < HEARD and found.noticed_s is not None
    return CANCELLED if works and (found.noticed_s or 0.0) <= NOTICED_S else HALF_DUPLEX


def _noticed(mic: Samples, out: Samples, detect: Detect, voice: Samples, at: int) -> float | None:
    """Seconds until a voice over the line has been heard through the cancellation for as long as ducks it."""
    from voicecoach.measure.bargein import DUCK_S

    mixed = mic.astype(np.float32)
    n = min(len(voice), len(mixed) - at)
    if n <= 0:
        return None
    mixed[at : at + n] += voice[:n]
    cleaned = Canceller().clean(np.asarray(np.clip(mixed, -32768, 32767), np.int16), out)
    probabilities = detect(_floats(cleaned))[at // FRAME :]
    needed, heard = round(DUCK_S * SAMPLE_RATE_HZ / FRAME), 0
    for index, probability in enumerate(probabilities[: n // FRAME]):
        heard += probability >= (THRESHOLD_END if heard else THRESHOLD)
        if heard >= needed:
            return (index + 1) * FRAME / SAMPLE_RATE_HZ
    return None


def _delay(mic: Samples, out: Samples) -> tuple[int, float]:
    """(samples by which `out` comes back in `mic`, correlation there)."""
    size = 1 << int(np.ceil(np.log2(len(mic) + len(out))))
    spectra = [np.fft.rfft(samples.astype(np.float64), size) for samples in (mic, out)]
    products = np.fft.irfft(spectra[0] * np.conj(spectra[1]), size)[: round(MAX_DELAY_S * SAMPLE_RATE_HZ)]
    energy = float(np.sqrt(np.sum(mic.astype(np.float64) ** 2) * np.sum(out.astype(np.float64) ** 2)))
    best = int(np.argmax(np.abs(products)))
    return best, float(abs(products[best]) / energy) if energy else 0.0


def is_echo(mic: Samples, out: Samples) -> bool:
    """Whether the last LOOK_BACK_S of `mic` are what was played [shape=(n,) both, up to now] at most MAX_DELAY_S before."""
    n = round(LOOK_BACK_S * SAMPLE_RATE_HZ)
    near, far = (
        _emphasised(samples) for samples in (mic[-n - 1 :], out[-n - 1 - round(MAX_DELAY_S * SAMPLE_RATE_HZ) :])
    )
    if len(near) < n or len(far) < n:
        return False
    size = 1 << int(np.ceil(np.log2(len(near) + len(far))))
    products = np.fft.irfft(np.fft.rfft(far, size) * np.conj(np.fft.rfft(near, size)), size)[: len(far) - n + 1]
    sums = np.cumsum(np.concatenate([[0.0], far**2]))
    energies = np.sqrt(np.maximum(sums[n:] - sums[:-n], 0.0) * np.sum(near**2))
    return bool(np.max(np.abs(products) / (energies + 1.0)) >= SAME)


def _emphasised(samples: Samples) -> npt.NDArray[np.float64]:
    floats = samples.astype(np.float64)
    return floats[1:] - 0.95 * floats[:-1] if len(floats) else floats


def _share(probabilities: Floats, start: int, end: int) -> float:
    """Share of the frames between two samples that hold a voice."""
    frames = probabilities[start // FRAME : max(start // FRAME + 1, end // FRAME)]
    return float(np.mean(frames >= THRESHOLD)) if len(frames) else 0.0


def _floats(samples: Samples) -> Floats:
    whole = samples[: len(samples) - len(samples) % FRAME]
    return np.asarray(whole / 32768, np.float32)


def _at(voice: Samples, level_dbfs: float) -> Samples:
    """A voice from its first sound on, at another level."""
    loud = np.flatnonzero(np.abs(voice) > 600)
    voice = voice[loud[0] :] if len(loud) else voice
    gain = 10 ** ((level_dbfs - dbfs(voice[np.abs(voice) > 300])) / 20)
    return np.asarray(np.clip(voice * gain, -32768, 32767), np.int16)


def listen_for_echo(sound: Duplex, sentence: Samples) -> tuple[Samples, Samples, bool]:
    """Play `sentence` and take in TEST_S of both channels; also whether the device was away meanwhile.

    Raises DeviceError when it does not come back.
    """
    sound.drain()
    mic: list[Samples] = []
    out: list[Samples] = []
    started = away = False
    while len(mic) * FRAME < TEST_S * SAMPLE_RATE_HZ:
        block = sound.read()
        if block is None:
            break
        mic.append(block.mic)
        out.append(block.out)
        away = away or bool(block.away)
        if not started and len(mic) * FRAME >= QUIET_S * SAMPLE_RATE_HZ:
            sound.play(sentence[: round((TEST_S - QUIET_S - MAX_DELAY_S) * SAMPLE_RATE_HZ)])
            started = True
    sound.stop()
    return np.concatenate(mic), np.concatenate(out), away
