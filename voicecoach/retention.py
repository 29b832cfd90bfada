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
MOST_DAYS = 100 * 365
OF_ALL = (f"{EXPORTS}/sessions.csv", "history.html")
"""What is made of all sessions in the data folder, and made again when it is asked for."""


def days(written: str) -> int:
    """`30d`, `8w`, `6m` or `1y` as days. Raises BadInput."""
    found = re.fullmatch(r"(\d{1,5})\s*([dwmy])", written.strip().lower())
    told = int(found[1]) * DAYS[found[2]] if found else 0
    if not 0 < told <= MOST_DAYS:
        raise BadInput(f"'{written[:40]}' is no length of time.", "Write for example 30d, 8w, 6m or 1y; at most 100y.")
    return told


def load(data: Path) -> int | None:
    """How many days sessions are kept; None for until they are deleted by hand."""
    try:
        kept = json.loads((data / "retention.json").read_text("utf-8"))["days"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return kept if isinstance(kept, int) and not isinstance(kept, bool) and 0 < kept <= MOST_DAYS else None


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

    The table and the page of all sessions go with it, and the pages of other takes of its moments, which have its voice in
    them: they are made again when they are asked for. Raises BadInput where it is no session or is being recorded,
    DiskError where it cannot be deleted whole.
    """
    exported, beside = exports_of(folder, data), others(folder)
    record.delete(folder)
    try:
        if exported.is_dir() and not exported.is_symlink():
            shutil.rmtree(exported)
        for made in (*(data / name for name in OF_ALL), *(other / record.PAGE for other in beside)):
            made.unlink(missing_ok=True)
    except OSError as error:
        raise DiskError(
            f"The session is deleted, but not all that was made of it ({error.strerror or error}: {error.filename}).",
            "Delete it by hand.",
        ) from error


def others(folder: Path) -> tuple[Path, ...]:
    """The sessions whose pages play a take of this one, or the other way round."""
    from voicecoach.takes import index_of

    folder = folder.resolve()
    found: dict[Path, None] = {}
    for (first, _), takes in index_of(folder.parent).items():
        moment = [folder.parent / first, *(path.resolve() for _, path in takes)]
        if folder in moment:
            found |= dict.fromkeys(path for path in moment if path != folder)
    return tuple(found)


def exports_of(folder: Path, data: Path) -> Path:
    """Where exports of a session go when no other place is named."""
    return data / EXPORTS / folder.resolve().name
