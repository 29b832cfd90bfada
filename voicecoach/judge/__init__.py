"""Numbers and words to verdicts: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from voicecoach.judge.cues import Cues, load_cues
from voicecoach.judge.delivery import judge_delivery
from voicecoach.judge.moves import find
from voicecoach.judge.procedures import load_procedure
from voicecoach.judge.silence import Announcements, load_announcements
from voicecoach.judge.sources import in_words
from voicecoach.nouns import Assessment, Delivery, Observation, Reading, TurnContext, Word

CUE_FILES = ("terms.yaml", "moves.yaml", "faults.yaml")
"""Terms come first: the other files are written with them."""
SILENCE_FILE = "silence.yaml"

__all__ = ["CUE_FILES", "Rules", "assess", "load_rules"]


@dataclass(frozen=True)
class Rules:
    """Everything that the judge goes by."""

    cues: Cues
    silence: Announcements | None = None
    """How a silence is announced; None where nothing is known of that."""
    reading: Reading | None = None
    """The encoder that weighs the cues and hears what they miss; None: the cues alone."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """The rule of each source, such as "001.3", in words: from the steps of all procedures that come with voicecoach."""


def load_rules(folder: Path) -> Rules:
    """Read the rules from the assets `folder` (the cue files in its `cues`, the steps in its `procedures`)."""
    cues = load_cues(*(folder / "cues" / name for name in CUE_FILES))
    procedures = map(load_procedure, sorted((folder / "procedures").glob("*.yaml")))
    return Rules(cues, load_announcements(folder / "cues" / SILENCE_FILE), sources=in_words(procedures))


def assess(
    text: str,
    words: Sequence[Word],
    observation: Observation | None,
    context: TurnContext,
    rules: Rules,
    previous: Delivery | None = None,
) -> Assessment:
    """The verdicts on one turn: what was said, and how (`observation` is None where there is no recording)."""
    return Assessment(find(text, words, context, rules.cues, rules.reading), judge_delivery(observation, previous))
