"""The ears: audio to words. faster-whisper on this machine, or a script in tests."""

from __future__ import annotations

import re
import zlib
from typing import Any, Protocol

from voicecoach.errors import MissingModel
from voicecoach.measure.observe import Floats
from voicecoach.nouns import SAMPLE_RATE_HZ, Heard, Word
from voicecoach.world.glimpse import Glimpse, glimpse
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

    def __init__(self, files: ModelFiles) -> None:
        try:
            from faster_whisper import WhisperModel

            self._model: Any = WhisperModel(
                str(files.folder), device="cpu", compute_type="int8", cpu_threads=THREADS, local_files_only=True
            )
        except Exception as error:
            raise MissingModel(
                f"The recogniser in {files.folder} could not be loaded.",
                f"Check it with: voicecoach doctor --model {files.name}",
                str(error),
            ) from error
        self.name = files.name

    def hear(self, samples: Floats, offset_s: float = 0.0) -> Heard:
        """Recognise; a text that loops is heard again with another decoding, and dropped if it still loops."""
        if len(samples) < MIN_SPEECH_S * SAMPLE_RATE_HZ:
            return Heard("", (), self.name)
        heard = self._transcribe(samples, offset_s, beam=1)
        if loops(heard.text):
            heard = self._transcribe(samples, offset_s, beam=5)
        return Heard("", (), self.name) if loops(heard.text) else heard

    def _transcribe(self, samples: Floats, offset_s: float, beam: int) -> Heard:
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

    def glimpse(self, samples: Floats, offset_s: float = 0.0) -> Glimpse:  # noqa: ARG002 - scripts know by it who speaks
        """See glimpse.Glimpsing."""
        return glimpse(self._model, samples)


def loops(text: str) -> bool:
    """Whether a text repeats itself so much that no speaker can have said it."""
    raw = text.encode()
    return len(raw) > 80 and len(raw) / len(zlib.compress(raw)) > REPEATS


def plain(text: str) -> str:
    """A text as words only, for comparing: lower case, no punctuation."""
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))
