"""Lines that are already spoken: the bundled personas' and trainees' sentences as Opus files, found by their words.

Made by `voicecoach personas render`; see assets/spoken/README.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voicecoach.errors import BadInput
from voicecoach.nouns import SAMPLE_RATE_HZ, Floats
from voicecoach.world import effects

MANIFEST = "manifest.json"


def spoken_key(voice: str, style: str, text: str) -> str:
    """The name of a spoken line: 20 hex digits that change with the voice, the style or one letter of the text."""
    return hashlib.sha256("\x1f".join((voice, style, text)).encode()).hexdigest()[:20]


@dataclass(frozen=True)
class Spoken:
    """The lines of one folder. `entries` maps a key to its line of the manifest: file, voice, style, text, seconds..."""

    folder: Path
    entries: Mapping[str, Mapping[str, Any]] = field(repr=False)
    more: Spoken | None = None
    """Where a line is looked for that is not here."""

    @classmethod
    def open(cls, folder: Path) -> Spoken:
        """Read `folder`; one without a manifest has no lines. BadInput when the manifest is damaged."""
        path = folder / MANIFEST
        try:
            entries = json.loads(path.read_text("utf-8"))
            if not (isinstance(entries, dict) and all(isinstance(entry, dict) for entry in entries.values())):
                raise ValueError("not a JSON object of objects")
        except FileNotFoundError:
            entries = {}
        except (OSError, ValueError) as error:
            raise BadInput(
                f"The list of spoken lines {path} cannot be read.", "Install voicecoach again.", str(error)
            ) from error
        return cls(folder, entries)

    def find(self, voice: str, style: str, text: str) -> Path | None:
        """The file of exactly this line, or None when it was never spoken or its file is missing."""
        name = self.entries.get(spoken_key(voice, style, text), {}).get("file")
        # A manifest is data: it may name files of its own folder, never a path.
        if isinstance(name, str) and name == Path(name).name and (self.folder / name).is_file():
            return self.folder / name
        return self.more.find(voice, style, text) if self.more else None


def load(path: Path) -> Floats:
    """The sound of one file as float32 mono (n,) at 16 kHz. BadInput when it is missing, damaged or empty."""
    import soundfile
    import soxr

    try:
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, RuntimeError) as error:  # soundfile's LibsndfileError is a RuntimeError
        raise BadInput(
            f"The spoken line {path} cannot be played.",
            "Install voicecoach again, or speak the line again with: voicecoach personas render",
            str(error),
        ) from error
    if not len(samples):
        raise BadInput(f"The spoken line {path} is empty.", "Speak it again with: voicecoach personas render")
    # Lossy coding lets the peaks of loud lines grow by some dB, past full scale.
    return effects.limit(soxr.resample(samples.mean(axis=1), rate_hz, SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)


def delivered(path: Path, level_db: float) -> Floats:
    """The sound of one file at exactly the level of its style: coding takes up to 1 dB off the loudest."""
    return effects.set_level(load(path), SAMPLE_RATE_HZ, level_db)
