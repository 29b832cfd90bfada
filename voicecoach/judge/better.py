"""How to do it better in this very situation: one sentence for a mark, and what could be said for a move. Pure.

The sentences are built from what is known: the customer's own words (`theirs`), the customer's name, what the scenario
allows (`TurnContext.can`), and the trainee's own quote. Nothing is invented: where none of these helps, there is no
sentence, and the general advice of the cue stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from voicecoach.judge.clauses import listed, split
from voicecoach.judge.content import LIMIT_SHARE, content, content_of
from voicecoach.judge.theirs import Telling, Theirs, telling, tells_much
from voicecoach.nouns import Finding, TurnContext

MAX_QUOTE_CHARS = 60
MAX_NAME_CHARS = 30
MAX_OFFER_CHARS = 80
"""Longer names and offers are not worked into a sentence; longer quotes are cut."""
MAX_ADVICE_CHARS = 240
"""As much as fits a screen; a sentence that would be longer is not given."""
MAX_OFFERS = 20


def advised(findings: Sequence[Finding], context: TurnContext) -> tuple[Finding, ...]:
    """The findings of one turn, each with the advice that fits this situation, where there is one."""
    codes = frozenset(finding.code for finding in findings)
    return tuple(
        replace(finding, advice=better(finding.code, finding.outcome, finding.quote, context, codes) or finding.advice)
        for finding in findings
    )


def better(code: str, outcome: str, quote: str, context: TurnContext, beside: Collection[str] = frozenset()) -> str:
    """One sentence on how to do it better here; empty where the situation gives nothing to say.

    `quote` are the trainee's words that the mark stands on, `beside` the codes found in the same turn.
    """
    case = _case(context, quote, beside)
    if outcome in ("shown", "listen"):
        advise = _FAULTS.get(code)
    else:
        advise = (_DONE if outcome == "done" else _UNSURE).get(code)
    advice = advise(case) if advise else ""
    return advice if len(advice) <= MAX_ADVICE_CHARS else ""


def could_say(code: str, context: TurnContext) -> str:
    """Words that make the move `code` in this very situation, for the trainee to say; empty where there are none."""
    return _SAY[code](_case(context, "", ())) if code in _SAY else ""


# --- the situation ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Case:
    """The situation of one mark, made ready for sentences."""

    telling: Telling
    quote: str
    """The trainee's words, cut to a length that can be repeated."""
    name: str
    """As the customer is addressed; empty where not known."""
    offers: tuple[str, ...]
    """What can be offered, in the trainee's mouth; what is nearest to the quote first."""
    limit: str
    """What the scenario does not allow and the quote is about."""
    shared: tuple[str, ...]
    """Words of the quote that are the customer's own."""
    beside: frozenset[str]
    venting: bool
    """The customer still has something to tell."""
    named: int
    """How often the name was used before."""

    @property
    def who(self) -> str:
        """The customer, within a sentence."""
        return self.name or "the customer"

    @property
    def whose(self) -> str:
        """The customer's, within a sentence."""
        return f"{self.name}'s" if self.name else "the customer's"


def _case(context: TurnContext, quote: str, beside: Collection[str]) -> _Case:
    wanted = content_of(quote[:400])
    offers, told = _offers(context.can), _told(context.customer_said[-LOOKED_AT:], context.story[-LOOKED_AT:])
    limits = [(limit, content_of(limit)) for limit in context.cannot[:MAX_OFFERS]]
    near = [limit for limit, words in limits if words and len(words & wanted) >= LIMIT_SHARE * len(words)]
    return _Case(
        telling=telling(context.customer_said, context.story),
        quote=_cut(_clean(quote)),
        name=_address(context.customer_name),
        offers=tuple(sorted(offers, key=lambda offer: (-_near(offer, wanted), -_near(offer, told)))),
        limit=_clean(near[0]) if near else "",
        shared=_shared(quote, told),
        beside=frozenset(beside),
        venting=context.customer_finished is False,
        named=context.history.count("use_name"),
    )


def _near(offer: str, words: frozenset[str]) -> float:
    """The share of the offer's content words that are among `words`."""
    own = content_of(offer)
    return len(own & words) / max(1, len(own))


_TITLES = listed("mr mrs ms miss mx dr sir madam prof")


def _address(name: str) -> str:
    """As the customer is addressed: a title with its name, of two or more names the first; nothing for odd ones."""
    parts = [part for part in _clean(name[:200]).split() if re.fullmatch(r"[^\W\d_]+(?:[.'’\-][^\W\d_]+)*\.?", part)]
    if not parts or len(parts) != len(name.split()):
        return ""
    shown = " ".join(parts[:3]) if parts[0].lower().rstrip(".") in _TITLES else parts[0]
    return _capital(shown) if len(shown) <= MAX_NAME_CHARS else ""


def _clean(text: str) -> str:
    """Text that can stand within a sentence and between quotation marks."""
    shown = "".join(ch if ch.isprintable() else " " for ch in text[:1000])
    return re.sub(r"[\"“”]", "", " ".join(shown.split())).strip(" ,.;:-–—")


def _cut(text: str) -> str:
    return (
        text if len(text) <= MAX_QUOTE_CHARS else text[: MAX_QUOTE_CHARS - 1].rsplit(" ", 1)[0].rstrip(" ,.;:") + " …"
    )


_PHRASES = re.compile(r"^(?:i|we|you|they|he|she|it|no|not|never|if|when|there|that)\b", re.IGNORECASE)
_THIRD = re.compile(r"\b(?:he|she|they|him|her|his|hers|them|their|you would)\b", re.IGNORECASE)
_THING = re.compile(
    r"(?:an?|the|one|two|three|four|five|six|half|up to|our|my|another|some|\d+|[£$€]\d+)\b", re.IGNORECASE
)
_DEED = re.compile(
    r"(?:cancel|refund|send|pass|end|pay|confirm|call|have|open|take|hand|put|book|ring|email|write|move|hold|waive|replace|"
    r"repair|credit|deliver|bring|change|arrange|extend|check|reset|collect|exchange|upgrade)\b",
    re.IGNORECASE,
)
"""How a thing that can be offered begins, and how something that can be done."""
_MINE = (
    (r"\byou yourself\b", "me myself"),
    (r"\b(from|by|with) you\b", r"\1 me"),
    (r"\byour\b", "my"),
)


@lru_cache(maxsize=16)
def _offers(can: tuple[str, ...]) -> tuple[str, ...]:
    """What can be offered, in the trainee's mouth: "a call back from you" as "a call back from me"."""
    spoken = []
    for offer in can[:MAX_OFFERS]:
        shown = _clean(offer)
        if _THIRD.search(shown):  # "in her account": what stands before it, if anything
            shown = shown.rpartition(",")[0] if not _THIRD.search(shown.rpartition(",")[0]) else ""
        for pattern, mine in _MINE:
            shown = re.sub(pattern, mine, shown)
        if shown and len(shown) <= MAX_OFFER_CHARS and not re.search(r"\byou\b", shown) and not _PHRASES.match(shown):
            common = _THING.match(shown) or _DEED.match(shown)
            spoken.append(shown[0].lower() + shown[1:] if common else shown)
    return tuple(spoken)


def _shared(quote: str, theirs: frozenset[str]) -> tuple[str, ...]:
    """Up to three telling words of the quote that the customer had used; a single one only where it tells much."""
    found: list[str] = []
    for clause in split(quote[:400]):
        for token in clause.tokens:
            written = quote[token.start : token.end]
            known = written.lower() in _FAINT or written.lower() in (word.lower() for word in found)
            if content(token.plain) & theirs and not known:
                found.append(written)
    return tuple(found[:3]) if len(found) > 1 or (found and tells_much(found[0])) else ()


_FAINT = listed(
    "back new day today thing things time times call called ring phone number name help work working bit little"
)
"""Words that anybody would have used."""


@lru_cache(maxsize=16)
def _told(said: str, story: str) -> frozenset[str]:
    """The customer's content words, roughly: contractions stay as they are."""
    words = re.findall(r"[a-z0-9]+", f"{story} {said}".lower())
    return content(" ".join(words))


LOOKED_AT = 1_500
"""Characters of the last words, and of the story, that are compared with the quote."""


# --- what could be said ----------------------------------------------------------------------------


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _so(case: _Case) -> str:
    said = case.telling.said
    return f"So {said.turned}" if said else ""


def _restate(case: _Case) -> str:
    return f"{so}." if (so := _so(case)) else ""


def _check(case: _Case) -> str:
    return f"{so}: have I got that right?" if (so := _so(case)) else ""


def _hard(case: _Case) -> str:
    hard = case.telling.hardship
    return f"{_capital(hard.turned)}: that is hard." if hard else ""


def _feeling(case: _Case) -> str:
    hard = case.telling.hardship
    return f"{_capital(hard.turned)}: that must be frustrating, is that how it is?" if hard else ""


def _sorry(case: _Case) -> str:
    """For what the customer went through; never for what "we" did, which would accept a fault."""
    hard = case.telling.hardship
    return f"I am sorry that {hard.turned}." if hard and not hard.ours else ""


def _ask(case: _Case) -> str:
    said = case.telling.said
    return f"You said that {said.turned}: what happened then?" if said else ""


def _owed(case: _Case) -> str:
    hard = case.telling.hardship
    return f"{_capital(hard.turned)}, and you are owed an explanation for that." if hard else ""


def _offer(case: _Case) -> str:
    return f"What I can do is {case.offers[0]}." if case.offers else ""


def _promise(offer: str) -> str:
    """The offer behind "I can": "offer a call back", "cancel the fee"; empty where it is not known which."""
    return f"offer {offer}" if _THING.match(offer) else offer if _DEED.match(offer) else ""


def _choice(case: _Case) -> str:
    first, second = [*map(_promise, case.offers), "", ""][:2]
    if first.startswith("offer "):
        second = second.removeprefix("offer ")
    return f"I can {first}, or {second}: which suits you better?" if first and second else ""


def _together(case: _Case) -> str:
    words = next(filter(None, map(_promise, case.offers)), "")
    return f"Let us find what helps you most: shall I {words}, as a start?" if words else ""


def _hand_over(case: _Case) -> str:
    said = case.telling.said
    if not said:
        return ""
    return f"I will bring in somebody who can decide this, and tell them that {said.turned}, so that you need not."


def _checkback(case: _Case) -> str:
    wish = case.telling.wish
    return f"You said that {wish.turned}: does this give you that?" if wish else ""


def _willing(case: _Case) -> str:
    return f"I will do all I can to put this right{f', {case.name}' if case.name else ''}."


def _named(case: _Case) -> str:
    return f"{case.name}, {_sorry(case) or 'thank you for telling me.'}" if case.name else ""


_SAY: Mapping[str, Callable[[_Case], str]] = {
    "empathise": _hard,
    "apologise": _sorry,
    "use_name": _named,
    "willingness": _willing,
    "clarify": _ask,
    "restate_facts": _restate,
    "restate_feelings": _feeling,
    "check_understanding": _check,
    "explain": _owed,
    "work_together": _together,
    "resolution": _offer,
    "alternatives": _choice,
    "referral": _hand_over,
    "checkback": _checkback,
}
"""For moves the words for this situation."""
PLAINLY = {
    "verbal_nod": "I see, go on.",
    "empathise": "I can hear how much trouble this has been.",
    "apologise": "I am sorry that this has been so hard for you.",
    "clarify": "Please tell me what exactly happened.",
    "restate_facts": "So, as I understand you, …",
    "restate_feelings": "That sounds frustrating, is that how it is?",
    "check_understanding": "Have I got that right?",
    "explain": "You are owed an explanation for that.",
    "work_together": "Shall we see together how to put this right?",
    "resolution": "What I will do now is …",
    "alternatives": "You can choose: …, or …",
    "referral": "I will bring in somebody who can decide this, because …",
    "checkback": "Does that settle it for you, or is anything still open?",
    "res_when": "You will have it by …",
    "res_who": "I will see to it myself.",
    "follow_up": "I will call you when it is done, to hear whether all is well.",
}
"""Words for any situation; "…" is what only the trainee can know."""


# --- what to do better -----------------------------------------------------------------------------


def _advice(lead: str, words: str, case: _Case) -> str:
    """The lead with words to say; without these with what the customer said; else nothing."""
    if words:
        return f"{lead}: “{words}”"
    fact = case.telling.fact
    return f"{lead}; {case.who} said “{_as_said(fact)}”." if fact else ""


def _as_said(clause: Theirs) -> str:
    return clause.words.strip(" ,.")


def _unless(words: str, lead: str) -> str:
    """The lead with words to say, or nothing where there are none."""
    return f"{lead}: “{words}”" if words else ""


def _apology_unsure(case: _Case) -> str:
    return _advice("Make it whole, with what you are sorry for", _sorry(case), case)


def _checkback_unsure(case: _Case) -> str:
    return _unless(_checkback(case), "Tie the question to what was asked for")


def _check_unsure(case: _Case) -> str:
    return _advice("Say the story back first, then ask", _check(case), case)


_UNSURE: Mapping[str, Callable[[_Case], str]] = {
    "empathise": lambda case: _advice("Say what you understand", _hard(case), case),
    "apologise": _apology_unsure,
    "willingness": lambda case: _unless(_offer(case), "Trade the good will for one thing that you will do"),
    "clarify": lambda case: _advice("Ask about what you were told", _ask(case), case),
    "restate_facts": lambda case: _advice(f"Use {case.whose} own words", _restate(case), case),
    "restate_feelings": lambda case: _advice("Name what it was about, as a guess", _feeling(case), case),
    "check_understanding": _check_unsure,
    "explain": lambda case: _advice("Say first that an explanation is owed", _owed(case), case),
    "work_together": lambda case: _unless(_together(case), "Ask for the yes with something to say yes to"),
    "resolution": lambda case: _unless(_offer(case), "Turn the idea into a promise"),
    "alternatives": lambda case: _unless(_choice(case), "Name two real choices"),
    "referral": lambda case: _unless(_hand_over(case), "Say why, and what you pass on"),
    "checkback": _checkback_unsure,
    "res_when": lambda case: _unless(_offer(case), "Say what will be done by then"),
    "follow_up": lambda _: _unless(PLAINLY["follow_up"], "Make it firm"),
}
"""For each move of which the judge was not sure."""


def _own_words(case: _Case) -> str:
    """The customer's words that the trainee used, quoted: "“Tuesday” and “waited”"."""
    quoted = [f"“{word}”" for word in case.shared]
    return " and ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1]))) if quoted else ""


def _used(case: _Case, then: str) -> str:
    """That the customer's own words were used, and the next step."""
    own = _own_words(case)
    if not own:
        return ""
    are = "is" if len(case.shared) == 1 else "are"
    return f"{own} {are} {case.whose} own: {then}."


def _call_by_name(case: _Case) -> str:
    if case.named > 1:
        return f"The name has come {case.named + 1} times by now: once or twice is enough."
    if case.beside & {"empathise", "apologise", "restate_facts", "restate_feelings"}:
        return "The name came with what matters to the customer: that is where it counts."
    return ""


def _dated(case: _Case) -> str:
    return f"“{case.quote}” is what will be remembered: keep it, or call {case.who} before it." if case.quote else ""


def _manned(case: _Case) -> str:
    then = "" if "res_when" in case.beside else "; now add by when"
    return f"“{case.quote}” gives {case.who} somebody to ask for{then}." if case.quote else ""


def _followed(case: _Case) -> str:
    if not case.quote:
        return ""
    if case.quote.endswith("?"):
        return f"Wait for {case.whose} answer, and keep the promise even if there is no news."
    return (
        f"Keep “{case.quote}” even if there is no news."
        if "res_when" in case.beside
        else f"Say when: “{case.quote}” leaves it open."
    )


def _empathised(case: _Case) -> str:
    return _used(case, "you named the thing itself, now let it be felt") or _unless(
        _hard(case), "It goes deeper with what happened"
    )


def _apologised(case: _Case) -> str:
    return _used(case, "you were sorry for what happened, not in general") or _unless(
        _sorry(case), "It goes deeper with what for"
    )


def _restated(case: _Case) -> str:
    asked = "check_understanding" in case.beside
    return _used(case, "that is what shows listening" if asked else "now ask whether you have it right, and wait")


def _understood(case: _Case) -> str:
    if "restate_facts" in case.beside or "restate_feelings" in case.beside:
        return "The question came with the story said back: now wait for the answer."
    return _unless(_restate(case), "Put what you understood before it")


def _resolved(case: _Case) -> str:
    missing = [what for code, what in (("res_who", "who does it"), ("res_when", "by when")) if code not in case.beside]
    if case.limit:
        return f"Check it first: “{case.limit}” is beyond your limits here."
    if missing:
        return f"That is specific; now add {' and '.join(missing)}."
    return "What, who and by when are all there: now ask whether it suits." if "checkback" not in case.beside else ""


_DONE: Mapping[str, Callable[[_Case], str]] = {
    "empathise": _empathised,
    "apologise": _apologised,
    "willingness": lambda case: _unless(_offer(case), "Follow it at once with one thing that you will do"),
    "verbal_nod": lambda case: (
        f"{_capital(case.who)} had more to tell, and the nod left room for it." if case.venting else ""
    ),
    "use_name": _call_by_name,
    "res_when": _dated,
    "res_who": _manned,
    "alternatives": lambda case: f"Now let {case.who} choose, and wait for the answer.",
    "follow_up": _followed,
    "clarify": lambda case: (
        _used(case, "you asked about what you had been told, now wait for the answer")
        or f"Wait for {case.whose} answer, then say it back."
    ),
    "restate_facts": _restated,
    "restate_feelings": lambda case: (
        _used(case, "now wait whether you are corrected") or f"Now wait whether {case.who} corrects you."
    ),
    "check_understanding": _understood,
    "explain": lambda case: _unless(_offer(case), "Turn now to what changes"),
    "work_together": lambda case: _unless(_offer(case), "Wait for the yes, and have something ready"),
    "resolution": _resolved,
    "referral": lambda case: _unless(_hand_over(case), "Say too what you pass on"),
    "checkback": lambda case: f"Stay silent until {case.who} has answered.",
}
"""For each move that was made: what made it good, or the next step."""


def _interrupted(case: _Case) -> str:
    lead = f"Let {case.who} come to the end, then begin with what you heard"
    return _advice(lead, _restate(case), case)


def _too_early(case: _Case) -> str:
    words = _restate(case)
    if words and case.quote:
        return f"Keep “{case.quote}” until you have said “{words}”"
    return _advice("Say back first what you heard", words, case)


def _argued(case: _Case) -> str:
    words = f"I hear you: {case.telling.said.turned}." if case.telling.said else ""
    return _advice("Leave who is right aside and take up what was said", words, case)


def _blamed(case: _Case) -> str:
    return _advice("Ask about the thing, not about who did it", _ask(case), case)


def _excused(case: _Case) -> str:
    return _advice("Say what it meant for the customer before any reason", _hard(case), case)


def _negative(case: _Case) -> str:
    return _unless(_offer(case), "Put what you can do first")


def _liable(case: _Case) -> str:
    return _advice("Be sorry for the upset and leave the fault open", _sorry(case), case)


def _promised(case: _Case) -> str:
    if case.limit:
        instead = f"; offer what you can: “{_offer(case)}”" if case.offers else ", so offer something else."
        return f"“{_capital(case.limit)}” is beyond your limits here{instead}"
    return _unless(_offer(case), f"Instead of “{case.quote}”, promise what is in your hands" if case.quote else "")


def _doubted(case: _Case) -> str:
    if re.search(r"\b(?:sorry|apolog)", case.quote, re.IGNORECASE):
        return _advice("Leave out the “if” and the “but”", _sorry(case), case)
    return _advice("Let the sympathy stand by itself, with what it is about", _hard(case), case)


def _policy(case: _Case) -> str:
    return _unless(_offer(case), "Put the customer before the rule") or _advice(
        "Begin with the customer, the rule can wait", _restate(case), case
    )


def _jargon(case: _Case) -> str:
    fact = case.telling.fact
    if not fact or not case.quote:
        return ""
    return f"Say what “{case.quote}” means for {case.who}, who said “{_as_said(fact)}”."


def _calmed(case: _Case) -> str:
    lead = (
        f"Instead of “{case.quote}”, name what is behind the anger" if case.quote else "Name what is behind the anger"
    )
    return _advice(lead, _hard(case), case)


_FAULTS: Mapping[str, Callable[[_Case], str]] = {
    "interrupt": _interrupted,
    "premature_solution": _too_early,
    "argue": _argued,
    "blame_customer": _blamed,
    "excuse": _excused,
    "negative_language": _negative,
    "admit_liability": _liable,
    "overpromise": _promised,
    "insincere": _doubted,
    "policy_hiding": _policy,
    "jargon": _jargon,
    "calm_down": _calmed,
}
"""For each fault: what to say instead."""
