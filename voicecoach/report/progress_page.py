"""Progress as one self-contained HTML page, without scripts: the look of the debrief, small pictures for each measure.

What comes from records (names, folders) is data and is escaped wherever it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise

from voicecoach.report import words
from voicecoach.report.markup import table as _table
from voicecoach.report.page import _asset, _hash, _section
from voicecoach.report.progress import Group, Measure, Progress, Row, Trend, TrendPoint, due_line, shown
from voicecoach.report.progress_text import (
    BAND,
    COMPARED,
    WEIGHTED,
    change_line,
    command,
    counted_from,
    left_out,
    value,
)

MARGIN = 6.0
"""Percent of a picture's height and width that stay free at its edges."""
NARROWEST = {"share": 0.2, "effort_db": 4.0, "articulation_sps": 1.0}
"""A scale never spans less, or noise would look like drama; 1 where nothing is said."""
DRAWN = 40
"""The newest calls that are drawn and listed number by number; more would be a blur."""
LISTED = 100
"""The newest sessions in the list."""
KINDS = {"call": "call", "retry": "retry", "drill": "drill", "review": "review"}


def as_html(progress: Progress) -> str:
    """The page. The same sessions, drills and `now` give the same bytes."""
    sections = (
        ("short", "In short", _short(progress)),
        ("trends", "Trends", _trends(progress.trends)),
        ("bests", "Personal bests", _bests(progress.trends)),
        ("procedures", "By procedure", _groups("procedure", progress.procedures)),
        ("scenarios", "By scenario", _groups("scenario", progress.scenarios)),
        ("drills", "Drills, the next one first", _drills(progress)),
        ("sessions", "Sessions", _sessions(progress.rows)),
        ("notes", "Left out", _list(left_out(progress))),
    )
    present = [section for section in sections if section[2]]
    links = "".join(f'<li><a href="#{name}">{heading}</a></li>' for name, heading, _ in present)
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en">',
            _head(),
            "<body>",
            '<a class="skip" href="#main">Skip to the history</a>',
            _header(progress),
            f'<nav aria-label="On this page"><ul>{links}</ul></nav>',
            '<main id="main">',
            *(_section(*section) for section in present),
            "</main>",
            "<footer><p>Made by voicecoach on the trainee's own machine, from the session folders alone.</p></footer>",
            "</body>",
            "</html>",
            "",
        )
    )


def _head() -> str:
    style = _asset("page.css") + _asset("progress.css")
    policy = (
        f"default-src 'none'; style-src 'sha256-{_hash(style)}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    return "\n".join(
        (
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<link rel="icon" href="data:,">',
            "<title>voicecoach: history</title>",
            f"<style>{style}</style>",
            "</head>",
        )
    )


def _header(progress: Progress) -> str:
    days = [row.wall[:10] for row in progress.rows if row.wall]
    span = f"{days[0]} to {days[-1]}" if days and days[0] != days[-1] else "".join(days[:1])
    counts = {kind: sum(row.kind == kind for row in progress.rows) for kind in KINDS}
    told = ", ".join(words.count(count, KINDS[kind]) for kind, count in counts.items() if count)
    title = f"{progress.trainee}: practice so far" if progress.trainee else "Practice so far"
    facts = " · ".join(filter(None, (told, span)))
    return (
        f'<header>\n<p class="brand">voicecoach · history</p>\n<h1>{escape(title)}</h1>\n'
        f'<p class="facts">{escape(facts)}</p>\n</header>'
    )


def _short(progress: Progress) -> str:
    if not progress.rows:
        first = escape(command(progress, "rehearse"))
        return f'<p class="hint">There are no sessions yet. The first: <code>{first}</code></p>'
    changed = {
        verdict: [
            f"{trend.measure.name}: {change_line(trend)}" for trend in progress.trends if trend.verdict == verdict
        ]
        for verdict in ("improved", "slipped")
    }
    none = '<p class="hint">Nothing beyond noise yet.</p>'
    better = _list(changed["improved"]) or none
    worse = f"<h3>Slipped</h3>{_list(changed['slipped'])}" if changed["slipped"] else ""
    due = progress.schedule[0] if progress.schedule else None
    following = (
        f"<p><strong>{escape(due.drill.name)}</strong></p><p>{escape(due.drill.about)}</p>"
        f'<p class="evidence">{escape(f"{due_line(due).capitalize()}. {counted_from(progress)}".rstrip())}</p>'
        f"<p><code>{escape(command(progress, f'drill {due.drill.id}'))}</code></p>"
        f'<p class="source">Source: {escape(words.source(due.drill.source))}</p>'
        if due
        else none
    )
    return (
        f'<div class="two"><div><h3>Improved</h3>{better}{worse}<p class="source">{escape(COMPARED)}</p></div>'
        f"<div><h3>Next drill</h3>{following}</div></div>"
    )


def _list(lines: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


# --- trends --------------------------------------------------------------------------------------------


def _trends(trends: Sequence[Trend]) -> str:
    if not trends:
        return ""
    most = max(len(trend.points) for trend in trends)
    cut = f" (the newest {DRAWN} of {most})" if most > DRAWN else ""
    hint = (
        f"One dot a call, oldest on the left{cut}; the ring is the best. Retries, drills and reviewed recordings are not among "
        f"them. {BAND} The dashed line is the mean now. {WEIGHTED}"
    )
    return f'<p class="hint">{escape(hint)}</p><div class="trends">{"".join(map(_trend, trends))}</div>' + _numbers(
        trends
    )


def _trend(trend: Trend) -> str:
    measure, points = trend.measure, trend.points[-DRAWN:]
    low, high = _scale(trend)
    span = 100 - 2 * MARGIN

    def x(at: int) -> str:
        return f"{MARGIN + span * (at / (len(points) - 1) if len(points) > 1 else 0.5):.2f}%"

    def y(height: float) -> str:
        return f"{100 - MARGIN - span * min(max((height - low) / (high - low), 0.0), 1.0):.2f}%"

    body = [f'<line class="mean" x1="0" x2="100%" y1="{y(trend.weighted)}" y2="{y(trend.weighted)}"/>']
    body += [
        f'<line class="noise" x1="{x(at)}" x2="{x(at)}" y1="{y(point.value - point.band)}" y2="{y(point.value + point.band)}"/>'
        for at, point in enumerate(points)
        if point.band is not None
    ]
    body += [
        f'<line class="join" x1="{x(at)}" y1="{y(a.value)}" x2="{x(at + 1)}" y2="{y(b.value)}"/>'
        for at, (a, b) in enumerate(pairwise(points))
    ]
    body += [_dot(measure, point, x(at), y(point.value), point is trend.best) for at, point in enumerate(points)]
    first, last = points[0], points[-1]
    told = (
        f"{words.count(len(points), 'call')}, from {shown(measure, first.value)} to {shown(measure, last.value)}; "
        f"mean now {shown(measure, trend.weighted)}. {change_line(trend).capitalize()}."
    )
    return (
        f'<div class="trend"><h3>{escape(measure.name)}</h3>'
        f'<div class="row"><span class="now">{shown(measure, trend.weighted)}</span>'
        f'<span class="hint">{escape(measure.unit)}</span>{_chip(trend)}</div>'
        f'<div class="plot"><div class="scale" aria-hidden="true"><span>{shown(measure, high)}</span>'
        f"<span>{shown(measure, low)}</span></div>"
        f'<svg role="img" aria-labelledby="{measure.id}-t {measure.id}-d"><title id="{measure.id}-t">'
        f'{escape(measure.name)}</title><desc id="{measure.id}-d">{escape(told)}</desc>{"".join(body)}</svg>'
        f'<div class="under" aria-hidden="true"><span>{escape(first.wall[:10])}</span>'
        f"<span>{escape(last.wall[:10]) if len(points) > 1 else ''}</span></div></div>"
        f'<p class="source">{escape(change_line(trend).capitalize())}. {_better(measure)}</p></div>'
    )


def _better(measure: Measure) -> str:
    goal = f"; beyond {shown(measure, measure.goal)} there is nothing to gain" if measure.goal is not None else ""
    return f"{measure.better.capitalize()} is better{goal}."


def _scale(trend: Trend) -> tuple[float, float]:
    """The ends of a picture's scale: shares from 0 to 1, else everything with its noise and the goal."""
    measure = trend.measure
    if measure.share:
        return 0.0, 1.0
    ends = [point.value + sign * (point.band or 0.0) for point in trend.points[-DRAWN:] for sign in (-1, 1)]
    ends += [] if measure.goal is None or measure.id == "articulation_sps" else [measure.goal]
    low, high = min(ends), max(ends)
    least = NARROWEST.get(measure.id, 1.0)
    if high - low < least:
        low, high = (low + high - least) / 2, (low + high + least) / 2
    if measure.id in ("moves", "faults"):
        low = max(low, 0.0)
    return low, high


def _dot(measure: Measure, point: TrendPoint, x: str, y: str, best: bool) -> str:
    told = f"{point.wall[:10]} {point.session}: {value(measure, point.value, point.band)}"
    ring = f'<circle class="best" cx="{x}" cy="{y}" r="7"/>' if best else ""
    return f'<g><title>{escape(told)}{", the best" if best else ""}</title>{ring}<circle class="dot" cx="{x}" cy="{y}" r="4"/></g>'


def _chip(trend: Trend) -> str:
    """The verdict: a sign and its words, never colour alone."""
    sign, kind = {"improved": ("✓", "yes"), "slipped": ("!", "no")}.get(trend.verdict, ("–", "maybe"))
    return f'<span class="chip {kind}"><span aria-hidden="true">{sign}</span> {escape(trend.verdict)}</span>'


def _numbers(trends: Sequence[Trend]) -> str:
    """The same as a table, for those who do not see the pictures."""
    calls: dict[str, str] = {}
    for trend in trends:
        calls.update({point.session: point.wall for point in trend.points[-DRAWN:]})
    found = {(trend.measure.id, point.session): point for trend in trends for point in trend.points[-DRAWN:]}

    def cell(trend: Trend, session: str) -> str:
        point = found.get((trend.measure.id, session))
        return escape(value(trend.measure, point.value, point.band)) if point else "–"

    order = sorted(calls, key=lambda name: (calls[name], name))
    rows = [
        (
            f'{escape(calls[name][:10])} <span class="source">{escape(name)}</span>',
            *(cell(trend, name) for trend in trends),
        )
        for name in order
    ]
    table = _table(
        "Each call that is drawn, each measure with its noise (– is not measured)",
        ("Call", *(escape(trend.measure.name) for trend in trends)),
        rows,
        "sessions",
    )
    return f"<details><summary>The numbers of each call</summary>{table}</details>"


def _bests(trends: Sequence[Trend]) -> str:
    rows = [
        (
            escape(trend.measure.name),
            escape(value(trend.measure, trend.best.value, trend.best.band)),
            escape(trend.best.wall[:10]),
            escape(trend.best.session),
        )
        for trend in trends
        if trend.best
    ]
    return (
        _table(
            "Your best call in each measure, the first of equals",
            ("Measure", "Best", "Day", "Session"),
            rows,
            "sessions",
        )
        if rows
        else ""
    )


def _groups(what: str, groups: Sequence[Group]) -> str:
    if not groups:
        return ""
    keys = ("steps", "quiet", "held", "faults", "anger_fall")

    def cell(group: Group, key: str) -> str:
        trend = next((one for one in group.trends if one.measure.id == key), None)
        if trend is None:
            return "–"
        note = "" if trend.verdict in ("too few calls", "no change beyond noise") else f" ({trend.verdict})"
        return f"{shown(trend.measure, trend.weighted)}{note}"

    def rarest(group: Group) -> str:
        return escape(", ".join(f"{name} ({done} of {group.calls})" for name, done in group.rarest)) or "–"

    rows = [
        (
            escape(group.name or group.id)
            + (f' <span class="source">{escape(group.id)}</span>' if group.name != group.id else ""),
            str(group.calls),
            str(group.resolved),
            *(cell(group, key) for key in keys),
            *((rarest(group),) if what == "procedure" else ()),
        )
        for group in groups
    ]
    headings = ("Steps done", "Quiet", "Held steady", "Faults a turn", "Anger came down by")
    return _table(
        f"Means of the calls of each {what}, the recent ones weighing more",
        (what.capitalize(), "Calls", "Resolved", *headings, *(("Heard least",) if what == "procedure" else ())),
        rows,
    )


def _drills(progress: Progress) -> str:
    rows = [
        (
            escape(one.drill.name),
            escape(words.source(one.drill.source)),
            escape(due_line(one)),
            str(one.box) if one.box else "–",
            escape(one.last[:10]) or "–",
            f"<code>{escape(command(progress, f'drill {one.drill.id}'))}</code>",
        )
        for one in progress.schedule
    ]
    if not rows:
        return ""
    hint = (
        "What is due comes before what is not, and the weakest first. A drill that was passed whole waits for 1, 2, 4, 8 "
        "and then 16 days (boxes 1 to 5, after Leitner); passed before it was due, it stays where it is; one that was not "
        f"passed begins again at 1. {counted_from(progress)}"
    )
    return f'<p class="hint">{escape(hint.rstrip())}</p>' + _table(
        "Drills", ("Drill", "Trains", "Due", "Box", "Last practised", "Start it"), rows
    )


def _sessions(rows: Sequence[Row]) -> str:
    def cells(row: Row) -> tuple[str, ...]:
        anger = f"{row.anger[0]:.1f} → {row.anger[1]:.1f}" if row.anger and row.kind != "drill" else "–"
        passed = f"{row.passed} of {row.levels} levels" if row.kind == "drill" else words.call_outcome(row.outcome)
        level = f", {row.level}" if row.level else ""
        return (
            escape(row.session),
            KINDS[row.kind],
            escape(f"{row.persona}{level}" or "–"),
            escape(row.procedure_name.removeprefix("Drill: ")),
            f"{row.minutes:.1f}",
            str(row.turns),
            anger,
            escape(passed),
        )

    if not rows:
        return ""
    return _table(
        "Every session, newest first"
        if len(rows) <= LISTED
        else f"The newest {LISTED} of {len(rows)} sessions, newest first",
        ("Session", "Kind", "Customer", "Procedure or drill", "Minutes", "Turns", "Anger", "Outcome"),
        [cells(row) for row in reversed(rows[-LISTED:])],
        "sessions",
    )
