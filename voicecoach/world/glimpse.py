"""A glimpse of what is being said: the words so far of somebody who may still be speaking, and how sure they are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from voicecoach.nouns import SAMPLE_RATE_HZ, Floats

WINDOW_S = 12.0
"""What the model hears, filled up with silence: less lets it loop, all 30 s cost 2.6 times as much (docs/voice-loop.md)."""
MOST_TOKENS = 24
"""More words than anybody says over a customer before the decision falls; a loop ends here too."""
LATEST_S = 4.0
"""Only so much of the end is looked at."""


@dataclass(frozen=True)
class Glimpse:
    """The words so far, and the recogniser's mean probability of them (0 to 1)."""

    text: str
    probability: float


@runtime_checkable
class Glimpsing(Protocol):
    """Ears that can take a glimpse."""

    def glimpse(self, samples: Floats, offset_s: float = 0.0) -> Glimpse:
        """The words in `samples` [shape=(n,)], 16 kHz, as far as they go."""
        ...


def glimpse(model: Any, samples: Floats) -> Glimpse:
    """With a model of faster-whisper; nothing where it hears no words."""
    from faster_whisper.tokenizer import Tokenizer
    from faster_whisper.transcribe import get_suppressed_tokens

    many = model.model.is_multilingual
    tokenizer = Tokenizer(model.hf_tokenizer, many, "transcribe" if many else None, "en" if many else None)
    prompt = model.get_prompt(tokenizer, [], without_timestamps=True)
    samples = samples[-round(LATEST_S * SAMPLE_RATE_HZ) :]
    window = np.pad(samples, (0, round(WINDOW_S * SAMPLE_RATE_HZ) - len(samples)))
    (found,) = model.model.generate(
        model.encode(model.feature_extractor(window, padding=0)),
        [prompt],
        beam_size=1,
        max_length=len(prompt) + MOST_TOKENS,
        suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
        return_scores=True,
    )
    return Glimpse(tokenizer.decode(found.sequences_ids[0]).strip(), math.exp(min(0.0, found.scores[0])))
