"""The ears: audio to words. faster-whisper on this machine, or a script in tests."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from voicecoach.errors import MissingModel
from voicecoach.measure.observe import Floats
from voicecoach.nouns import SAMPLE_RATE_HZ, Heard, Word
from voicecoach.world.models import ModelFiles

THREADS = 2
REPEATS = 2.4
"""Compression ratio above which a text is a loop of itself (Whisper's own limit)."""
MIN_SPEECH_S = 0.2
"""Recognisers invent words for less than this, so nothing is recognised without voice."""


class Ears(Protocol):
    """Audio to words."""

    name: str

    def hear(self, samples: Floats, offset_s: float = 0.0) -> Heard:
        """Recognise `samples` [shape=(n,)], 16 kHz; word times are on the session clock, from `offset_s`."""
        ...


class Whisper:
    """faster-whisper, loaded once, English, on the processor."""

    def __init__(self, files: ModelFiles, silence_s: float | None = None) -> None:
        """Load the model; `silence_s` is how much silence is recognised behind the words, None as much as fills 30 s."""
        try:
            self._model: Any = _model(
                files.folder, device="cpu", compute_type="int8", cpu_threads=THREADS, local_files_only=True
            )
        except Exception as error:
            raise MissingModel(
                f"The recogniser in {files.folder} could not be loaded.",
                f"Check it with: voicecoach doctor --model {files.name}",
                str(error),
            ) from error
        self.name, self._silence_s = files.name, silence_s

    def hear(self, samples: Floats, offset_s: float = 0.0) -> Heard:
        """Recognise; a text that loops is heard again with another decoding, and dropped if it still loops."""
        if len(samples) < MIN_SPEECH_S * SAMPLE_RATE_HZ:
            return Heard("", (), self.name)
        heard = self._transcribe(samples, offset_s, beam=1)
        if loops(heard.text):
            heard = self._transcribe(samples, offset_s, beam=5)
        return Heard("", (), self.name) if loops(heard.text) else heard

    def _transcribe(self, samples: Floats, offset_s: float, beam: int) -> Heard:
        self._model.silence_s = self._silence_s if beam == 1 else None  # what looped is heard again in full
        segments, _ = self._model.transcribe(
            samples,
            language="en",
            beam_size=beam,
            word_timestamps=True,
            condition_on_previous_text=False,
            temperature=0.0,  # the fallback to sampling would hear the same audio differently each time
            vad_filter=False,
        )
        words = tuple(
            Word(word.word.strip(), offset_s + float(word.start), offset_s + float(word.end), float(word.probability))
            for segment in segments
            for word in segment.words or ()
            if word.word.strip()
        )
        return Heard(" ".join(word.text for word in words), words, self.name)


SHORT_S = 10.0
"""As much silence behind the words as hears them alike in half of the time: of 100 spoken lines 3.5 % of the words are wrong,
as with Whisper's own 30 s (of 150 others 3.4 %, against 3.3 %). With 8.5, 7 and 5 s the model begins to loop (160 lines:
3.9, 10 and 30 %, against 4.0 %)."""
_FRAMES_PER_S = 100


def _model(folder: Path, **options: Any) -> Any:
    """The recogniser, whose encoder can leave out most of the silence with which utterances are filled up to 30 s."""
    from faster_whisper import WhisperModel

    class Model(WhisperModel):  # type: ignore[misc]
        silence_s: float | None = None

        def encode(self, features: npt.NDArray[np.float32]) -> Any:
            if self.silence_s is None:
                return super().encode(features)
            return super().encode(_shortened(features, round(self.silence_s * _FRAMES_PER_S)))

    return Model(str(folder), **options)


def _shortened(features: npt.NDArray[np.float32], keep: int) -> npt.NDArray[np.float32]:
    """Spectra [shape=(n_mels, n_frames)] with no more than `keep` empty frames at the end, an even number in all."""
    filled = np.flatnonzero(features.any(axis=0))
    last = int(filled[-1]) + 1 if len(filled) else 0
    n_frames = min(features.shape[1], last + keep)
    return np.ascontiguousarray(features[:, : n_frames + n_frames % 2])


def loops(text: str) -> bool:
    """Whether a text repeats itself so much that no speaker can have said it."""
    raw = text.encode()
    return len(raw) > 80 and len(raw) / len(zlib.compress(raw)) > REPEATS


def plain(text: str) -> str:
    """A text as words only, for comparing: lower case, no punctuation."""
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))
