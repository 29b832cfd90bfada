"""What a call remembers from one turn of the trainee to the next. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from voicecoach.call import Call
from voicecoach.judge import context as judged
from voicecoach.judge.silence import announced
from voicecoach.measure import observe
from voicecoach.nouns import Assessment, Baseline, Observation, TurnContext


@dataclass(frozen=True)
class Memory:
    """What has been said and judged so far."""

    context: TurnContext
    """What the judge knew of the trainee's last turn."""
    previous: Assessment | None = None
    """The verdicts on that turn."""
    said: tuple[str, ...] = ()
    """What the customer has said since."""
    number: int = 0
    """Of that turn, from 1; 0 before the first."""
    patient: bool = False
    """That turn announced a silence, and the customer has not asked since."""
    baseline: Baseline | None = None
    own: tuple[Observation, ...] = ()
    """The first turns that were measured well, while there is no baseline."""


def begin(call: Call) -> Memory:
    """At the customer's opening, or at the moment that the call goes on from."""
    moment = call.moment
    if moment is not None:
        previous = Assessment((), moment.delivery) if moment.delivery else None
        return Memory(moment.context, previous, moment.said, 0, moment.patient, call.baseline, moment.own)
    brief = call.persona.brief
    context = TurnContext(customer_name=call.persona.full_name, cannot=brief.cannot, can=brief.can)
    return Memory(context, baseline=call.baseline)


def after(memory: Memory, call: Call, text: str, context: TurnContext, assessment: Assessment) -> Memory:
    """After a turn of the trainee, which was `text`."""
    patient, number = bool(announced(text, call.rules.silence)), memory.number + 1
    return replace(memory, context=context, previous=assessment, said=(), number=number, patient=patient)


def cut_short(memory: Memory, line: str, heard: str) -> Memory:
    """After the customer's last line was stopped: only what was `heard` of it has been said."""
    said, context = judged.cut_short(memory.said, memory.context, line, heard)
    return replace(memory, said=said, context=context)


def calibrated(memory: Memory, seen: Observation, device: str) -> Memory:
    """Without a calibration the first turns become a provisional one."""
    if memory.baseline is not None or not seen.quality.ok:
        return memory
    own = (*memory.own, seen)
    enough = len(own) == observe.PROVISIONAL_TURNS
    return replace(memory, own=own, baseline=observe.baseline_from(own, device, provisional=True) if enough else None)
