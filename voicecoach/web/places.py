"""What the places of the page show, as plain JSON: read from the customers, the records and the reports, never judged here."""

from __future__ import annotations

import base64
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from voicecoach import before, calibration, debrief, drills, history, prepare, record, takes, volume
from voicecoach.persona import LEVELS
from voicecoach.report import progress, progress_page, trainer, words
from voicecoach.report.head import head_of
from voicecoach.report.takes import Takes
from voicecoach.report.text import ending, subtitle, title
from voicecoach.report.values import Point, Report
from voicecoach.web.calls import House, assigned, named, whose
from voicecoach.web.names import key_of
from voicecoach.world import audiofiles

LISTED = 60
"""Sessions shown at first, newest first."""
NEVER = "9999-12-31"
"""The last day of what has none."""


@lru_cache(maxsize=4)
def people(customers: tuple[str, ...]) -> list[dict[str, Any]]:
    """Who may call, and what is known before the call. Reading all of it takes a second, so it is kept."""
    shown = []
    for name in customers:
        customer, _ = prepare.choose_persona(name)
        shown.append(
            {
                "id": Path(name).stem,
                "person": customer.person or customer.id,
                "name": customer.name,
                "full_name": customer.full_name,
                "sex": customer.sex,
                "title": customer.title,
                "about": customer.about,
                "brief": asdict(customer.brief),
            }
        )
    return shown


@lru_cache(maxsize=1)
def procedures() -> list[dict[str, str]]:
    """What can score a call."""
    return [
        {"id": name, "name": steps.name, "about": steps.about, "document": steps.document}
        for name in prepare.names("assets/procedures")
        for steps, _ in [prepare.choose_procedure(name)]
    ]


def choices(house: House, trainee: str) -> dict[str, Any]:
    """Everything that the first place shows to this trainee."""
    return {
        "people": people(house.customers),
        "person": prepare.DEFAULT_PERSONA,
        "levels": list(LEVELS),
        "procedures": procedures(),
        "procedure": prepare.DEFAULT_PROCEDURE,
        "reading": list(calibration.READING),
        "breath": [before.BREATH_IN_S, before.BREATH_OUT_S],
        "hard": before.hard_call(house.sessions, prepare.now(), named(trainee)),
        "max_chars": before.MAX_CHARS,
        "volume": [volume.LOWEST_DB, volume.HIGHEST_DB, volume.STEP_DB],
    }


# --- sessions ----------------------------------------------------------------------------------------


class Shelf:
    """What was read of sessions, kept until they change."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[str, dict[str, Any]]] = {}
        self._reports: dict[str, tuple[str, Report]] = {}
        self._lock = threading.Lock()

    def rows(self, house: House, all_: bool = False) -> dict[str, Any]:
        """The sessions, newest first, a line each, and how many older ones were left out."""
        folders = record.list_sessions(house.sessions)[::-1]
        listed = folders if all_ else folders[:LISTED]
        return {"rows": [self.row(folder) for folder in listed], "older": len(folders) - len(listed)}

    def taken(self, house: House, trainee: str) -> Counter[str]:
        """How often this trainee has taken each assignment, by its id."""
        rows = (self.row(folder) for folder in record.list_sessions(house.sessions))
        return Counter(row["assignment"] for row in rows if row["assignment"] and named(row["trainee"]) == trainee)

    def row(self, folder: Path) -> dict[str, Any]:
        """One session as the list shows it."""
        stamp = record.stamp(folder)
        kept = self._rows.get(folder.name)
        if kept is None or kept[0] != stamp:
            kept = self._rows[folder.name] = (stamp, _row(folder))
        return kept[1]

    def report(self, folder: Path) -> Report:
        """The debrief under the rules of today."""
        stamp = record.stamp(folder)
        with self._lock:  # judging is work: two tabs that ask for the same have it done once
            kept = self._reports.get(folder.name)
            if kept is None or kept[0] != stamp:
                kept = (stamp, debrief.report_on(record.read(folder)))
                self._reports = {**dict(list(self._reports.items())[-3:]), folder.name: kept}
            return kept[1]


def _row(folder: Path) -> dict[str, Any]:
    told = record.read_events(folder)
    head, asked = head_of(told.events), told.first("assignment")
    task = None if head.demo else trainer.asked_of(asked.data if asked else None)
    return {
        "key": key_of(folder),
        "wall": head.wall,
        "trainee": head.trainee,
        "customer": head.persona or folder.name,
        "person": head.person,
        "level": head.level,
        "minutes": round(head.minutes, 1),
        "turns": head.turns,
        "outcome": head.outcome,
        "kind": head.kind,
        "answered": bool(told.trainer),
        "assignment": task.assignment.id if task else "",
    }


def told(report: Report, row: Mapping[str, Any]) -> dict[str, Any]:
    """The head of a debrief: how it ended, what to keep and what to work on, and the turns that can be tried again."""
    return {
        **row,
        "title": title(report),
        "subtitle": subtitle(report),
        "ending": ending(report),
        "well": [_point(point) for point in report.well],
        "work": [_point(point) for point in report.work],
        "turns": [
            {"number": turn.number, "text": turn.text, "start": turn.start_s, "end": turn.end_s}
            for turn in report.turns
        ],
        "problems": list(report.problems),
        "trainer": [{"heading": heading, "lines": list(lines)} for heading, lines in trainer.sections(report.desk)],
    }


def _point(point: Point) -> dict[str, Any]:
    return {
        "title": point.title,
        "quote": point.quote,
        "evidence": point.evidence,
        "advice": point.advice,
        "turn": point.turn,
        "start": point.start_s,
        "end": point.end_s,
    }


def sound_of(told: record.Record) -> tuple[str, bytes]:
    """(media type, bytes) of the recording as browsers play it; no bytes where there is none."""
    uri = audiofiles.data_uri_of(record.audio_blocks(told), record.audio_samples(told)) or ""
    head, _, data = uri.partition(";base64,")
    return head.removeprefix("data:"), base64.b64decode(data)


def volume_sample(volume_db: float) -> bytes:
    """A calm line and the loudest, at a volume between LOWEST_DB and HIGHEST_DB, as a WAV file."""
    return audiofiles.as_wav(volume.sample(prepare.spoken(), volume_db))


def page_of(folder: Path, report: Report) -> str:
    """The debrief as its own page, made anew."""
    return debrief.page_of(record.read(folder), report)


# --- takes -------------------------------------------------------------------------------------------


def takes_told(house: House, folder: Path) -> list[dict[str, Any]]:
    """The moments of a session that were said more than once, take beside take."""
    return [_takes(house, moment) for moment in takes.takes_of(folder)]


def _takes(house: House, moment: Takes) -> dict[str, Any]:
    by_name = {folder.name: key_of(folder) for folder in record.list_sessions(house.sessions)}
    return {
        "turn": moment.turn,
        "missing": list(moment.missing),
        "takes": [
            {
                "number": take.number,
                "key": by_name.get(take.session, ""),
                "text": take.said.text,
                "answer": take.answer,
                "before": take.before,
                "after": take.after,
                "start": take.start_s,
                "end": take.end_s,
                "marks": [{"code": words.code(mark.code), "kind": mark.kind} for mark in take.said.marks],
            }
            for take in moment.takes
        ],
    }


# --- progress ----------------------------------------------------------------------------------------


def progress_of(house: House, trainee: str) -> progress.Progress:
    """Practice so far: of this trainee, or of whoever called last where there is nothing of theirs."""
    seen, trainee = history.read(house.sessions), named(trainee) if trainee else ""
    whose = trainee if any(row.trainee == trainee for row in seen.rows) else ""
    return progress.progress(seen.rows, drills.all_drills(), trainee=whose, now=prepare.now(), skipped=seen.skipped)


def next_steps(house: House, shelf: Shelf, trainee: str) -> dict[str, Any]:
    """What to do next: the drills by the weakest marks, and what a trainer has set."""
    rules = house.kit.rules()
    return {
        "drills": [
            {
                "id": one.drill.id,
                "name": one.drill.name,
                "about": one.drill.about,
                "due": one.due,
                "when": progress.due_line(one),
                "rule": drills.sentence(one.drill, rules),
            }
            for one in progress_of(house, trainee).schedule
        ],
        "tasks": _tasks(house, shelf, named(trainee)),
    }


def _tasks(house: House, shelf: Shelf, trainee: str) -> list[dict[str, Any]]:
    """What was set for this trainee, with the trainer's words, which are for nobody else; by what is not taken and due."""
    found_: dict[str, dict[str, Any]] = {}
    customers, procedures_ = {Path(name).stem for name in house.customers}, prepare.names("assets/procedures")
    for folder in record.list_sessions(house.sessions):
        if not (folder / record.TRAINER).is_file():
            continue
        told = record.read(folder)
        task = assigned(told)
        if task is not None and whose(told) == trainee:
            found_[task.id] = {
                "session": key_of(folder),
                "title": task.title or task.id,
                "persona": task.scenario,
                "level": task.level,
                "procedure": task.procedure,
                "lines": list(trainer.assignment_lines(task)),
                "offered": task.scenario in customers and task.procedure in procedures_,
                "due": task.due,
            }
    taken: Counter[str] = shelf.taken(house, trainee) if found_ else Counter()
    tasks = [{**task, "taken": taken[name]} for name, task in found_.items()]
    return sorted(tasks, key=lambda task: (task["taken"] > 0, task["due"] or NEVER))


def progress_page_of(house: House, trainee: str) -> str:
    """The page of `voicecoach history`."""
    return progress_page.as_html(progress_of(house, trainee))
