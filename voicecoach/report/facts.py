"""What the events of a session say, read tolerantly: a torn, edited or foreign record yields what is readable of it.

Where several events state the same (a turn heard again by a better model after the call), the last one counts.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal, TypeVar

import numpy as np

from voicecoach.judge.context import TOGETHER_S
from voicecoach.nouns import (
    SAMPLE_RATE_HZ,
    Assessment,
    Baseline,
    Cause,
    Event,
    Heard,
    Mood,
    Observation,
    Turn,
    Word,
    Worksheet,
)
from voicecoach.report.values import WHOLE_S, CustomerLine, Events, Interruption, Latency, MachineFault, Note, Span

T = TypeVar("T")

LARGEST = 1e9
"""No number in a record comes near it: sample indices end at 6 hours x 16 kHz = 3.5e8. Larger ones are damage."""
_UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
"""Control characters, and marks that turn the direction of the text around them: they could alter a terminal or a page."""
_MISSING: Any = object()


# --- JSON to values, without ever raising ------------------------------------------------------------


def read(kind: type[T], data: Any) -> T | None:
    """A frozen dataclass from plain JSON; None where a field without a default is missing or odd."""
    value = _read(kind, data)
    return None if value is _MISSING else typing.cast(T, value)


def instant(wall: str) -> dt.datetime | None:
    """A time as written down; without an offset it is taken as UTC. None where it is no time."""
    try:
        at = dt.datetime.fromisoformat(wall)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def text(data: Any) -> str:
    """`data` as text that is safe to show and to encode; empty if it is no text."""
    if not isinstance(data, str):
        return ""
    return _UNSHOWABLE.sub("", data.encode("utf-8", "replace").decode("utf-8"))


def named(data: Any) -> str:
    """The name in a mapping such as {id, name, sha256}, or the text itself."""
    return text(data.get("name") or data.get("id")) if isinstance(data, Mapping) else text(data)


def number(data: Any) -> float | None:
    """`data` as a finite number of sane size, or None."""
    if isinstance(data, bool) or not isinstance(data, int | float) or not abs(data) <= LARGEST:
        return None
    return float(data)


@cache
def _fields(kind: type) -> tuple[tuple[str, Any, bool], ...]:
    """(name, type, whether it has a default) of a dataclass's fields."""
    hints = typing.get_type_hints(kind)
    return tuple(
        (
            item.name,
            hints[item.name],
            item.default is not dataclasses.MISSING or item.default_factory is not dataclasses.MISSING,
        )
        for item in dataclasses.fields(kind)
    )


def _read(kind: Any, data: Any) -> Any:
    """`data` as a `kind`, or _MISSING."""
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _read_dataclass(kind, data)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return data if isinstance(data, str) and data in arguments else _MISSING
    if origin in (typing.Union, types.UnionType):
        if data is None and type(None) in arguments:
            return None
        options = (_read(option, data) for option in arguments if option is not type(None))
        return next((value for value in options if value is not _MISSING), _MISSING)
    if origin is tuple:
        return _read_tuple(arguments, data)
    if kind is str:
        return text(data) if isinstance(data, str) else _MISSING
    if kind is bool:
        return data if isinstance(data, bool) else _MISSING
    value = number(data)
    if value is None:
        return _MISSING
    return int(value) if kind is int else value


def _read_dataclass(kind: type, data: Any) -> Any:
    if not isinstance(data, Mapping):
        return _MISSING
    values = {}
    for name, hint, optional in _fields(kind):
        value = _read(hint, data.get(name, _MISSING))
        if value is not _MISSING:
            values[name] = value
        elif not optional and type(None) in typing.get_args(hint):
            values[name] = None
        elif not optional:
            return _MISSING
    return kind(**values)


def _read_tuple(arguments: tuple[Any, ...], data: Any) -> Any:
    if not isinstance(data, list | tuple):
        return _MISSING
    if arguments[-1] is Ellipsis:
        return tuple(value for item in data if (value := _read(arguments[0], item)) is not _MISSING)
    values = tuple(_read(kind, item) for kind, item in zip(arguments, data, strict=False))
    return values if len(values) == len(arguments) == len(data) and _MISSING not in values else _MISSING


def seconds(data: Any) -> float | None:
    """A sample index as seconds, or None."""
    value = number(data)
    return None if value is None or value < 0 else value / SAMPLE_RATE_HZ


# --- the facts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CueFacts:
    """A live cue: its words, the numbers that called for it, and what was measured from then to the end of the turn."""

    text: str
    effort_db: float | None = None
    rest: Observation | None = None
    nuclei_ratio: float | None = None


@dataclass(frozen=True)
class TurnFacts:
    """What is on record of one utterance of the trainee, and the live judgement of it."""

    number: int
    start_s: float
    end_s: float
    speech: tuple[Span, ...] = ()
    overlap: tuple[Span, ...] = ()
    heard: Heard | None = None
    reacted_to: str = ""
    """The words that the customer answered to, where a careful second hearing found others."""
    observation: Observation | None = None
    first_seen: Observation | None = None
    """What was measured for that answer, where a careful second look measured again."""
    assessed: Assessment | None = None
    cues: tuple[CueFacts, ...] = ()
    events: Events = ()


@dataclass(frozen=True)
class Reacted:
    """A reaction of the customer as it happened: to a turn, or (None) to silence. `place` is its position in the log."""

    place: int
    at_s: float
    turn: int | None
    mood: Mood | None
    causes: tuple[Cause, ...]


@dataclass(frozen=True)
class Facts:
    """A session's events, sorted by what they say. Every field may be empty."""

    started: Mapping[str, Any]
    baseline: Baseline | None
    lines: tuple[CustomerLine, ...]
    said: tuple[tuple[int, str], ...]
    """(position in the log, text) of the customer's lines."""
    angers: tuple[float, ...]
    """Anger at each line, as it was spoken."""
    turns: tuple[TurnFacts, ...]
    spoke: tuple[tuple[int, int], ...]
    """(position in the log, turn number): where each turn came to be judged."""
    reacted: tuple[Reacted, ...]
    interruptions: tuple[Interruption, ...]
    taken_back: tuple[Span, ...]
    """The lines that the customer took back (s), from their beginning to where they were told to stop."""
    away: tuple[Span, ...]
    """Where the sound device was away (s): nobody could hear or be heard."""
    wordless: tuple[Span, ...]
    """Where the trainee was heard, and no words in it (s); of a recorded call where the customer was."""
    unheard: tuple[Span, ...]
    """Where the agent of a recorded call was heard, and no words in it (s)."""
    faults: tuple[MachineFault, ...]
    notes: tuple[Note, ...]
    worksheet: tuple[str, Worksheet] | None
    """("done" or "skipped", the sheet) as recorded before the call."""
    focus: str
    recovery: str
    """"done", "skipped" or empty: one breath before the call, and the pause after the call before it."""
    latencies: tuple[Latency, ...]
    outcome: str
    why: str
    duration_s: float


@dataclass
class _Draft:
    """A turn while its events are gathered."""

    place: int
    at_s: float
    values: dict[str, Any] = field(default_factory=dict)
    cues: list[CueFacts] = field(default_factory=list)
    events: list[int] = field(default_factory=list)


def gather(events: Sequence[Event]) -> Facts:
    """Sort the events of a session by what they say."""
    of = _by_kind(events)
    turns, spoke = _turns(of)
    interruptions = tuple(filter(None, (_interruption(place, event) for place, event in of("interrupted"))))
    lines = _lines(of, interruptions)
    ended: Mapping[str, Any] = {}
    for place, event in of("ended")[-1:]:
        ended = event.data
        lines = tuple(_broken_off(line, place, seconds(event.at) or 0.0) for line in lines)
    return Facts(
        started=next((event.data for _, event in of("started")), {}),
        baseline=read(Baseline, _first_baseline(of)),
        lines=lines,
        said=tuple((place, text(event.data.get("text"))) for place, event in _spoken_by_customer(of)),
        angers=tuple(a for _, event in of("said") if (a := number(event.data.get("anger"))) is not None),
        turns=turns,
        spoke=spoke,
        reacted=tuple(_reacted(place, event) for place, event in of("reacted")),
        interruptions=interruptions,
        taken_back=_stretches(of, "withdrawn"),
        away=_stretches(of, "resumed"),
        wordless=_stretches(of, "wordless", lambda event: event.data.get("who") != "trainee"),
        unheard=_stretches(of, "wordless", lambda event: event.data.get("who") == "trainee"),
        faults=tuple(_fault(place, event) for place, event in of("fault")) + _moves(of),
        notes=tuple(
            Note(seconds(e.at) or 0.0, words, (place,))
            for place, e in of("note")
            if (words := text(e.data.get("text")))
        ),
        worksheet=_worksheet(of),
        focus=_done(of, "focus"),
        recovery=_done(of, "recovery"),
        latencies=_latencies(of("timed")),
        outcome=text(ended.get("outcome")),
        why=text(ended.get("why")),
        duration_s=max(
            [seconds(event.at) or 0.0 for event in events]
            + [turn.end_s for turn in turns]
            + [line.end_s for line in lines],
            default=0.0,
        ),
    )


def _done(of: _Of, kind: str) -> str:
    """Whether a preparation was done or skipped, by its last event."""
    outcome = next((event.data.get("outcome") for _, event in reversed(of(kind))), "")
    return str(outcome) if outcome in ("done", "skipped") else ""


def _worksheet(of: _Of) -> tuple[str, Worksheet] | None:
    outcome = _done(of, "worksheet")
    if not outcome:
        return None
    sheet = next((read(Worksheet, event.data) for _, event in reversed(of("worksheet"))), None)
    return outcome, sheet or Worksheet()


_Of = typing.Callable[[str], list[tuple[int, Event]]]


def _by_kind(events: Sequence[Event]) -> _Of:
    """A function from a kind to its events, each with its position in the log."""
    table: dict[str, list[tuple[int, Event]]] = {}
    for place, event in enumerate(events):
        table.setdefault(event.kind, []).append((place, event))
    return lambda kind: table.get(kind, [])


def _turn_number(event: Event) -> int | None:
    value = event.data.get("turn")
    return int(value) if isinstance(value, int) and number(value) is not None else None


def _by_customer(event: Event) -> bool:
    return event.data.get("who") == "customer"


def _turns(of: _Of) -> tuple[tuple[TurnFacts, ...], tuple[tuple[int, int], ...]]:
    """The trainee's turns by number, and where in the log each was first told of."""
    drafts: dict[int, _Draft] = {}
    readers: tuple[tuple[str, str, Any], ...] = (
        ("spoke", "turn", lambda data: read(Turn, {**data, "speech": data.get("speech") or []})),
        ("heard", "heard", _heard),
        ("measured", "observation", lambda data: read(Observation, data.get("observation"))),
        ("assessed", "assessed", lambda data: read(Assessment, data.get("assessment"))),
    )
    for kind, name, reader in readers:
        for place, event in of(kind):
            key = _turn_number(event)
            if key is None or _by_customer(event):
                continue
            draft = drafts.setdefault(key, _Draft(place, seconds(event.at) or 0.0))
            draft.events.append(place)
            value = reader(event.data)
            if value is not None:
                if name == "heard" and name in draft.values:
                    draft.values.setdefault("reacted_to", draft.values[name].text)
                if name == "observation" and name in draft.values:
                    draft.values.setdefault("first_seen", draft.values[name])
                draft.values[name] = value
    for key, at, cue in _cues(of):
        if key in drafts and _came_in(drafts[key], at):
            drafts[key].cues.append(cue)
    for kind in ("cue", "after_cue"):
        for place, event in of(kind):
            if (key := _turn_number(event)) in drafts and _came_in(drafts[key], event.at):
                drafts[key].events.append(place)
    turns = tuple(_turn(key, draft) for key, draft in sorted(drafts.items()))
    return turns, tuple((draft.place, key) for key, draft in sorted(drafts.items(), key=lambda item: item[1].place))


def _came_in(draft: _Draft, at: int) -> bool:
    """Whether something at the sample `at` belongs to a turn, not to what was before it and turned out to be none."""
    turn = draft.values.get("turn")
    return turn is None or at >= turn.start


def _cues(of: _Of) -> Iterator[tuple[int, int, CueFacts]]:
    """The live cues, each with the number of its turn, its sample, and with what was measured after it."""
    rests = {
        (_turn_number(event), number(event.data.get("cue"))): read(Observation, event.data.get("observation"))
        for _, event in of("after_cue")
    }
    for _, event in of("cue"):
        key, words = _turn_number(event), text(event.data.get("text"))
        if key is not None and words:
            effort_db, ratio = (number(event.data.get(name)) for name in ("effort_db", "nuclei_ratio"))
            yield key, event.at, CueFacts(words, effort_db, rests.get((key, event.at)), ratio)


def _heard(data: Mapping[str, Any]) -> Heard | None:
    """The words of an utterance; their times may be missing, the text may not."""
    if not isinstance(data.get("text"), str):
        return None
    words = read(_Words, data)
    return Heard(text(data["text"]), words.words if words else (), text(data.get("model")))


def _turn(key: int, draft: _Draft) -> TurnFacts:
    values = draft.values
    turn, heard = values.get("turn"), values.get("heard")
    words = heard.words if heard else ()
    if turn is not None and 0 <= turn.start <= turn.end:
        start, end = turn.start / SAMPLE_RATE_HZ, turn.end / SAMPLE_RATE_HZ
    elif words:
        start = max(0.0, min(word.start_s for word in words))
        end = max(start, *(word.end_s for word in words))
    else:
        start = end = draft.at_s
    return TurnFacts(
        number=key,
        start_s=start,
        end_s=end,
        speech=_spans(turn.speech) if turn else (),
        overlap=_spans(turn.overlap) if turn else (),
        heard=heard,
        reacted_to=values.get("reacted_to", "") if heard else "",
        observation=values.get("observation"),
        first_seen=values.get("first_seen"),
        assessed=values.get("assessed"),
        cues=tuple(draft.cues),
        events=tuple(sorted(draft.events)),
    )


def _spans(samples: Iterable[tuple[int, int]]) -> tuple[Span, ...]:
    return tuple((a / SAMPLE_RATE_HZ, b / SAMPLE_RATE_HZ) for a, b in samples if 0 <= a < b)


def _spoken_by_customer(of: _Of) -> list[tuple[int, Event]]:
    """The events that carry the customer's words: lines that were played, or a recorded customer as heard."""
    return of("said") or [(place, event) for place, event in of("heard") if _by_customer(event)]


def _lines(of: _Of, interruptions: Sequence[Interruption]) -> tuple[CustomerLine, ...]:
    """The customer's lines in log order, each shortened where it was cut off and with its measurement."""
    measured: dict[Any, list[tuple[int, Observation | None]]] = {}
    for place, event in of("measured"):
        if _by_customer(event):
            seen = read(Observation, event.data.get("observation"))
            measured.setdefault(_line_key(event), []).append((place, seen))
    lines = []
    held = _stretches(of, "held")
    for place, event in _spoken_by_customer(of):
        waiting = measured.get(_line_key(event))  # a line may be spoken, and so measured, more than once
        told, observation = waiting.pop(0) if waiting else (None, None)
        events = (place,) if told is None else tuple(sorted((place, told)))
        line = replace(_line(event), observation=observation, events=events)
        lines.append(_cut(_longer(line, held), interruptions))
    return tuple(lines)


def _line_key(event: Event) -> str | int | None:
    return text(event.data.get("line")) or _turn_number(event)


def _line(event: Event) -> CustomerLine:
    data = event.data
    heard = _heard(data)
    start, end = seconds(data.get("start")), seconds(data.get("end"))
    if start is None:
        start = max(0.0, heard.words[0].start_s) if heard and heard.words else seconds(event.at) or 0.0
    if end is None:
        end = heard.words[-1].end_s if heard and heard.words else start
    level, said = number(data.get("level")), text(data.get("text"))
    return CustomerLine(
        id=text(data.get("line")),
        text=said,
        start_s=start,
        end_s=max(start, end),
        planned_end_s=max(start, end),
        level=None if level is None else int(level),
        voice=text(data.get("voice")),
    )


def _stretches(of: _Of, kind: str, fits: Callable[[Event], bool] = lambda _: True) -> tuple[Span, ...]:
    """Where the events of a kind that fit begin and end, in seconds."""
    events = (event for _, event in of(kind) if fits(event))
    spans = ((seconds(event.data.get("start")), seconds(event.data.get("end"))) for event in events)
    return tuple((start, end) for start, end in spans if start is not None and end is not None and start <= end)


def _longer(line: CustomerLine, held: Sequence[Span]) -> CustomerLine:
    """The line with the stretches in which it stood still: it went on after each of them."""
    for start_s, end_s in held:
        if line.start_s <= start_s <= line.end_s:
            line = replace(line, end_s=line.end_s + end_s - start_s, planned_end_s=line.planned_end_s + end_s - start_s)
    return line


def _cut(line: CustomerLine, interruptions: Sequence[Interruption]) -> CustomerLine:
    """The line as far as it was played, if the trainee stopped it."""
    for cut in interruptions:
        if cut.by == "trainee" and cut.stopped and cut.line == line.id and line.start_s <= cut.start_s <= line.end_s:
            events = (*line.events, *cut.events)
            return replace(line, end_s=min(line.end_s, cut.end_s), events=events, spoken=cut.words)
    return line


def _broken_off(line: CustomerLine, place: int, ended_s: float) -> CustomerLine:
    """The line as far as it was played, if the call ended in the middle of it; `place` is that of the end in the log."""
    if not line.start_s < ended_s <= line.end_s - WHOLE_S:
        return line
    return replace(line, end_s=ended_s, events=(*line.events, place))


def _interruption(place: int, event: Event) -> Interruption | None:
    data = event.data
    by = read(_By, data)
    if by is None:
        return None
    start = seconds(data.get("start"))
    start = seconds(event.at) or 0.0 if start is None else start
    end, played_s = seconds(data.get("end")), number(data.get("played_s"))
    return Interruption(
        by=by.by,
        start_s=start,
        end_s=max(start, start if end is None else end),
        line=text(data.get("line")),
        played_s=played_s,
        stopped=bool(data.get("stopped")),
        words=text(data["words"]) if isinstance(data.get("words"), str) else None,
        together=bool(data.get("together")) or (by.by == "trainee" and played_s is not None and played_s < TOGETHER_S),
        events=(place,),
    )


@dataclass(frozen=True)
class _By:
    by: Literal["trainee", "customer"]


@dataclass(frozen=True)
class _Words:
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class _Causes:
    causes: tuple[Cause, ...] = ()


def _reacted(place: int, event: Event) -> Reacted:
    causes = read(_Causes, event.data)
    return Reacted(
        place=place,
        at_s=seconds(event.at) or 0.0,
        turn=_turn_number(event),
        mood=read(Mood, event.data.get("mood")),
        causes=causes.causes if causes else (),
    )


def _first_baseline(of: _Of) -> Any:
    """The calibration that the call began with, or the provisional one that its first turns became."""
    found = [event.data.get("baseline") for kind in ("started", "calibrated") for _, event in of(kind)]
    return next((baseline for baseline in found if baseline is not None), None)


def _fault(place: int, event: Event) -> MachineFault:
    data = event.data
    what = text(data.get("what")) or "Something went wrong; the record does not say what."
    return MachineFault(seconds(event.at) or 0.0, what, text(data.get("do")), text(data.get("detail")), (place,))


def _moves(of: _Of) -> tuple[MachineFault, ...]:
    """Where the sound went to other devices, which are another voice: one learnt on the old ones says nothing there."""
    return tuple(
        MachineFault(
            seconds(event.at) or 0.0,
            f"The sound went to other devices: {text(event.data.get('input'))}, {text(event.data.get('output'))}.",
            "On another microphone your voice is compared with your turns there.",
            "",
            (place,),
        )
        for kind in ("moved", "resumed")
        for place, event in of(kind)
        if kind == "moved" or event.data.get("other") is True
    )


def _latencies(timed: Sequence[tuple[int, Event]]) -> tuple[Latency, ...]:
    """Median and 95th percentile of each part of the waiting time, in the order in which the parts happen."""
    result = []
    for part in ("endpoint_ms", "recognise_ms", "judge_ms", "voice_ms", "answer_ms"):
        found = [(value, place) for place, event in timed if (value := number(event.data.get(part))) is not None]
        if found:
            p50, p95 = (float(value) for value in np.percentile([value for value, _ in found], (50, 95)))
            places = tuple(place for _, place in found)
            result.append(Latency(part.removesuffix("_ms"), p50, len(found), p95, places))
    return tuple(result)
