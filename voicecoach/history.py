"""The sessions of this machine as rows, through an index that can be thrown away.

The index is one SQLite file beside the session folders. It holds codes and numbers, no words; it is made anew where it
is missing, damaged or of another version, and a row where its folder or the rules have changed. Without it everything
comes out the same, only later.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicecoach import RULES_VERSION, judge, persona, prepare, record
from voicecoach.errors import BadInput, VoicecoachError
from voicecoach.judge.procedures import parse_procedure
from voicecoach.report.progress import Row, row_from, row_of
from voicecoach.report.tell import tell

VERSION = f"3/{RULES_VERSION}"
"""Raised when a row is made otherwise; rows of another version are made again."""


_SENSELESS = (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError)
"""What telling a record that makes no sense may come to. It never should; where it does, one session is lost, not all."""


@dataclass(frozen=True)
class History:
    """Every session that could be read, by name, and a sentence on each that could not."""

    rows: tuple[Row, ...]
    skipped: tuple[str, ...]


def read(root: Path, *, index: bool = True, progress: Callable[[int, int], None] = lambda _done, _all: None) -> History:
    """The sessions under `root`. `progress` is told (done, all) while rows are made."""
    folders = record.list_sessions(root)
    strange = _strange(root, {folder.name for folder in folders})
    if not folders:
        return History((), strange)
    maker = _Maker()
    with _index(root) if index else contextlib.nullcontext() as table:
        known = _known(table)
        rows: list[Row] = []
        skipped: list[str] = []
        fresh: list[tuple[str, str, str]] = []
        for done, folder in enumerate(folders):
            mark = record.stamp(folder, trainer=False)
            row = known.get((folder.name, mark))
            if row is None:
                progress(done, len(folders))
                try:
                    row = maker.row(folder)
                except VoicecoachError as error:
                    skipped.append(f"{folder.name} is left out. {error.what}")
                    continue
                except _SENSELESS:
                    skipped.append(f"{folder.name} is left out: what its record says makes no sense.")
                    continue
                if row is None:
                    skipped.append(f"{folder.name} is left out: the beginning of the session is missing.")
                    continue
                fresh.append((folder.name, mark, record.to_json(row)))
            rows.append(row)
        _keep(table, fresh, {folder.name for folder in folders})
    return History(tuple(rows), (*strange, *skipped))


def _strange(root: Path, sessions: set[str]) -> tuple[str, ...]:
    """Folders among the sessions that are none."""
    if not root.is_dir():
        return ()
    others = sorted(path.name for path in root.iterdir() if path.name not in sessions and path.is_dir())
    return tuple(f"{name} is left out: it is not a session (no events.jsonl)." for name in others)


class _Maker:
    """Makes rows; what many sessions share is read once."""

    def __init__(self) -> None:
        self._rules: judge.Rules | None = None
        self._personas: dict[str, persona.Persona | None] = {}
        self._procedures: dict[str, Any] = {}

    def row(self, folder: Path) -> Row | None:
        """The row of a session; None where its beginning is lost.

        Where the call was judged under today's rules its own verdicts are today's. Else it is judged again, as by a
        debrief; so it is where turns were heard again after they were judged.
        """
        session = record.read_events(folder)
        opening = session.first("started")
        if opening is None:
            return None
        again = any(heard.data.get("again") for heard in session.of("heard"))
        same = opening.data.get("rules") == RULES_VERSION and not again
        report = tell(
            session.events,
            name=folder.name,
            persona=_parsed(self._personas, session.persona, persona.parse_persona),
            procedure=_parsed(self._procedures, session.procedure, parse_procedure),
            rules=None if same else self._todays(),
        )
        # Through JSON, as from the index: the same either way.
        return row_from(json.loads(record.to_json(row_of(report, session.events))))

    def _todays(self) -> judge.Rules:
        self._rules = self._rules or prepare.rules()
        return self._rules


def _parsed(known: dict[str, Any], given: str, parse: Callable[[str, str], Any]) -> Any:
    """A file as it lies beside a record, or None where there is none or it cannot be used."""
    if given and given not in known:
        known[given] = None
        with contextlib.suppress(BadInput):
            known[given] = parse(given, "the file beside the record")
    return known.get(given)


# --- the index -----------------------------------------------------------------------------------------

_TABLE = "CREATE TABLE IF NOT EXISTS rows (session TEXT PRIMARY KEY, mark TEXT, version TEXT, row TEXT)"


@contextlib.contextmanager
def _index(root: Path) -> Iterator[sqlite3.Connection | None]:
    """The index, made anew if it is damaged; None where it can be neither read nor made."""
    path = root / record.INDEX
    table = _open(path) or _open(path, anew=True)
    try:
        yield table
    finally:
        if table is not None:
            table.close()


def _open(path: Path, anew: bool = False) -> sqlite3.Connection | None:
    table = None
    try:
        if anew:
            path.unlink(missing_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        table = sqlite3.connect(path, timeout=5)
        table.execute("PRAGMA journal_mode = MEMORY")
        table.execute("PRAGMA secure_delete = ON")
        table.execute(_TABLE)
        if table.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("the index is damaged")
    except (OSError, sqlite3.Error):
        if table is not None:
            table.close()
        return None
    return table


def _known(table: sqlite3.Connection | None) -> Mapping[tuple[str, str], Row]:
    """The rows of this version, by session and mark; what makes no sense is left out."""
    found: dict[tuple[str, str], Row] = {}
    if table is None:
        return found
    with contextlib.suppress(sqlite3.Error, ValueError, TypeError):
        for session, mark, raw in table.execute("SELECT session, mark, row FROM rows WHERE version = ?", (VERSION,)):
            row = row_from(json.loads(raw))
            if row is not None and row.session == session:
                found[session, mark] = row
    return found


def _keep(table: sqlite3.Connection | None, fresh: list[tuple[str, str, str]], there: set[str]) -> None:
    """Write new rows, and forget those whose folder is gone."""
    if table is None:
        return
    with contextlib.suppress(sqlite3.Error), table:
        table.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?)", [(s, m, VERSION, r) for s, m, r in fresh])
        gone = [(name,) for (name,) in table.execute("SELECT session FROM rows") if name not in there]
        table.executemany("DELETE FROM rows WHERE session = ?", gone)
