"""Drills: which there are, and one as a call with a microphone, with the recorded trainee, or typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from voicecoach import judge, prepare
from voicecoach.errors import BadInput
from voicecoach.judge.context import next_context
from voicecoach.judge.drills import Drill, load_drills, mark
from voicecoach.nouns import Assessment, Mood, Procedure, Reaction
from voicecoach.persona import Persona, drills
from voicecoach.report import words
from voicecoach.session import Call
from voicecoach.simulate import MANNERS, OVERLAP_S, Manner
from voicecoach.world.places import bundled
from voicecoach.world.trainee import ScriptedReply

FILE = "drills.yaml"


def all_drills() -> tuple[Drill, ...]:
    """The bundled drills, in the order of a call."""
    return load_drills(bundled("assets") / FILE)


def choose(name: str) -> Drill:
    """The drill called `name`, by its id or the unique beginning of one; raises BadInput with those that there are."""
    there = all_drills()
    found = [one for one in there if one.id == name] or [one for one in there if name and one.id.startswith(name)]
    if len(found) == 1:
        return found[0]
    raise BadInput(
        f"There is no drill called '{name[:80]}'." if not found else f"'{name}' begins more than one drill.",
        f"There are: {', '.join(one.id for one in found or there)}.",
    )


def sentence(drill: Drill, rules: judge.Rules) -> str:
    """The sentence of the published procedure that a drill trains, with its source."""
    return f"{rules.sources.get(drill.source, drill.about)} Source: {words.source(drill.source)}"


def introduction(drill: Drill, customer: Persona, rules: judge.Rules) -> tuple[str, ...]:
    """What the trainee reads before a drill: what is asked for, from where, and what can be offered."""
    brief = customer.brief
    offers = (
        f"You can offer: {'; '.join(brief.can)}." if brief.can else "",
        f"You cannot offer: {'; '.join(brief.cannot)}." if brief.cannot else "",
    )
    solving = bool({"resolution", "alternatives"} & {*drill.any_of, *drill.all_of})
    levels = ", ".join(map(str, drill.levels))
    return (
        f"{drill.name}. {drill.about}",
        f"Rule: {sentence(drill, rules)}",
        f"{customer.full_name}: {customer.about}",
        *(filter(None, offers) if solving else ()),
        f"Anger {levels} of 5, one turn each: pass one to get the next.",
    )


def call_of(drill: Drill, customer: Persona, persona_text: str, rules: judge.Rules, *, seed: int, wall: str) -> Call:
    """A drill as a call: recorded, marked and told like any other."""
    procedure = Procedure(drill.id, f"Drill: {drill.name}", drill.source[:3], drill.about, ())
    return Call(
        customer,
        persona_text,
        procedure,
        "",
        rules,
        seed=seed,
        wall=wall,
        cues=False,
        moment=drills.begin(customer, drill, seed),
        origin={"drill": asdict(drill)},
        react=drills.react(drill, words.NAMES),
        name=f"drill-{drill.id}",
    )


def demo_replies(
    drill: Drill, customer: Persona, rules: judge.Rules, replies: Sequence[ScriptedReply]
) -> tuple[ScriptedReply, ...]:
    """What the recorded trainee says in a drill: first a reply that misses, then those that hit, as far as it has any."""
    context = drills.begin(customer, drill, 1).context
    manners: dict[str, Manner] = {"calm": "calm", "brisk": "brisk", "loud": "loud"}
    hits, misses = list[ScriptedReply](), list[ScriptedReply]()
    for reply in replies:
        found = judge.assess(reply.say, (), None, context, rules)
        said = Assessment(found.findings, MANNERS[manners[reply.manner]])
        (hits if mark(drill, said, reply.say, words.NAMES).verdict == "passed" else misses).append(reply)
    chosen = [*misses[:1], *(hits[n % len(hits)] for n in range(len(drill.levels)))] if hits else misses
    return tuple(replace(reply, when="after", gap_s=0.6) for reply in chosen)


HELP = "Type what you say. Begin with ! for a raised, rushed voice, with > to talk over the customer; q ends."


def typed(call: Call, ask: Callable[[str], str | None], say: Callable[[str], None]) -> Mood:
    """A drill in text, as `personas play`: marked by its words, and how it is said by its first sign. Not recorded."""
    moment = call.moment
    if moment is None or call.react is None:
        raise ValueError("this call is no drill")
    reaction, context, previous = Reaction(moment.mood, moment.reply), moment.context, None
    unheard = list(moment.said)
    say(f"{HELP}\n")
    while True:
        level = reaction.reply.level
        say(f"\n{call.persona.name} [{level} {'#' * 2 * level:10}] {reaction.reply.text}")
        if reaction.reply.ends:
            say(f"\n{reaction.mood.drill.result} Typed drills are not recorded and do not count.")
            return reaction.mood
        answer = ask("You: ")
        if answer is None or answer.strip().lower() in {"q", "quit"}:
            return reaction.mood
        text, manner, over = answer.strip(), "calm", False
        while text[:1] in ("!", ">"):
            manner, over = ("loud" if text[0] == "!" else manner), over or text[0] == ">"
            text = text[1:].strip()
        if not text:
            continue
        context = next_context(
            context,
            previous,
            customer_said=" ".join(unheard),
            customer_finished=reaction.mood.told >= len(call.persona.story),
            overlap_s=OVERLAP_S if over else 0.0,
            cut_off=over,
        )
        found = judge.assess(text, (), None, context, call.rules)
        previous = Assessment(found.findings, MANNERS["loud" if manner == "loud" else "calm"])
        reaction = call.react(call.persona, reaction.mood, previous, text)
        unheard = [reaction.reply.text]
        for cause in reaction.causes:
            say(f"     {cause.why}: {cause.evidence}")


def default_customer(recent: Sequence[str]) -> tuple[Persona, str]:
    """The bundled customer of the newest call (`recent`: ids, newest first), otherwise the default one."""
    there = prepare.names("personas")
    return prepare.choose_persona(next((name for name in recent if name in there), prepare.DEFAULT_PERSONA))
