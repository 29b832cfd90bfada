"""Which side of a recorded call serves and which complains, by what each says: to notice channels that are swapped.

Only phrases that the other side hardly ever says count, a turn once. Both lists are our judgement. Of 96 calls in words
(12 scripted trainees against 8 customers) none is taken for swapped; swapped, 39 of the 40 with a polite agent are noticed,
and 56 of all 96: awful agents say little that only an agent would.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

SERVES = re.compile(
    r"\b(?:thank you for calling|how (?:can|may) i help|what can i do for you|you(?:'re| are) (?:through|speaking) (?:to|with)|"
    r"(?:can|could|may) i (?:just |please )?(?:have|take|get) your|"
    r"what(?:'s| is) your (?:order|account|booking|policy|reference|customer|post|zip|full|name|address|date|email|phone)|"
    r"bear with me|(?:one|just a) moment (?:please|while)|let me (?:just )?(?:check|look|pull|find|make sure|see)|"
    r"put you (?:on hold|through)|i(?:'m| am) (?:so |very |really |truly |terribly )*sorry (?:to hear|that you|that this|for the)|"
    r"(?:i|we) apologi[sz]e|my apologies|i (?:can |do |completely |fully |really )*(?:understand|hear|see|appreciate) "
    r"(?:how|that you|why you|your)|i(?:'ll| will| can) (?:arrange|refund|escalate|raise|issue|book you|send you|call you|"
    r"look into|have (?:it|this))|is there anything (?:else|that is still)|have i (?:got that right|left anything)|"
    r"does that (?:work|help|settle|solve|sound)|would that (?:work|help))\b"
)
COMPLAINS = re.compile(
    r"\b(?:i(?:'ve| have) been (?:waiting|on hold|calling|ringing|trying|a customer|passed)|i want (?:a|my|to|this|it|you|some)\b|"
    r"(?:speak|talk) to (?:your|a|the) (?:manager|supervisor)|"
    r"(?:nobody|no one) (?:has )?(?:called|calls|came|comes|rang|rings|turned|told|answered|answers|showed|bothered|listens)|"
    r"your (?:company|engineer|engineers|driver|website|colleague|colleagues|people|lot|courier|technician|fault)|"
    r"this is (?:ridiculous|unacceptable|a joke|outrageous|disgraceful|the (?:second|third|fourth|fifth))|"
    r"i(?:'m| am) (?:not happy|sick of|fed up|furious|fuming|still waiting)|"
    r"my (?:money|refund|order|parcel|sofa|printer|boiler|freezer|ticket|claim|internet|bill|account|contract|delivery|card|"
    r"broadband|flight|booking|insurance|daughter|son|husband|wife|mother|father|kids|children|customers))\b"
)
LEAST = 3
TIMES = 3
"""As many turns must speak for the other way round, and as many times the turns that speak against it. Our judgement."""


def swapped(agent: Sequence[str], customer: Sequence[str]) -> bool:
    """Whether what the `agent` says sounds like a customer and the other way round; each text is one turn."""
    wrong = _turns(COMPLAINS, agent) + _turns(SERVES, customer)
    right = _turns(SERVES, agent) + _turns(COMPLAINS, customer)
    return wrong >= LEAST and wrong >= TIMES * right


def _turns(phrases: re.Pattern[str], texts: Sequence[str]) -> int:
    return sum(phrases.search(_plain(text)) is not None for text in texts)


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("’", "'").split())
