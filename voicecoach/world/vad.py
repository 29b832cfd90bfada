"""Silero voice activity detection, the model that faster-whisper brings (MIT), live and for whole recordings."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from voicecoach.measure.activity import FRAME
from voicecoach.nouns import Floats

NAME = "silero-vad-v6"
_CONTEXT = 64
"""Samples of the frame before, which the model takes in front of each frame at 16 kHz."""


def model_path() -> Path:
    """The detector's weights, inside the package faster-whisper."""
    from faster_whisper.utils import get_assets_path

    return Path(get_assets_path()) / "silero_vad_v6.onnx"


@lru_cache(maxsize=1)
def _session() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(model_path()), options, providers=["CPUExecutionProvider"])


class VoiceActivity:
    """The detector on one stream: samples in, a probability of voice per FRAME out. State is carried from call to call."""

    def __init__(self) -> None:
        self._hidden = np.zeros((1, 1, 128), np.float32)
        self._cell = np.zeros((1, 1, 128), np.float32)
        self._before = np.zeros(_CONTEXT, np.float32)

    def push(self, samples: Floats) -> Floats:
        """Probabilities [shape=(n,)] for n whole frames [shape=(n * FRAME,)]."""
        if not len(samples):
            return np.zeros(0, np.float32)
        frames = samples.reshape(-1, FRAME)
        before = np.vstack([self._before[None, :], frames[:-1, -_CONTEXT:]])
        self._before = frames[-1, -_CONTEXT:].copy()
        given = {"input": np.hstack([before, frames]).astype(np.float32), "h": self._hidden, "c": self._cell}
        probabilities, self._hidden, self._cell = _session().run(None, given)
        return np.asarray(probabilities, np.float32).reshape(-1)


def probabilities(samples: Floats) -> Floats:
    """Probability of voice per frame of a whole recording [shape=(ceil(n / FRAME),)]."""
    step = FRAME * 1024  # half a minute at a time bounds the memory
    return probabilities_of(samples[at : at + step] for at in range(0, len(samples), step))


def probabilities_of(pieces: Iterable[Floats]) -> Floats:
    """As `probabilities`, for a recording that comes in pieces of any length."""
    detector = VoiceActivity()
    found = []
    rest = np.zeros(0, np.float32)
    for piece in pieces:
        rest = np.concatenate([rest, piece])
        whole = len(rest) - len(rest) % FRAME
        found.append(detector.push(rest[:whole]))
        rest = rest[whole:]
    return np.concatenate([*found, detector.push(np.pad(rest, (0, -len(rest) % FRAME)))])
