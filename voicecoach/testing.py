"""The fakes and made signals of voicecoach, for tests of your own: no hardware, no models, no waiting.

    >>> from voicecoach import testing
    >>> duplex = testing.FileDuplex(testing.RecordedTrainee([testing.Reply(testing.voice_like(2.0))]))
    >>> ears = testing.ScriptedEars(["I am so sorry, let me put that right."])
    >>> voice = testing.BeepVoice()

Signals are int16 at 16 kHz [shape=(n,)] unless they say otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from voicecoach.measure.activity import FRAME
from voicecoach.measure.observe import HOP, PitchTrack
from voicecoach.nouns import SAMPLE_RATE_HZ, Floats, Heard, Samples, Style, Word
from voicecoach.world.sound import Block, Duplex
from voicecoach.world.trainee import FileDuplex, PlainRecording, RecordedTrainee, Reply, Trainee
from voicecoach.world.voice import Line

__all__ = [
    "BeepVoice",
    "Block",
    "Duplex",
    "FileDuplex",
    "PlainRecording",
    "RecordedTrainee",
    "Reply",
    "ScriptedEars",
    "Trainee",
    "energy_activity",
    "flat_pitch",
    "noise",
    "silence",
    "to_int16",
    "tone",
    "voice_like",
]

SWAY = 0.02
SWAYS_HZ = 1.0
"""The melody of made voices: a third of a semitone up and down, once a second."""


def silence(seconds: float) -> Samples:
    """Exact zeros."""
    return np.zeros(round(seconds * SAMPLE_RATE_HZ), np.int16)


def to_int16(samples: npt.NDArray[np.floating]) -> Samples:
    """Float samples in -1..1 as int16."""
    return np.asarray(np.clip(samples, -1, 1) * 32767, np.int16)


def tone(f_hz: float, seconds: float, level_dbfs: float = -20.0) -> Samples:
    """A sine whose RMS is `level_dbfs`."""
    t = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return to_int16(np.sqrt(2) * 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * f_hz * t))


def noise(seconds: float, level_dbfs: float = -50.0, seed: int = 0) -> Samples:
    """White noise whose RMS is `level_dbfs`."""
    rng = np.random.default_rng(seed)
    return to_int16(rng.normal(0, 10 ** (level_dbfs / 20), round(seconds * SAMPLE_RATE_HZ)))


def voice_like(
    seconds: float,
    f0_hz: float = 120.0,
    level_dbfs: float = -22.0,
    tilt_db_per_octave: float = -12.0,
    syllables_per_s: float = 4.0,
) -> Samples:
    """A buzz with the harmonics of a voice, falling by `tilt_db_per_octave`, with syllable-like swells.

    Its pitch sways around the median `f0_hz` as `flat_pitch` says: a buzz without melody is flagged as a tone.
    """
    t = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    orders = np.arange(1, int(5000 // f0_hz) + 1)
    gains = 10 ** (tilt_db_per_octave * np.log2(orders) / 20)
    phase = 2 * np.pi * f0_hz * t - f0_hz * SWAY / SWAYS_HZ * (np.cos(2 * np.pi * SWAYS_HZ * t) - 1)
    wave = sum(gain * np.sin(order * phase + order) for order, gain in zip(orders, gains, strict=True))
    swell = 0.55 - 0.45 * np.cos(2 * np.pi * syllables_per_s * t)
    shaped = np.asarray(wave) * swell
    return to_int16(shaped * (10 ** (level_dbfs / 20) / max(float(np.sqrt(np.mean(shaped**2))), 1e-9)))


def energy_activity(samples: Floats, threshold_dbfs: float = -45.0) -> Floats:
    """Probabilities of voice [shape=(n_frames,)] from energy alone: a detector whose answers are known."""
    frames = np.pad(samples, (0, -len(samples) % FRAME)).reshape(-1, FRAME)
    level = 10 * np.log10(np.mean(frames.astype(np.float64) ** 2, axis=1) + 1e-12)
    return np.asarray(level > threshold_dbfs, np.float32)


def flat_pitch(samples: Floats, f0_hz: float = 120.0) -> PitchTrack:
    """A pitch track wherever there is energy: the median is `f0_hz`, with the melody of `voice_like`."""
    n = len(samples) // HOP
    frames = samples[: n * HOP].reshape(n, HOP)
    loud = np.mean(frames.astype(np.float64) ** 2, axis=1) > 1e-6
    melody = 1 + SWAY * np.sin(2 * np.pi * SWAYS_HZ * np.arange(n) * HOP / SAMPLE_RATE_HZ)
    return PitchTrack(f0_hz * melody, loud.astype(np.float64), "flat")


class ScriptedEars:
    """Ears that hear what they are told, utterance by utterance; then nothing.

    An utterance is known by where it begins: heard again, or with more of it, it has the same words.
    """

    name = "script"

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = iter(texts)
        self._heard: dict[float, str] = {}

    def hear(self, samples: Floats, offset_s: float = 0.0) -> Heard:
        """The next text, its words spread evenly over the utterance."""
        if offset_s not in self._heard:
            self._heard[offset_s] = next(self._texts, "")
        texts = self._heard[offset_s].split()
        step = len(samples) / SAMPLE_RATE_HZ / max(1, len(texts))
        words = tuple(Word(text, offset_s + i * step, offset_s + (i + 1) * step, 1.0) for i, text in enumerate(texts))
        return Heard(" ".join(texts), words, self.name)


class BeepVoice:
    """A customer who beeps: a tone whose pitch and level follow the style, a quarter of a second a word."""

    name = "beep"
    notices: tuple[str, ...] = ()
    volume_db = 0.0

    def speak(self, text: str, style: Style, style_name: str) -> Line:
        """See world.voice.Voice."""
        beep = tone(220.0 * 2 ** (style.f0_st / 12), max(0.3, 0.25 * len(text.split())), style.level_db)
        return Line(beep, np.asarray(beep / 32768, np.float32), f"{self.name}/{style_name}")
