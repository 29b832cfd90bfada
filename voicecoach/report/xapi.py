"""A debrief as xAPI 1.0.3 statements (ADL): what a learning record store takes in. Nothing is sent anywhere.

Ids are made of the record and of the statement (uuid5), so that the same session exported twice is one statement, not
two, and that two that differ never share an id.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from voicecoach.report.trainer import VERDICTS
from voicecoach.report.values import Report, StepLine

VERSION = "1.0.3"
HOME = "https://voicecoach.invalid"
"""Base of our ids: an address that never leads anywhere (RFC 2606), until the user names a system of their own."""
_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, f"{HOME}/xapi")
_VERBS = "http://adlnet.gov/expapi/verbs/"
_ACTIVITIES = "http://adlnet.gov/expapi/activities/"
UNFINISHED = frozenset({"", "stopped", "fault"})
"""Outcomes of a call that nobody ended."""


def pseudonym(name: str) -> str:
    """A name that stands for `name`: the same wherever it is made. Whoever knows the name can make it too."""
    return f"trainee-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def statements(
    report: Report, started: Mapping[str, Any], identity: str, *, actor: str = "", home_page: str = HOME
) -> list[dict[str, Any]]:
    """The session, each step of its procedure, and the trainer's verdict, as statements.

    `started` is the data of that event. `identity` names the session for good, whatever its folder is called. `actor`
    is the name that stands for the trainee; without it a pseudonym does.
    """
    base = home_page.rstrip("/")
    registration = str(uuid.uuid5(_SPACE, identity))
    who = _agent(home_page, actor or pseudonym(report.trainee))
    when = _when(report, started)
    persona, procedure = started.get("persona"), started.get("procedure")
    scenario = _slug(persona.get("id") if isinstance(persona, Mapping) else "", report.persona or "call")
    steps_of = f"{base}/procedures/{_slug(procedure, report.procedure or 'none')}"
    call = _activity(f"{base}/scenarios/{scenario}", report.persona or "A recorded call", "simulation")
    context: dict[str, Any] = {"registration": registration, "platform": "voicecoach", "language": "en"}
    if report.procedure:
        context["contextActivities"] = {"grouping": [_activity(steps_of, report.procedure, "objective")]}

    def statement(name: str, verb: str, activity: dict[str, Any], **more: Any) -> dict[str, Any]:
        made = {"actor": who, "verb": _verb(verb), "object": activity, "version": VERSION, "context": context, **more}
        if when:
            made["timestamp"] = when
        content = json.dumps(made, sort_keys=True)
        return {"id": str(uuid.uuid5(_SPACE, f"{identity}/{name}/{content}")), **made}

    finished = report.outcome not in UNFINISHED
    result: dict[str, Any] = {
        "completion": finished,
        "duration": f"PT{report.duration_s:.2f}S",
        "extensions": {f"{HOME}/outcome": report.outcome or "cut off"},
    }
    asked = [step for step in report.steps if step.outcome != "before"]
    if asked:
        done = sum(step.outcome == "done" for step in asked)
        result["score"] = {"scaled": round(done / len(asked), 4), "raw": done, "min": 0, "max": len(asked)}
    held = report.desk.held if report.desk else None
    if held and held.result != "undecided":
        result["success"] = held.result == "passed"
    made = [statement("session", "completed" if finished else "attempted", call, result=result)]
    inside = {**context, "contextActivities": {**context.get("contextActivities", {}), "parent": [call]}}
    for step in report.steps:
        objective = _activity(f"{steps_of}/steps/{_slug(step.id, 'step')}", step.name, "objective")
        made.append(statement(f"step/{step.id}", "attempted", objective, context=inside, result=_heard(step)))
    verdict = report.desk.verdict if report.desk else None
    if verdict:
        teacher = {**context, "instructor": _agent(home_page, pseudonym(verdict.trainer).replace("trainee", "trainer"))}
        told: dict[str, Any] = {"response": VERDICTS[verdict.verdict] + (f": {verdict.text}" if verdict.text else "")}
        if verdict.verdict != "again":
            told["success"] = verdict.verdict == "pass"
        verb = {"pass": "passed", "fail": "failed", "again": "attempted"}[verdict.verdict]
        made.append(statement("verdict", verb, call, context=teacher, result=told))
    return made


def _agent(home_page: str, name: str) -> dict[str, Any]:
    return {"objectType": "Agent", "account": {"homePage": home_page, "name": name}}


def _verb(name: str) -> dict[str, Any]:
    return {"id": f"{_VERBS}{name}", "display": {"en": name}}


def _activity(iri: str, name: str, kind: str) -> dict[str, Any]:
    return {"objectType": "Activity", "id": iri, "definition": {"name": {"en": name}, "type": f"{_ACTIVITIES}{kind}"}}


def _heard(step: StepLine) -> dict[str, Any]:
    """Done or not is a success or none; what is unsure is neither."""
    result: dict[str, Any] = {"extensions": {f"{HOME}/step-outcome": step.outcome}}
    if step.outcome in {"done", "not heard"}:
        result["success"] = step.outcome == "done"
    if step.quotes:
        result["response"] = step.quotes[0].quote
    return result


def _slug(given: Any, otherwise: str) -> str:
    """A name as one part of an address: letters of an address only."""
    return quote(given if isinstance(given, str) and given else otherwise, safe="")[:200]


def _when(report: Report, started: Mapping[str, Any]) -> str:
    """When the call ended, ISO 8601 with the session's own offset; empty where the record has no such time.

    Of a recording only the time of its review is known.
    """
    length_s = 0.0 if started.get("mode") == "review" else report.duration_s
    try:
        began = dt.datetime.fromisoformat(report.wall)
        ended = began + dt.timedelta(milliseconds=round(1000 * length_s))
    except (ValueError, OverflowError):
        return ""
    return "" if began.tzinfo is None else ended.isoformat(timespec="milliseconds")
