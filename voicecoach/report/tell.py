"""One telling of a session, from its events alone: the screen, the page and every export are forms of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from voicecoach import RULES_VERSION
from voicecoach.judge import Rules
from voicecoach.judge.in_kind import Exchange, entrainment
from voicecoach.judge.silence import Silence
from voicecoach.judge.sources import in_words, rule_of
from voicecoach.nouns import (
    Assessment,
    Baseline,
    Event,
    Finding,
    InKind,
    Observation,
    Procedure,
    TurnContext,
    Worksheet,
)
from voicecoach.persona import Persona
from voicecoach.report import points
from voicecoach.report.actions import action_draft, actions, referral_draft
from voicecoach.report.around import calm, degrees, preparation
from voicecoach.report.customer import feelings
from voicecoach.report.exchanges import after_cues, exchanges, recorded, why_not, with_own_change
from voicecoach.report.facts import Facts, TurnFacts, gather, named, number, text
from voicecoach.report.moment import moment_of
from voicecoach.report.quiet import long_silences, waiting
from voicecoach.report.recorded import doubts
from voicecoach.report.replay import replay
from voicecoach.report.rounds import rounds
from voicecoach.report.steps import Around, call_as_told, cycle_lines, step_lines, times_of
from voicecoach.report.text import RECORDING
from voicecoach.report.values import Curve, CurvePoint, CustomerLine, Events, Mark, Point, Report, ReportTurn

__all__ = ["CURVES", "Report", "measures", "tell"]

CURVES = (
    ("f0_hz", "Pitch", "Hz"),
    ("effort_db", "Effort", "dB above your calm voice"),
    ("level_dbfs", "Level", "dB re full scale"),
    ("wpm", "Rate", "words a minute"),
    ("articulation_sps", "Articulation", "syllables a second"),
)
"""(id, name, unit) of what is drawn over time."""


def tell(
    events: Sequence[Event],
    *,
    name: str,
    persona: Persona | None,
    procedure: Procedure | None,
    rules: Rules | None,
    problems: Sequence[str] = (),
    marked: Mapping[tuple[int, str], str] | None = None,
) -> Report:
    """The debrief of a session.

    `marked` are a trainer's marks by (turn, code): where they make another outcome of a step, that stands beside it.
    Facts are taken from the events as they are; verdicts are today's (see `replay`), or the live ones where
    `rules` or `persona` is None. `problems` are those that reading the record found. Never raises, whatever
    is missing from the events or odd in them.
    """
    facts = gather(events)
    sources = {**(in_words([procedure]) if procedure else {}), **(rules.sources if rules else {})}
    again = replay(facts, persona, rules)
    spoken = exchanges(facts.lines, facts.turns)
    quiet = (
        long_silences(
            facts.lines, facts.turns, rules.silence, _latency_s(facts), (*facts.away, *facts.wordless), facts.unheard
        )
        if rules
        else None
    )
    turns = _turns(facts.turns, spoken, again.assessments, sources, quiet)
    told = call_as_told(facts, again.assessments, again.finished)
    called = named(facts.started.get("persona")) or (persona.name if persona else "")
    customer = persona.full_name if persona else called
    brief = persona.brief if persona else Worksheet()
    steps = step_lines(procedure, told, _around(facts, turns, customer, brief), marked or {})
    offers = actions(turns, told)
    wall = text(facts.started.get("wall"))
    provisional = facts.baseline is not None and facts.baseline.provisional
    # Of a recorded call neither the customer's name nor the day is on record, only that of its review.
    whom, when = ("" if customer == _NO_NAME else customer), ("" if facts.started.get("mode") == "review" else wall)
    return Report(
        name=text(name),
        persona=called,
        trainee=text(facts.started.get("trainee")),
        procedure=_procedure(facts, procedure),
        wall=wall,
        duration_s=facts.duration_s,
        outcome=facts.outcome,
        why=facts.why,
        well=_ruled(points.well(turns, again.anger, provisional=provisional), sources, turns, facts.lines),
        work=_ruled(points.work(turns, again.anger, steps, quiet or ()), sources, turns, facts.lines),
        lines=with_own_change(facts.lines),
        turns=turns,
        anger=again.anger,
        steps=steps,
        cycles=cycle_lines(procedure, told, turns),
        actions=offers,
        action_draft=action_draft(offers, whom, when),
        referral_draft=referral_draft(turns, facts.lines, offers, facts.notes, whom, when),
        preparation=preparation(facts, turns, persona.brief if persona else None),
        degrees=degrees(again.anger, facts.lines),
        feelings=() if facts.started.get("drill") else feelings(again.anger, turns),
        calm=calm(turns, facts, again.anger),
        curves=_curves(facts),
        in_kind=replace(
            entrainment(spoken), why_not=why_not(facts.lines, spoken, facts.started.get("mode") == "review")
        ),
        silences=quiet or (),
        interruptions=tuple(cut for cut in facts.interruptions if not cut.together),
        faults=facts.faults,
        notes=facts.notes,
        latencies=facts.latencies,
        settings=_settings(facts, rules is not None),
        differences=again.differences,
        problems=(*map(text, problems), *doubts(facts)),
        rejudged=rules is not None,
        origin=_origin(facts.started),
        rounds=rounds(again.anger, turns),
    )


def _around(facts: Facts, turns: tuple[ReportTurn, ...], customer: str, brief: Worksheet) -> Around:
    """What the steps are scored with besides the words."""
    preparation = {"worksheet": facts.worksheet[0] if facts.worksheet else "", "focus": facts.focus}
    begun = moment_of(facts.started)
    return Around(
        turns=turns,
        prepared={name: done == "done" for name, done in preparation.items() if done},
        notes=len(facts.notes),
        lines=facts.lines,
        known=TurnContext(customer_name="" if customer == _NO_NAME else customer, cannot=brief.cannot, can=brief.can),
        done=begun.done if begun else (),
    )


def _procedure(facts: Facts, procedure: Procedure | None) -> str:
    """The procedure's name; a drill has none."""
    if procedure:
        return procedure.name
    return "" if facts.started.get("drill") else named(facts.started.get("procedure"))


def _origin(started: Mapping[str, Any]) -> str:
    """What the session is, where it is not a whole call."""
    if isinstance(drill := started.get("drill"), Mapping):
        return f"Drill: {named(drill)}"
    if isinstance(retry := started.get("retry"), Mapping):
        take, turn = (number(retry.get(key)) or 0 for key in ("take", "turn"))
        return f"Take {take:.0f} of turn {turn:.0f} of {text(retry.get('session'))}"
    sound = started.get("sound")
    if started.get("mode") == "review":
        return f"{RECORDING} {text(sound.get('input')) if isinstance(sound, Mapping) else ''}".rstrip()
    return ""


def _latency_s(facts: Facts) -> float:
    """How much later than in the record the trainee hears the customer."""
    sound = facts.started.get("sound")
    found = number(sound.get("latency_s")) if isinstance(sound, Mapping) else None
    return min(max(found or 0.0, 0.0), 1.0)


def _only_nods(assessment: Assessment | None) -> bool:
    """Whether a turn was nothing but a verbal nod, which nobody waits for."""
    return assessment is not None and set(assessment.codes()) == {"verbal_nod"}


_NO_NAME = "Customer"
"""What a recorded call calls its customer."""


def _ruled(
    found: Sequence[Point],
    sources: Mapping[str, str],
    turns: Sequence[ReportTurn],
    lines: Sequence[CustomerLine],
) -> tuple[Point, ...]:
    """The points with their rules in words, also those about the voice, and with what they were told from."""

    def events(point: Point) -> Events:
        if point.start_s is None:
            return ()
        own = (turn.events for turn in turns if turn.number == point.turn)
        entries: Sequence[CustomerLine | ReportTurn] = (*lines, *turns)
        there = (entry.events for entry in entries if entry.start_s <= point.start_s <= entry.end_s)
        return next(own, next(there, ()))

    return tuple(
        replace(point, rule=point.rule or sources.get(point.source, ""), events=events(point)) for point in found
    )


def _turns(
    turns: Sequence[TurnFacts],
    spoken: Sequence[Exchange],
    assessments: Mapping[int, Assessment],
    sources: Mapping[str, str],
    quiet: Sequence[Silence] | None,
) -> tuple[ReportTurn, ...]:
    """The turns as they are told; how long they were waited for only where `quiet`, the long silences, is known."""
    return tuple(
        replace(
            _turn(turn, assessments.get(turn.number), sources),
            in_kind=_in_kind(exchange),
            after_cues=after_cues(turn, following),
            waiting=None if quiet is None else waiting(turn, quiet, _only_nods(assessments.get(turn.number))),
        )
        for turn, exchange, following in zip(turns, spoken, (*turns[1:], None), strict=False)
    )


def _turn(turn: TurnFacts, assessment: Assessment | None, sources: Mapping[str, str]) -> ReportTurn:
    heard = turn.heard
    said = heard.text if heard else ""
    return ReportTurn(
        number=turn.number,
        text=said,
        start_s=turn.start_s,
        end_s=turn.end_s,
        speech=turn.speech,
        overlap=turn.overlap,
        model=heard.model if heard else "",
        marks=tuple(_mark(finding, turn, said, sources) for finding in assessment.findings) if assessment else (),
        delivery=assessment.delivery if assessment else None,
        observation=turn.observation,
        cues=tuple(cue.text for cue in turn.cues),
        events=turn.events,
    )


def _in_kind(exchange: Exchange) -> InKind | None:
    """The verdict against the line that was answered, if it is known how heated that was."""
    return None if exchange.heat.height is None else exchange.in_kind


def _mark(finding: Finding, turn: TurnFacts, said: str, sources: Mapping[str, str]) -> Mark:
    start, end = times_of(finding, (turn.start_s, turn.end_s))
    fits = 0 <= finding.start < finding.end <= len(said)
    return Mark(
        turn=turn.number,
        code=finding.code,
        kind=finding.kind,
        outcome=finding.outcome,
        quote=finding.quote,
        start=finding.start if fits else 0,
        end=finding.end if fits else 0,
        start_s=start,
        end_s=end,
        source=finding.source,
        advice=finding.advice,
        confidence=finding.confidence,
        rule=rule_of(finding.code, finding.source, sources),
    )


# --- measurements ------------------------------------------------------------------------------------


def measures(observation: Observation | None) -> dict[str, float]:
    """The numbers that are drawn over time, by the ids of `CURVES`; what was not measured is absent."""
    if observation is None:
        return {}
    values = {
        "f0_hz": observation.f0.median_hz if observation.f0 else None,
        "effort_db": observation.relative.effort_db if observation.relative else None,
        "level_dbfs": observation.level.rms_dbfs if observation.level else None,
        "wpm": observation.rate.wpm if observation.rate else None,
        "articulation_sps": observation.rate.articulation_sps if observation.rate else None,
    }
    return {key: value for key, value in values.items() if value is not None}


def _curves(facts: Facts) -> tuple[Curve, ...]:
    """Every measure of which there is at least one value."""
    table: dict[str, list[CurvePoint]] = {key: [] for key, _, _ in CURVES}
    for turn in facts.turns:
        for key, value in measures(turn.observation).items():
            table[key].append(CurvePoint("trainee", turn.start_s, turn.end_s, value, turn.events))
    for line in with_own_change(facts.lines):
        for key, value in measures(line.observation).items():
            table[key].append(CurvePoint("customer", line.start_s, line.end_s, value, line.events))
    baseline = _baseline(facts.baseline)
    return tuple(
        Curve(
            key,
            name,
            unit + (_OWN if key == "effort_db" and recorded(facts.lines) else ""),
            tuple(sorted(table[key], key=lambda p: (p.start_s, p.who))),
            baseline.get(key),
        )
        for key, name, unit in CURVES
        if table[key]
    )


_OWN = "; the customer's above the own quieter one"
"""Of the effort in a recorded call: each voice against itself."""


def _baseline(baseline: Baseline | None) -> dict[str, float | None]:
    if baseline is None:
        return {}
    return {
        "f0_hz": baseline.f0_median_hz,
        "effort_db": 0.0,
        "level_dbfs": baseline.level_dbfs,
        "articulation_sps": baseline.articulation_sps,
    }


# --- settings ----------------------------------------------------------------------------------------


def _settings(facts: Facts, rejudged: bool) -> tuple[tuple[str, str], ...]:
    """What the session ran with and what judged it, as (name, value); empty values are left out."""
    started = facts.started
    rules = text(started.get("rules"))
    baseline = facts.baseline
    rows = (
        ("Mode", _plain(started.get("mode"))),
        ("Patience", _patience(started.get("patience"))),
        ("Persona", _plain(started.get("persona"))),
        ("Procedure", _plain(started.get("procedure"))),
        ("Seed", _plain(started.get("seed"))),
        ("voicecoach", _plain(started.get("voicecoach"))),
        ("Rules in the call", rules),
        ("Rules of this report", RULES_VERSION if rejudged else f"{rules or 'unknown'} (the verdicts of the call)"),
        ("Recogniser", _plain(started.get("ears"))),
        ("Heard by", ", ".join(sorted({turn.heard.model for turn in facts.turns if turn.heard and turn.heard.model}))),
        ("Voice activity", _plain(started.get("vad"))),
        ("Pitch tracker", _plain(started.get("tracker"))),
        (
            "Voice",
            _plain(started.get("voice")) or ", ".join(sorted({line.voice for line in facts.lines if line.voice})),
        ),
        ("Sound", _plain(started.get("sound"))),
        ("Calibration", _calibration(baseline)),
    )
    return tuple((name, value) for name, value in rows if value)


def _patience(data: Any) -> str:
    """The silence that ended a turn, as it was set."""
    if not isinstance(data, Mapping):
        return ""
    finished, unfinished = number(data.get("finished_s")), number(data.get("unfinished_s"))
    if finished is None or unfinished is None:
        return ""
    name = text(data.get("name"))
    return f"{f'{name}, ' if name else ''}{finished:g} s of silence, {unfinished:g} s after words that are not finished"


def _calibration(baseline: Baseline | None) -> str:
    if baseline is None:
        return "none: effort, level and pitch are not compared with a calm voice"
    kind = "provisional, from the first turns" if baseline.provisional else "measured"
    return f"{kind}, on {baseline.device or 'an unnamed device'}"


def _plain(value: Any, depth: int = 0) -> str:
    """A JSON value as one line: mappings as "key value", lists with commas; what is nested deeper is left out."""
    if isinstance(value, Mapping) and depth < _DEPTH:
        parts = (
            (str(key), _plain(item, depth + 1)) for key, item in sorted(value.items(), key=lambda item: str(item[0]))
        )
        return ", ".join(f"{text(key).replace('_', ' ')} {shown}" for key, shown in parts if shown)
    if isinstance(value, list | tuple) and depth < _DEPTH:
        return ", ".join(filter(None, (_plain(item, depth + 1) for item in value)))
    if isinstance(value, bool):
        return "yes" if value else "no"
    shown = number(value)
    return text(value) if shown is None else f"{shown:g}"


_DEPTH = 3
