"""From a session to a file for other programs: subtitles, tables, labels, learning records, bundles.

Every text is made of the record alone: the same record gives the same bytes, in any folder, time zone and hash seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicecoach import bundles, debrief, kept, prepare, record, retention
from voicecoach.errors import BadInput, DiskError
from voicecoach.nouns import SAMPLE_RATE_HZ, Word
from voicecoach.report import labels, subtitles, tables, xapi
from voicecoach.report.facts import gather
from voicecoach.report.values import Report

ENDINGS: Mapping[str, str] = {
    "json": ".json",
    "csv": ".turns.csv",
    "csv-sessions": ".sessions.csv",
    "vtt": ".vtt",
    "srt": ".srt",
    "textgrid": ".TextGrid",
    "audacity": ".labels.txt",
    "xapi": ".xapi.json",
    "zip": ".zip",
}
"""Formats, and the ending that each file gets."""


@dataclass(frozen=True)
class Who:
    """Who the learning records are about, and whose they are: see `report.xapi`."""

    actor: str = ""
    home_page: str = xapi.HOME


def text_of(session: record.Record, report: Report, kind: str, who: Who = Who()) -> str:
    """One session as the text of a format; `zip` is no text."""
    makers: Mapping[str, Callable[[], str]] = {
        "json": lambda: record.to_json(report) + "\n",
        "csv": lambda: tables.turns_csv(report),
        "csv-sessions": lambda: tables.sessions_csv([report]),
        "vtt": lambda: subtitles.as_vtt(report),
        "srt": lambda: subtitles.as_srt(report),
        "textgrid": lambda: labels.as_textgrid(report, _heard(session), _length_s(session)),
        "audacity": lambda: labels.as_audacity(report),
        "xapi": lambda: _xapi(session, report, who),
    }
    return makers[kind]()


def _heard(session: record.Record) -> list[Word]:
    """The trainee's words in order."""
    return [word for turn in gather(session.events).turns if turn.heard for word in turn.heard.words]


def _length_s(session: record.Record) -> float:
    return record.audio_samples(session) / SAMPLE_RATE_HZ


def _xapi(session: record.Record, report: Report, who: Who) -> str:
    started = session.first("started")
    data: Mapping[str, Any] = started.data if started else {}
    identity = record.to_json({"started": data, "first": [event.at for event in session.events[:1]]})
    made = xapi.statements(report, data, identity, actor=who.actor, home_page=who.home_page)
    return record.to_json(made) + "\n"


def export(session: record.Record, kind: str, out: Path, who: Who = Who()) -> Path:
    """Write one session in a format, whole or not at all, into `out` or, if that is a folder, there by its name.

    Raises BadInput where `out` cannot take a file, DiskError where the disk does not.
    """
    if out.is_dir():
        out /= session.folder.resolve().name + ENDINGS[kind]
    if kind == "zip":
        _free(out)
        beside = retention.others(session.folder)  # the page would have their voices in it
        names = [name for name in bundles.whole(session.folder) if name != record.PAGE or not beside]
        bundles.write(session.folder, names, out)
        return out
    return write(text_of(session, debrief.report_on(session), kind, who), out)


def export_table(sessions: Iterable[record.Record], out: Path) -> Path:
    """One table with a row for each session."""
    if out.is_dir():
        out /= "sessions.csv"
    rules = prepare.rules()
    return write(tables.sessions_csv(debrief.report_on(session, rules) for session in sessions), out)


def write(content: str, out: Path) -> Path:
    """Write a text whole or not at all, for its owner only."""
    _free(out)
    try:
        kept.replace(out, content)
    except OSError as error:
        raise DiskError(
            f"{out} could not be written ({error.strerror or error}).", "Choose another place with --out."
        ) from error
    return out


def _free(out: Path) -> None:
    if out.exists() and not out.is_file():
        raise BadInput(f"{out} is not a file.", "Choose another place with --out.")
