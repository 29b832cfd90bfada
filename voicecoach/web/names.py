"""What a page calls a session or a bundle: never a path, but something to be looked up among those that are there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from voicecoach.errors import BadInput


def key_of(path: Path) -> str:
    """The name of a session or bundle for a page."""
    return hashlib.sha256(b"voicecoach session " + os.fsencode(path.name)).hexdigest()[:24]


def found(there: Iterable[Path], key: str) -> Path:
    """The one that a page means. Raises BadInput where it is not there."""
    for path in there:
        if key_of(path) == key:
            return path
    raise BadInput("This session is not there any more.", "Go back to the list.")
