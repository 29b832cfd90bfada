"""A debrief as labels for sound editors: a Praat TextGrid, and a label track of Audacity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from voicecoach.nouns import Word
from voicecoach.report import words
from voicecoach.report.subtitles import one_line
from voicecoach.report.values import Mark, Report


@dataclass(frozen=True)
class Label:
    """Words over a stretch of the recording."""

    start_s: float
    end_s: float
    text: str


def as_textgrid(report: Report, heard: Sequence[Word], length_s: float) -> str:
    """Long TextGrid of interval tiers: customer, trainee, words (the trainee's), moves, faults.

    `length_s` is the recording's; every tier fills 0 to the end without gaps. Where labels of one tier overlap, the
    stretch in common carries both.
    """
    end_s = max(length_s, report.duration_s, 0.001)
    marks = [mark for turn in report.turns for mark in turn.marks]
    tiers = (
        ("customer", [Label(line.start_s, line.end_s, line.shown) for line in report.lines]),
        ("trainee", [Label(turn.start_s, turn.end_s, turn.text) for turn in report.turns]),
        ("words", [Label(word.start_s, word.end_s, word.text) for word in heard]),
        ("moves", [_of(mark) for mark in marks if mark.kind == "move"]),
        ("faults", [_of(mark) for mark in marks if mark.kind == "fault"]),
    )
    lines = [
        'File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {_seconds(end_s)}",
        "tiers? <exists>", f"size = {len(tiers)}", "item []:",
    ]  # fmt: skip
    for number, (name, labels) in enumerate(tiers, 1):
        intervals = filled(labels, end_s)
        lines += [
            f"    item [{number}]:", '        class = "IntervalTier"', f'        name = "{name}"', "        xmin = 0",
            f"        xmax = {_seconds(end_s)}", f"        intervals: size = {len(intervals)}",
        ]  # fmt: skip
        for place, label in enumerate(intervals, 1):
            lines += [
                f"        intervals [{place}]:", f"            xmin = {_seconds(label.start_s)}",
                f"            xmax = {_seconds(label.end_s)}", f'            text = "{_quoted(label.text)}"',
            ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _of(mark: Mark) -> Label:
    doubt = "" if mark.outcome in ("done", "shown") else f" ({words.outcome(mark.outcome)})"
    return Label(mark.start_s, mark.end_s, f"{mark.code}{doubt}")


def filled(labels: Iterable[Label], end_s: float) -> tuple[Label, ...]:
    """Intervals from 0 to `end_s`, each beginning where the one before ends; empty text where nothing is said."""
    last = round(end_s * _TICKS)
    begin: dict[int, list[int]] = {}
    finish: dict[int, list[int]] = {}
    texts: list[str] = []
    for label in sorted(labels, key=lambda one: (one.start_s, one.end_s)):
        start, end = (min(max(round(time_s * _TICKS), 0), last) for time_s in (label.start_s, label.end_s))
        if start < end and (said := one_line(label.text)):
            begin.setdefault(start, []).append(len(texts))
            finish.setdefault(end, []).append(len(texts))
            texts.append(said)
    over: dict[int, None] = {}
    pieces = []
    for start, end in pairwise(sorted({0, last, *begin, *finish})):
        for number in finish.get(start, ()):
            over.pop(number)
        over.update(dict.fromkeys(begin.get(start, ())))
        said = "; ".join(dict.fromkeys(texts[number] for number in over))
        pieces.append(Label(start / _TICKS, end / _TICKS, said))
    return tuple(pieces)


_TICKS = 10_000_000
"""Seven decimals: one sample is 0.0000625 s."""


def as_audacity(report: Report) -> str:
    """A label track: start, end and label, tab separated; every utterance and every mark, in order of time."""
    labels = [
        *(Label(line.start_s, line.end_s, f"CUSTOMER: {line.shown}") for line in report.lines),
        *(Label(turn.start_s, turn.end_s, f"YOU, turn {turn.number}: {turn.text}") for turn in report.turns),
        *(
            Label(mark.start_s, mark.end_s, f"{mark.kind} {_of(mark).text}, turn {turn.number}: {mark.quote}")
            for turn in report.turns
            for mark in turn.marks
        ),
    ]
    ordered = sorted(labels, key=lambda label: (label.start_s, -label.end_s))
    return "".join(
        f"{label.start_s:.6f}\t{max(label.end_s, label.start_s):.6f}\t{one_line(label.text)}\n" for label in ordered
    )


def _seconds(time_s: float) -> str:
    return f"{time_s:.7f}".rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    return text.replace('"', '""')
