"""The trainee's own calm voice, kept per trainee and microphone: what every later verdict is compared with."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from voicecoach import kept
from voicecoach.errors import BadInput
from voicecoach.measure import observe
from voicecoach.measure.activity import Span
from voicecoach.measure.turns import MAX_TURN_S, turns_of
from voicecoach.nouns import SAMPLE_RATE_HZ, Baseline, Floats, Heard, Observation
from voicecoach.record import from_json, to_json
from voicecoach.world.ears import Ears
from voicecoach.world.hearing import listen

READING = (
    "Good morning, and thank you for calling. My name is on the list, and I will help you today.",
    "The office is open from Monday to Friday, and parcels leave the warehouse every afternoon at four.",
    "Please keep the receipt in a safe place, because you may need it if you ever want to return the order.",
)
"""Neutral sentences, about twenty seconds at an easy pace, close to what an agent says."""
MIN_CALIBRATION_S = 6.0
"""Less speech leaves the median of the pitch uncertain by more than a semitone (docs/delivery.md, section 4)."""
MAX_CALIBRATION_S = 600.0
"""Only the first ten minutes of a recording are used: more than 20 s tell little more (section 4), and memory must not
grow with the file. Our judgement."""
MAX_SPREAD_DB = 8.0
"""Loudest over quietest two seconds of a reading. Readers stay within 4 dB; two ways of speaking in one recording were
16 dB and more apart (our measurement: two readers, six clips, four actors). The value between them is our judgement."""


def measure_file(samples: Floats, ears: Ears | None, baseline: Baseline | None = None) -> Observation:
    """Every number of a recording [shape=(n,)], 16 kHz; without `ears` there are no words, hence no rates."""
    return hear_and_measure(samples, ears, baseline)[0]


def hear_and_measure(
    samples: Floats, ears: Ears | None, baseline: Baseline | None = None, flat: float = 0.0
) -> tuple[Observation, Heard | None]:
    """As `measure_file`, with the words; nothing is recognised where nobody speaks. `flat`: as in `observe.observe`."""
    samples = observe.valid(samples)
    hearing = listen(samples)
    heard = _hear(samples, hearing.speech, ears) if ears and hearing.speech else None
    return observe.observe(samples, hearing.speech, hearing.track, heard, baseline, flat=flat), heard


def _hear(samples: Floats, speech: Sequence[Span], ears: Ears) -> Heard:
    """The words; of a recording longer than a turn can be turn by turn, so that memory does not grow with it."""
    longest = round(MAX_TURN_S * SAMPLE_RATE_HZ)
    if len(samples) <= longest:
        return ears.hear(samples)
    parts = [
        ears.hear(samples[at : min(at + longest, turn.end)], at / SAMPLE_RATE_HZ)
        for turn in turns_of(speech, (), len(samples))
        for at in range(turn.start, turn.end, longest)  # a minute of speech without a pause is cut
    ]
    text = " ".join(part.text for part in parts if part.text)
    return Heard(text, tuple(word for part in parts for word in part.words), ears.name)


def calibrate(samples: Floats, device: str, ears: Ears | None) -> tuple[Baseline, Observation]:
    """A baseline from a calm reading. Raises BadInput naming what was wrong with it."""
    observation = measure_file(samples, ears)
    reasons = list(observation.quality.reasons)
    if observation.speech_s < MIN_CALIBRATION_S:
        reasons.insert(
            0, f"{observation.speech_s:.1f} s of speech were found; at least {MIN_CALIBRATION_S:.0f} s are needed."
        )
    spread_db = observe.level_spread_db(samples, listen(samples).speech) or 0.0
    if spread_db > MAX_SPREAD_DB:
        reasons.append(f"Parts of it are {spread_db:.0f} dB louder than others: read all of it in one calm voice.")
    baseline = observe.baseline_from([observation], device)
    if baseline is None or observation.speech_s < MIN_CALIBRATION_S or spread_db > MAX_SPREAD_DB:
        raise BadInput(
            "This calibration cannot be used. " + " ".join(reasons),
            "Read the sentences again, calmly, close to the microphone.",
        )
    return baseline, observation


def _path(data: Path, trainee: str, device: str) -> Path:
    """A readable file name; the digits tell apart names that would otherwise become the same."""
    slug = re.sub(r"[^a-z0-9]+", "-", f"{trainee}--{device}".lower()).strip("-")[:80]
    digits = hashlib.sha256(to_json([trainee, device]).encode()).hexdigest()[:8]
    return data / "baselines" / f"{slug or 'baseline'}-{digits}.json"


def save(data: Path, trainee: str, baseline: Baseline) -> Path:
    """Keep a baseline for this trainee and device; raises DiskError."""
    path = _path(data, trainee, baseline.device)
    kept.write(path, to_json(asdict(baseline)) + "\n", "The calibration")
    return path


def load(data: Path, trainee: str, device: str) -> Baseline | None:
    """The baseline of this trainee on this device, or None.

    A damaged file counts as none, and so does one without `f0_hz`: its centroid is not weighted by amplitude, which
    would add 1.6 dB to every effort.
    """
    try:
        found = from_json(Baseline, json.loads(_path(data, trainee, device).read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return None
    rate = found.articulation_sps
    sane = 20 < found.f0_median_hz < 2000 and 20 < found.centroid_hz < 8000 and -150 < found.level_dbfs < 20
    sane = sane and found.f0_hz is not None and 20 < found.f0_hz < 2000
    return found if sane and (rate is None or 0 < rate < 30) else None
