"""Where copies of a session were put, so that deleting it can tell of them, and delete them too if it is asked to."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from voicecoach import bundles, record
from voicecoach.errors import DiskError
from voicecoach.report.facts import text

MAX_COPIES = 500


@dataclass(frozen=True)
class Copy:
    """A file that was made of a session and is still there as it was made."""

    what: Literal["submitted", "exported"]
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
    """The copies that are still there, byte for byte: a file that became another is nobody's to touch."""
    found: dict[Path, Copy] = {}
    lines, _ = record.read_lines(session / record.COPIES)
    for line in lines[-MAX_COPIES:]:
        what, path = line.get("what"), Path(text(line.get("path")))
        with contextlib.suppress(OSError, ValueError):
            if (
                what in ("submitted", "exported")
                and path.is_absolute()
                and path.is_file()
                and not path.is_symlink()
                and bundles.hash_of(path) == line.get("sha256")
            ):
                found[path] = Copy(what, path, text(line.get("wall")))
    return tuple(found.values())


def remove(copy: Copy) -> bool:
    """Delete a copy; False where that is not possible."""
    try:
        copy.path.unlink()
    except OSError:
        return False
    return True
