"""Where copies of a session were put, so that deleting it can tell of them, and delete them too if it is asked to."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from voicecoach import bundles, record
from voicecoach.errors import BadInput, DiskError
from voicecoach.report.facts import text

MAX_COPIES = 500


@dataclass(frozen=True)
class Copy:
    """A file that was made of a session and is still there as it was made."""

    what: Literal["submitted", "exported", "answered"]
    """The last is the trainer's file beside what was submitted."""
    path: Path
    wall: str


def note(session: Path, what: Literal["submitted", "exported"], path: Path, wall: str) -> bool:
    """Keep in mind where a copy went; False where the session cannot be written to. The copy is there all the same."""
    place = path.resolve()
    try:
        entry = {"what": what, "path": str(place), "wall": wall, "sha256": bundles.hash_of(place)}
        record.append_line(session / record.COPIES, entry)
    except (OSError, DiskError):  # OSError: a watched folder may have taken it away already
        return False
    return True


def of(session: Path) -> tuple[Copy, ...]:
    """The copies that are still there, byte for byte: a file that became another is nobody's to touch.

    With what was submitted goes what a trainer wrote beside it, where all of that is about this session.
    """
    found: dict[Path, Copy] = {}
    lines, _ = record.read_lines(session / record.COPIES)
    for line in lines[-MAX_COPIES:]:
        what, path = line.get("what"), Path(text(line.get("path")))
        with contextlib.suppress(OSError, ValueError, BadInput):
            if (
                what in ("submitted", "exported")
                and path.is_absolute()
                and path.is_file()
                and not path.is_symlink()
                and bundles.hash_of(path) == line.get("sha256")
            ):
                found[path] = Copy(what, path, text(line.get("wall")))
                answer = bundles.trainer_file(path)
                if what == "submitted" and answer not in found and _is_about(session, answer):
                    found[answer] = Copy("answered", answer, "")
    return tuple(found.values())


def _is_about(session: Path, answer: Path) -> bool:
    """Whether this is a trainer's file, and says that it is about this session and no other."""
    if answer.is_symlink() or not answer.is_file():
        return False
    lines, _ = record.read_lines(answer)
    own, _ = bundles.words_about(record.read_events(session), lines)
    return len(own) == len(lines) and any(line.get("kind") == "about" for line in lines)


def remove(copy: Copy) -> bool:
    """Delete a copy; False where that is not possible."""
    try:
        copy.path.unlink(missing_ok=True)  # of two sessions, the other may have taken it along
    except OSError:
        return False
    return True
