"""What moves a customer's anger, and by how much: one table, every size in points on the scale 0 to 5.

All sizes are our judgement, to be tuned with trainers (docs/customer.md, section 4); "ours" marks those that were not in the
first trial. The direction of each effect has its source in the published procedures (see docs/procedures.md).
A persona file may change a size (`effects:`), never a direction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Effect:
    """`size` is negative where it calms; `why` is the phrase for the screen."""

    size: float
    why: str


EFFECTS: Mapping[str, Effect] = {
    # Calming: what was said. Each repeat of the same cue counts half as much as the one before.
    "verbal_nod": Effect(-0.2, "you let the customer talk and showed that you listen"),  # ours; 002.3, 003.1
    "empathise": Effect(-0.6, "you acknowledged how the customer feels"),
    "apologise": Effect(-0.4, "you said sorry"),
    "use_name": Effect(-0.1, "you used the customer's name"),  # ours; 002.4
    "willingness": Effect(-0.2, "you said that you will do all you can"),  # ours; 002.4
    "clarify": Effect(-0.2, "you asked about the facts"),  # ours; the first toy rewarded nothing for it
    "restate_facts": Effect(-0.6, "you said back what happened"),
    "restate_feelings": Effect(-0.4, "you said back how it feels"),  # ours; 003.2
    "check_understanding": Effect(-0.2, "you asked whether you had it right"),  # ours; 003.2
    "explain": Effect(-0.2, "you gave a deserved explanation"),  # ours; 003.3
    "work_together": Effect(-0.2, "you offered to solve it together"),  # ours; 003.4
    "resolution": Effect(-0.8, "you said what will be done"),
    "res_who": Effect(-0.1, "you said who does it"),  # ours; 001.5
    "res_when": Effect(-0.2, "you said by when"),  # ours; 001.5
    "alternatives": Effect(-0.2, "you offered a choice"),  # ours; 001.5
    "referral": Effect(-0.4, "you said who can help and why"),  # ours; 001.5
    "checkback": Effect(-0.3, "you asked whether that settles it"),
    "follow_up": Effect(-0.2, "you promised to follow up"),  # ours; 001.6
    # Calming: how it was said.
    "quiet_and_slow": Effect(-0.3, "you spoke quietly and slowly"),
    # Angering: what was said or done.
    "interrupt": Effect(+0.8, "you spoke over the customer"),
    "premature_solution": Effect(+0.4, "you went ahead before the story was told"),
    "argue": Effect(+1.0, "you argued"),
    "blame_customer": Effect(+1.0, "you put it on the customer"),
    "excuse": Effect(+0.6, "you made an excuse"),  # ours; 003.3
    "negative_language": Effect(+0.3, "you said what cannot be done"),  # ours; 002 slides 8, 20
    "insincere": Effect(+0.4, "it did not sound meant"),  # ours; 002.4
    "policy_hiding": Effect(+0.5, "you hid behind policy"),  # ours; house rule
    "jargon": Effect(+0.3, "you talked shop"),  # ours; house rule
    "calm_down": Effect(+0.8, "you told the customer to calm down"),  # ours; house rule
    # Angering: how it was said.
    "loud": Effect(+0.5, "you raised your voice"),
    "fast": Effect(+0.4, "you rushed"),
    "trigger": Effect(+0.5, "you said what this customer cannot stand to hear"),  # ours
    "rambling": Effect(+0.2, "you talked on and on to somebody furious"),  # ours
    "cut_short": Effect(+1.0, "the story was cut short, and the anger came back at the solution"),  # ours; 003.1
    # Angering: what did not happen.
    "silence": Effect(+0.3, "you said nothing"),
    "asked_again": Effect(+0.4, "you asked what you had been told"),  # ours; 002 slide 17
    "no_progress": Effect(+0.3, "nothing new came from you"),
}
