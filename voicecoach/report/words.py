"""Plain English for every code that a reader meets: the one place for these words."""

from __future__ import annotations

from collections.abc import Sequence

MOVES = {
    "verbal_nod": "Showed that you were listening",
    "empathise": "Acknowledged how the customer feels",
    "apologise": "Apologised personally",
    "use_name": "Used the customer's name",
    "willingness": "Said that you will do all you can",
    "clarify": "Asked a clarifying question",
    "restate_facts": "Said back what happened",
    "restate_feelings": "Said back how it felt",
    "check_understanding": "Checked your understanding",
    "explain": "Offered an explanation",
    "work_together": "Invited the customer to solve it with you",
    "resolution": "Said what will be done",
    "res_who": "Said who does it",
    "res_when": "Said by when",
    "alternatives": "Offered a choice",
    "referral": "Handed over with a reason",
    "checkback": "Checked that the solution satisfies",
    "follow_up": "Promised to report back",
}
FAULTS = {
    "interrupt": "Spoke over the customer",
    "premature_solution": "Solved before the customer had been heard",
    "argue": "Argued",
    "blame_customer": "Put it on the customer",
    "excuse": "Made an excuse",
    "negative_language": "Said what cannot be done, without what can",
    "admit_liability": "Accepted legal fault",
    "overpromise": "Promised more than you can keep",
    "insincere": "May have sounded insincere",
    "policy_hiding": "Hid behind policy",
    "jargon": "Talked shop",
    "calm_down": "Told the customer to calm down",
}
NAMES = {**MOVES, **FAULTS}
OUTCOMES = {
    "done": "done",
    "unsure": "unsure: listen again",
    "shown": "shown",
    "listen": "worth a listen",
    "not heard": "not heard",
    "before": "done before this moment",
}
CALL_OUTCOMES = {
    "resolved": "Resolved",
    "hung up": "Not resolved",
    "manager": "Handed over",
    "time limit": "Time up",
    "stopped": "Stopped early",
    "script over": "Left open",
    "drill over": "Drill over",
    "reviewed": "Reviewed",
    "fault": "Broken off",
}
LOUDNESS = {
    "quiet": "quietly",
    "raised": "with a raised voice",
    "shouting": "shouting",
    "unsure": "loudness not certain",
}
PACE = {"slow": "slowly", "brisk": "at a brisk pace", "rushed": "in a rush", "unsure": "pace not certain"}
IN_KIND = {
    "held": "held steady while the customer was {}",
    "drifted": "drifted from your calm voice while the customer was {}",
    "matched the anger": "matched the anger while the customer was {}",
}
WAITING = {
    "caution": "a little long",
    "interrupting": "cut in",
    "dead air": "dead air",
    "explained": "announced",
    "few": "few pauses",
    "many": "many pauses",
}
"""Verdicts on the wait before a turn and on its pauses; what is good needs no word."""
LEVELS = ("calm", "curt", "annoyed", "angry", "furious", "shouting")
DEGREES = ("calm", "describing the inconvenience", "frustrated", "angry", "irate")
"""Degrees of anger of 002, slides 16 to 20: nobody starts out irate. Where each begins is our judgement."""
PROCEDURES = {
    "000": "Five-Step Process",
    "001": "Six guidelines",
    "002": "Help desk, six steps",
    "003": "Pro Sales Guy, five steps",
    "004": "Five tips",
}
"""Short titles of the published procedures by document number."""
LATENCIES = {
    "endpoint": "noticing that you had finished",
    "recognise": "recognising your words",
    "judge": "judging the turn",
    "voice": "starting the customer's voice",
    "answer": "all together",
}
WHO = {"trainee": "You", "customer": "Customer"}


def code(name: str) -> str:
    """A move or a fault in plain English; an unknown code as its own words."""
    return MOVES.get(name) or FAULTS.get(name) or (name.replace("_", " ").strip().capitalize() or "Unnamed")


def outcome(name: str) -> str:
    """An outcome of a mark or of a step."""
    return OUTCOMES.get(name, name)


def call_outcome(name: str) -> str:
    """How the call ended, in a word or two."""
    return CALL_OUTCOMES.get(name) or (name[:1].upper() + name[1:] if name else "Cut off")


def delivery(loudness: str, pace: str) -> str:
    """How a turn was said: "quietly and at a brisk pace"."""
    if loudness == pace == "unsure":
        return "in a way that could not be judged"
    both = (LOUDNESS.get(loudness, loudness), PACE.get(pace, pace))
    return (", " if "unsure" in (loudness, pace) else " and ").join(both)


def in_kind(verdict: str, spoken: int | None) -> str:
    """How a turn was said against the customer's last line; empty where there is no verdict."""
    return IN_KIND.get(verdict, "").format(heat(spoken))


def heat(spoken: int | None) -> str:
    """How angry the line was that was answered; a level that is not on record was measured as heated."""
    return level(spoken) or "heated"


def evidence(phrases: Sequence[str]) -> str:
    """Phrases of evidence behind one another; some come as whole sentences."""
    return "; ".join(phrase.rstrip(". ") for phrase in phrases)


def level(number: int | None) -> str:
    """The customer's spoken anger, 0 to 5, as a word; empty where it is not known."""
    return "" if number is None else LEVELS[min(max(number, 0), len(LEVELS) - 1)]


def degree(anger: float) -> str:
    """Anger (0 to 5) as a degree in words: calm below 1, then a degree for each step, irate from 4."""
    return DEGREES[min(max(int(anger), 0), len(DEGREES) - 1)]


def looked_for(any_of: Sequence[str], all_of: Sequence[str], forbids: Sequence[str]) -> str:
    """What would have shown a step: "an apology or ..., and ...; without ..."."""
    parts = [" or ".join(f"“{code(name)}”" for name in any_of)] if any_of else []
    parts += [f"“{code(name)}”" for name in all_of]
    wanted = ", and ".join(parts)
    without = " or ".join(f"“{code(name)}”" for name in forbids)
    return "; ".join(filter(None, (wanted, without and f"no {without}")))


def source(reference: str) -> str:
    """Where a rule comes from: "001.3" is step 3 of the published procedure 001."""
    if reference == "house":
        return "house rule, no published source"
    title = PROCEDURES.get(reference[:3])
    return f"{title} ({reference})" if title else reference


def clock(time_s: float) -> str:
    """Minutes and seconds, "1:02"; whole seconds, cut and not rounded, so that a moment is never named late."""
    whole = int(max(0.0, time_s))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def count(number: int, thing: str) -> str:
    """As in "1 turn" and "2 turns"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def length(time_s: float) -> str:
    """A duration: "48 s", "3 min 20 s"."""
    whole = round(max(0.0, time_s))
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def signed(value: float) -> str:
    """A number with its sign and a true minus: "+1.2", "−0.6", "0.0"."""
    shown = f"{value:.1f}"
    if shown in ("0.0", "-0.0"):
        return "0.0"
    return f"+{shown}" if value > 0 else f"−{shown[1:]}"
