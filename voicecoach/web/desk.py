"""The trainer's desk for the page: what was submitted, and what a trainer says to it. All rules are in `voicecoach.desk`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voicecoach import bundles, copies, desk, prepare, record
from voicecoach.errors import BadInput, DiskError
from voicecoach.judge.cues import FAULTS, MOVES
from voicecoach.record import from_json
from voicecoach.report import words
from voicecoach.report.agreement import as_lines
from voicecoach.report.desk import Assignment, verdicts_for
from voicecoach.report.values import Report
from voicecoach.web.calls import House
from voicecoach.web.names import found, key_of

MAX_BUNDLE_BYTES = 100 * 1024 * 1024
"""An hour of a recorded call, as FLAC, is less."""


def inbox(house: House) -> Path:
    """The folder of the desk, made where it is missing. Raises DiskError."""
    try:
        house.desk.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DiskError(
            f"The folder {house.desk} cannot be made ({error.strerror or error}).", "Choose another with --inbox."
        ) from error
    return house.desk


def listed(house: House) -> list[dict[str, Any]]:
    """What is on the desk, newest first."""
    rows = [
        {
            "key": key_of(one.path),
            "name": one.name,
            "trainee": one.trainee,
            "customer": one.persona,
            "wall": one.wall,
            "turns": one.turns,
            "outcome": one.outcome,
            "state": one.state,
            "problems": list(one.problems),
        }
        for one in desk.submissions(inbox(house))
    ]
    return sorted(rows, key=lambda row: str(row["wall"]), reverse=True)


def path_of(house: House, key: str) -> Path:
    """The submission that a page means; raises BadInput where it is not there."""
    return found(desk.sessions_in(inbox(house)), key)


def marks(report: Report) -> dict[str, Any]:
    """What can be marked otherwise: in each turn the machine's marks, the steps, and the codes that there are."""
    return {
        "marks": [
            {
                "turn": mark.turn,
                "code": mark.code,
                "name": words.code(mark.code),
                "outcome": mark.outcome,
                "quote": mark.quote,
            }
            for turn in report.turns
            for mark in turn.marks
        ],
        "steps": [{"id": step.id, "name": step.name, "outcome": step.outcome} for step in report.steps],
        "codes": [
            {"code": code, "name": words.code(code), "verdicts": verdicts_for(code)} for code in (*MOVES, *FAULTS)
        ],
        "step_verdicts": ["done", "unsure", "not heard"],
    }


def say(house: House, key: str, said: Mapping[str, Any]) -> None:
    """Write what the trainer says: a comment, another mark, a verdict, the next assignment."""
    path, now = path_of(house, key), prepare.now()
    trainer = str(said.get("trainer") or "trainer")
    turn = said.get("turn")
    number = turn if type(turn) is int else None
    match said.get("kind"):
        case "comment":
            desk.comment(path, str(said.get("text", "")), trainer, now, number)
        case "mark":
            desk.override(
                path,
                str(said.get("verdict", "")),
                str(said.get("reason", "")),
                trainer,
                now,
                turn=number,
                code=str(said.get("code", "")),
                step=str(said.get("step", "")),
            )
        case "verdict":
            verdict = said.get("verdict")
            if verdict not in ("pass", "fail", "again"):
                raise BadInput("This is no verdict.", "Choose pass, fail or again.")
            desk.give_verdict(path, verdict, str(said.get("text", "")), trainer, now)
        case "next":
            desk.give_next(path, _assignment(said.get("assignment")), trainer, now)
        case _:
            raise BadInput("This cannot be said of a session.", "Load the page again.")


def _assignment(data: Any) -> Assignment:
    """An assignment from a form; its names must be bundled ones. Raises BadInput."""
    try:
        task = from_json(Assignment, data)
    except ValueError as error:
        raise BadInput("This assignment cannot be made.", "Check its name, date and numbers.", str(error)) from error
    if task.scenario not in prepare.names("personas") or task.procedure not in prepare.names("assets/procedures"):
        raise BadInput("This customer or procedure does not come along.", "Choose another.")
    return task


def agreement(house: House) -> dict[str, Any]:
    """Machine and trainer over everything on the desk, as lines."""
    told, problems = desk.agreement_in(inbox(house))
    return {"lines": list(as_lines(told)), "problems": list(problems)}


def submit(house: House, folder: Path, sound: bool) -> dict[str, Any]:
    """Put a session on the desk; the name of the bundle, and whether the session could note where it went."""
    bundle = desk.submit(folder, inbox(house), sound=sound)
    return {"name": bundle.name, "noted": copies.note(folder, "submitted", bundle, prepare.now())}


def would_give(folder: Path, sound: bool) -> list[str]:
    """What a submission gives away, for the trainee to read before."""
    return desk.contents_lines(desk.contents(folder, sound=sound))


def collect(house: House) -> int:
    """Bring home what the trainer wrote; how many lines were new."""
    return sum(one.lines for one in desk.collect(inbox(house), house.sessions))


def take_in(house: House, data: bytes) -> None:
    """A bundle that was handed to the page. Kept only if it opens as one, under a name of our own; raises BadInput."""
    folder = inbox(house)
    name = f"received-{hashlib.sha256(data).hexdigest()[:16]}.zip"
    draft = folder / f"{name}.tmp"
    try:
        with open(draft, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(data)
        with bundles.opened(draft, sound=False) as session:
            if not session.events:
                raise BadInput("There is no session in this file.", "Choose the .zip that `voicecoach submit` made.")
        draft.replace(folder / name)
    except FileExistsError as error:
        raise BadInput("This file is being taken in already.", "Try again in a moment.") from error
    except OSError as error:
        raise DiskError(f"The file cannot be kept ({error.strerror or error}).", "Free some space.") from error
    finally:
        draft.unlink(missing_ok=True)


def trainer_lines(house: House, key: str) -> bytes:
    """What the trainer wrote about a submission, as the file that goes back to the trainee."""
    path = path_of(house, key)
    with bundles.opened(path, sound=False) as session:
        entries, _ = bundles.words_about(session, record.read_lines(bundles.trainer_file(path))[0])
    return b"".join(record.to_json(entry).encode() + b"\n" for entry in entries)
