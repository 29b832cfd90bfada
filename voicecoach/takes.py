"""The takes of one moment, found among the sessions: each is a session of its own that names what it takes again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from voicecoach import debrief, judge, prepare, record
from voicecoach.errors import VoicecoachError
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.report.facts import number, text
from voicecoach.report.takes import Take, Takes, take_of
from voicecoach.report.tell import Report
from voicecoach.world import audiofiles

MOST_TAKES = 6
"""Takes beside the first that are shown and heard on a page; the newest."""
AROUND_S = 0.25
"""Sound before and after a turn, so that its first and last breath are heard."""


def origin_of(started: Mapping[str, Any]) -> tuple[str, int, int] | None:
    """(session, turn, take) of a session that retries a moment; None of any other, and of an odd one."""
    data = started.get("retry")
    if not isinstance(data, Mapping):
        return None
    name, turn, take = text(data.get("session")), number(data.get("turn")), number(data.get("take"))
    return (name, int(turn), int(take)) if name and turn is not None and take is not None else None


def index_of(root: Path) -> dict[tuple[str, int], list[tuple[int, Path]]]:
    """The takes beside the first of each moment of the sessions under `root`: (take, folder), oldest first."""
    found: dict[tuple[str, int], list[tuple[int, Path]]] = {}
    for folder in record.list_sessions(root):
        opening = record.opening(folder)
        retried = origin_of(opening.data) if opening else None
        if retried:
            found.setdefault(retried[:2], []).append((retried[2], folder))
    return {moment: sorted(takes) for moment, takes in found.items()}


# --- side by side ------------------------------------------------------------------------------------


def takes_of(folder: Path, turn: int | None = None, *, sound: bool = False) -> tuple[Takes, ...]:
    """The moments of a session that were taken more than once, each with all its takes.

    Of a session that is itself a take, the moment that it takes again. `turn` chooses one turn; `sound` brings the
    recordings. A take that cannot be read is left out and named.
    """
    root = folder.resolve().parent
    index = index_of(root)
    name = folder.resolve().name
    opening = record.opening(folder)
    own = origin_of(opening.data) if opening else None
    moments = {moment: takes for moment, takes in index.items() if moment[0] == name}
    if own and own[:2] in index:
        moments[own[:2]] = index[own[:2]]
    rules = prepare.rules() if moments else None
    wanted = {moment for moment in moments if turn is None or moment == (name, turn)}
    if own and turn == 1:
        wanted |= moments.keys() & {own[:2]}
    return tuple(_takes(root, *moment, moments[moment], rules, sound) for moment in sorted(wanted))


def _takes(
    root: Path, name: str, turn: int, others: Sequence[tuple[int, Path]], rules: judge.Rules | None, sound: bool
) -> Takes:
    first = next((folder for folder in record.list_sessions(root) if folder.name == name), None)
    missing = [] if first else [f"The call that it comes from, {name}, is not here any more."]
    if len(others) > MOST_TAKES:
        missing.append(f"{len(others) - MOST_TAKES} older takes are not shown.")
    takes: list[Take] = []
    for number_, folder, which in [
        *([(1, first, turn)] if first else []),
        *((take, folder, 1) for take, folder in others[-MOST_TAKES:]),
    ]:
        try:
            session = record.read(folder)
            report = debrief.report_on(session, rules)
        except VoicecoachError as error:
            missing.append(f"Take {number_} cannot be read. {error.what}")
            continue
        take = take_of(report, number_, which)
        if take is None:
            missing.append(f"Take {number_} ({folder.name}) ended before anything was said.")
            continue
        takes.append(replace(take, audio=_clip(session, take) if sound else None))
    return Takes(name, turn, tuple(takes), tuple(missing))


def _clip(session: record.Record, take: Take) -> str | None:
    """The turn's stretch of the recording, both voices, as a `data:` URI."""
    start, end = (round(at_s * SAMPLE_RATE_HZ) for at_s in (max(0.0, take.start_s - AROUND_S), take.end_s + AROUND_S))
    pieces = record.audio_between(session, start, end)
    return audiofiles.as_data_uri(pieces) if len(pieces) else None


# --- the weakest turn ----------------------------------------------------------------------------------


def weakest(report: Report) -> tuple[int, str] | None:
    """(turn, why) of the turn that is most worth another try: the gravest point to work on that has a turn."""
    points = [point for point in report.work if point.turn is not None]
    best = next((point for point in points if point.certain), points[0] if points else None)
    return (best.turn, best.title) if best and best.turn is not None else None
