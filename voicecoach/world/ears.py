"""The ears: audio to words. faster-whisper on this machine, or a script in tests.

Two passes. The quick one gives the words that the customer answers to, in a short window, straight on CTranslate2; the
careful one gives word times, after the answer, and is what the debrief uses (docs/voice-loop.md).
"""

from __future__ import annotations

import os
import re
import zlib
from pathlib import Path
from threading import local
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from voicecoach.errors import MissingModel
from voicecoach.nouns import SAMPLE_RATE_HZ, Floats, Heard, Word
from voicecoach.world.glimpse import Glimpse, glimpse
from voicecoach.world.models import ModelFiles

THREADS = 2
WORKERS = 2
"""The careful pass over one turn must not keep a look at the next words waiting: both at once make a look take 0.26 s
instead of 0.15 s, one after the other up to 3 s (docs/voice-loop.md). They share the weights."""
REPEATS = 2.4
"""Compression ratio above which a text is a loop of itself (Whisper's own limit)."""
MIN_SPEECH_S = 0.2
"""Recognisers invent words for less than this, so nothing is recognised without voice."""
BEAM = 5
"""Of the careful pass: 5 % dearer than 1, and 14 to 34 % fewer errors on two sets of human clips (docs/voice-loop.md)."""
WINDOW_S = 12.0
"""The quick pass hears at least this much, filled up with silence: in 10 s one of 9 short human clips looped, in 12 s none
(docs/voice-loop.md)."""
SILENCE_S = 2.5
"""And never less silence than this after the last word: without it the decoder does not know when to stop."""
LONGEST_S = 30.0 - SILENCE_S
"""What the model can hear at once, with that silence."""
TOKENS_PER_S = 7
TOKENS_MORE = 12
"""Nobody speaks more tokens than 7 a second and 12; a text that needs them all is a loop."""
REPEATED_WORDS = 3
"""As many words said twice running send the quick pass to the careful window: it costs time, never words."""
NO_SPEECH = 0.6
LEAST_LOG_PROBABILITY = -1.0
"""Whisper's own limits: no speech is likely, and the words are not."""
UNSURE = 0.1
"""Probability of a word that is only there because something had to be: 0.03 for "You" in exact silence."""


class Ears(Protocol):
    """Audio to words."""

    name: str

    def hear(self, samples: Floats, offset_s: float = 0.0) -> Heard:
        """Recognise `samples` [shape=(n,)], 16 kHz; word times are on the session clock, from `offset_s`."""
        ...


@runtime_checkable
class QuickEars(Ears, Protocol):
    """Ears with a quick pass beside the careful one."""

    def hear_quickly(self, samples: Floats) -> Heard:
        """Recognise `samples` [shape=(n,)], 16 kHz, in a fraction of the time; no word times."""
        ...


class Whisper:
    """faster-whisper, loaded once, English, on the processor."""

    def __init__(self, files: ModelFiles, silence_s: float | None = None, at_once: int = 1) -> None:
        """Load the model; `silence_s` is how much silence is recognised behind the words, None as much as fills 30 s.

        `at_once` utterances can be heard at the same time, each by its share of THREADS.
        """
        try:
            self._model: Any = _model(
                files.folder, device="cpu", compute_type="int8", cpu_threads=max(1, THREADS // at_once),
                num_workers=max(WORKERS, at_once), local_files_only=True,
            )  # fmt: skip
        except Exception as error:
            raise MissingModel(
                f"The recogniser in {files.folder} could not be loaded.",
                f"Check it with: voicecoach doctor --model {files.name}",
                str(error),
            ) from error
        self.name, self._silence_s, self.at_once = files.name, silence_s, at_once

    def hear(self, samples: Floats, offset_s: float = 0.0) -> Heard:
        """Recognise with care; a text that loops is heard again with another decoding, and dropped if it still loops."""
        if len(samples) < MIN_SPEECH_S * SAMPLE_RATE_HZ:
            return Heard("", (), self.name)
        heard = self._transcribe(samples, offset_s, beam=BEAM)
        if loops(heard.text):
            heard = self._transcribe(samples, offset_s, beam=1)
        return Heard("", (), self.name) if loops(heard.text) else heard

    def hear_quickly(self, samples: Floats) -> Heard:
        """See QuickEars; what looks like a loop is heard again in the full window."""
        if len(samples) < MIN_SPEECH_S * SAMPLE_RATE_HZ:
            return Heard("", (), self.name)
        if len(samples) <= LONGEST_S * SAMPLE_RATE_HZ:
            text, ended = self._in_window(samples)
            if ended and not repeats(text):
                return Heard(text, (), self.name)
        segments, _ = self._model.transcribe(
            samples,
            language="en",
            beam_size=1,
            without_timestamps=True,
            condition_on_previous_text=False,
            temperature=0.0,
            vad_filter=False,
        )
        text = " ".join(segment.text.strip() for segment in segments)
        return Heard("" if loops(text) else text, (), self.name)

    def _in_window(self, samples: Floats) -> tuple[str, bool]:
        """(text, whether it came to an end by itself) of up to LONGEST_S of sound."""
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_suppressed_tokens

        many = self._model.model.is_multilingual
        tokenizer = Tokenizer(self._model.hf_tokenizer, many, "transcribe" if many else None, "en" if many else None)
        prompt = self._model.get_prompt(tokenizer, [], without_timestamps=True)
        seconds = len(samples) / SAMPLE_RATE_HZ
        window = round(max(WINDOW_S, seconds + SILENCE_S) * SAMPLE_RATE_HZ)
        features = self._model.feature_extractor(np.pad(samples, (0, window - len(samples))), padding=0)
        most = round(TOKENS_PER_S * seconds) + TOKENS_MORE
        (found,) = self._model.model.generate(
            self._model.encode(features),
            [prompt],
            beam_size=1,
            max_length=len(prompt) + most,
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
            return_scores=True,
            return_no_speech_prob=True,
        )
        tokens = found.sequences_ids[0]
        if found.no_speech_prob > NO_SPEECH and found.scores[0] < LEAST_LOG_PROBABILITY:
            return "", True
        return tokenizer.decode(tokens).strip(), len(tokens) < most

    def _transcribe(self, samples: Floats, offset_s: float, beam: int) -> Heard:
        self._model.here.silence_s = self._silence_s if beam == BEAM else None  # what looped is heard again in full
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
            if not _invented(segment)
            for word in segment.words or ()
            if word.word.strip()
        )
        return Heard(" ".join(word.text for word in words), words, self.name)

    def glimpse(self, samples: Floats, offset_s: float = 0.0) -> Glimpse:  # noqa: ARG002 - scripts know by it who speaks
        """See glimpse.Glimpsing."""
        return glimpse(self._model, samples)


def _invented(segment: Any) -> bool:
    """Whether a segment's words were made up for silence: the wide search finds likelier ones than Whisper's limit is for."""
    return segment.no_speech_prob > NO_SPEECH and all(word.probability < UNSURE for word in segment.words or ())


SHORT_S = 10.0
"""As much silence behind the words as hears them alike in half of the time: of 100 spoken lines 3.5 % of the words are wrong,
as with Whisper's own 30 s (of 150 others 3.4 %, against 3.3 %). With 8.5, 7 and 5 s the model begins to loop (160 lines:
3.9, 10 and 30 %, against 4.0 %)."""
_FRAMES_PER_S = 100
_KEPT_SHAPES = "16"
"""Every new length of sound is built by the engine (oneDNN), which by itself keeps 1,024 of them: over the first 90
utterances of a recording memory grew by 100 MB. With 8 of them it stays, and takes no longer."""


def _model(folder: Path, **options: Any) -> Any:
    """The recogniser, whose encoder can leave out most of the silence with which utterances are filled up to 30 s."""
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", _KEPT_SHAPES)
    from faster_whisper import WhisperModel

    class Model(WhisperModel):  # type: ignore[misc]
        here = local()
        """`silence_s` of what this thread hears."""

        def encode(self, features: npt.NDArray[np.float32]) -> Any:
            silence_s: float | None = getattr(self.here, "silence_s", None)
            if silence_s is None:
                return super().encode(features)
            return super().encode(_shortened(features, round(silence_s * _FRAMES_PER_S)))

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


def repeats(text: str) -> bool:
    """Whether a text looks like the beginning of a loop: as a whole, or REPEATED_WORDS words or more twice running."""
    words = plain(text).split()
    sizes = range(REPEATED_WORDS, len(words) // 2 + 1)
    starts = range(len(words))
    return loops(text) or any(
        words[at : at + n] == words[at + n : at + 2 * n] for n in sizes for at in starts[: 1 - 2 * n]
    )


def plain(text: str) -> str:
    """A text as words only, for comparing: lower case, no punctuation."""
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))
