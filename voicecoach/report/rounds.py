"""The rounds of a drill: each turn with its level of anger and its mark, as the debrief shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from voicecoach.judge.drills import Drill
from voicecoach.persona.drills import CUE
from voicecoach.report.facts import read
from voicecoach.report.values import AngerStep, DrillRound, Report, ReportTurn

_MARKED = re.compile(r"(passed|not yet|unsure) at anger ([0-5])")
"""What a drill writes down of a turn (`persona.drills.react`); anything else is another's, or edited."""


def drill_of(started: Mapping[str, Any]) -> Drill | None:
    """The drill that a session was, from its `started`; None for any other, and where it makes no sense."""
    try:
        return read(Drill, started.get("drill"))
    except ValueError:
        return None


def rounds(anger: Sequence[AngerStep], turns: Sequence[ReportTurn]) -> tuple[DrillRound, ...]:
    """Each turn of a drill that was marked."""
    times = {turn.number: (turn.start_s, turn.end_s) for turn in turns}
    return tuple(
        DrillRound(step.turn, int(marked[2]), marked[1], cause.evidence, *times[step.turn])
        for step in anger
        for cause in step.causes
        if cause.cue == CUE and step.turn is not None and step.turn in times
        if (marked := _MARKED.fullmatch(cause.why))
    )


def lines(report: Report) -> tuple[str, ...]:
    """The rounds as lines of text."""
    return tuple(f"Turn {one.turn}, anger {one.level} of 5: {one.verdict} ({one.why})" for one in report.rounds)


def section(report: Report) -> str:
    """The rounds as a part of a page; empty where there are none."""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines(report))
    return f"<ul>{items}</ul>" if items else ""
