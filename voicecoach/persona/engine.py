"""The customer's brain: (persona, mood, assessment) to (mood, causes, line). Pure, and the same under the same seed.

A state machine with authored lines (docs/customer.md). The story is told point by point (VENT); then unmet needs are
voiced (DEMAND), questions answered (ANSWER), offers weighed (NEGOTIATE), the accepted offer checked (CHECK) and the
call closed (RESOLVED). From anywhere: REPEATS_SELF, CUTS_IN, MANAGER (once, before anything worse) and HANGUP.
Every change of anger is a list of causes that add up to it exactly; a `cap` cause stands for what the limits took.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from voicecoach.nouns import Assessment, Cause, Finding, Mood, Reaction, Reply
from voicecoach.persona.effects import EFFECTS
from voicecoach.persona.model import NEEDS, Line, Patience, Persona, at_hand, fill, lines_for, words
from voicecoach.persona.offers import is_wanted

# Limits, in points of anger (0 to 5). All from docs/customer.md, "Limits, found by trial".
MAX_RISE = 1.2
MAX_FALL = 1.0
FLOOR = 1.5
"""The anger does not fall below this before a solution is accepted."""
STORY_FLOOR = 2.5
"""Ours: nor below this before the story is told ("Until each point is made, the customer cannot calm down", 002)."""
REPEAT_FACTOR = 0.5
"""Each repeat of the same calming cue works half as well as the time before."""
WEARLESS = frozenset({"quiet_and_slow"})
"""Cues that do not wear out (ours): a phrase can be repeated without thought, a calm voice cannot."""
LEAST = 0.05
"""Ours: an effect worn down to less than this is not felt, and not shown."""

BOILING = 4.95
"""Anger from here counts as the top of the scale."""
BOILING_TURNS = 2
"""After so many turns at the top, one more ends the call."""
TOO_ANGRY_TO_ACCEPT = 4.0
"""Ours: a furious customer does not take even a good offer; she is calmed first (002 step 6, "should have calmed")."""
LISTEN_SHARE = 0.5
"""What a finding of weak evidence (`unsure`, `listen`) counts for."""
BELIEVED = 0.6
"""Weak evidence below this is no cause: on batch e of the corpus, of faults to listen to about one in three is right
under it, and four in five from it (`judge.md`). What is told as a cause must have happened."""
FLOOR_HURRIED = 1.0
"""Ours: nor, even after that, below this in a turn with a raised or rushed voice (001.3)."""
FLOOR_IRATE = 2.8
"""Ours: a customer who stays irate does not fall below this before a solution is accepted..."""
FLOOR_IRATE_AFTER = 1.6
"""... nor below this after it (002 slide 20, "incapable of calming down")."""
COOLING_IRATE = 0.6
"""Ours: and calming works on such a customer only by this share."""
CUTS_IN_FROM = 4.0
"""Ours: from this anger on the customer cuts into long speeches."""
STUCK_GROWS = 0.15
"""Ours: each further turn in a row without anything new angers more, by this share of its size."""
ON_THE_TABLE = 0.5
"""Ours: once the wanted solution has been offered, a turn without anything new angers by this share of its size."""
USED_TO = 0.65
"""Ours: each turn in a row that is loud (or rushed) angers by this share of the one before: a voice becomes familiar."""
SHOUTING = 1.5
"""Ours: how many times as much shouting angers as a raised voice; it does not become familiar."""


@dataclass(frozen=True)
class Fuse:
    """How long the customer waits; all values are ours."""

    cuts_in_s: float
    """Talk of the trainee after which a furious customer cuts in."""
    stuck: int
    """Turns without anything new before "You're not listening. Let me say it again." (002 slide 17)."""
    waits: float
    """The share that a silence, or a turn without anything new, counts."""


FUSES: Mapping[Patience, Fuse] = {"low": Fuse(6.0, 1, 1.0), "normal": Fuse(9.0, 2, 1.0), "high": Fuse(14.0, 3, 0.7)}
MANAGER_AFTER = 2
"""Turns after that line that still bring nothing: the first is the one more chance, the second asks for the manager
(002 slide 18)..."""
HANGUP_AFTER = 3
"""... and one more ends the call (ours)."""
PARROT_TIMES = 2
"""Ours: a soothing phrase that is repeated more often than this is thrown back."""
SOOTHING = frozenset({"empathise", "apologise", "restate_feelings"})
"""What can be said by rote, unlike saying back what happened in this call, or asking about it."""
INFORMING = frozenset({"restate_facts", "clarify", "explain", "resolution", "alternatives", "referral"})
"""Ours: what tells or asks something about this call is not "nothing new"..."""
INFORMING_TIMES = 2
"""... until it has worked this many times (ours)."""
COOLING: Mapping[str, float] = {"slow": 0.7, "normal": 1.0, "fast": 1.3}
"""Ours: how strongly calming works, by a persona's `mood.drift`."""

CUTS_IN = "CUTS_IN"
"""State of a customer who cuts in."""
ENDINGS: Mapping[str, tuple[str, Literal["resolved", "hung up", "manager"]]] = {
    "RESOLVED": ("resolved", "resolved"),
    "CLOSED": ("closed", "resolved"),
    "HANGUP": ("hangup", "hung up"),
    "TRANSFERRED": ("transferred", "manager"),
    "GOODBYE": ("goodbye", "hung up"),
}
"""State to (key of its line, outcome). CLOSED is resolved without a check-back, GOODBYE is the end of the time."""

MEETS = {
    "restate_facts": "heard",
    "restate_feelings": "acknowledged",
    "empathise": "acknowledged",
    "apologise": "apologised",
    "clarify": "clarified",
    "check_understanding": "clarified",
}
OFFERS = {"resolution": "what", "alternatives": "what", "referral": "what", "res_who": "who", "res_when": "when"}
_VOICE = frozenset({"loud", "fast"})
_ACKNOWLEDGING = frozenset({"empathise", "restate_feelings", "restate_facts"})
ANSWERS_NOTHING_YET = frozenset(OFFERS) | {"explain"}
"""Moves that do not calm while the story is still being told: nobody is listening to them yet."""

GRAVE = (
    ("interrupt", "interrupted"),
    ("blame_customer", "argued"),
    ("argue", "argued"),
    ("calm_down", "calm_down"),
    ("policy_hiding", "policy"),
    ("excuse", "excused"),
)
"""(fault, key of the line) in order of weight: these are answered whatever else the turn contained."""
SLIGHT = (
    ("premature_solution", "rushed_to_solve"),
    ("negative_language", "excused"),
    ("loud", "too_loud"),
    ("fast", "too_fast"),
)
"""As GRAVE, but ignored when the turn also brought something good, and answered only while a line is still unused."""


@dataclass(frozen=True)
class _Heard:
    """What one turn brought, as the customer takes it."""

    moves: frozenset[str]
    perhaps: frozenset[str]
    """Moves the judge is unsure of: they meet no need, but are not held against the trainee."""
    doubtful: bool
    """Whether one of these is heard for the first time: the same doubtful move excuses a turn only once."""
    faults: frozenset[str]
    """Faults shown, with `loud` and `fast` for the delivery."""
    met: tuple[str, ...]
    """Needs met by this turn and not before."""
    offer: frozenset[str]
    """What is known of an offer (what, who, when), from this turn and earlier ones."""
    offered_now: bool
    trigger: str
    """A phrase that this customer cannot bear to hear, as it was said."""
    answer: str
    """Name of the answer that the turn asks for."""
    asked_again: bool

    @property
    def brings_something(self) -> bool:
        return bool(self.met or self.offered_now or (self.answer and not self.asked_again))


# --- what the rest of the house calls --------------------------------------------------------------


def begin(persona: Persona, seed: int, recent: Sequence[str] = ()) -> Reaction:
    """The customer's first line. Lines in `recent` (ids, of the last calls) are avoided where there are others."""
    mood = Mood(anger=persona.mood.start, state="OPENING", seed=seed, recent=tuple(sorted(set(recent))))
    return _speak(persona, mood, "OPENING", "opening", ())


def react(persona: Persona, mood: Mood, assessment: Assessment, text: str, stopped: bool = False) -> Reaction:
    """What the trainee's turn (`text`, as judged in `assessment`) does to the customer, and what she says next.

    Her last line was `stopped` for good, whoever is to blame for that: it has not been told.
    """
    if mood.state in ENDINGS:
        return _stay_ended(persona, mood)
    mood = _take_back(mood, stopped or "interrupt" in _shown(assessment))
    heard = _hear(persona, mood, assessment, text)
    causes = tuple(cause for cause in _causes(persona, mood, assessment, heard) if abs(cause.delta) >= LEAST)
    wanted = round(sum(cause.delta for cause in causes), 3)
    balks = ""
    accepted = _accepts(persona, mood, heard, mood.anger + _within_caps(wanted))
    if accepted:
        balks = _balks(persona, mood)
        accepted = not balks and bool(heard.moves or not (mood.refused or mood.came_back))
    if balks == "comes_back":
        causes = (*(c for c in causes if c.cue not in OFFERS), _cause(persona, mood, "cut_short", 1.0, ""))
        wanted = round(sum(cause.delta for cause in causes), 3)
    after, causes = _change(
        mood, causes, _floor(persona, mood, accepted, bool(heard.faults & _VOICE)), persona.mood.stays_irate
    )
    after = replace(
        _remember(after, mood, heard, causes, accepted),
        cut_short=_cut_short(persona, mood, heard),
        came_back=mood.came_back or balks == "comes_back",
        refused=mood.refused or balks == "refused",
    )
    state, key = _decide(persona, mood, after, heard, accepted, wanted, balks)
    return _speak(persona, after, state, key, causes)


def cuts_in_after_s(persona: Persona, mood: Mood) -> float | None:
    """After how many seconds of the trainee's talk this customer cuts in; None while there is no cause for it."""
    if mood.anger < CUTS_IN_FROM or mood.state in ENDINGS or "solution" in mood.met:
        return None
    return FUSES[persona.mood.patience].cuts_in_s


def cut_in(persona: Persona, mood: Mood, stopped: bool = False) -> Reaction:
    """What a furious customer says into a speech that does not end; her last line may have been `stopped` by it."""
    if mood.state in ENDINGS:
        return _stay_ended(persona, mood)
    mood = _take_back(mood, stopped)
    cause = _cause(persona, mood, "rambling", 1.0, "")
    after, causes = _change(mood, (cause,), _floor(persona, mood, False))
    return _speak(persona, replace(after, turn=mood.turn + 1), CUTS_IN, at_hand(persona, "cuts_in"), causes)


def react_to_silence(persona: Persona, mood: Mood, stopped: bool = False) -> Reaction:
    """What the customer says when the trainee says nothing; each silence in a row weighs more.

    Her last line may have been `stopped` before it.
    """
    if mood.state in ENDINGS:
        return _stay_ended(persona, mood)
    mood = _take_back(mood, stopped)
    in_a_row = mood.silences + 1
    if "solution" in mood.met:
        return _await_closure(persona, mood)
    effect = EFFECTS["silence"]
    delta = _size(persona, "silence") * in_a_row * FUSES[persona.mood.patience].waits
    after, causes = _change(mood, (Cause("silence", round(delta, 3), effect.why),), _floor(persona, mood, False))
    after = replace(after, boiling=_boiling(mood, after.anger), silences=in_a_row)
    state, key = _boil_over(persona, mood, after, delta) or (_resting(persona, after), "silence")
    return _speak(persona, after, state, key, causes)


def say_goodbye(persona: Persona, mood: Mood) -> Reaction:
    """The line that ends a call whose time is up."""
    return _stay_ended(persona, mood if mood.state in ENDINGS else replace(mood, state="GOODBYE"))


def has_more_to_tell(persona: Persona, mood: Mood) -> bool:
    """True while points of the story are left: the judge's `customer_finished` is the opposite."""
    return mood.told < len(persona.story)


def _stay_ended(persona: Persona, mood: Mood) -> Reaction:
    """The closing line of a call that is over; nothing can change it any more."""
    return _speak(persona, mood, mood.state, ENDINGS[mood.state][0], ())


# --- the story from beginning to end ---------------------------------------------------------------

CUTS_SHORT = frozenset({"interrupt", "premature_solution"})


def _shown(assessment: Assessment) -> frozenset[str]:
    return frozenset(f.code for f in assessment.findings if f.kind == "fault" and f.outcome == "shown")


def _take_back(mood: Mood, cut: bool) -> Mood:
    """A point of the story that was `cut` has not been told: it is told again (002 step 2, "each point").

    Nor has an answer been given that was: who asks once more has not been told.
    """
    last = mood.used[-1] if cut and mood.used else ""
    if last.startswith("answer."):
        name = last.removeprefix("answer.").rpartition(".")[0]
        return replace(mood, answered=tuple(one for one in mood.answered if one != name))
    return replace(mood, told=mood.told - 1) if last.startswith("story.") and mood.told else mood


def _cut_short(persona: Persona, mood: Mood, heard: _Heard) -> bool:
    """Whether the story was cut short and nobody made up for it: an apology while it is still being told does."""
    if not has_more_to_tell(persona, mood):
        return mood.cut_short
    return bool(heard.faults & CUTS_SHORT) or (mood.cut_short and "apologise" not in heard.moves)


def _balks(persona: Persona, mood: Mood) -> str:
    """Key of what is said, once, to an offer that would be taken: the anger that comes back, or a first no."""
    if mood.cut_short and not mood.came_back:
        return "comes_back"  # 003 step 1: "their emotions may come back again just when you are working on a solution"
    return "refused" if persona.mood.refuses_first and not mood.refused else ""


# --- what a turn brings ----------------------------------------------------------------------------


def _hear(persona: Persona, mood: Mood, assessment: Assessment, text: str) -> _Heard:
    moves = frozenset(f.code for f in assessment.findings if f.kind == "move" and f.outcome == "done")
    perhaps = frozenset(f.code for f in assessment.findings if f.kind == "move" and f.outcome == "unsure") - moves
    faults = _shown(assessment)
    venting = has_more_to_tell(persona, mood)
    answer = _asked_for(persona, text, "clarify" in moves | perhaps)
    before = frozenset(mood.offer)
    # An offer made while she is still telling her story falls on deaf ears and is not remembered.
    parts = set() if venting else {OFFERS[code] for code in _offered(assessment) if code in OFFERS}
    if "what" in parts and "what" not in before and not is_wanted(persona, text):
        parts.discard("what")
    offer = before | parts
    met = {MEETS[code] for code in moves if code in MEETS} - set(mood.met)
    if "restate_facts" in perhaps and "check_understanding" in moves and "heard" not in mood.met:
        met |= {"heard"}  # "Is that right?" settles a doubtful paraphrase: she says yes (003 step 2)
    if venting:
        met -= {"heard"}  # who has not told all cannot have been heard (002 step 2, 003 step 1)
    return _Heard(
        moves=moves,
        perhaps=perhaps,
        doubtful=bool(perhaps - set(mood.doubted)),
        faults=frozenset(faults | set(_delivery_faults(assessment))),
        met=tuple(need for need in NEEDS if need in met),
        offer=offer,
        offered_now=offer != before,
        trigger=_trigger(persona, assessment, text),
        answer=answer,
        asked_again=bool(answer) and answer in mood.answered,
    )


def _trigger(persona: Persona, assessment: Assessment, text: str) -> str:
    """A phrase that this customer cannot stand, said by the trainee: not in "you must have felt let down"."""
    for finding in assessment.findings:
        if finding.code in _ACKNOWLEDGING and finding.outcome == "done":
            text = text.replace(finding.quote, ".")
    return next((phrase for phrase in persona.triggers if words(phrase) in words(text)), "")


def _offered(assessment: Assessment) -> frozenset[str]:
    """The sure moves that may be an offer: what is said back before "is that right?" is the customer's story."""
    asked = [f.start for f in assessment.findings if f.code == "check_understanding" and f.outcome == "done"]
    says_back = asked and any(f.code == "restate_facts" for f in assessment.findings)
    first = max(asked) if says_back else 0
    return frozenset(f.code for f in assessment.findings if f.outcome == "done" and f.start >= first)


def _delivery_faults(assessment: Assessment) -> Iterator[str]:
    if assessment.delivery.loudness in ("raised", "shouting"):
        yield "loud"
    if assessment.delivery.pace == "rushed":
        yield "fast"


def _asked_for(persona: Persona, text: str, asks: bool) -> str:
    """Name of the answer whose words stand in `text`, if `text` is a question at all; the longest match wins."""
    if not asks and "?" not in text:
        return ""
    said = words(text)
    found = [(len(ask), name) for name, answer in persona.answers.items() for ask in answer.asks if words(ask) in said]
    return max(found, key=lambda pair: pair[0])[1] if found else ""


# --- what it does to the anger ---------------------------------------------------------------------


def _causes(persona: Persona, mood: Mood, assessment: Assessment, heard: _Heard) -> Iterator[Cause]:
    """Every reason for a change, before the limits."""
    venting = has_more_to_tell(persona, mood)
    for finding in _strongest(assessment):
        share = 1.0 if finding.outcome in ("done", "shown") else LISTEN_SHARE
        if share < 1.0 and finding.kind == "fault" and finding.confidence < BELIEVED:
            continue
        if finding.code in EFFECTS and _counts(finding.code, mood, heard, venting):
            yield _cause(persona, mood, finding.code, share, finding.quote)
    nothing_new = (
        not venting
        and "solution" not in mood.met
        and _is_nothing_new(heard)
        and not _informs(mood, heard, venting)
        and not _still_listens(mood, heard)
    )
    evidence = "; ".join(assessment.delivery.evidence)
    if assessment.delivery.loudness == "quiet" and assessment.delivery.pace == "slow" and not nothing_new:
        yield _cause(persona, mood, "quiet_and_slow", 1.0, evidence)
    for cue, in_a_row in (("loud", mood.loud), ("fast", mood.fast)):
        if cue in heard.faults:
            shouts = cue == "loud" and assessment.delivery.loudness == "shouting"
            share = USED_TO**in_a_row * (LISTEN_SHARE if heard.moves == {"verbal_nod"} else 1.0)
            yield _cause(persona, mood, cue, SHOUTING if shouts else share, evidence)
    if heard.trigger:
        yield _cause(persona, mood, "trigger", 1.0, heard.trigger)
    if heard.asked_again:
        yield _cause(persona, mood, "asked_again", 1.0, "")
    if nothing_new:
        grown = 1.0 + STUCK_GROWS * mood.stuck
        share = ON_THE_TABLE if "what" in heard.offer else 1.0
        yield _cause(persona, mood, "no_progress", grown * share * FUSES[persona.mood.patience].waits, "")


def _strongest(assessment: Assessment) -> tuple[Finding, ...]:
    """One finding of each code: saying sorry twice in one breath is saying it once."""
    best: dict[str, Finding] = {}
    for finding in assessment.findings:
        known = best.get(finding.code)
        if known is None or (known.outcome in ("unsure", "listen") and finding.outcome in ("done", "shown")):
            best[finding.code] = finding
    return tuple(best.values())


def _counts(code: str, mood: Mood, heard: _Heard, venting: bool) -> bool:
    """Whether a finding touches her now: a nod only while she tells, a solution only once she has told."""
    if code == "verbal_nod":
        return venting and "interrupt" not in heard.faults
    if code == "premature_solution":
        return venting
    if code == "checkback":
        return "solution" in mood.met or "what" in heard.offer
    if code in OFFERS and code != "referral" and not venting:
        return "solution" in mood.met or "what" in heard.offer  # what she does not want does not calm her
    return not (venting and code in ANSWERS_NOTHING_YET)


def _is_nothing_new(heard: _Heard) -> bool:
    """A turn without progress.

    Faults that anger by themselves count there, and doubtful moves are not held against anybody. But a raised voice
    is nothing said, and neither is a promise of the moon.
    """
    return not (heard.brings_something or heard.doubtful or any(EFFECTS.get(f) for f in heard.faults - _VOICE))


def _still_listens(mood: Mood, heard: _Heard) -> bool:
    """Whether a turn is a nod to the last point of the story: nobody can know that it was the last."""
    return heard.moves == {"verbal_nod"} and bool(mood.used) and mood.used[-1].startswith("story.")


def _informs(mood: Mood, heard: _Heard, venting: bool) -> bool:
    """Whether a turn that meets no new need tells or asks something of this call all the same."""
    cues = dict(mood.cues)
    return any(
        cues.get(code, 0) < INFORMING_TIMES and _counts(code, mood, heard, venting) for code in INFORMING & heard.moves
    )


def _cause(persona: Persona, mood: Mood, cue: str, share: float, evidence: str) -> Cause:
    size, why = _size(persona, cue) * share, EFFECTS[cue].why
    if size < 0:
        times = 0 if cue in WEARLESS else dict(mood.cues).get(cue, 0)
        size *= COOLING[persona.mood.drift] * REPEAT_FACTOR**times
        size *= COOLING_IRATE if persona.mood.stays_irate and "solution" not in mood.met else 1.0
        why += ", again: it counts for less" if times else ""
    return Cause(cue, round(size, 3), why, evidence)


def _size(persona: Persona, cue: str) -> float:
    """The effect's size in points of anger, with its sign; a persona's own size keeps the table's direction."""
    size = EFFECTS[cue].size
    own = persona.effects.get(cue, abs(size))
    return own if size > 0 else -own


def _within_caps(wanted: float) -> float:
    return min(max(wanted, -MAX_FALL), MAX_RISE)


def _floor(persona: Persona, mood: Mood, accepted: bool, hurried: bool = False) -> float:
    """The lowest anger of this turn. A customer who is calmer already is not made angrier by it."""
    if accepted or "solution" in mood.met:
        after = (FLOOR_IRATE_AFTER if persona.mood.stays_irate else 0.0) + (FLOOR_HURRIED if hurried else 0.0)
        return min(after, mood.anger)
    if persona.mood.stays_irate:
        return min(FLOOR_IRATE, mood.anger)
    return min(STORY_FLOOR if has_more_to_tell(persona, mood) else FLOOR, mood.anger)


def _change(
    mood: Mood, causes: tuple[Cause, ...], floor: float, stays_irate: bool = False
) -> tuple[Mood, tuple[Cause, ...]]:
    """`mood` one turn later, and the causes with what the limits took as one more: together exactly the change."""
    wanted = round(sum(cause.delta for cause in causes), 3)
    capped = _within_caps(wanted)
    anger = round(min(max(mood.anger + capped, floor), 5.0), 3)
    rest = round(anger - mood.anger - wanted, 3)
    if rest:
        causes = (*causes, Cause("cap", rest, "; ".join(_limits(mood.anger, wanted, floor, stays_irate))))
    return replace(mood, anger=anger, turn=mood.turn + 1), causes


def _limits(anger: float, wanted: float, floor: float, stays_irate: bool) -> Iterator[str]:
    """Which limits a change of `wanted` from `anger` met."""
    capped = _within_caps(wanted)
    if capped < wanted:
        yield f"one turn makes it worse by at most {MAX_RISE:g}"
    if capped > wanted:
        yield f"one turn calms by at most {MAX_FALL:g}"
    if anger + capped > 5:
        yield "5 is the top of the scale"
    if floor > 0 and anger + capped < floor:
        if stays_irate:
            yield "this customer stays irate, whatever you do"
            return
        yield f"nobody is calmer than {floor:g} before the story is told and a solution is accepted"
    elif anger + capped < 0:
        yield "0 is the bottom of the scale"


def _boiling(mood: Mood, anger: float) -> int:
    return mood.boiling + 1 if anger >= BOILING else 0


# --- what she remembers ----------------------------------------------------------------------------


def _remember(mood: Mood, before: Mood, heard: _Heard, causes: tuple[Cause, ...], accepted: bool) -> Mood:
    cues = dict(mood.cues)
    for cause in causes:
        if cause.delta < 0 and cause.cue in EFFECTS:
            cues[cause.cue] = cues.get(cause.cue, 0) + 1
    stuck = mood.stuck
    if any(cause.cue == "no_progress" for cause in causes):
        stuck += 1
    elif heard.brings_something or not heard.faults:
        stuck = 0
    return replace(
        mood,
        met=(*mood.met, *heard.met, *(("solution",) if accepted else ())),
        cues=tuple(sorted(cues.items())),
        boiling=_boiling(before, mood.anger),
        offer=tuple(sorted(heard.offer)),
        answered=tuple(sorted({*mood.answered, *((heard.answer,) if heard.answer else ())})),
        doubted=tuple(sorted({*mood.doubted, *heard.perhaps})),
        stuck=stuck,
        silences=0,
        loud=mood.loud + 1 if "loud" in heard.faults else 0,
        fast=mood.fast + 1 if "fast" in heard.faults else 0,
    )


# --- what she does next ----------------------------------------------------------------------------


def _decide(
    persona: Persona, before: Mood, mood: Mood, heard: _Heard, accepted: bool, wanted: float, balks: str = ""
) -> tuple[str, str]:
    """(state, key of the line), by the first rule that applies."""
    here = _resting(persona, mood)
    if boiled := _boil_over(persona, before, mood, wanted):
        return boiled
    if "referral" in heard.moves and mood.asked_manager:
        return "TRANSFERRED", ENDINGS["TRANSFERRED"][0]
    if grave := next((key for fault, key in GRAVE if fault in heard.faults), None):
        return here, grave
    if accepted:
        return "CHECK", "accepted"
    if balks:
        return "NEGOTIATE", at_hand(persona, balks)
    if left := _loses_patience(persona, before, mood, heard):
        return left
    if not heard.brings_something and (slight := _slight(persona, mood, heard)):
        return here, slight
    if heard.asked_again:
        return "REPEATS_SELF", "repeated"
    if heard.answer and not _says_back(heard):
        return "ANSWER", f"answer.{heard.answer}"
    if "solution" in before.met:
        return _closing(mood, heard)
    if has_more_to_tell(persona, mood):
        return "VENT", f"story.{persona.story[mood.told].id}"
    return _negotiate(before, heard) or _demand(persona, mood, heard)


def _resting(persona: Persona, mood: Mood) -> str:
    """The state between lines, by how far the call has come."""
    if has_more_to_tell(persona, mood):
        return "VENT"
    return "CHECK" if "solution" in mood.met else "DEMAND"


def _boil_over(persona: Persona, before: Mood, mood: Mood, wanted: float) -> tuple[str, str] | None:
    """The manager is asked for once, on a turn that made it worse, and always before she hangs up."""
    if wanted <= 0:
        return None
    if mood.anger >= persona.mood.asks_for_manager_at and not mood.asked_manager:
        return "MANAGER", "manager"
    if before.boiling >= BOILING_TURNS and mood.boiling > BOILING_TURNS:
        return "HANGUP", ENDINGS["HANGUP"][0]
    return None


def _loses_patience(persona: Persona, before: Mood, mood: Mood, heard: _Heard) -> tuple[str, str] | None:
    """All of it again ("You're not listening"), one more chance, then the manager, then the end (002 slides 17, 18)."""
    beyond = mood.stuck - FUSES[persona.mood.patience].stuck
    if beyond < 0 or mood.stuck == before.stuck:
        return None
    if beyond >= HANGUP_AFTER and mood.asked_manager:
        return "HANGUP", ENDINGS["HANGUP"][0]
    if beyond >= MANAGER_AFTER and not mood.asked_manager:
        return "MANAGER", "manager"
    if beyond == 0 or beyond == MANAGER_AFTER:
        return "REPEATS_SELF", "parroted" if _parrots(mood, heard, 1) and not _is_fresh(
            persona, mood, "repeated"
        ) else "repeated"
    return None


def _parrots(mood: Mood, heard: _Heard, times: int) -> bool:
    """Whether this turn says a soothing phrase that has been said more than so many times."""
    cues = dict(mood.cues)
    return any(cues.get(cue, 0) > times for cue in SOOTHING & (heard.moves | heard.perhaps))


def _slight(persona: Persona, mood: Mood, heard: _Heard) -> str | None:
    return next((key for fault, key in SLIGHT if fault in heard.faults and _is_fresh(persona, mood, key)), None)


def _is_fresh(persona: Persona, mood: Mood, key: str) -> bool:
    return any(f"{key}.{number}" not in mood.used for number in range(1, len(lines_for(persona, key)) + 1))


def _says_back(heard: _Heard) -> bool:
    """Whether the turn says back what happened: its words would else be taken for a question about them."""
    restated = (heard.moves | heard.perhaps) & {"restate_facts", "restate_feelings"}
    return bool(restated) and ("check_understanding" in heard.moves or "clarify" not in heard.moves)


def _accepts(persona: Persona, mood: Mood, heard: _Heard, anger: float) -> bool:
    """Whether she takes the offer now: concrete, all told, her feelings seen, and calm enough to hear it."""
    return (
        "solution" not in mood.met
        and not has_more_to_tell(persona, mood)
        and _is_concrete(heard.offer)
        and _feels_seen(mood, heard)
        and not any(fault in heard.faults for fault, _ in GRAVE)
        and anger <= TOO_ANGRY_TO_ACCEPT
    )


def _is_concrete(offer: frozenset[str]) -> bool:
    return "what" in offer and bool(offer & {"who", "when"})


def _feels_seen(mood: Mood, heard: _Heard) -> bool:
    """Whether her feelings were acknowledged, in as many words or by a sincere apology.

    An apology alone is a phrase; it needs somebody who says back what happened, or shows sympathy, and there half
    hearing it is enough (ours; 002.4-5 and 003.2 count each of these as acknowledging).
    """
    met, before = {*mood.met, *heard.met}, set(mood.doubted)
    half_heard = ({"empathise", "restate_feelings"} & heard.perhaps) | (_ACKNOWLEDGING & before)
    return "acknowledged" in met or ("apologised" in met and bool("heard" in met or half_heard))


def _closing(mood: Mood, heard: _Heard) -> tuple[str, str]:
    """After the offer is accepted: a check-back or a promise to follow up closes the call; else she asks, once."""
    if heard.moves & {"checkback", "follow_up"}:
        return "RESOLVED", ENDINGS["RESOLVED"][0]
    return _prompt_or_close(mood)


def _prompt_or_close(mood: Mood) -> tuple[str, str]:
    return ("CLOSED", ENDINGS["CLOSED"][0]) if mood.state == "CHECK_PROMPTED" else ("CHECK_PROMPTED", "prompted")


def _await_closure(persona: Persona, mood: Mood) -> Reaction:
    """Silence after the offer is accepted is no offence: she asks whether that was all, then closes."""
    state, key = _prompt_or_close(mood)
    return _speak(persona, replace(mood, turn=mood.turn + 1), state, key, ())


def _negotiate(mood: Mood, heard: _Heard) -> tuple[str, str] | None:
    """Her answer to an offer that she does not take (yet), or None if nothing was offered."""
    if not heard.offered_now and not ({"willingness", "resolution"} & (heard.moves | heard.perhaps)):
        return None
    if "what" not in heard.offer:
        return None if heard.met else ("NEGOTIATE", "vague")
    if not _is_concrete(heard.offer):
        return "NEGOTIATE", "need.when"
    if not _feels_seen(mood, heard):
        return "NEGOTIATE", "need.acknowledged"
    return "NEGOTIATE", "vague"


def _demand(persona: Persona, mood: Mood, heard: _Heard) -> tuple[str, str]:
    """With the story told: she takes up what was good, or voices the first need that is not met."""
    if "heard" in heard.met or ("check_understanding" in heard.moves and _says_back(heard)):
        return "DEMAND", "confirmed"
    if {"acknowledged", "apologised"} & set(heard.met):
        return "DEMAND", "softened"
    if "clarified" in heard.met:
        return "ANSWER", "answered"
    if mood.stuck and _parrots(mood, heard, PARROT_TIMES):
        return "REPEATS_SELF", "parroted"
    met = {
        *mood.met,
        *(("solution",) if _is_concrete(heard.offer) else ()),
    }  # she does not ask for what is on the table
    unmet = [f"need.{need}" for need in NEEDS if need not in met] or ["need.acknowledged"]
    key = min(unmet, key=lambda key: sum(name.startswith(f"{key}.") for name in mood.used))
    asked = any(name.startswith("not_possible.") for name in mood.used)
    if key == "need.solution" and "not_possible" in persona.lines and not asked:
        return "DEMAND", "not_possible"
    return "DEMAND", key


# --- how she says it -------------------------------------------------------------------------------


def _speak(persona: Persona, mood: Mood, state: str, key: str, causes: tuple[Cause, ...]) -> Reaction:
    number, line = _choose(lines_for(persona, key), key, mood)
    level = min(max(_level(mood.anger), line.anger[0]), line.anger[1])
    name = f"{key}.{number}"
    reply = Reply(fill(line.say, persona.facts), name, level, ENDINGS[state][1] if state in ENDINGS else "")
    mood = replace(
        mood,
        state=state,
        told=mood.told + key.startswith("story."),
        used=(*mood.used, name),
        asked_manager=mood.asked_manager or state == "MANAGER",
    )
    return Reaction(mood, reply, causes)


def _level(anger: float) -> int:
    """The spoken level: anger rounded, halves upwards."""
    return int(anger + 0.5)


def _choose(group: tuple[Line, ...], key: str, mood: Mood) -> tuple[int, Line]:
    """One line of `group`, with its number from 1.

    Of the lines within a level of her anger (or else the nearest), the least used, then the nearest; the seed
    settles ties.
    """
    level = _level(mood.anger)

    def distance(line: Line) -> int:
        return max(line.anger[0] - level, level - line.anger[1], 0)

    reach = max(1, min(map(distance, group)))
    near = [number for number, line in enumerate(group, 1) if distance(line) <= reach]
    if all(f"{key}.{number}" in mood.recent for number in near):
        reach += 1  # rather a little too angry, or too calm, than what was heard in the last call
    pool = [(number, line) for number, line in enumerate(group, 1) if distance(line) <= reach]
    rank = [
        (mood.used.count(f"{key}.{number}") + (f"{key}.{number}" in mood.recent), distance(line))
        for number, line in pool
    ]
    best = [choice for choice, its in zip(pool, rank, strict=True) if its == min(rank)]
    return random.Random(f"{mood.seed}/{mood.turn}").choice(best)
