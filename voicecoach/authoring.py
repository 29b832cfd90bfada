"""For whoever writes customers: a new file asked together, a rehearsal in text, and the JSON Schema for editors.

What is typed becomes quoted text in a YAML file, never structure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from voicecoach import judge, yamlfile
from voicecoach.errors import BadInput, DiskError
from voicecoach.nouns import SLUG, slug
from voicecoach.persona import Persona
from voicecoach.persona import model as customers
from voicecoach.persona.model import FALLBACKS, KEYS, KNOWN, Line, Person, Scenario, Situation
from voicecoach.simulate import Exchange, Manner, Rehearsal

Ask = Callable[[str], str | None]
"""Puts a question and returns what was typed; None where no more can be typed."""

# --- a new customer --------------------------------------------------------------------------------

_START: Mapping[str, tuple[tuple[str, tuple[int, int]], ...]] = {
    "need.heard": (("I don't think you got that. What did I just tell you?", (2, 4)),),
    "need.acknowledged": (("Do you have any idea what this is like for me?", (2, 4)),),
    "need.apologised": (("Nobody has said sorry to me. Not once.", (2, 4)),),
    "need.clarified": (("Don't you need to know anything else?", (2, 4)),),
    "need.solution": (("So what are you going to do about it?", (2, 4)),),
    "need.when": (("And who does that, and when?", (2, 4)),),
    "softened": (("All right. Thank you for saying that.", (1, 3)),),
    "confirmed": (("Yes. That is what happened.", (1, 3)),),
    "answered": (("That is all that I know.", (1, 3)),),
    "vague": (("That is not an answer. What exactly will you do?", (2, 4)),),
    "accepted": (("Okay. That would work for me.", (1, 3)),),
    "prompted": (("So, was that everything?", (1, 2)),),
    "resolved": (("Yes, that settles it. Thank you. Goodbye.", (0, 2)),),
    "closed": (("All right then. Goodbye.", (1, 2)),),
    "repeated": (("You're not listening. Let me say it again.", (2, 5)),),
    "parroted": (("You keep saying that. It does not help me.", (2, 4)),),
    "interrupted": (("Excuse me, I was not finished.", (2, 5)),),
    "rushed_to_solve": (("You don't even know what is wrong yet.", (2, 4)),),
    "argued": (("Are you arguing with me? I was there.", (3, 5)),),
    "calm_down": (("Don't you tell me to calm down!", (3, 5)),),
    "policy": (("I don't care about your policy.", (2, 4)),),
    "excused": (("That is an excuse.", (2, 4)),),
    "too_loud": (("Don't you raise your voice at me.", (3, 4)),),
    "too_fast": (("Slow down, please. I can't follow that.", (2, 4)),),
    "silence": (("Hello? Are you still there?", (2, 4)),),
    "manager": (("I want to speak to your manager.", (3, 5)),),
    "transferred": (("Good. Put me through.", (2, 4)),),
    "hangup": (("Forget it. Goodbye.", (4, 5)),),
    "goodbye": (("I have to go. Call me back.", (2, 4)),),
    "cuts_in": (("Stop. Please stop talking for a moment.", (3, 5)),),
    "refused": (("No. That is not good enough.", (2, 4)),),
    "comes_back": (("Wait. You never let me finish, and I am still angry.", (3, 4)),),
}
"""A first line for each key, to be replaced by the writer's own."""
_WHEN = {
    "opening": "the first words of the call, at each of the levels 2, 3 and 4",
    "need.heard": "what is said while a need is not met",
    "softened": "how what was said well is taken",
    "repeated": "how what was said or done badly is taken",
    "silence": "and what is left",
}


@dataclass(frozen=True)
class _Stranger:
    """A person who is in no file yet."""

    id: str
    name: str
    surname: str
    about: str
    sex: str
    accent: str
    cold: bool


_VOICES = {
    ("female", "american"): "af_bella",
    ("female", "british"): "bf_emma",
    ("male", "american"): "am_fenrir",
    ("male", "british"): "bm_fable",
}
"""Kokoro's voices that the bundled people use, by sex and accent."""


@dataclass(frozen=True)
class _Sheet:
    """What was asked for."""

    id: str
    title: str
    situation: str
    person: str
    about: str
    points: tuple[str, ...]
    opening: str
    can: tuple[str, ...]
    cannot: tuple[str, ...]
    words: tuple[str, ...]
    question: str
    answer: str
    stranger: _Stranger | None = None


def new(ask: Ask, say: Callable[[str], None], folder: Path, people: Sequence[Path]) -> Path:
    """Ask for a scenario and write it, commented and ready to be played, into `folder`; never over another file."""
    known = sorted({path.stem for place in people for path in place.glob("*.yaml")})
    sheet = _asked(ask, say, known, folder)
    path = folder / f"{sheet.id}.yaml"
    stranger = sheet.stranger and _person_text(sheet.stranger)
    person = customers.parse_person(
        stranger or yamlfile.read_text(customers.person_path(sheet.person, path, people)), sheet.person
    )
    text = _scenario_text(sheet, customers.sayable(person, {}))
    customers.cast(person, customers.parse_scenario(text, str(path)))
    if stranger:
        _write(folder / "people" / f"{sheet.person}.yaml", stranger)
    _write(path, text)
    return path


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise BadInput(f"{path} is there already.", "Choose another id, or move that file away.") from error
    except OSError as error:
        raise DiskError(f"{path} cannot be written ({error.strerror}).", "Choose another folder with --out.") from error


def _asked(ask: Ask, say: Callable[[str], None], known: Sequence[str], folder: Path) -> _Sheet:
    situations: tuple[str, ...] = get_args(Situation)

    def needed(prompt: str, fits: Callable[[str], bool] = bool, why: str = "Please type something.") -> str:
        for _ in range(5):
            typed = ask(prompt)
            if typed is None:
                raise BadInput("Nothing was written: there is nobody to answer.", "Start it in a terminal.")
            typed = "".join(char for char in typed if char.isprintable()).strip()[: customers.MAX_CHARS]
            if fits(typed):
                return typed
            say(f"  {why}")
        raise BadInput("Nothing was written.", "Start again with: voicecoach personas new")

    def several(prompt: str) -> tuple[str, ...]:
        found = [needed(f"{prompt} 1: ")]
        while len(found) < customers.MAX_BRIEF:
            typed = needed(f"{prompt} {len(found) + 1} (Enter when there are no more): ", lambda _: True)
            if not typed:
                break
            found.append(typed)
        return tuple(found)

    say("A new call in ten questions, and five more for a new person. You can change every answer later in the file.\n")
    title = needed("What is the call about, in a few words? ")
    suggestion = slug(title)

    def fits_id(typed: str) -> bool:
        name = typed or suggestion
        return bool(SLUG.fullmatch(name)) and not (folder / f"{name}.yaml").exists()

    name = needed(
        f"Its file name (Enter for {suggestion}): ", fits_id, "1 to 40 of a-z, 0-9 and '-', and not taken yet."
    )
    say("\n".join(f"  {number} {situation.replace('-', ' ')}" for number, situation in enumerate(situations, 1)))
    which = needed(
        "Which situation is it (1 to 8)? ", lambda t: t.isdigit() and 1 <= int(t) <= len(situations), "A number."
    )
    person = needed(
        f"Who calls ({', '.join(known)}, or the first name of somebody new)? ",
        lambda t: t.lower() in known or bool(slug(t)), "One of these names, or another first name.",
    )  # fmt: skip
    stranger = None if person.lower() in known else _stranger(needed, person)
    person = stranger.id if stranger else person.lower()
    about = needed("Who is it and what happened, in one sentence? ")
    points = several("A point of the story, as the customer says it,")
    opening = needed("The first words of the customer: ")
    can = several("What can be offered,")
    cannot = several("What cannot be offered,")
    words = needed("Words by which a good offer is known, with commas (replacement, new one): ")
    question = needed("Words of a question that the customer can answer (order number): ")
    answer = needed("The answer to it: ")
    return _Sheet(
        name or suggestion, title, situations[int(which) - 1], person, about, points, opening, can, cannot,
        tuple(word.strip() for word in words.split(",") if word.strip())[: customers.MAX_PHRASES], question, answer,
        stranger,
    )  # fmt: skip


def _stranger(needed: Callable[..., str], name: str) -> _Stranger:
    def one_of(prompt: str, choices: Mapping[str, str]) -> str:
        typed = needed(f"{prompt} ({' or '.join(choices)})? ", lambda t: t.lower() in choices, "One of these words.")
        return choices[typed.lower()]

    surname = needed(f"{name}'s surname (Enter for none): ", lambda _: True)
    about = needed(f"Who is {name}, in one sentence? ")
    sex = one_of(f"Is {name} a", {"woman": "female", "man": "male"})
    accent = one_of("Which English", {"american": "american", "british": "british"})
    cold = one_of("Is the anger", {"hot": "", "cold": "cold"})
    return _Stranger(slug(name), name, surname, about, sex, accent, bool(cold))


def _person_text(who: _Stranger) -> str:
    """The file of a person: every setting that can be made, with what it does."""
    return "\n".join(
        [
            "# A person: who calls, whatever the call is about. Scenarios name this file by its id.",
            f"id: {who.id}",
            f"name: {_quoted(who.name)}",
            *([f"surname: {_quoted(who.surname)}"] if who.surname else []),
            f"about: {_quoted(who.about)}",
            f"sex: {who.sex}",
            f"accent: {who.accent}",
            "# Voices, the best first. hot: louder, higher and faster with anger; cold: slower, harder and quiet.",
            f"voice: {{prefer: [kokoro/{_VOICES[who.sex, who.accent]}, piper/joe], style: {'cold' if who.cold else 'hot'}}}",
            "# drift (how fast this person cools): slow, normal, fast. patience: low, normal, high.",
            "temper: {drift: normal, patience: normal, asks_for_manager_at: 4.6, stays_irate: false}",
            "# What this person cannot stand to hear, and pet phrases for whoever writes more lines.",
            "triggers: []",
            "vocabulary: []",
            "",
            "# What this person says in any call; a scenario's own lines come first. The keys are those of a scenario.",
            "lines: {}",
            "",
        ]
    )


def _scenario_text(sheet: _Sheet, own: Mapping[str, Sequence[Line]]) -> str:
    """The file: the writer's sentences, and for each key that the person lacks a first line to be replaced."""

    def line(say: str, low: int, high: int) -> str:
        return f"{{say: {_quoted(say)}, anger: [{low}, {high}]}}"

    out = [
        "# A scenario: what the call is about. Who calls is in the file of the person.",
        "# A line is what the customer says, and from which anger to which (0 calm to 5 shouting).",
        "# Check it:  voicecoach personas check FILE      Try it:  voicecoach personas play FILE",
        f"id: {sheet.id}",
        f"title: {_quoted(sheet.title)}",
        f"situation: {sheet.situation}",
        f"person: {sheet.person}",
        f"about: {_quoted(sheet.about)}",
        "",
        "# What the trainee knows before the call. Promising what stands under `cannot` is a fault.",
        "brief:",
        f"  goal: {_quoted('Settle it, and keep the customer.')}",
        *_listed("can", sheet.can),
        *_listed("cannot", sheet.cannot),
        "",
        "# Which offers are taken: one of these words has to be in them, and who does it or by when.",
        "accepts:",
        f"  - outcome: {_quoted(sheet.can[0])}",
        f"    any_of: [{', '.join(map(_quoted, sheet.words or sheet.can[:1]))}]",
        "",
        "# The story, in order. Until each point is told, the customer cannot calm down.",
        "# Write two more lines for each point, one of them for anger 4 to 5.",
        "story:",
    ]
    for number, point in enumerate(sheet.points, 1):
        out += [f"  - id: point-{number}", f"    about: {_quoted(point)}", "    lines:", f"      - {line(point, 2, 5)}"]
    out += [
        "",
        "# Questions that the customer can answer: any of these words in a question brings the answer.",
        "answers:",
        "  question-1:",
        f"    asks: [{_quoted(sheet.question)}]",
        "    lines:",
        f"      - {line(sheet.answer, 2, 4)}",
        "",
        "# Replace these by sentences of this customer, two or three for each key.",
        "lines:",
    ]
    for key in (*KEYS, *FALLBACKS):
        if key in own and key != "opening":
            continue
        out += [f"  # {_WHEN[key]}"] if key in _WHEN else []
        out.append(f"  {key}:")
        starts = ((sheet.opening, (2, 4)),) if key == "opening" else _START[key]
        out += [f"    - {line(say, *anger)}" for say, anger in starts]
    return "\n".join(out) + "\n"


def _listed(key: str, phrases: Sequence[str]) -> list[str]:
    return [f"  {key}:", *(f"    - {_quoted(phrase)}" for phrase in phrases)]


def _quoted(text: str) -> str:
    """`text` as a quoted YAML string, in which a `{` is only a brace."""
    return json.dumps(text.replace("{", "(").replace("}", ")"), ensure_ascii=False)


# --- a rehearsal in text ---------------------------------------------------------------------------

HELP = "Type what you say. Begin with ! for a raised, rushed voice, with > to talk over the customer; Enter alone is silence; q ends."


def play(customer: Persona, rules: judge.Rules, seed: int, ask: Ask, say: Callable[[str], None]) -> Rehearsal:
    """A call in text: what is typed is judged by its words, and how it is said by its first sign."""
    call = Rehearsal(customer, rules, seed)
    say(f"{HELP}\n")
    say(_spoken(customer, call.reaction.reply.text, call.reaction.mood.anger))
    while not call.reaction.reply.ends:
        typed = ask("You: ")
        if typed is None or typed.strip().lower() in {"q", "quit"}:
            break
        manner: Manner = "calm"
        text, over = typed.strip(), False
        while text[:1] in ("!", ">"):
            manner, over = ("loud" if text[0] == "!" else manner), over or text[0] == ">"
            text = text[1:].strip()
        for exchange in call.say(text, manner, over):
            for row in told(exchange):
                say(row)
            say(_spoken(customer, exchange.reaction.reply.text, exchange.reaction.mood.anger))
    say(f"\n{_end(customer, call)}")
    return call


def told(exchange: Exchange) -> Iterator[str]:
    """What moved the anger, a row for each cause."""
    for cause in exchange.reaction.causes:
        quote = f" ({cause.evidence})" if cause.evidence and cause.evidence != "as scripted" else ""
        yield f"     {cause.delta:+.1f}  {cause.why}{quote}"


def _spoken(customer: Persona, text: str, anger: float) -> str:
    return f"\n{customer.name} [{anger:.1f} {'#' * round(2 * anger):10}] {text}"


def _end(customer: Persona, call: Rehearsal) -> str:
    ends = {"resolved": "took the solution", "hung up": "hung up", "manager": "went to a manager", "": "is still there"}
    return f"{customer.name} {ends[call.reaction.reply.ends]}; anger {call.mood.anger:.1f}."


# --- for editors -----------------------------------------------------------------------------------

KINDS: Mapping[str, type[Scenario | Person | Persona]] = {"scenario": Scenario, "person": Person, "customer": Persona}


def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of a kind of file, with the keys that lines may have."""
    from pydantic import TypeAdapter

    made = TypeAdapter(KINDS[kind]).json_schema()
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = f"voicecoach {kind}"
    made["properties"]["lines"]["propertyNames"] = {"enum": list(KNOWN)}
    return made
