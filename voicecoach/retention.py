"""How long sessions are kept, and deleting one with everything that was made of it."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import shutil
from pathlib import Path

from voicecoach import kept, record
from voicecoach.errors import BadInput, DiskError, VoicecoachError
from voicecoach.report.facts import text

EXPORTS = "exports"
"""The folder, in the data folder, of exports that were given no other place; one folder for each session."""
DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
MOST_DAYS = 100 * 365
OF_ALL = (f"{EXPORTS}/sessions.csv", "history.html")
"""Files in the data folder that are made from all sessions, and made again when needed."""


def days(written: str) -> int:
    """`30d`, `8w`, `6m` or `1y` as days. Raises BadInput."""
    found = re.fullmatch(r"(\d{1,5})\s*([dwmy])", written.strip().lower())
    told = int(found[1]) * DAYS[found[2]] if found else 0
    if not 0 < told <= MOST_DAYS:
        raise BadInput(
            f"'{written[:40]}' is not a length of time.", "Write for example 30d, 8w, 6m or 1y; at most 100y."
        )
    return told


def load(data: Path) -> int | None:
    """How many days sessions are kept; None for until they are deleted by hand."""
    told = kept.read(_path(data)).get("days")
    return told if isinstance(told, int) and not isinstance(told, bool) and 0 < told <= MOST_DAYS else None


def save(data: Path, kept_days: int | None) -> None:
    """Keep the setting, None for until they are deleted by hand; raises DiskError."""
    with kept.changed(_path(data), "The setting") as setting:
        setting["days"] = kept_days


def _path(data: Path) -> Path:
    return data / "retention.json"


def older_than(sessions: Path, kept_days: int, now: str) -> tuple[Path, ...]:
    """Sessions that began more than so many days before `now` (ISO 8601), oldest first."""
    limit = dt.datetime.fromisoformat(now) - dt.timedelta(days=kept_days)
    return tuple(folder for folder in record.list_sessions(sessions) if _began(folder, limit) < limit)


def _began(folder: Path, like: dt.datetime) -> dt.datetime:
    """When a session began: as it says, else as its file does."""
    with contextlib.suppress(VoicecoachError, ValueError, TypeError):
        started = record.read(folder).first("started")
        began = dt.datetime.fromisoformat(text(started.data.get("wall")) if started else "")
        return began if began.tzinfo else began.replace(tzinfo=like.tzinfo)
    return dt.datetime.fromtimestamp((folder / "events.jsonl").stat().st_mtime, like.tzinfo)


def delete(folder: Path, data: Path) -> None:
    """Delete a session and what was made of it in the data folder.

    The table and the page of all sessions are deleted too, and the pages of other takes of its moments, which contain its
    voice: they are made again when needed. Exports under its name stay if the data folder has another session of that name,
    as when a copy of it elsewhere is deleted. Raises BadInput if it is no session or is being recorded, DiskError if it
    cannot be deleted completely.
    """
    exported, beside, shared = exports_of(folder, data), others(folder), _has_namesake(folder, data)
    record.delete(folder)
    try:
        if not shared and exported.is_dir() and not exported.is_symlink():
            shutil.rmtree(exported)
        for made in (*(data / name for name in OF_ALL), *(other / record.PAGE for other in beside)):
            made.unlink(missing_ok=True)
    except OSError as error:
        raise DiskError(
            f"The session is deleted, but not all that was made of it ({error.strerror or error}: {error.filename}).",
            "Delete it by hand.",
        ) from error


def _has_namesake(folder: Path, data: Path) -> bool:
    """Whether the data folder has another session by the name of this one."""
    folder = folder.resolve()
    there = (data / "sessions" / folder.name).resolve()
    return there != folder and (there / "events.jsonl").is_file()


def others(folder: Path) -> tuple[Path, ...]:
    """The sessions whose pages play a take of this one, or the other way round."""
    from voicecoach.takes import index_of

    folder = folder.resolve()
    there = {path.name: path for path in record.list_sessions(folder.parent)}
    found: dict[Path, None] = {}
    for (first, _), takes in index_of(folder.parent).items():
        names = [first, *(path.name for _, path in takes)]  # the first is what a record says: a name, never a path
        if folder.name in names:
            found |= dict.fromkeys(there[name] for name in names if name in there and name != folder.name)
    return tuple(found)


def exports_of(folder: Path, data: Path) -> Path:
    """Where exports of a session go when no other place is named."""
    return data / EXPORTS / folder.resolve().name
