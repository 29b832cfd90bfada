"""The numbers of one utterance: level, pitch, vocal effort, rates, pauses, and their change from the own baseline.

Definitions, thresholds and their evidence are in docs/delivery.md. Everything here is numpy on arrays that the
world has prepared: 16 kHz samples, voice activity, a pitch track, recognised words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voicecoach.errors import BadInput
from voicecoach.measure import activity, nuclei, rate, voices
from voicecoach.nouns import (
    F0,
    SAMPLE_RATE_HZ,
    Baseline,
    Effort,
    Floats,
    Heard,
    Level,
    Observation,
    Pause,
    Quality,
    Relative,
    Word,
)

HOP = 256
"""Samples between frames (16 ms): the hop of the pitch tracker, shared by the spectra."""
N_FFT = 1024
PIECE = 256 * activity.FRAME
"""Samples that the models get at once (8 s), a whole number of frames of either: bounds the memory."""
SILENT = 1e-9
"""A peak below is rounding, which must not be raised to full scale."""
_WINDOW = np.hanning(N_FFT + 1)[:-1].astype(np.float32)
_FREQUENCIES = np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE_HZ)
_VOICE_BAND = (_FREQUENCIES > 50) & (_FREQUENCIES < 5000)
_LOW_BAND = (_FREQUENCIES >= 50) & (_FREQUENCIES < 1000)
_HIGH_BAND = (_FREQUENCIES >= 1000) & (_FREQUENCIES < 5000)

VOICED = 0.5
"""Confidence of the pitch tracker from which a frame is voiced: the lowest frame error of ten settings tried."""
EFFORT_DB_PER_ST = 0.952
EFFORT_DB_PER_OCTAVE = 10.98
"""Vocal effort in dB from semitones of F0 and octaves of spectral centroid, unmoved by gain. Fitted on 16 speakers with
unweighted means, and checked on 8 others and another corpus (docs/delivery.md); not fitted again."""

MIN_SPEECH_S = 1.0
MIN_VOICED_S = 0.5
MAX_CLIPPED = 0.001
MIN_SNR_DB = 10.0
"""Below these a verdict would be a guess. With 1 s of speech 3.3 % of calm pieces lie above the line for raised, with
0.8 s 11.2 % (docs/delivery.md, section 5)."""
MIN_RANGE_ST = 0.4
"""Four fifths of the voiced frames this close together are a tone: of 296 clips of speech none lay below 2.5 st."""
CLIPPED = 0.999
MIN_SLOPE_S = 1.0
"""Less voiced speech is a word or two, and its slope is the accent of a word, not of the utterance."""
UNSPOKEN_S = 0.25
"""An "um" lasts at least about this long; shorter stretches without a word are mostly its blurred edges."""
WORD_SLACK_S = 0.15
"""The recogniser's word times are off by about this much, so every word covers this much more on either side."""
PROVISIONAL_TURNS = 3
"""Without a calibration, the first turns, this many, stand in for the calm voice, and the report says so. Our judgement:
about twenty seconds of speech, as much as a calibration."""


@dataclass(frozen=True)
class PitchTrack:
    """F0 in Hz and confidence 0 to 1 per frame [shape=(n_frames,)], HOP samples apart, and the tracker's name."""

    f0_hz: npt.NDArray[np.float64]
    confidence: npt.NDArray[np.float64]
    name: str


def valid(samples: npt.NDArray[np.floating]) -> Floats:
    """Mono float32 audio [shape=(n,)] that is finite; raises BadInput otherwise. The one gate for all audio."""
    if samples.ndim != 1:
        raise BadInput("The audio must be mono here.", "Mix it down or choose a channel first.")
    if samples.size and not np.isfinite((samples.min(), samples.max())).all():  # both are NaN where one value is
        raise BadInput("The audio holds values that are not numbers (NaN or infinity).", "Export the file again.")
    return np.asarray(samples, np.float32)


def for_models(samples: Floats) -> Floats:
    """A copy for the pitch tracker and the voice-activity detector: no DC, peak at -6 dB full scale.

    Both have absolute floors, so that a quiet microphone would look like silence. Never used for levels.
    """
    offset, gain = _offset_and_gain(samples)
    return (samples - offset) * gain


def pieces_for_models(samples: Floats) -> Iterator[Floats]:
    """As `for_models`, PIECE samples at a time, so that a long recording is not held twice."""
    offset, gain = _offset_and_gain(samples)
    for at in range(0, len(samples), PIECE):
        yield (samples[at : at + PIECE] - offset) * gain


def _offset_and_gain(samples: Floats) -> tuple[np.float32, np.float32]:
    if not samples.size:
        return np.float32(0), np.float32(1)
    return offset_and_gain(float(samples.mean(dtype=np.float64)), float(samples.min()), float(samples.max()))


def offset_and_gain(mean: float, low: float, high: float) -> tuple[np.float32, np.float32]:
    """What `for_models` takes off and multiplies with, from the mean and the extremes of a recording."""
    offset, peak = mean, max(high - mean, mean - low)
    return np.float32(offset), np.float32(0.5 / peak if peak > SILENT else 1)


def dbfs(samples: npt.NDArray[np.int16]) -> float:
    """The level of a stretch of sound [shape=(n,)] (dB re full scale); -120 for zeros, and for nothing."""
    power = float(np.mean((samples.astype(np.float64) / 32768) ** 2)) if len(samples) else 0.0
    return 10 * float(np.log10(power + 1e-12))


def _db(power: float) -> float:
    return 10.0 * float(np.log10(max(power, 1e-12)))


def _spectra(samples: Floats, n_frames: int) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
    """Power spectra [shape=(m, N_FFT/2+1)] of centred frames without DC, in batches that bound the memory."""
    offset = np.float32(samples.mean(dtype=np.float64))
    norm = float((_WINDOW.astype(np.float64) ** 2).sum())
    for first in range(0, n_frames, 1024):
        count = min(1024, n_frames - first)
        start = first * HOP - N_FFT // 2
        length = (count - 1) * HOP + N_FFT
        piece = samples[max(start, 0) : start + length] - offset
        before = max(-start, 0)
        padded = np.pad(piece, (before, length - before - len(piece)))
        frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
        yield first, np.abs(np.fft.rfft(frames * _WINDOW, axis=1)) ** 2 / norm


def observe(
    samples: Floats,
    speech: Sequence[activity.Span],
    track: PitchTrack,
    heard: Heard | None = None,
    baseline: Baseline | None = None,
    *,
    offset_s: float = 0.0,
    response_gap_s: float | None = None,
    overlap: Sequence[activity.Span] = (),
    customer: Sequence[activity.Span] = (),
    flat: float = 0.0,
) -> Observation:
    """Measure one utterance.

    `samples` [shape=(n,)] float32 at 16 kHz, as recorded (levels are taken from it); `speech` its voice activity and
    `overlap` the parts spoken over the customer (left out of level, pitch and effort), `customer` where that was heard
    (in between, the speaker listens: that is no pause and costs no pace), all as sample spans of `samples`;
    `offset_s` is where `samples` begins on the session clock; `flat` the share of samples that had been cut flat before
    they came to 16 kHz, where this is known. What cannot be measured is None, with the reason in
    `quality`.
    """
    duration_s = len(samples) / SAMPLE_RATE_HZ
    if not speech:
        return Observation(duration_s, 0.0, 0.0, quality=Quality(False, ("No speech was found.",)), tracker=track.name)
    listening = activity.total(activity.intersect(activity.gaps(speech), customer))
    span_s = (speech[-1][1] - speech[0][0] - listening) / SAMPLE_RATE_HZ
    speech_s = activity.total(speech) / SAMPLE_RATE_HZ
    n_frames = min(len(track.f0_hz), len(samples) // HOP + 1)
    active = _frames_in(speech, n_frames)
    own = active & ~_frames_in(overlap, n_frames)
    voiced = own & (track.confidence[:n_frames] >= VOICED)
    seen = _look(samples, own, voiced)
    level = _level(samples, seen, active, own, flat)
    effort = _effort(seen, voiced, track.f0_hz[:n_frames]) if level else None
    f0 = _f0(track.f0_hz[:n_frames], voiced)
    rates = rate.rate(heard.text, span_s, speech_s) if heard else None
    observation = Observation(
        duration_s=duration_s,
        span_s=span_s,
        speech_s=speech_s,
        pauses=activity.pauses(speech, offset_s, customer),
        f0=f0,
        level=level,
        effort=effort,
        rate=rates,
        fillers=rate.fillers(heard.words) if heard else (),
        relative=None,
        response_gap_s=response_gap_s,
        overlap_s=activity.total(activity.intersect(speech, overlap)) / SAMPLE_RATE_HZ,
        quality=_quality(speech_s, f0, level, _several(seen, own, voiced, track)),
        tracker=track.name,
        nuclei_sps=nuclei.rate(samples, activity.without(speech, overlap), track.confidence),
        unspoken=_unspoken(voiced, heard.words, offset_s) if heard else (),
    )
    return relate(observation, baseline)


def _frames_in(spans: Sequence[activity.Span], n_frames: int) -> npt.NDArray[np.bool_]:
    """Which frames (by their centre sample) lie inside the spans."""
    inside = np.zeros(n_frames, dtype=bool)
    for start, end in spans:
        inside[-(-start // HOP) : end // HOP + 1] = True
    return inside


@dataclass(frozen=True)
class _Look:
    """What the spectra of an utterance show, per frame [shape=(n_frames,)] and in all."""

    power: npt.NDArray[np.float64]
    amplitude: npt.NDArray[np.float64]
    """Of the voice band in voiced frames, 0 elsewhere."""
    log_centroid: npt.NDArray[np.float64]
    """log2 of the spectral centroid in Hz in voiced frames."""
    alpha_db: float


def _look(samples: Floats, own: npt.NDArray[np.bool_], voiced: npt.NDArray[np.bool_]) -> _Look:
    power, amplitude, log_centroid = np.zeros((3, len(own)))
    low = high = 0.0
    for first, spectra in _spectra(samples, len(own)):
        batch = slice(first, first + len(spectra))
        power[batch] = spectra.sum(axis=1) * 2 / N_FFT
        band = spectra[voiced[batch]][:, _VOICE_BAND]
        loud = np.maximum(band.sum(axis=1), 1e-20)
        amplitude[batch][voiced[batch]] = np.sqrt(loud)
        log_centroid[batch][voiced[batch]] = np.log2(np.maximum(band @ _FREQUENCIES[_VOICE_BAND] / loud, 1.0))
        speech = spectra[own[batch]].sum(axis=0)
        low += float(speech[_LOW_BAND].sum())
        high += float(speech[_HIGH_BAND].sum())
    return _Look(power, amplitude, log_centroid, _db(high) - _db(low))


def _level(
    samples: Floats, seen: _Look, active: npt.NDArray[np.bool_], own: npt.NDArray[np.bool_], flat: float
) -> Level | None:
    if not own.any():
        return None
    full = float(np.count_nonzero(samples >= CLIPPED) + np.count_nonzero(samples <= -CLIPPED)) / len(samples)
    gaps = seen.power[~active]
    return Level(
        rms_dbfs=_db(float(seen.power[own].mean())),
        noise_dbfs=_db(float(np.percentile(gaps, 20))) if len(gaps) > 5 else None,
        clip_frac=max(full, flat),
    )


def _effort(seen: _Look, voiced: npt.NDArray[np.bool_], f0_hz: npt.NDArray[np.float64]) -> Effort | None:
    """In centroid and pitch each voiced frame counts by its amplitude.

    Effort is in the stressed, loud syllables; the faint ends of phrases creak and hold mostly room noise. The weights
    are relative, so gain still does not matter.
    """
    if not voiced.any():
        return None
    centroid, pitch = (
        float(2.0 ** np.average(values[voiced], weights=seen.amplitude[voiced]))
        for values in (seen.log_centroid, np.log2(np.maximum(f0_hz, 1.0)))
    )
    return Effort(centroid, seen.alpha_db, pitch)


def _several(
    seen: _Look, own: npt.NDArray[np.bool_], voiced: npt.NDArray[np.bool_], track: PitchTrack
) -> tuple[str, ...]:
    """Signs of more than one voice, as sentences."""
    frames = np.flatnonzero(voiced)
    if len(frames) < 2:
        return ()
    semitones, hop_s = 12 * np.log2(track.f0_hz[frames]), HOP / SAMPLE_RATE_HZ
    loud = own & (seen.power > np.percentile(seen.power[own], 95) * 10 ** (-voices.LOUD_DB / 10))
    confidence = float(np.median(track.confidence[: len(own)][loud])) if loud.any() else 0.0
    if voices.at_once(frames, semitones, confidence, hop_s):
        return (voices.AT_ONCE,)
    weights = seen.amplitude[frames]
    return (voices.IN_TURN,) if voices.several(semitones, seen.log_centroid[frames], weights, hop_s) else ()


def _f0(f0_hz: npt.NDArray[np.float64], voiced: npt.NDArray[np.bool_]) -> F0 | None:
    if not voiced.any():
        return None
    frames = np.flatnonzero(voiced)
    octaves = np.log2(f0_hz[frames])
    p10, median, p90 = (float(2.0**x) for x in np.percentile(octaves, (10, 50, 90)))
    slope = _slope(frames * HOP / SAMPLE_RATE_HZ, 12 * octaves)
    return F0(median, p10, p90, 12 * float(np.log2(p90 / p10)), len(frames) * HOP / SAMPLE_RATE_HZ, slope)


def _slope(at_s: npt.NDArray[np.float64], semitones: npt.NDArray[np.float64]) -> float | None:
    """Semitones a second: the median slope between each frame of the first half and its partner in the second.

    This is Theil's own short form of Theil-Sen: octave errors do not move it, and it takes no more than the frames.
    """
    if len(at_s) * HOP < MIN_SLOPE_S * SAMPLE_RATE_HZ:
        return None
    half = (len(at_s) + 1) // 2
    return float(np.median((semitones[half:] - semitones[:-half]) / (at_s[half:] - at_s[:-half])))


def _unspoken(voiced: npt.NDArray[np.bool_], words: Sequence[Word], offset_s: float) -> tuple[Pause, ...]:
    """Voiced stretches of at least UNSPOKEN_S that no word covers; none where there are no words at all."""
    if not words:
        return ()
    at_s = offset_s + np.arange(len(voiced)) * HOP / SAMPLE_RATE_HZ
    bare = voiced.copy()
    for word in words:
        first, last = np.searchsorted(at_s, (word.start_s - WORD_SLACK_S, word.end_s + WORD_SLACK_S))
        bare[first:last] = False
    edges = np.flatnonzero(np.diff(bare, prepend=False, append=False)).reshape(-1, 2)
    return tuple(
        Pause(offset_s + start * HOP / SAMPLE_RATE_HZ, offset_s + end * HOP / SAMPLE_RATE_HZ)
        for start, end in edges.tolist()
        if (end - start) * HOP >= UNSPOKEN_S * SAMPLE_RATE_HZ
    )


def _quality(speech_s: float, f0: F0 | None, level: Level | None, others: tuple[str, ...]) -> Quality:
    voiced_s = f0.voiced_s if f0 else 0.0
    reasons = _too_little(speech_s, voiced_s) + (
        _bad_signal(level, f0) if level else ["All of it was spoken over the customer."]
    )
    reasons += others
    return Quality(not reasons, tuple(reasons))


def _too_little(speech_s: float, voiced_s: float) -> list[str]:
    """Why there is not enough to go by."""
    reasons = []
    if speech_s < MIN_SPEECH_S:
        reasons.append(f"Only {speech_s:.2f} s of speech; {MIN_SPEECH_S:g} s is needed.")
    if voiced_s < MIN_VOICED_S:
        reasons.append(f"Only {voiced_s:.2f} s of voiced speech; {MIN_VOICED_S:g} s is needed.")
    return reasons


def _bad_signal(level: Level, f0: F0 | None) -> list[str]:
    """Why the signal itself cannot be trusted."""
    reasons = []
    if level.clip_frac > MAX_CLIPPED:
        reasons.append(f"{100 * level.clip_frac:.1f} % of the samples are clipped: turn the microphone down.")
    if level.noise_dbfs is not None and level.rms_dbfs - level.noise_dbfs < MIN_SNR_DB:
        over_db = level.rms_dbfs - level.noise_dbfs
        reasons.append(f"Speech is only {over_db:.1f} dB above the noise; {MIN_SNR_DB:.0f} dB are needed.")
    if f0 and f0.range_st < MIN_RANGE_ST:
        reasons.append("This sounds like a tone, not like a voice.")
    return reasons


def relate(observation: Observation, baseline: Baseline | None) -> Observation:
    """The same observation with its change from `baseline`, where both sides were measured.

    The change of pitch is that of the means in `Effort`, or of the medians where a baseline has no such mean.
    """
    f0, level, effort, rates = observation.f0, observation.level, observation.effort, observation.rate
    if baseline is None or f0 is None or level is None or effort is None:
        return observation
    if effort.f0_hz and baseline.f0_hz:
        f0_st = 12 * float(np.log2(effort.f0_hz / baseline.f0_hz))
    else:
        f0_st = 12 * float(np.log2(f0.median_hz / baseline.f0_median_hz))
    octaves = float(np.log2(effort.centroid_hz / baseline.centroid_hz))
    relative = Relative(
        f0_st=f0_st,
        centroid_oct=octaves,
        level_db=level.rms_dbfs - baseline.level_dbfs,
        effort_db=EFFORT_DB_PER_ST * f0_st + EFFORT_DB_PER_OCTAVE * octaves,
        rate_ratio=rates.articulation_sps / baseline.articulation_sps if rates and baseline.articulation_sps else None,
        nuclei_ratio=nuclei.ratio(observation.nuclei_sps, baseline),
    )
    return Observation(**{**vars(observation), "relative": relative})


def unfit(observation: Observation) -> tuple[str, ...]:
    """Why an observation is of no use for a baseline, not even beside others; empty if it is of use."""
    f0, level, reasons = observation.f0, observation.level, observation.quality.reasons
    if not (f0 and level and observation.effort):
        return reasons
    return (*_bad_signal(level, f0), *(reason for reason in reasons if reason in voices.REASONS))


def baseline_from(observations: Sequence[Observation], device: str, *, provisional: bool = False) -> Baseline | None:
    """A calm voice from one or more observations: log frequencies and dB, averaged.

    Short ones count together. None if the signal of none is good, or all together are too little to go by.
    """
    usable = [(o, o.f0, o.level, o.effort) for o in observations if o.f0 and o.level and o.effort and not unfit(o)]
    if _too_little(sum(o.speech_s for o, *_ in usable), sum(f0.voiced_s for _, f0, _, _ in usable)):
        return None
    rates = [o.rate.articulation_sps for o, *_ in usable if o.rate]
    counted = [(o.nuclei_sps, o.speech_s) for o, *_ in usable if o.nuclei_sps]
    pitches = [effort.f0_hz for *_, effort in usable if effort.f0_hz]
    return Baseline(
        f0_median_hz=float(2 ** np.mean([np.log2(f0.median_hz) for _, f0, _, _ in usable])),
        centroid_hz=float(2 ** np.mean([np.log2(effort.centroid_hz) for *_, effort in usable])),
        level_dbfs=float(np.mean([level.rms_dbfs for _, _, level, _ in usable])),
        articulation_sps=float(np.mean(rates)) if rates else None,
        device=device,
        provisional=provisional,
        nuclei_sps=sum(sps * s for sps, s in counted) / sum(s for _, s in counted) if counted else None,
        f0_hz=float(2 ** np.mean(np.log2(pitches))) if pitches else None,
    )


SPREAD_WINDOW_S = 2.0


def level_spread_db(samples: Floats, speech: Sequence[activity.Span]) -> float | None:
    """Loudest over quietest stretch of SPREAD_WINDOW_S of speech in dB; None for less than two such stretches."""
    if not speech:
        return None
    spoken = np.concatenate([samples[start:end] for start, end in speech])
    size = round(SPREAD_WINDOW_S * SAMPLE_RATE_HZ)
    levels = [_db(float(np.mean(part.astype(np.float64) ** 2))) for part in _whole(spoken, size)]
    return max(levels) - min(levels) if len(levels) > 1 else None


def _whole(samples: Floats, size: int) -> list[Floats]:
    """The whole stretches of `size` samples."""
    return [samples[start : start + size] for start in range(0, len(samples) - size + 1, size)]
