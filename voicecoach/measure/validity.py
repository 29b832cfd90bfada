"""What each number of a recording is, and whether it may be relied on: unit, definition, and a reason where not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voicecoach.nouns import Observation

MIN_WORDS = 8
"""Short turns are spoken slower anyway; the pace of fewer words is not judged (docs/delivery.md, section 6)."""

MEASURES: Mapping[str, tuple[str, str]] = {
    "duration_s": ("s", "length of the recording"),
    "span_s": ("s", "first onset to last offset of speech"),
    "speech_s": ("s", "sum of the stretches of speech, without gaps from 0.15 s"),
    "pauses": ("s", "gaps in speech of at least 0.25 s"),
    "longest_pause_s": ("s", "the longest of the pauses"),
    "f0.median_hz": ("Hz", "median pitch of voiced frames"),
    "f0.p10_hz": ("Hz", "10th percentile of the pitch"),
    "f0.p90_hz": ("Hz", "90th percentile of the pitch"),
    "f0.range_st": ("semitones", "10th to 90th percentile of the pitch"),
    "f0.voiced_s": ("s", "time of voiced frames inside speech"),
    "f0.slope_st_s": ("semitones/s", "median slope of the pitch over the recording"),
    "level.rms_dbfs": ("dB re full scale", "RMS of speech, as recorded"),
    "level.noise_dbfs": ("dB re full scale", "20th percentile of the level in the gaps"),
    "level.clip_frac": ("share", "samples at full scale, or cut flat below it"),
    "effort.centroid_hz": ("Hz", "spectral centroid of voiced frames, 50 to 5000 Hz, weighted by amplitude"),
    "effort.f0_hz": ("Hz", "mean pitch of voiced frames, weighted by amplitude"),
    "effort.alpha_db": ("dB", "energy from 1 to 5 kHz over that from 50 to 1000 Hz"),
    "rate.wpm": ("words/min", "words over the span, pauses in"),
    "rate.articulation_sps": ("syllables/s", "syllables over the time of speech, pauses out"),
    "relative.f0_st": ("semitones", "change of effort.f0_hz from the baseline"),
    "relative.centroid_oct": ("octaves", "change of effort.centroid_hz from the baseline"),
    "relative.level_db": ("dB", "change of level.rms_dbfs from the baseline"),
    "relative.effort_db": ("dB", "0.952 x relative.f0_st + 10.98 x relative.centroid_oct"),
    "relative.rate_ratio": ("ratio", "rate.articulation_sps over that of the baseline"),
    "fillers": ("words", "recognised hesitations, a lower bound"),
    "unspoken": ("s", "voiced stretches from 0.25 s that no recognised word covers"),
}  # fmt: skip

_FROM_SIGNAL = ("f0", "level", "effort", "relative")
_FROM_WORDS = ("rate", "fillers", "unspoken")


def validity(values: Mapping[str, Any], seen: Observation, *, words: bool, baseline: bool) -> dict[str, dict[str, Any]]:
    """For each of MEASURES: `unit`, `definition`, `ok`, and the `reason` where it is not ok (else None).

    `values` are the measures as nested mappings; `words` says whether somebody listened for them, `baseline` whether
    there was one to compare with.
    """
    found = {}
    for key, (unit, definition) in MEASURES.items():
        reason = _reason(key, _at(values, key), seen, words=words, baseline=baseline)
        found[key] = {"unit": unit, "definition": definition, "ok": reason is None, "reason": reason}
    return found


def _at(values: Mapping[str, Any], key: str) -> Any:
    part: Any = values
    for name in key.split("."):
        part = part.get(name) if isinstance(part, Mapping) else None
    return part


def _reason(key: str, value: Any, seen: Observation, *, words: bool, baseline: bool) -> str | None:
    part = key.partition(".")[0]
    if value is None:
        return _absent(key, part, seen, words=words, baseline=baseline)
    if part in _FROM_SIGNAL and key != "level.clip_frac" and not seen.quality.ok:
        return " ".join(seen.quality.reasons) or "The recording does not carry a verdict."
    if key == "relative.level_db":
        return "Levels compare only on the same microphone at the same gain, which files do not tell."
    if part == "rate" or key == "relative.rate_ratio":
        if seen.rate and seen.rate.words < MIN_WORDS:
            return f"Only {seen.rate.words} words; the pace of fewer than {MIN_WORDS} is not judged."
        if not seen.quality.ok:
            return " ".join(seen.quality.reasons)
    return None


def _absent(key: str, part: str, seen: Observation, *, words: bool, baseline: bool) -> str:
    if not seen.speech_s:
        return "No speech was found."
    if key == "longest_pause_s":
        return "There is no pause."
    if part == "relative" and not baseline:
        return "There is no baseline to compare with."
    if part in _FROM_WORDS or key == "relative.rate_ratio":
        return "No words were recognised." if words else "There is no transcript."
    if key == "level.noise_dbfs" and seen.level:
        return "There is no gap in the speech."
    if key == "f0.slope_st_s" and seen.f0:
        return "Less than 1 s of voiced speech."
    return "All of it was spoken over the customer." if part == "level" else "No voiced speech was found."
