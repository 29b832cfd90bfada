"""Progress as lines for a terminal, and the phrases that the page shares with it."""

from __future__ import annotations

import shlex
import textwrap

from voicecoach.report import words
from voicecoach.report.progress import (
    HALF_LIFE_CALLS,
    RECENT_CALLS,
    Group,
    Measure,
    Progress,
    Trend,
    due_line,
    shown,
)

BAND = (
    "± is the noise of one call: its turns scatter from one to the next, and a mean over so few of them is off by less "
    "than this in 95 of 100 calls. Where there is one value a call, the scatter from call to call stands for it."
)
WEIGHTED = f"The mean now weighs a call half as much as one that came {HALF_LIFE_CALLS} calls later."
COMPARED = (
    f"Improved or slipped: up to {RECENT_CALLS} newest calls against those before, beyond both the noise of the turns and "
    "the differences between calls (95 %)."
)


UNNAMED = "trainee"
"""Whose sessions are where no name was given."""


def as_text(progress: Progress, width: int = 80) -> str:
    """The trends, what improved and the next drill; empty without calls."""
    lines: list[str] = []

    def put(text: str, indent: int = 2) -> None:
        lines.extend(textwrap.wrap(text, width, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2)))

    calls = progress.calls
    if calls:
        lines += [f"TRENDS OF {progress.trainee or 'ALL'} OVER {words.count(len(calls), 'CALL').upper()}"]
        for trend in progress.trends:
            put(trend_line(trend))
        for note in (BAND, WEIGHTED, COMPARED):
            put(f"({note})")
        for heading, groups in (("BY PROCEDURE", progress.procedures), ("BY SCENARIO", progress.scenarios)):
            lines += ["", heading]
            for group in groups:
                put(group_line(group))
        lines += [""]
    if calls and progress.schedule:
        following = progress.schedule[0]
        lines += ["NEXT DRILL"]
        put(f"{following.drill.name} ({due_line(following)}): {command(progress, f'drill {following.drill.id}')}")
        lines += [""]
    for note in left_out(progress):
        put(f"! {note}", 0)
    return "\n".join(lines).rstrip("\n") + "\n" if lines else ""


def command(progress: Progress, what: str) -> str:
    """A command to type, for the trainee of this history: without the name it would count for somebody else."""
    named = progress.trainee not in ("", UNNAMED) and not any(row.demo for row in progress.rows)
    return f"voicecoach {what}" + (f" --trainee {shlex.quote(progress.trainee)}" if named else "")


def counted_from(progress: Progress) -> str:
    """From which day it is counted what is due, as a sentence; empty where there is none."""
    return f"Counted from {progress.now[:10]}." if progress.now else ""


def trend_line(trend: Trend) -> str:
    """One measure in a line: mean now, the last call with its noise, the best, the change."""
    measure, last = trend.measure, trend.points[-1]
    parts = [
        f"{measure.name}: now {shown(measure, trend.weighted)}{'' if measure.share else f' {measure.unit}'}",
        f"last call {value(measure, last.value, last.band)}",
    ]
    if trend.best:
        parts.append(f"best {shown(measure, trend.best.value)} ({trend.best.session})")
    parts.append(change_line(trend))
    return ", ".join(parts)


def value(measure: Measure, mean: float, band: float | None) -> str:
    """A mean with its noise: "83% ±12%"."""
    return shown(measure, mean) + ("" if band is None else f" ±{shown(measure, band)}")


def change_line(trend: Trend) -> str:
    """What changed, as far as that can be told."""
    if trend.change is None or trend.noise is None:
        return trend.verdict
    sign = "+" if trend.change > 0 else ""
    return f"{trend.verdict} ({sign}{shown(trend.measure, trend.change)}, noise ±{shown(trend.measure, trend.noise)})"


def group_line(group: Group) -> str:
    """One procedure or scenario in a line."""
    by_id = {trend.measure.id: trend for trend in group.trends}
    parts = [f"{group.name or group.id}: {words.count(group.calls, 'call')}, {group.resolved} resolved"]
    for key, name in (("steps", "steps done"), ("faults", "faults a turn"), ("anger_fall", "anger came down by")):
        if key in by_id:
            parts.append(f"{name} {shown(by_id[key].measure, by_id[key].weighted)}")
    return ", ".join(parts)


def left_out(progress: Progress) -> tuple[str, ...]:
    """What is not part of it, a sentence each."""
    others = ", ".join(f"{name}: {count}" for name, count in progress.others)
    return (
        *((f"Sessions of others are left out ({others}); --trainee NAME shows them.",) if others else ()),
        *progress.skipped,
    )
