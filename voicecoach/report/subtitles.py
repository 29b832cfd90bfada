"""A debrief as subtitles over the recording: WebVTT and SubRip. Times are those of the sample clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from voicecoach.report.values import CustomerLine, Report

_PLAIN = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})
"""SubRip knows no escape: players take <b> and {\\an8} for styles wherever they stand."""


@dataclass(frozen=True)
class Cue:
    """What is shown from `start_ms` to `end_ms`, which is later."""

    id: str
    who: str
    text: str
    start_ms: int
    end_ms: int


def cues(report: Report) -> tuple[Cue, ...]:
    """One for each utterance of either voice that has words, in the order in which they began."""
    return tuple(_cues(report))


def _cues(report: Report) -> Iterator[Cue]:
    lines = 0
    for entry in report.timeline:
        customer = isinstance(entry, CustomerLine)
        lines += customer
        who = one_line(report.persona or "Customer") if customer else one_line(report.trainee or "Trainee")
        name = f"customer-{lines}" if isinstance(entry, CustomerLine) else f"turn-{entry.number}"
        start_ms, end_ms = round(1000 * entry.start_s), round(1000 * entry.end_s)
        if words := one_line(entry.shown if isinstance(entry, CustomerLine) else entry.text):
            yield Cue(name, who, words, start_ms, max(end_ms, start_ms + 1))


def one_line(words: str) -> str:
    """Text without line breaks and tabs, which would end a cue or a cell."""
    return " ".join(words.split())


def as_vtt(report: Report) -> str:
    """WebVTT (W3C): a voice span for each cue, everything from the record escaped."""
    blocks = ["WEBVTT"]
    for cue in cues(report):
        times = f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}"
        blocks.append(f"{cue.id}\n{times}\n<v {_escaped(cue.who)}>{_escaped(cue.text)}</v>")
    return "\n\n".join(blocks) + "\n"


def as_srt(report: Report) -> str:
    """SubRip: the speaker's name before the words."""
    blocks = []
    for number, cue in enumerate(cues(report), 1):
        times = f"{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}"
        blocks.append(f"{number}\n{times}\n{cue.who.translate(_PLAIN)}: {cue.text.translate(_PLAIN)}\n")
    return "\n".join(blocks)


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(time_ms: int, point: str) -> str:
    seconds, thousandths = divmod(time_ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{thousandths:03d}"
