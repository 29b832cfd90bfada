"""How long sessions are kept, and deleting one with everything that was made of it."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import shutil
from pathlib import Path

from voicecoach import record
from voicecoach.errors import BadInput, DiskError, VoicecoachError

EXPORTS = "exports"
"""The folder, in the data folder, of exports that were given no other place; one folder for each session."""
DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}


def days(written: str) -> int:
    """`30d`, `8w`, `6m` or `1y` as days. Raises BadInput."""
    found = re.fullmatch(r"(\d{1,5})\s*([dwmy])", written.strip().lower())
    if not found or not int(found[1]):
        raise BadInput(f"'{written[:40]}' is no length of time.", "Write for example 30d, 8w, 6m or 1y.")
    return int(found[1]) * DAYS[found[2]]


def load(data: Path) -> int | None:
    """How many days sessions are kept; None for until they are deleted by hand."""
    try:
        kept = json.loads((data / "retention.json").read_text("utf-8"))["days"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return kept if isinstance(kept, int) and not isinstance(kept, bool) and kept > 0 else None


def save(data: Path, kept_days: int | None) -> None:
    """Keep the setting; None removes it. Raises DiskError."""
    path = data / "retention.json"
    old = os.umask(0o077)
    try:
        if kept_days is None:
            path.unlink(missing_ok=True)
            return
        data.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"days": kept_days}) + "\n", "utf-8")
    except OSError as error:
        raise DiskError(
            f"{path} cannot be written ({error.strerror or error}).", "Choose another folder with --data."
        ) from error
    finally:
        os.umask(old)


def older_than(sessions: Path, kept_days: int, now: str) -> tuple[Path, ...]:
    """Sessions that began more than so many days before `now` (ISO 8601), oldest first."""
    limit = dt.datetime.fromisoformat(now) - dt.timedelta(days=kept_days)
    return tuple(folder for folder in record.list_sessions(sessions) if _began(folder, limit) < limit)


def _began(folder: Path, like: dt.datetime) -> dt.datetime:
    """When a session began: as it says, else as its file does."""
    with contextlib.suppress(VoicecoachError, ValueError, TypeError):
        started = record.read(folder).first("started")
        began = dt.datetime.fromisoformat(started.data["wall"] if started else "")
        return began if began.tzinfo else began.replace(tzinfo=like.tzinfo)
    return dt.datetime.fromtimestamp((folder / "events.jsonl").stat().st_mtime, like.tzinfo)


def delete(folder: Path, data: Path) -> None:
    """Delete a session and what was made of it in the data folder.

    Tables and indexes of all sessions go with it: they are made again from the folders. Raises BadInput where it is no session or is being recorded, DiskError where it cannot be deleted whole.
    """
    exported = exports_of(folder, data)
    record.delete(folder)
    try:
        if exported.is_dir() and not exported.is_symlink():
            shutil.rmtree(exported)
        for pattern in (f"{EXPORTS}/*.csv", "*.sqlite*", "*.db*"):
            for index in data.glob(pattern):
                index.unlink(missing_ok=True)
    except OSError as error:
        raise DiskError(
            f"The session is deleted, but not all that was made of it ({error.strerror or error}: {error.filename}).",
            "Delete it by hand.",
        ) from error


def exports_of(folder: Path, data: Path) -> Path:
    """Where exports of a session go when no other place is named."""
    return data / EXPORTS / folder.resolve().name
