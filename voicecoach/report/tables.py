"""A debrief as tables for a spreadsheet: a row a turn, or a row a session. Units stand in the headings.

UTF-8 with a byte order mark, commas and CRLF (RFC 4180), so that spreadsheets open it without asking. Text that a
spreadsheet would take for a formula gets an apostrophe before it, also where another separator than ours would let a cell
begin within it; numbers are written as numbers.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from voicecoach.report.desk import Desk
from voicecoach.report.subtitles import one_line
from voicecoach.report.tell import measures
from voicecoach.report.text import RECORDING
from voicecoach.report.values import Report, ReportTurn

Cell: TypeAlias = str | int | float | None
BOM = "\ufeff"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠", "−")
"""What begins a formula, or may be made to (OWASP, "CSV Injection"), with the wide forms that some programs take alike."""
_INVISIBLE = "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u2060\ufeff \u00a0"
"""Marks without a width, which some programs drop: what stands behind them would come first."""

_WITHIN = re.compile(rf'[;,](?=[\s"{_INVISIBLE}]*[{re.escape("".join(_FORMULA))}])')
"""Where the separator is `;`, as in much of Europe, a cell begins there, whatever our quotes say."""

TURNS = (
    "session", "turn", "start_s", "end_s", "customer_said", "trainee_said", "moves_done", "moves_unsure", "faults_shown",
    "faults_worth_a_listen", "loudness", "pace", "in_kind", "pitch_median_hz", "level_dbfs", "effort_db", "rate_wpm",
    "articulation_sps", "pauses", "longest_pause_s", "wait_before_s", "overlap_s", "anger_before_0_to_5",
    "anger_after_0_to_5", "measured", "trainer_marks", "trainer_comments",
)  # fmt: skip
SESSIONS = (
    "session", "began", "trainee", "customer", "procedure", "outcome", "duration_s", "turns", "steps", "steps_done",
    "steps_unsure", "steps_not_heard", "faults_shown", "faults_worth_a_listen", "anger_first_0_to_5",
    "anger_last_0_to_5", "turns_held", "turns_drifted", "turns_matched_the_anger", "effort_median_db",
    "rate_median_wpm", "overlap_total_s", "interruptions_by_trainee", "dead_air", "assignment", "attempt",
    "assignment_result", "trainer_verdict", "trainer_text", "problems",
)  # fmt: skip


def turns_csv(report: Report) -> str:
    """One row for each turn of the trainee."""
    return _table(TURNS, (_turn_row(report, turn) for turn in report.turns))


def sessions_csv(reports: Iterable[Report]) -> str:
    """One row for each session."""
    return _table(SESSIONS, map(_session_row, reports))


def cell(value: Cell) -> str:
    """One value as a spreadsheet may read it: never a formula."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return f"{round(value, 4):.12g}" if isinstance(value, float) else str(value)
    words = one_line(value)
    formula = any(begin.startswith(_FORMULA) for begin in (value, words, words.lstrip(_INVISIBLE)))
    return ("'" if formula else "") + _WITHIN.sub(r"\g<0>'", words)


def _table(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows([cell(value) for value in row] for row in rows)
    return BOM + out.getvalue()


def _turn_row(report: Report, turn: ReportTurn) -> Sequence[Cell]:
    observation = turn.observation
    values = measures(observation)
    pauses = observation.pauses if observation else ()
    step = next((one for one in report.anger if one.turn == turn.number), None)
    return (
        report.name,
        turn.number,
        round(turn.start_s, 4),
        round(turn.end_s, 4),
        _asked(report, turn),
        turn.text,
        *(_codes(turn, outcome) for outcome in ("done", "unsure", "shown", "listen")),
        turn.delivery.loudness if turn.delivery else None,
        turn.delivery.pace if turn.delivery else None,
        turn.in_kind.verdict if turn.in_kind else None,
        values.get("f0_hz"),
        values.get("level_dbfs"),
        values.get("effort_db"),
        values.get("wpm"),
        values.get("articulation_sps"),
        len(pauses) if observation else None,
        max((pause.end - pause.start for pause in pauses), default=None),
        observation.response_gap_s if observation else None,
        observation.overlap_s if observation else None,
        step.before if step else None,
        step.after if step else None,
        "no" if observation is None else "yes" if observation.quality.ok else " ".join(observation.quality.reasons),
        _trainer_marks(report.desk, turn.number),
        "; ".join(one.text for one in report.desk.comments if one.turn == turn.number) if report.desk else None,
    )


def _asked(report: Report, turn: ReportTurn) -> str:
    """What the customer said between the turn before and this one."""
    before = max((one.start_s for one in report.turns if one.start_s < turn.start_s), default=-1.0)
    return " ".join(line.shown for line in report.lines if before <= line.start_s < turn.start_s)


def _codes(turn: ReportTurn, outcome: str) -> str:
    return "; ".join(dict.fromkeys(mark.code for mark in turn.marks if mark.outcome == outcome))


def _trainer_marks(desk: Desk | None, turn: int) -> str | None:
    if desk is None:
        return None
    return "; ".join(f"{mark.code}: {mark.verdict} ({mark.reason})" for mark in desk.overrides if mark.turn == turn)


def _session_row(report: Report) -> Sequence[Cell]:
    outcomes = [step.outcome for step in report.steps if step.outcome != "before"]  # of a retry: not asked of it
    marks = [mark.outcome for turn in report.turns for mark in turn.marks]
    seen = [measures(turn.observation) for turn in report.turns]
    desk = report.desk
    held = desk.held if desk else None
    verdict = desk.verdict if desk else None
    return (
        report.name,
        report.wall,
        report.trainee,
        report.persona,
        report.procedure,
        report.outcome or "cut off",
        round(report.duration_s, 4),
        len(report.turns),
        len(outcomes),
        *(outcomes.count(outcome) for outcome in ("done", "unsure", "not heard")),
        *(marks.count(outcome) for outcome in ("shown", "listen")),
        report.anger[0].after if report.anger else None,
        report.anger[-1].after if report.anger else None,
        report.in_kind.held,
        report.in_kind.drifted,
        report.in_kind.matched,
        _median([values["effort_db"] for values in seen if "effort_db" in values]),
        _median([values["wpm"] for values in seen if "wpm" in values]),
        round(sum(turn.observation.overlap_s for turn in report.turns if turn.observation), 4),
        None if report.origin.startswith(RECORDING) else sum(cut.by == "trainee" for cut in report.interruptions),
        sum(one.verdict == "dead air" for one in report.silences),
        held.asked.assignment.id if held else None,
        held.asked.attempt if held else None,
        held.result if held else None,
        verdict.verdict if verdict else None,
        verdict.text if verdict else None,
        " ".join(report.problems),
    )


def _median(values: Sequence[float]) -> float | None:
    ordered = sorted(values)
    half = len(ordered) // 2
    if not ordered:
        return None
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
