"""A short session for tests of what comes after a call: real files, real verdicts, nothing spoken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from voicecoach import prepare, record
from voicecoach.nouns import SAMPLE_RATE_HZ

SAID = (
    "I can hear how upset you are, and I am so sorry that you had to wait.",
    "So the printer jammed three times. Have I got that right?",
    "We will send a new printer by noon tomorrow.",
)


def at(time_s: float) -> int:
    return round(time_s * SAMPLE_RATE_HZ)


def write(
    sessions: Path,
    name: str = "20261121-100000-dana-printer",
    *,
    trainee: str = "Sam",
    said: tuple[str, ...] = SAID,
    customer: str = "My printer! It jammed again.",
    wall: str = "2026-11-21T10:00:00+01:00",
    assignment: dict[str, Any] | None = None,
    ended: bool = True,
    **started: Any,
) -> Path:
    """A call of some turns, with words, times and a recording of faint noise."""
    _, persona = prepare.choose_persona("dana-printer")
    _, procedure = prepare.choose_procedure("six-guidelines")
    folder = sessions / name
    end_s = 1.0
    with record.Writer(folder, persona, procedure) as writer:
        writer.event(
            "started", at=0, wall=wall, voicecoach="0.1.0", rules="2026.11.5", trainee=trainee,
            persona={"id": "dana-printer", "name": "Dana", "level": "medium"}, procedure="six-guidelines", seed=3,
            sound={"port": "device", "input": "Headset"}, **started,
        )  # fmt: skip
        if assignment:
            writer.event("assignment", at=0, **assignment)
        for number, text in enumerate(said, 1):
            writer.event(
                "said", at=at(end_s), line=f"line.{number}", text=customer, level=3, anger=3.0 - 0.5 * number,
                voice="test", start=at(end_s), end=at(end_s + 2),
            )  # fmt: skip
            start_s = end_s + 2.5
            words = text.split()
            end_s = start_s + 0.4 * len(words)
            spans = [
                {"text": word, "start_s": start_s + 0.4 * n, "end_s": start_s + 0.4 * n + 0.35, "probability": 0.9}
                for n, word in enumerate(words)
            ]
            writer.event("spoke", at=at(end_s), turn=number, start=at(start_s), end=at(end_s), speech=[], overlap=[])
            writer.event("heard", at=at(end_s), who="trainee", turn=number, text=text, words=spans, model="tiny.en")
            end_s += 1.0
        noise = np.random.default_rng(1).integers(-40, 40, (at(end_s), 2), np.int16)
        writer.audio(noise)
        if ended:
            writer.event("ended", outcome="resolved", why="Dana accepted the solution.")
    return folder
