"""Scripted trainees against a customer: words through the real judge, the delivery as the script says, no sound.

The customer is the same pure engine as in a call, so a simulation is the same under the same seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from voicecoach import judge, persona, yamlfile
from voicecoach.judge.context import next_context
from voicecoach.nouns import Assessment, Delivery, Mood, Reaction, Strict, TurnContext
from voicecoach.persona import Persona

Manner = Literal["calm", "brisk", "flat", "loud", "shouting"]
MANNERS: Mapping[Manner, Delivery] = {
    "calm": Delivery("quiet", "slow", ("as scripted",)),
    "brisk": Delivery("quiet", "brisk", ("as scripted",)),
    "flat": Delivery("unsure", "unsure"),
    "loud": Delivery("raised", "rushed", ("as scripted",)),
    "shouting": Delivery("shouting", "rushed", ("as scripted",)),
}
OVERLAP_S = 1.5
"""What a turn that is marked `over` speaks over the customer."""
WPM: Mapping[Manner, float] = {"calm": 130, "brisk": 180, "flat": 150, "loud": 205, "shouting": 205}
"""How fast a manner is, to know how long a turn takes."""
MAX_TURNS = 16


@dataclass(frozen=True)
class Said:
    """One turn of a script. Empty words are silence."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    say: str
    manner: Manner = "flat"
    over: bool = False


@dataclass(frozen=True)
class Scripted:
    """A trainee in words: what is said while the customer tells, then once, then until the end."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    id: str
    design: int
    """1 for the best; what the final anger should put in order."""
    about: str
    telling: tuple[Said, ...]
    again: tuple[Said, ...]
    then: tuple[Said, ...] = ()
    excellent: bool = False


@dataclass(frozen=True)
class Trainees:
    """A file of scripted trainees."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    trainees: tuple[Scripted, ...]


@dataclass(frozen=True)
class Exchange:
    """What the trainee said, and what came of it; `assessment` is None for silence and for being cut into."""

    said: str
    manner: Manner | None
    assessment: Assessment | None
    reaction: Reaction


@dataclass(frozen=True)
class Simulated:
    """A whole simulated call."""

    trainee: str
    design: int
    opening: Reaction
    exchanges: tuple[Exchange, ...]

    @property
    def anger(self) -> tuple[float, ...]:
        """The anger at the opening and after each reaction."""
        return (self.opening.mood.anger, *(one.reaction.mood.anger for one in self.exchanges))

    @property
    def outcome(self) -> str:
        """How it ended; "open" when the script was over first."""
        last = self.exchanges[-1].reaction if self.exchanges else self.opening
        return last.reply.ends or "open"


def load_trainees(path: Path) -> tuple[Scripted, ...]:
    """Read a file of scripted trainees; BadInput names each problem with its line."""
    return yamlfile.load(path, Trainees).trainees


class Rehearsal:
    """A call in words: the customer, the judge, and what both remember. `say` is one turn."""

    def __init__(self, customer: Persona, rules: judge.Rules, seed: int = 1) -> None:
        self.customer, self.rules = customer, rules
        self.reaction = persona.begin(customer, seed)
        self._unheard = [self.reaction.reply.text]
        self._context = TurnContext(
            customer_name=customer.full_name, cannot=customer.brief.cannot, can=customer.brief.can
        )
        self._previous: Assessment | None = None

    @property
    def mood(self) -> Mood:
        """The customer's mood now."""
        return self.reaction.mood

    @property
    def telling(self) -> bool:
        """Whether the customer still has points of the story to tell."""
        return persona.has_more_to_tell(self.customer, self.mood)

    def say(self, text: str, manner: Manner = "flat", over: bool = False) -> Iterator[Exchange]:
        """One turn of the trainee: first, if it is too long for somebody furious, the customer cuts in."""
        if not text.strip():
            yield self._take(Exchange("", None, None, persona.react_to_silence(self.customer, self.mood)))
            return
        after_s = persona.cuts_in_after_s(self.customer, self.mood)
        if after_s is not None and len(text.split()) * 60 / WPM[manner] > after_s:
            yield self._take(Exchange("", None, None, persona.cut_in(self.customer, self.mood)))
        self._context = next_context(
            self._context,
            self._previous,
            customer_said=" ".join(self._unheard),
            customer_finished=not self.telling,
            overlap_s=OVERLAP_S if over else 0.0,
            cut_off=over,
        )
        self._unheard.clear()
        in_words = judge.assess(text, (), None, self._context, self.rules)
        self._previous = Assessment(in_words.findings, MANNERS[manner])
        reaction = persona.react(self.customer, self.mood, self._previous, text)
        yield self._take(Exchange(text, manner, self._previous, reaction))

    def _take(self, exchange: Exchange) -> Exchange:
        self.reaction = exchange.reaction
        self._unheard.append(exchange.reaction.reply.text)
        return exchange


def simulate(
    customer: Persona, trainee: Scripted, rules: judge.Rules, seed: int = 1, max_turns: int = MAX_TURNS
) -> Simulated:
    """Play a scripted trainee against a customer until the call ends or the turns are used up."""
    call, words = Rehearsal(customer, rules, seed), slots(customer)
    opening, exchanges = call.reaction, list[Exchange]()
    counts = {"telling": 0, "again": 0}
    rest = list(trainee.then)

    def following() -> Said:
        if call.telling and trainee.telling:
            counts["telling"] += 1
            return trainee.telling[(counts["telling"] - 1) % len(trainee.telling)]
        if rest:
            return rest.pop(0)
        counts["again"] += 1
        return trainee.again[(counts["again"] - 1) % len(trainee.again)] if trainee.again else Said("")

    for _ in range(max_turns):
        said = following()
        exchanges += call.say(fill(said.say, words), said.manner, said.over)
        if call.reaction.reply.ends:
            break
    return Simulated(trainee.id, trainee.design, opening, tuple(exchanges))


def slots(customer: Persona) -> Mapping[str, str]:
    """What a script's {slots} stand for with this customer."""
    asks = next((answer.asks[0] for answer in customer.answers.values()), "order number")
    question = asks if len(asks.split()) > 2 else f"what is your {asks}"
    offer = customer.brief.can[0] if customer.brief.can else "a replacement"
    offer = next((can for can in customer.brief.can if persona.is_wanted(customer, can)), offer)
    return {
        "customer": customer.name,
        "story": ", and ".join(point.about for point in customer.story),
        "question": f"Can you tell me, {question}?",
        "offer": offer,
    }


def fill(say: str, words: Mapping[str, str]) -> str:
    """`say` with its slots filled, in one pass."""
    return persona.fill(say, words)


# --- drawing ---------------------------------------------------------------------------------------


def curve(calls: Sequence[Simulated]) -> list[str]:
    """The anger of each call as a row of blocks, one for each line of the customer."""
    width = max((len(call.trainee) for call in calls), default=0)
    blocks = " ▁▂▃▄▅▆▇█"
    return [
        f"{call.trainee:{width}}  {''.join(blocks[round(anger / 5 * 8)] for anger in call.anger):{MAX_TURNS + 1}}  "
        f"{call.anger[0]:.1f} -> {call.anger[-1]:.1f}  {call.outcome}"
        for call in calls
    ]


def svg(calls: Sequence[Simulated], title: str) -> str:
    """The anger curves as one SVG, a small picture for each call."""
    from xml.sax.saxutils import escape

    wide, high, left, top, columns = 230, 130, 34, 44, 3
    rows = -(-len(calls) // columns)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {columns * wide} {rows * high + top}" '
        'font-family="sans-serif" font-size="11" fill="#222">',
        f'<rect width="100%" height="100%" fill="#fff"/><text x="10" y="24" font-size="16">{escape(title)}</text>',
    ]
    for index, call in enumerate(calls):
        x, y = (index % columns) * wide + left, (index // columns) * high + top
        body, tall = wide - left - 16, high - 48
        step = body / max(1, len(call.anger) - 1)
        points = " ".join(f"{x + n * step:.1f},{y + tall * (1 - a / 5):.1f}" for n, a in enumerate(call.anger))
        colour = {"resolved": "#1a7f37", "hung up": "#b42318"}.get(call.outcome, "#8a6100")
        out += [
            f'<path d="M{x} {y} V{y + tall} H{x + body}" fill="none" stroke="#999"/>',
            f'<text x="{x - 6}" y="{y + 8}" text-anchor="end">5</text>'
            f'<text x="{x - 6}" y="{y + tall}" text-anchor="end">0</text>',
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<text x="{x}" y="{y + tall + 15}">{escape(call.trainee)}</text>',
            f'<text x="{x}" y="{y + tall + 28}" fill="{colour}">{escape(call.outcome)}, {call.anger[-1]:.1f}</text>',
        ]
    return "\n".join([*out, "</svg>"]) + "\n"
