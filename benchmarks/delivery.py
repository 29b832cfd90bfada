"""How accurate the measures are, on human speech: `python benchmarks/delivery.py DATA [--write docs/validation.md]`.

DATA holds recordings for evaluation, which are no part of voicecoach but for three clips in tests/data (licences):
`speech/fda` (two readers with laryngograph pitch, CSTR Edinburgh), `speech/ravdess` (acted emotion, CC BY-NC-SA 4.0),
`speech/read` (public domain). Needs sox for the tempi.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from voicecoach import calibration, prepare
from voicecoach.judge.delivery import RAISED_DB
from voicecoach.measure import observe, rate
from voicecoach.nouns import SAMPLE_RATE_HZ, Observation
from voicecoach.world import audiofiles
from voicecoach.world.ears import Whisper

GAIN_DB = 12.0
SILENCES_S = (0.3, 0.5, 0.8, 1.2)
TEMPI = (0.8, 0.9, 1.0, 1.1, 1.25)
ANGRY, CALM, NEUTRAL = "05", "02", "01"


def level_changed(samples: np.ndarray, gain_db: float) -> np.ndarray:
    """The recording as another microphone gain would have made it, kept below full scale."""
    return np.asarray(samples * 10 ** (gain_db / 20), np.float32)


def auc(high: Sequence[float], low: Sequence[float]) -> float:
    """The chance that a random `high` lies above a random `low` (ties count half)."""
    a, b = np.asarray(high)[:, None], np.asarray(low)[None, :]
    return float(np.mean((a > b) + 0.5 * (a == b)))


def pitch(data: Path) -> dict[str, Any]:
    """Median F0 per utterance against the laryngograph, and its change with gain."""
    errors, gain_changes, by_speaker = [], [], {}
    for path in sorted((data / "speech" / "fda").glob("*.flac")):
        truth = np.loadtxt(path.with_suffix(".f0ref"))
        reference = float(np.median(truth[truth > 0]))
        samples = audiofiles.read_with_flat(path)[0]
        medians = [
            _f0(calibration.measure_file(level_changed(samples, gain), None)) for gain in (0.0, -GAIN_DB, GAIN_DB)
        ]
        error = 12 * np.log2(medians[0] / reference)
        errors.append(error)
        by_speaker.setdefault(path.stem[:2], []).append(abs(error))
        gain_changes += [abs(12 * np.log2(median / medians[0])) for median in medians[1:]]
    return {
        "utterances": len(errors),
        "mean_abs_error_st": float(np.mean(np.abs(errors))),
        "p95_abs_error_st": float(np.percentile(np.abs(errors), 95)),
        "octave_errors": int(np.sum(np.abs(errors) > 6)),
        "largest_change_with_gain_st": float(np.max(gain_changes)),
        **{f"mean_abs_error_{name}_st": float(np.mean(values)) for name, values in sorted(by_speaker.items())},
    }


def _f0(seen: Observation) -> float:
    assert seen.f0 is not None
    return seen.f0.median_hz


def effort(data: Path, rng: np.random.Generator, recorded: str = "clean", baseline_clips: int = 2) -> dict[str, Any]:
    """Vocal effort of acted anger against calm and neutral speech, each actor against own neutral clips.

    Every clip and every calibration gets a gain of its own, as if each came from another microphone setting. `recorded`
    is "clean", "noise" or "telephone", the same for clips and calibrations. With `baseline_clips` 1, each neutral clip
    is a calibration by itself.
    """
    files: dict[str, list[tuple[str, str, Path]]] = {}
    for path in sorted((data / "speech" / "ravdess").glob("*.flac")):
        _, _, emotion, intensity, _, repetition, actor = path.stem.split("-")
        files.setdefault(actor, []).append((emotion, f"{intensity}{repetition}", path))
    efforts: dict[str, dict[str, list[float]]] = {}
    for actor, clips in files.items():
        seen = {
            path: calibration.measure_file(_as_recorded(_gained(path, rng), recorded, rng), None)
            for _, _, path in clips
        }
        calm = [seen[path] for emotion, key, path in clips if emotion == NEUTRAL and key == "0101"]
        for own in [calm] if baseline_clips == 2 else [[one] for one in calm]:
            baseline = observe.baseline_from(own, "evaluation")
            for emotion, key, path in clips:
                if any(seen[path] is one for one in calm) or emotion not in {ANGRY, CALM, NEUTRAL}:
                    continue
                change = observe.relate(seen[path], baseline).relative
                name = {CALM: "calm", NEUTRAL: "neutral"}.get(emotion) or ("angry" if key[:2] == "01" else "very angry")
                found = efforts.setdefault(actor, {}).setdefault(name, [])
                found.append(change.effort_db if change else float("nan"))
    groups = {
        name: [value for one in efforts.values() for value in one[name]]
        for name in ("angry", "calm", "neutral", "very angry")
    }
    low, high = groups["calm"] + groups["neutral"], groups["angry"] + groups["very angry"]
    return {
        "speakers": len(files),
        "auc": auc(high, low),
        "auc_normal_intensity": auc(groups["angry"], low),
        **dict(zip(("flagged_calm_or_neutral", "flagged_angry"), _flagged(low, high, RAISED_DB), strict=True)),
        "groups": {
            name: {"clips": len(values), "mean_db": float(np.mean(values)), "sd_db": float(np.std(values))}
            for name, values in groups.items()
        },
        "roc": [
            (t, *_flagged(low, high, t)) for t in (-1.0, 0.0, 0.5, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0)
        ],
        "by_speaker": {actor: _of_speaker(one) for actor, one in efforts.items()},
        "bootstrap": _bootstrap(efforts, rng),
    }


def _flagged(low: Sequence[float], high: Sequence[float], threshold_db: float) -> tuple[float, float]:
    """Shares above a threshold."""
    return float(np.mean(np.asarray(low) > threshold_db)), float(np.mean(np.asarray(high) > threshold_db))


def _of_speaker(efforts: dict[str, list[float]]) -> dict[str, float]:
    low, high = efforts["calm"] + efforts["neutral"], efforts["angry"] + efforts["very angry"]
    shares = _flagged(low, high, RAISED_DB)
    return {
        "auc": auc(high, low),
        "low": shares[0],
        "high": shares[1],
        **{name: float(np.mean(efforts[name])) for name in ("calm", "neutral", "angry", "very angry")},
    }


def _bootstrap(
    efforts: dict[str, dict[str, list[float]]], rng: np.random.Generator, draws: int = 2000
) -> dict[str, Any]:
    """AUC (5th and 95th percentile) and how often a threshold holds both marks, over draws of speakers."""
    speakers = [
        (np.array(one["calm"] + one["neutral"]), np.array(one["angry"] + one["very angry"])) for one in efforts.values()
    ]
    found, marks = [], dict.fromkeys((1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0), (0, 0, 0))
    for _ in range(draws):
        drawn = [speakers[index] for index in rng.integers(len(speakers), size=len(speakers))]
        low, high = (np.concatenate(side) for side in zip(*drawn, strict=True))
        found.append(auc(high, low))
        for t, counts in marks.items():
            few, most = np.mean(low > t) <= 0.04, np.mean(high > t) >= 0.88
            marks[t] = (counts[0] + few, counts[1] + most, counts[2] + (few and most))
    return {
        "auc_p5": float(np.percentile(found, 5)),
        "auc_p95": float(np.percentile(found, 95)),
        "held": [(t, *(float(count / draws) for count in counts)) for t, counts in marks.items()],
    }


def _as_recorded(samples: np.ndarray, recorded: str, rng: np.random.Generator) -> np.ndarray:
    """The clip in pink noise 15 dB under its louder half, or through a telephone (300 to 3400 Hz, 24 dB per octave)."""
    if recorded == "noise":
        power = samples.astype(float) ** 2
        spoken = np.mean(power[power > np.median(power)])
        return np.asarray(samples + _pink(len(samples), rng) * np.sqrt(spoken) * 10 ** (-15 / 20), np.float32)
    if recorded == "telephone":
        from scipy.signal import butter, sosfilt

        band = butter(4, [300, 3400], "band", fs=SAMPLE_RATE_HZ, output="sos")
        return np.asarray(sosfilt(band, samples), np.float32)
    return samples


def _pink(count: int, rng: np.random.Generator) -> np.ndarray:
    """Pink noise of RMS 1, level below 20 Hz."""
    frequencies = np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ)
    spectrum = rng.normal(size=(2, len(frequencies))).T @ np.array([1, 1j]) / np.sqrt(np.maximum(frequencies, 20))
    noise = np.fft.irfft(spectrum, count)
    return np.asarray(noise / noise.std())


def _gained(path: Path, rng: np.random.Generator) -> np.ndarray:
    return level_changed(audiofiles.read_with_flat(path)[0], rng.uniform(-GAIN_DB, GAIN_DB))


def replies(data: Path, rng: np.random.Generator, count: int = 20) -> Iterable[tuple[np.ndarray, str, float, float]]:
    """Replies of five read sentences with four known silences: (samples, text, true span s, true speech s)."""
    folder = data / "speech" / "fda"
    texts = dict(line.split(" ", 1) for line in (folder / "orthographic.index").read_text().splitlines() if " " in line)
    for index in range(count):
        speaker = ("rl", "sb")[index % 2]
        numbers = rng.choice(25, 5, replace=False) + 1
        pieces, words, speech = [], [], 0.0
        for position, number in enumerate(numbers):
            clip = _trimmed(audiofiles.read_with_flat(folder / f"{speaker}{number:03d}.flac")[0])
            pieces.append(clip)
            speech += len(clip) / SAMPLE_RATE_HZ
            words.append(texts[f"{number:03d}"].strip())
            if position < 4:
                pieces.append(np.zeros(round(SILENCES_S[position] * SAMPLE_RATE_HZ), np.float32))
        room = np.zeros(SAMPLE_RATE_HZ // 2, np.float32)
        samples = np.concatenate([room, *pieces, room])
        samples += rng.normal(0, 10 ** (-70 / 20), len(samples)).astype(np.float32)
        yield samples, " ".join(words), sum(map(len, pieces)) / SAMPLE_RATE_HZ, speech


def _trimmed(samples: np.ndarray) -> np.ndarray:
    """Without the silence at both ends: from the first to the last 10 ms frame within 25 dB of the loudest.

    The first 50 ms are left out: the recordings of one reader begin with a click.
    """
    samples = samples[SAMPLE_RATE_HZ // 20 :]
    frame = SAMPLE_RATE_HZ // 100
    power = np.mean(samples[: len(samples) // frame * frame].reshape(-1, frame) ** 2, axis=1)
    loud = np.flatnonzero(power > power.max() * 10**-2.5)
    return samples[loud[0] * frame : (loud[-1] + 1) * frame]


def rates(data: Path, ears: Whisper, rng: np.random.Generator) -> dict[str, Any]:
    """Words a minute, articulation rate, pauses and speech time of replies whose truth is known."""
    wpm, sps, spoken, pauses = [], [], [], []
    for samples, text, span_s, speech_s in replies(data, rng):
        seen = calibration.measure_file(samples, ears)
        assert seen.rate is not None
        words = rate.words_of(text)
        wpm.append(seen.rate.wpm / (60 * len(words) / span_s) - 1)
        sps.append(seen.rate.articulation_sps / (sum(map(rate.syllables, words)) / speech_s) - 1)
        spoken.append(seen.speech_s / speech_s - 1)
        pauses.append(len(seen.pauses))
    return {
        "replies": len(wpm),
        "wpm": _error(wpm),
        "articulation": _error(sps),
        "speech_time": _error(spoken),
        "pauses_found_of_4": float(np.mean(pauses)),
        "pause_count_mean_abs_error": float(np.mean(np.abs(np.asarray(pauses) - 4))),
    }


def _error(ratios: Sequence[float]) -> dict[str, float]:
    return {
        "bias": float(np.mean(ratios)),
        "mean_abs": float(np.mean(np.abs(ratios))),
        "max": float(np.max(np.abs(ratios))),
    }


def tempo(data: Path, ears: Whisper) -> list[dict[str, float]]:
    """Rates of read speech at several tempi, relative to tempo 1; sox (WSOLA) changes the tempo."""
    names = ("jfk.flac", "LJ001-0002.flac", "LJ001-0004.flac", "LJ001-0008.flac", "LJ001-0013.flac")
    sources = [audiofiles.read_with_flat(data / "speech" / "read" / name)[0] for name in names]
    found = {}
    for factor in TEMPI:
        seen = [calibration.measure_file(_at_tempo(one, factor), ears).rate for one in sources]
        found[factor] = (
            np.mean([one.wpm for one in seen if one]),
            np.mean([one.articulation_sps for one in seen if one]),
        )
    base = found[1.0]
    return [
        {"tempo": f, "wpm": float(found[f][0] / base[0]), "articulation": float(found[f][1] / base[1])} for f in TEMPI
    ]


def _at_tempo(samples: np.ndarray, factor: float) -> np.ndarray:
    form = ["-t", "f32", "-r", str(SAMPLE_RATE_HZ), "-c", "1"]
    command = ["sox", *form, "-", *form, "-", "tempo", "-s", str(factor)]
    done = subprocess.run(command, input=samples.astype("<f4").tobytes(), capture_output=True, check=True)
    return np.frombuffer(done.stdout, "<f4").copy()


def speed(data: Path) -> dict[str, float]:
    """All measures but recognition, and librosa's default pYIN alone, in processor seconds per second of audio."""
    import librosa

    clips = [audiofiles.read_with_flat(path)[0] for path in sorted((data / "speech" / "fda").glob("rl0*.flac"))[:12]]
    seconds = sum(len(clip) for clip in clips) / SAMPLE_RATE_HZ
    calibration.measure_file(clips[0], None)
    librosa.pyin(clips[0], fmin=65, fmax=2093, sr=SAMPLE_RATE_HZ)
    began = time.process_time()
    for clip in clips:
        calibration.measure_file(clip, None)
    own = time.process_time() - began
    began = time.process_time()
    for clip in clips[:4]:
        librosa.pyin(clip, fmin=65, fmax=2093, sr=SAMPLE_RATE_HZ)
    pyin = (time.process_time() - began) / (sum(len(clip) for clip in clips[:4]) / SAMPLE_RATE_HZ)
    return {"all_measures": own / seconds, "pyin_alone": pyin, "ratio": pyin / (own / seconds)}


def as_markdown(found: dict[str, Any]) -> str:
    """The validation page."""
    p, e, r, s = found["pitch"], found["effort"], found["rates"], found["speed"]
    percent = lambda x: f"{100 * x:.1f} %"  # noqa: E731 - a format, used a dozen times below
    rows = [
        "# How accurate the measures are",
        "",
        "Made by `python benchmarks/delivery.py DATA --write docs/validation.md` on recordings of people. The recordings",
        "are not part of voicecoach (three of the clips are also test data); see the script for what they are. Definitions:",
        "[delivery.md](delivery.md).",
        "",
        "## Pitch",
        "",
        f"Median F0 of {p['utterances']} read utterances (a man, a woman) against a laryngograph.",
        "",
        "| figure | value |",
        "|---|---|",
        f"| mean error | {p['mean_abs_error_st']:.2f} st (man {p['mean_abs_error_rl_st']:.2f}, woman {p['mean_abs_error_sb_st']:.2f}) |",
        f"| 95th percentile | {p['p95_abs_error_st']:.2f} st |",
        f"| octave errors (over 6 st) | {p['octave_errors']} of {p['utterances']} |",
        f"| largest change under ±12 dB of gain | {p['largest_change_with_gain_st']:.3f} st |",
        "",
        "## Vocal effort",
        "",
        f"Acted speech of {e['speakers']} speakers. Two neutral clips of each are the calibration. Every clip has a random gain of ±12 dB.",
        "",
        "| group | clips | effort, dB (mean ± SD) |",
        "|---|---|---|",
        *(f"| {name} | {g['clips']} | {g['mean_db']:+.1f} ± {g['sd_db']:.1f} |" for name, g in e["groups"].items()),
        "",
        f"AUC of angry above calm and neutral: {e['auc']:.3f} (only normal intensity: {e['auc_normal_intensity']:.3f}).",
        "",
        "| flagged above | calm or neutral | angry |",
        "|---|---|---|",
        *(
            f"| {t:+g} dB{' (the threshold)' if t == RAISED_DB else ''} | {percent(a)} | {percent(b)} |"
            for t, a, b in e["roc"]
        ),
        "",
        f"Over 2,000 draws of {e['speakers']} speakers from these, 90 % of the AUCs lie in {e['bootstrap']['auc_p5']:.3f} to "
        f"{e['bootstrap']['auc_p95']:.3f}. How often at",
        "most 4 % of calm and neutral clips, and at least 88 % of angry ones, lie above a threshold:",
        "",
        "| threshold | at most 4 % | at least 88 % | both |",
        "|---|---|---|---|",
        *(f"| {t:+g} dB | {percent(a)} | {percent(b)} | {percent(c)} |" for t, a, b, c in e["bootstrap"]["held"]),
        "",
        "The same in other recording conditions (the calibration as well):",
        "",
        f"| recording | AUC | normal intensity | calm or neutral above {RAISED_DB:+g} dB | angry above |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {o['auc']:.3f} | {o['auc_normal_intensity']:.3f} | {percent(o['flagged_calm_or_neutral'])} | {percent(o['flagged_angry'])} |"
            for name, o in {"clean": e, **found["effort_otherwise"]}.items()
        ),
        "",
        "Speaker by speaker (even numbers are women), mean effort in dB and shares above the threshold:",
        "",
        "| speaker | AUC | calm | neutral | angry | very angry | calm or neutral above | angry above |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {name} | {o['auc']:.3f} | {o['calm']:+.1f} | {o['neutral']:+.1f} | {o['angry']:+.1f} | {o['very angry']:+.1f} | {percent(o['low'])} | {percent(o['high'])} |"
            for name, o in e["by_speaker"].items()
        ),
        "",
        "## Rate and pauses",
        "",
        f"{r['replies']} replies of five read sentences, with four known silences of 0.3 to 1.2 s; words by tiny.en.",
        "",
        "| measure | bias | mean error | largest |",
        "|---|---|---|---|",
        *(
            f"| {label} | {100 * r[key]['bias']:+.1f} % | {percent(r[key]['mean_abs'])} | {percent(r[key]['max'])} |"
            for label, key in (
                ("words a minute", "wpm"),
                ("articulation rate", "articulation"),
                ("speech time", "speech_time"),
            )
        ),
        "",
        f"Pauses found: {r['pauses_found_of_4']:.2f} of 4 (mean error {r['pause_count_mean_abs_error']:.2f}).",
        "",
        "| tempo | words a minute | articulation rate |",
        "|---|---|---|",
        *(f"| {row['tempo']:g} | {row['wpm']:.3f} | {row['articulation']:.3f} |" for row in found["tempo"]),
        "",
        "## Cost",
        "",
        f"All measures of a turn, recognition aside: {s['all_measures']:.3f} of real time on one core; librosa's default pYIN",
        f"alone takes {s['pyin_alone']:.3f} in the same run, {s['ratio']:.1f} times as much.",
        "",
        "## What is not known",
        "",
        "- Acted emotion in short studio clips is not a call centre. No recordings of agents on laptops were at hand.",
        "- Two readers are few for pitch, and the tracker's author has used the same recordings for evaluation.",
        "- Gain, noise and the telephone band were simulated; rooms, codecs and gain control were not part of this run.",
        "- The threshold was chosen with these 12 speakers in view (delivery.md, section 5), so other speakers are the test.",
        "- Rates are compared with read sentences; free speech with false starts is harder for the recogniser.",
        "",
    ]
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with speech/fda, speech/ravdess, speech/read")
    parser.add_argument("--write", type=Path, help="write the validation page here")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    ears, _ = prepare.ears()
    found = {
        "pitch": pitch(given.data),
        "effort": effort(given.data, rng),
        "effort_otherwise": {
            "one calibration clip": effort(given.data, rng, baseline_clips=1),
            "pink noise, 15 dB": effort(given.data, rng, "noise"),
            "telephone, 300 to 3400 Hz": effort(given.data, rng, "telephone"),
        },
        "rates": rates(given.data, ears, rng),
        "tempo": tempo(given.data, ears),
        "speed": speed(given.data),
    }
    print(json.dumps(found, indent=1))
    if given.write:
        given.write.write_text(as_markdown(found), encoding="utf-8")


if __name__ == "__main__":
    main()
