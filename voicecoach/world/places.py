"""Where things are on this machine: what came with the package, and the trainee's own data."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def bundled(name: str) -> Path:
    """A folder that came with the package ("personas", "assets"): inside the wheel, or beside a checkout."""
    inside = _PACKAGE / "_bundled" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def data_home() -> Path:
    """The one folder that holds everything recorded or learned about a trainee; VOICECOACH_DATA overrides it."""
    given = os.environ.get("VOICECOACH_DATA")
    if given:
        try:
            return Path(given).expanduser()
        except RuntimeError:  # ~somebody who is not known here
            return Path(given)
    from platformdirs import user_data_dir

    return Path(user_data_dir("voicecoach", appauthor=False))
