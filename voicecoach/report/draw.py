"""The drawings of the debrief: inline SVG lanes on one time axis.

Places along the time axis are percentages of the lane's width, so a lane fits every window and its text is never
stretched; only the waveform's outline is scaled as a shape.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from voicecoach.report import words
from voicecoach.report.markup import traced
from voicecoach.report.text import RECORDING
from voicecoach.report.values import AngerStep, Curve, CurvePoint, CustomerLine, Report, ReportTurn, Who

TICKS_S = (5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
MOST_TICKS = 7
"""More time labels touch each other on a phone."""
LONG_S = 240.0
"""From here on, a phone shows the picture wider than its screen, to be scrolled."""
DRAWN = ("effort_db", "level_dbfs", "f0_hz", "articulation_sps")
"""The curves that are drawn, each with your calm voice beside it: effort, level, pitch, rate. The rest is in the table."""
HEADROOM = 0.12
"""Share of a curve's range that is left free above and below it."""
SMALLEST_RANGE = {"f0_hz": 0.5, "effort_db": 6.0, "level_dbfs": 6.0, "articulation_sps": 1.5}
"""A scale never spans less (pitch: octaves), or noise would look like drama."""


@dataclass(frozen=True)
class Axis:
    """The time axis: from 0 to `end_s`, with a label every `tick_s`."""

    end_s: float
    tick_s: float

    def x(self, time_s: float) -> str:
        """A moment as a percentage of the width."""
        return f"{self._share(time_s):.2f}%"

    def width(self, start_s: float, end_s: float) -> str:
        """A stretch of time as a percentage of the width."""
        return f"{max(0.0, self._share(end_s) - self._share(start_s)):.2f}%"

    def _share(self, time_s: float) -> float:
        return 100 * min(max(time_s / self.end_s, 0.0), 1.0)


def axis(duration_s: float) -> Axis:
    """An axis over `duration_s` that ends on a label."""
    duration_s = max(duration_s, 1.0)
    tick = next((tick for tick in TICKS_S if duration_s <= tick * MOST_TICKS), None)
    tick_s = float(tick or 3600 * math.ceil(duration_s / 3600 / MOST_TICKS))
    return Axis(math.ceil(duration_s / tick_s) * tick_s, tick_s)


def time_labels(axis: Axis) -> str:
    """The labels below the lanes, at equal distances."""
    count = round(axis.end_s / axis.tick_s)
    labels = "".join(f"<span>{words.clock(number * axis.tick_s)}</span>" for number in range(count + 1))
    return f'<div class="lane axis" aria-hidden="true"><div class="ticks">{labels}</div></div>'


def _lane(name: str, heading: str, scale: tuple[str, str], summary: str, body: Sequence[str], axis: Axis) -> str:
    """One drawing with its heading, the two ends of its scale, and its description for those who do not see it."""
    count = round(axis.end_s / axis.tick_s)
    grid = "".join(
        f'<line class="grid" x1="{x}" x2="{x}" y1="0" y2="100%"/>'
        for x in map(axis.x, (n * axis.tick_s for n in range(1, count)))
    )
    return (
        f'<div class="lane {name}"><h3>{heading}</h3>'
        f'<div class="scale" aria-hidden="true"><span>{scale[0]}</span><span>{scale[1]}</span></div>'
        f'<svg role="img" aria-labelledby="{name}-t {name}-d"><title id="{name}-t">{heading}</title>'
        f'<desc id="{name}-d">{escape(summary)}</desc>{grid}{"".join(body)}'
        '<line class="head" x1="0" x2="0" y1="0" y2="100%"/></svg></div>'
    )


# --- voices ------------------------------------------------------------------------------------------


def voices(report: Report, waveform: Sequence[Sequence[float]] | None, axis: Axis) -> str:
    """Both channels of the recording with who spoke when, overlaps and interruptions."""
    envelopes = [list(channel) for channel in waveform] if waveform is not None else []
    summary = (
        f"{words.count(len(report.turns), 'turn')} of yours and {words.count(len(report.lines), 'line')} of the customer "
        f"over {words.length(report.duration_s)}{_cut_ins(report)}. "
        "Waits, pauses and overlaps are in the table of measurements."
    )
    cuts = [
        f'<g class="cut"{traced(cut.events)}><title>{"You" if cut.by == "trainee" else "The customer"} cut in at {words.clock(cut.start_s)}</title>'
        f'<line x1="{axis.x(cut.start_s)}" x2="{axis.x(cut.start_s)}" y1="18" y2="100%"/>'
        f'<text x="{axis.x(cut.start_s)}" y="55%">✕</text></g>'
        for cut in report.interruptions
    ]
    numbered = _numbered(report.turns, axis)
    body = [
        *(_utterance(turn, axis, turn.number in numbered) for turn in report.turns),
        *(_utterance(line, axis) for line in report.lines),
        *(_waited(turn, axis) for turn in report.turns),
        *(
            _outline(envelope, who, report.duration_s, axis)
            for envelope, who in zip(envelopes, _CHANNELS, strict=False)
        ),
        *(_pauses(turn, axis) for turn in report.turns),
        '<line class="rule" x1="0" x2="100%" y1="55%" y2="55%"/>',
        *cuts,
    ]
    return _lane("voices", "Who spoke when", ("You", "Customer"), summary, body, axis)


def _cut_ins(report: Report) -> str:
    """How often one cut in; of a recorded call that is not on record, only where both spoke."""
    if report.origin.startswith(RECORDING):
        return ""
    return f"; {words.count(len(report.interruptions), 'interruption')}"


_CHANNELS: tuple[Who, ...] = ("trainee", "customer")


def _numbered(turns: Sequence[ReportTurn], axis: Axis) -> set[int]:
    """The turns whose numbers have room: on a phone the picture of a short call is as wide as the screen."""
    apart_s = axis.end_s * (NUMBER_LONG if axis.end_s > LONG_S else NUMBER)
    free_s, shown = 0.0, set()
    for turn in sorted(turns, key=lambda one: one.start_s):
        if turn.start_s >= free_s:
            shown.add(turn.number)
            free_s = turn.start_s + apart_s
    return shown


NUMBER, NUMBER_LONG = 0.05, 0.025
"""What a number of two figures takes of the narrowest picture's width (290 px; 650 px from LONG_S on)."""


def _utterance(entry: ReportTurn | CustomerLine, axis: Axis, numbered: bool = False) -> str:
    mine = isinstance(entry, ReportTurn)
    label = f"Your turn {entry.number}" if isinstance(entry, ReportTurn) else "Customer"
    number = (
        f'<text x="{axis.x(entry.start_s)}" dx="1" y="13">{entry.number}</text>'
        if isinstance(entry, ReportTurn) and numbered
        else ""
    )
    over = entry.overlap if isinstance(entry, ReportTurn) else ()
    hatched = "".join(
        f'<rect class="over" x="{axis.x(a)}" width="{axis.width(a, b)}" y="13%" height="38%"/>' for a, b in over
    )
    return (
        f'<g class="{"you" if mine else "customer"}"{traced(entry.events)}><title>{label}, {words.clock(entry.start_s)} to {words.clock(entry.end_s)}</title>'
        f'<rect class="said" x="{axis.x(entry.start_s)}" width="{axis.width(entry.start_s, entry.end_s)}" '
        f'y="{"13%" if mine else "58%"}" height="38%" rx="3"/>{hatched}{number}</g>'
    )


def _waited(turn: ReportTurn, axis: Axis) -> str:
    """How long the customer waited for a turn, as a line in front of it."""
    gap_s = turn.observation.response_gap_s if turn.observation else None
    if gap_s is None or gap_s <= 0:
        return ""
    start_s = max(0.0, (turn.speech[0][0] if turn.speech else turn.start_s) - gap_s)
    long = " long" if turn.waiting and turn.waiting.gap in words.WAITING else ""
    return (
        f'<g class="wait{long}"{traced(turn.events)}><title>Wait of {gap_s:.1f} s before your turn {turn.number}</title>'
        f'<line x1="{axis.x(start_s)}" x2="{axis.x(start_s + gap_s)}" y1="32%" y2="32%"/></g>'
    )


def _pauses(turn: ReportTurn, axis: Axis) -> str:
    """The pauses inside a turn, as lines under it."""
    seen = turn.observation.pauses if turn.observation else ()
    inside = [pause for pause in seen if turn.start_s <= pause.start < pause.end <= turn.end_s]
    if not inside:
        return ""
    path = "".join(f'<line x1="{axis.x(pause.start)}" x2="{axis.x(pause.end)}" y1="49%" y2="49%"/>' for pause in inside)
    told = ", ".join(f"{pause.end - pause.start:.1f}" for pause in inside)
    return f'<g class="pause"{traced(turn.events)}><title>Pauses in your turn {turn.number}: {told} s</title>{path}</g>'


def _outline(envelope: Sequence[float], who: Who, duration_s: float, axis: Axis) -> str:
    """The outline of one channel, mirrored about its middle; `envelope` spans the `duration_s`."""
    heights = [min(max(float(value), 0.0), 1.0) if math.isfinite(value) else 0.0 for value in envelope]
    if not heights:
        return ""
    tall = [round(19 * height) for height in heights]
    path = "".join(f"M{n} {20 - half}v{2 * half}" for n, half in enumerate(tall) if half)
    return (
        f'<svg class="wave {who}" x="0" width="{axis.width(0.0, duration_s)}" y="{"13%" if who == "trainee" else "58%"}" '
        f'height="38%" viewBox="-0.5 0 {len(tall)} 40" preserveAspectRatio="none"><path d="{path}"/></svg>'
    )


# --- anger ---------------------------------------------------------------------------------------------


def anger(steps: Sequence[AngerStep], duration_s: float, axis: Axis) -> str:
    """The customer's anger as a staircase; each step's reasons are its title."""
    ends = [step.at_s for step in steps[1:]] + [duration_s]
    body = []
    for step, end_s in zip(steps, ends, strict=True):
        left, right, low = axis.x(step.at_s), axis.x(end_s), _height(step.after, 0.0, 5.0)
        reasons = (
            "; ".join(f"{cause.why} {words.signed(cause.delta)}" for cause in step.causes) or "no reason on record"
        )
        label = f"{words.clock(step.at_s)}: anger {step.after:.1f}" + ("" if step.why == "opening" else f", {reasons}")
        body.append(
            f"<g{traced(step.events)}><title>{escape(label)}</title>"
            f'<rect class="hit" x="{left}" width="{axis.width(step.at_s, end_s)}" y="0" height="100%"/>'
            f'<line class="rise" x1="{left}" x2="{left}" y1="{_height(step.before, 0.0, 5.0)}" y2="{low}"/>'
            f'<line class="stair" x1="{left}" x2="{right}" y1="{low}" y2="{low}"/></g>'
        )
    summary = (
        f"From {steps[0].after:.1f} at the beginning to {steps[-1].after:.1f} at the end, "
        f"highest {max(step.after for step in steps):.1f}. The reasons are in the table below."
    )
    return _lane("anger", "The customer's anger", ("5 shouting", "0 calm"), summary, body, axis)


def _height(value: float, low: float, high: float) -> str:
    """A value's place between the bottom and the top of a lane, as a percentage from above."""
    share = (value - low) / (high - low)
    return f"{100 - 100 * (MARGIN + (1 - 2 * MARGIN) * min(max(share, 0.0), 1.0)):.1f}%"


MARGIN = 0.08
"""Share of a lane's height kept free at both ends, so that a line on the edge is seen whole."""


# --- measures over time --------------------------------------------------------------------------------


def drawn(curves: Sequence[Curve]) -> list[Curve]:
    """The curves to draw, in their order."""
    named = {curve.id: curve for curve in curves}
    return [named[name] for name in DRAWN if name in named]


def curve(curve: Curve, axis: Axis) -> str:
    """One measure: a bar for each utterance at its value, yours joined by a line, and your calm voice as a rule."""
    place = _scale(curve)
    mine = [point for point in curve.points if point.who == "trainee"]
    body = []
    if curve.baseline is not None:
        y = place.y(curve.baseline)
        body.append(f'<line class="calm" x1="0" x2="100%" y1="{y}" y2="{y}"><title>your calm voice</title></line>')
    body += [
        f'<line class="join" x1="{axis.x(a.end_s)}" y1="{place.y(a.value)}" x2="{axis.x(b.start_s)}" y2="{place.y(b.value)}"/>'
        for a, b in pairwise(mine)
    ]
    body += [_bar(point, curve, place, axis) for point in curve.points]
    heading = f"{curve.name}, {curve.unit}"
    return _lane(
        curve.id, escape(heading), (_round(place.high, curve), _round(place.low, curve)), _spoken(curve), body, axis
    )


@dataclass(frozen=True)
class _Scale:
    """From values to heights. Pitch is drawn in octaves (equal steps to the ear), the rest as it is."""

    low: float
    high: float
    octaves: bool

    def y(self, value: float) -> str:
        return _height(self._warp(value), self._warp(self.low), self._warp(self.high))

    def _warp(self, value: float) -> float:
        return math.log2(max(value, 1.0)) if self.octaves else value


def _scale(curve: Curve) -> _Scale:
    """A scale over all values and the baseline, with headroom and never narrower than `SMALLEST_RANGE`."""
    octaves = curve.id == "f0_hz"
    values = [point.value for point in curve.points] + ([] if curve.baseline is None else [curve.baseline])
    warped = [math.log2(max(value, 1.0)) if octaves else value for value in values]
    middle = (min(warped) + max(warped)) / 2
    half = max((max(warped) - min(warped)) * (1 + 2 * HEADROOM), SMALLEST_RANGE[curve.id]) / 2
    low, high = middle - half, middle + half
    return _Scale(2**low, 2**high, True) if octaves else _Scale(low, high, False)


def _bar(point: CurvePoint, curve: Curve, place: _Scale, axis: Axis) -> str:
    who = words.WHO[point.who]
    return (
        f'<g class="{point.who}"{traced(point.events)}><title>{who}, {words.clock(point.start_s)}: {_round(point.value, curve)} {escape(curve.unit)}</title>'
        f'<rect class="bar" x="{axis.x(point.start_s)}" width="{axis.width(point.start_s, point.end_s)}" '
        f'y="{place.y(point.value)}" height="7" rx="3.5" transform="translate(0 -3.5)"/></g>'
    )


def _spoken(curve: Curve) -> str:
    """A curve in a sentence for those who do not see it."""
    parts = []
    for who in _CHANNELS:
        values = [point.value for point in curve.points if point.who == who]
        if values:
            parts.append(
                f"{words.WHO[who]}: from {_round(min(values), curve)} to {_round(max(values), curve)}, "
                f"first {_round(values[0], curve)}, last {_round(values[-1], curve)}."
            )
    if curve.baseline is not None:
        parts.append(f"Your calm voice: {_round(curve.baseline, curve)}.")
    return " ".join(parts)


def _round(value: float, curve: Curve) -> str:
    """A value with as many places as it was measured to."""
    return f"{value:.{PLACES[curve.id]}f}".replace("-", "−")


PLACES = {"f0_hz": 0, "effort_db": 1, "level_dbfs": 1, "articulation_sps": 1}
