"""A moment of a recorded call, taken again.

A take is a session of its own. Its `started` names the call, the turn and the number of the take (`retry`) and holds
the state that it began with (`moment`), so that it can be told when the call that it comes from is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from voicecoach import judge, persona, record
from voicecoach.errors import BadInput
from voicecoach.judge.procedures import parse_procedure
from voicecoach.measure.turns import NORMAL, PRESETS, Mode, Patience, patience_of
from voicecoach.nouns import RECORDED_TRAINEE, Baseline, Moment, Procedure
from voicecoach.persona import Persona
from voicecoach.report.facts import gather, number, text
from voicecoach.report.moment import moment_before, moment_of, seed_of
from voicecoach.report.tell import tell
from voicecoach.session import Call
from voicecoach.takes import index_of, origin_of


@dataclass(frozen=True)
class Retry:
    """A moment of a recorded call, with all that was recorded of it."""

    session: str
    """Name of the call that the moment is of."""
    turn: int
    take: int
    """1 is the turn as it was said first."""
    moment: Moment
    persona: Persona
    persona_text: str
    procedure: Procedure
    procedure_text: str
    baseline: Baseline | None
    seed: int
    trainee: str
    """Empty where the recorded trainee spoke."""
    mode: Mode
    patience: Patience
    worksheet: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """What had been prepared before the call, as recorded."""
    turns_before: int = 0
    """How many turns the trainee had said before."""


def prepare_retry(folder: Path, turn: int, rules: judge.Rules) -> Retry:
    """Turn `turn` of the session in `folder`, to be said again. Raises BadInput where it cannot be."""
    session = record.read(folder)
    opening = session.first("started")
    started = opening.data if opening else {}
    if isinstance(started.get("drill"), Mapping):
        raise BadInput(f"{folder.name} is a drill.", "Repeat it with: voicecoach drill")
    if not session.persona:
        raise BadInput(
            f"{folder.name} has no simulated customer, so none of it can be said again.",
            "Only a call with a customer of voicecoach can be retried.",
        )
    customer = persona.parse_persona(session.persona, f"{folder.name}/persona.yaml")
    procedure = parse_procedure(session.procedure, f"{folder.name}/procedure.yaml")
    moment, baseline = moment_before(session.events, customer, turn, rules.silence)
    origin, begun = origin_of(started), moment_of(started)
    before = turn - 1 + (origin[1] - 1 if origin else 0)
    done = _done_before(session, turn, customer, procedure)
    moment = replace(moment, done=tuple(dict.fromkeys((*(begun.done if begun else ()), *done))))
    name, which = folder.name, turn
    if origin and begun and turn == 1 and moment == replace(begun, done=moment.done):
        name, which = origin[:2]  # the same moment once more
    taken = [take for take, _ in index_of(folder.parent).get((name, which), ())]
    modes: tuple[Mode, ...] = get_args(Mode)
    mode = next((known for known in modes if known == started.get("mode")), modes[0])
    return Retry(
        session=name,
        turn=which,
        take=max([1, origin[2] if origin and which != turn else 1, *taken]) + 1,
        moment=moment,
        persona=customer,
        persona_text=session.persona,
        procedure=procedure,
        procedure_text=session.procedure,
        baseline=baseline,
        seed=seed_of(started),
        trainee="" if _port(started) == RECORDED_TRAINEE else text(started.get("trainee")),
        mode=mode,
        patience=_patience(started),
        worksheet=tuple((event.kind, dict(event.data)) for event in session.of("worksheet")),
        turns_before=before,
    )


def begin(call: Call, retry: Retry) -> Call:
    """`call` as it goes on from the moment: customer, procedure, seed and baseline as recorded, the rest as it is."""
    return replace(
        call,
        persona=retry.persona,
        persona_text=retry.persona_text,
        procedure=retry.procedure,
        procedure_text=retry.procedure_text,
        baseline=retry.baseline,
        trainee=retry.trainee or call.trainee,
        seed=retry.seed,
        recent=(),
        prepared=(*retry.worksheet, *(entry for entry in call.prepared if entry[0] == "consent")),
        moment=retry.moment,
        origin={"retry": {"session": retry.session, "turn": retry.turn, "take": retry.take}},
        name=f"{retry.persona.id}-turn-{retry.turn}-take-{retry.take}",
    )


def _patience(started: Mapping[str, Any]) -> Patience:
    """The setting of the call: a preset by its name, else the recorded seconds."""
    told = started.get("patience")
    name = text(told.get("name")) if isinstance(told, Mapping) else ""
    if name in PRESETS:
        return PRESETS[name]
    try:
        return patience_of(str(number(started.get("patience_s"))))
    except ValueError:
        return NORMAL


def _port(started: Mapping[str, Any]) -> str:
    sound = started.get("sound")
    return text(sound.get("port")) if isinstance(sound, Mapping) else ""


def _done_before(session: record.Record, turn: int, customer: Persona, procedure: Procedure) -> tuple[str, ...]:
    """Ids of the steps that were done before the turn, by the verdicts of that day."""
    places = {which: place for place, which in gather(session.events).spoke}  # as `moment_before` has them
    told = tell(session.events[: places[turn]], name="", persona=customer, procedure=procedure, rules=None)
    return tuple(step.id for step in told.steps if step.outcome == "done")
