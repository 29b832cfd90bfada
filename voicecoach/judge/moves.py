"""What was said: the moves and faults in one turn's words, each with the quote that shows it.

Cues from the lexicon are looked for clause by clause, under their guards; then what only the context can tell is
added: restating (the customer's own words), the customer's name, solutions that come too early, limits, talking over.
Where the encoder is there (reading.py), it weighs what the cues found, and hears what they miss.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from voicecoach.judge.better import advised
from voicecoach.judge.clauses import Aligned, Clause, align, listed, split
from voicecoach.judge.content import LIMIT_SHARE, content, content_of
from voicecoach.judge.cues import ACKNOWLEDGING, FAULTS, NEVER_SHOWN, OFFERED, Cues, ReadyCue, ReadyGuard
from voicecoach.judge.reading import INDEX, question
from voicecoach.nouns import Finding, Floats, Outcome, Reading, TurnContext, Word

STRONG_CONFIDENCE = 0.9
WEAK_CONFIDENCE = 0.5
WEAKENED_CONFIDENCE = 0.4
"""Not probabilities yet: an order only (a strong cue, a weak cue, a strong cue that a guard weakened)."""

INTERRUPT_LISTEN_S = 0.4
"""Talk-over up to twice the usual 0.2 s gap between turns is ordinary turn-taking (Levinson & Torreira 2015)."""
INTERRUPT_SHOWN_S = 0.8
"""0.2 s to notice that the customer goes on and 0.6 s to plan what to do about it (same source): whoever talks on
beyond that has chosen to. The sum is our judgement; the rule is 001.1 and 003.1."""

MAX_NOD_WORDS = 10
"""A verbal nod adds nothing; longer turns say something."""

HURRIED = frozenset({"resolution", "alternatives", "explain", "clarify"})
"""What 000.3, 002.3 and 003.1 ask to hold back until the customer has finished and been acknowledged."""
_PROMISES = frozenset({"resolution", "alternatives"})

OVERLAP_SHARE = 0.5
"""A restating clause takes at least half of its content words from the customer."""
OVERLAP_WORDS = 3
"""Content words shared with the customer that make a clause about "you" a restatement without any cue."""
OVERLAP_WORDS_WEAK = 2
"""Content words that make it worth a listen. All three: our judgement."""
NAME_RATIO = 0.8
NAME_RATIO_AFTER_TITLE = 0.6
"""difflib ratios at which a recogniser's spelling still counts as the name: "Navaro" for "Navarro" is 0.92; after
"Mr" or "Ms" hardly anything but the name can follow, so less is enough. Our judgement."""


@dataclass(frozen=True)
class _Hit:
    """A finding before it is quoted: [start, end) of the text, in clause number `clause`."""

    code: str
    outcome: Outcome
    confidence: float
    source: str
    advice: str
    clause: int
    start: int
    end: int
    otherwise: str = ""
    """What a checkback counts as while nothing has been offered."""


def find(
    text: str, words: Sequence[Word], context: TurnContext, cues: Cues, reading: Reading | None = None
) -> tuple[Finding, ...]:
    """The moves and faults of one turn, ordered by where they start.

    Offsets are into `text`, and `quote == text[start:end]`. Times come from `words` (None where they are missing).
    """
    clauses = split(text)
    if not clauses:
        return ()
    if nod := _nod(clauses, cues):
        return advised(_finish([nod], text, words), context)
    hits = [hit for index in range(len(clauses)) for hit in _lexical(clauses, index, cues)]
    hits += _names(clauses, context.customer_name, text, cues)
    hits = _restated(hits, clauses, context, cues)
    hits = _in_course(hits, clauses, context, cues)
    if reading is not None:
        found = _finish(hits, text, ())
        likely = reading.read(question(text, clauses, context, found))
        hits = _read(hits, likely, clauses, reading, cues)
        if context.customer_finished or ACKNOWLEDGING & set(context.history):
            hits = [hit for hit in hits if hit.code != "premature_solution"]  # nothing of that is too early any more
        hits = [h for h in hits if h.code != "premature_solution" or not _INVITES.search(clauses[h.clause].plain)]
        hits = _in_course(hits, clauses, context, cues)
    hits = _insults(hits, clauses, cues)
    return advised(_finish(hits, text, words), context)


def only_nods(text: str, cues: Cues) -> bool:
    """Whether `text` is verbal nods and nothing else."""
    clauses = split(text)
    return bool(clauses) and _nod(clauses, cues) is not None


def _in_course(hits: Sequence[_Hit], clauses: Sequence[Clause], context: TurnContext, cues: Cues) -> list[_Hit]:
    """What the course of the call makes of the hits."""
    hits = _checked_back(hits, context, cues)
    hits += _too_early(hits, clauses, context, cues)
    hits += _beyond_limits(hits, clauses, context, cues)
    hits += _talked_over(clauses, context, cues)
    return hits


def _finish(hits: Iterable[_Hit], text: str, words: Sequence[Word]) -> tuple[Finding, ...]:
    """The strongest hit of each code and clause, quoted, timed and in order."""
    best: dict[tuple[str, int], _Hit] = {}
    for hit in hits:
        key = (hit.code, hit.clause)
        if key not in best or hit.confidence > best[key].confidence:
            best[key] = hit
    aligned = align(text, words)
    return tuple(
        _finding(hit, text, aligned) for hit in sorted(best.values(), key=lambda hit: (hit.start, hit.code, hit.end))
    )


def _finding(hit: _Hit, text: str, aligned: Aligned) -> Finding:
    start_s, end_s = aligned.times(hit.start, hit.end)
    return Finding(
        code=hit.code,
        kind="fault" if hit.code in FAULTS else "move",
        outcome=hit.outcome,
        quote=text[hit.start : hit.end],
        start=hit.start,
        end=hit.end,
        confidence=hit.confidence,
        source=hit.source,
        start_s=start_s,
        end_s=end_s,
        advice=hit.advice,
    )


# --- the lexicon -----------------------------------------------------------------------------------


def _nod(clauses: Sequence[Clause], cues: Cues) -> _Hit | None:
    """A verbal nod, where the whole turn is nothing else."""
    plain = " ".join(clause.plain for clause in clauses[:MAX_NOD_WORDS])
    if cues.nod is None or len(clauses) > MAX_NOD_WORDS or len(plain.split()) > MAX_NOD_WORDS:
        return None
    if not cues.nod.fullmatch(plain):
        return None
    return _of_context("verbal_nod", STRONG_CONFIDENCE, cues, 0, clauses[0].start, clauses[-1].end)


def _lexical(clauses: Sequence[Clause], index: int, cues: Cues) -> Iterator[_Hit]:
    """What the cues find in one clause, less what another finding there explains better."""
    pairs = list(_matched(clauses, index, cues))
    found = {hit.code for _, hit in pairs if hit.confidence >= STRONG_CONFIDENCE}
    return (hit for cue, hit in pairs if not found.intersection(cue.cue.yields_to))


def _matched(clauses: Sequence[Clause], index: int, cues: Cues) -> Iterator[tuple[ReadyCue, _Hit]]:
    around = _Around.of(clauses, index)
    for cue in cues.ready:
        for match in cue.regex.finditer(around.plain):
            if cue.followed_by is not None and not cue.followed_by.match(around.after(match)):
                continue
            effect = _guarded(cue.guards, around, match)
            if effect != "cancel":
                yield cue, _hit(cue, effect, around, match, clauses[index], index)


def _hit(cue: ReadyCue, effect: str, around: _Around, match: re.Match[str], clause: Clause, index: int) -> _Hit:
    weakened = effect == "weaken" or (cue.requires is not None and not cue.requires.search(around.sentence()))
    strong = cue.cue.strength == "strong" and not weakened
    confidence = STRONG_CONFIDENCE if strong else WEAKENED_CONFIDENCE if weakened else WEAK_CONFIDENCE
    span = clause.span(*match.span()) if cue.cue.quote == "match" else (clause.start, clause.end)
    code = cue.cue.code
    entry = cue.cue
    return _Hit(code, _outcome(code, strong), confidence, entry.source, entry.advice, index, *span, entry.otherwise)


def _outcome(code: str, strong: bool) -> Outcome:
    if code in FAULTS:
        return "shown" if strong else "listen"
    return "done" if strong else "unsure"


def _of_context(code: str, confidence: float, cues: Cues, clause: int, start: int, end: int) -> _Hit:
    """A hit that no cue made: its source and advice are those of the code's first cue."""
    source, advice = cues.advice.get(code, ("house", ""))
    return _Hit(code, _outcome(code, confidence >= STRONG_CONFIDENCE), confidence, source, advice, clause, start, end)


@dataclass(frozen=True)
class _Around:
    """A clause's plain words with those of its two neighbours on each side, set apart by the marks between them."""

    lead: str
    plain: str
    trail: str

    @classmethod
    def of(cls, clauses: Sequence[Clause], index: int) -> _Around:
        lead = " ".join(f"{clause.plain} {clause.mark}" for clause in clauses[max(0, index - 2) : index])
        mark, rest = clauses[index].mark, clauses[index + 1 : index + 3]
        trail = " ".join([mark, *(f"{clause.plain} {clause.mark}" for clause in rest)])
        return cls(f"{lead} " if lead else "", clauses[index].plain, f" {trail}")

    def sentence(self) -> str:
        """The clause with what stands before it in its own sentence."""
        return re.split(r"[.?] ", self.lead)[-1] + self.plain

    def before(self, match: re.Match[str]) -> str:
        """The words up to a match in the clause."""
        return (self.lead + self.plain[: match.start()]).rstrip()

    def after(self, match: re.Match[str]) -> str:
        """The words behind a match in the clause."""
        return (self.plain[match.end() :] + self.trail).lstrip()


def _guarded(guards: Iterable[ReadyGuard], around: _Around, match: re.Match[str]) -> Literal["", "weaken", "cancel"]:
    """What the guards make of a match: the severest of their effects."""
    effects = {guard.effect for guard in guards if _stands(guard, around, match)}
    return "cancel" if "cancel" in effects else "weaken" if effects else ""


def _stands(guard: ReadyGuard, around: _Around, match: re.Match[str]) -> bool:
    caught = (
        (guard.before is not None and guard.before.search(around.before(match)))
        or (guard.after is not None and guard.after.match(around.after(match)))
        or (guard.inside is not None and guard.inside.search(around.plain))
    )
    return bool(caught) and (guard.unless is None or not guard.unless.search(around.plain))


# --- the encoder -----------------------------------------------------------------------------------

_GUARDED = frozenset({"empathise", "apologise"})
"""What is never marked done in a negated, quoted or conditional sentence, whatever the encoder makes of it."""
MAX_OPENER_WORDS = 1
"""So short a clause ("Look,", "Good,") takes what the encoder hears from its neighbours: there it needs a cue of its own."""
TRUSTED = 0.05
"""A move that a strong cue found is done where the encoder believes it at least so much (chosen on batch d of the corpus:
the best F1 at the precision wanted)."""
TRUSTED_FAULT = 0.1
"""As TRUSTED, for faults (batch d: precision 0.91, and a tenth more of them found)."""
TRUSTED_CONFIDENCE = 0.72
"""Of such findings on batch d, this share was right."""
_LEFT_TO_RULES = frozenset({"use_name"})
"""The name is compared letter by letter: nothing to be read there."""
_DENIED = re.compile(
    r"\b(?:not|never|nobody|no one|cannot|without|hardly|refuse|if|unless|whether|would have|were to|told|tells?|said|says?|"
    r"asked|claimed|heard|read|wrote|supposed to|expect(?:ed|ing)?|want(?:ed)? (?:me|us|him|her) to|instead of|no)\b"
)
_NOT_OURS = re.compile(
    r"\b(?:not|never|no|nothing)\b(?: \w+){0,3} (?:fault|mistake|error|doing|liable|responsib\w+|blame)\b"
)
_WOULD = re.compile(r"\b(?:would|could|should)\b(?! (?:just )?(?:like|want|love))")
_SORRY_OR_FEELING = re.compile(r"\b(?:sorry|apolog\w+|regret\w*|understand\w*|empath\w+|sympath\w+|feel\w*|imagine)\b")


def _read(hits: Sequence[_Hit], likely: Floats, clauses: Sequence[Clause], reading: Reading, cues: Cues) -> list[_Hit]:
    """The hits as the encoder weighs them, and those that it alone hears.

    `likely` [shape=(n_clauses, n_codes)] are its probabilities. What a strong cue found and the encoder doubts is kept
    as unsure; what a weak one found and it does not believe goes.
    """
    by_place = {(hit.code, hit.clause): hit for hit in sorted(hits, key=lambda hit: hit.confidence)}
    kept = [hit for hit in hits if hit.code in _LEFT_TO_RULES]
    for code, column in INDEX.items():
        if code in _LEFT_TO_RULES or (code == "verbal_nod" and sum(len(c.tokens) for c in clauses) > MAX_NOD_WORDS):
            continue
        for place, clause in enumerate(clauses):
            known = by_place.get((code, place))
            if known is None and len(clause.tokens) <= MAX_OPENER_WORDS and code != "verbal_nod":
                continue
            chance = float(likely[place, column])
            if code == "admit_liability" and _NOT_OURS.search(clause.plain):
                continue
            sure = chance >= reading.sure[code] and not _denied(code, clauses, place, known, cues)
            strong = known is not None and known.confidence >= STRONG_CONFIDENCE
            sure = sure or (strong and chance >= (TRUSTED_FAULT if code in FAULTS else TRUSTED))
            sure = sure and not (code in _GUARDED and (("insincere", place) in by_place))
            sure = sure and not (code == "restate_facts" and _accuses(by_place, place))
            if not sure and not strong and chance < reading.maybe[code]:
                continue
            outcome = _outcome(code, sure and code not in NEVER_SHOWN)
            floor = 0.0 if not strong else TRUSTED_CONFIDENCE if sure else WEAKENED_CONFIDENCE
            confidence = round(max(chance, floor), 2)
            hit = known or _of_context(code, 0.0, cues, place, clause.start, clause.end)
            kept.append(replace(hit, outcome=outcome, confidence=confidence))
    return _joined(_without_echoes(_told_back(_nods_alone(kept), by_place)), clauses)


def _accuses(by_place: Mapping[tuple[str, int], _Hit], place: int) -> bool:
    """Whether a strong cue found an accusation there: "you must have pressed it twice" says nothing back."""
    return any(_cued(by_place, code, place) for code in ("blame_customer", "argue"))


def _cued(by_place: Mapping[tuple[str, int], _Hit], code: str, place: int) -> bool:
    hit = by_place.get((code, place))
    return hit is not None and hit.confidence >= STRONG_CONFIDENCE


def _nods_alone(hits: Sequence[_Hit]) -> list[_Hit]:
    """Without a nod in a turn that says something besides: a nod adds nothing (002.3)."""
    more = any(hit.outcome in ("done", "shown") and hit.code not in ("verbal_nod", "use_name") for hit in hits)
    return [hit for hit in hits if hit.code != "verbal_nod" or not more]


_FORTHCOMING = frozenset({"res_when", "res_who", "follow_up"})


def _told_back(hits: Sequence[_Hit], by_place: Mapping[tuple[str, int], _Hit]) -> list[_Hit]:
    """Nothing of what is said back before "is that right?" (002.5) is promised, unless a strong cue says so."""
    asked = max((h.clause for h in hits if h.code == "check_understanding" and h.outcome == "done"), default=-1)
    back = any(hit.code == "restate_facts" and hit.clause < asked for hit in hits)
    return [
        replace(hit, outcome="unsure", confidence=min(hit.confidence, WEAKENED_CONFIDENCE))
        if back and hit.clause < asked and hit.code in _FORTHCOMING and not _cued(by_place, hit.code, hit.clause)
        else hit
        for hit in hits
    ]


def _denied(code: str, clauses: Sequence[Clause], place: int, known: _Hit | None, cues: Cues) -> bool:
    """Whether an acknowledgement stands in a negated, quoted or conditional sentence, or a guard stands before a fault."""
    faulted = code in FAULTS
    if not (faulted or code in _GUARDED) or (known is not None and (faulted or known.confidence >= STRONG_CONFIDENCE)):
        return False
    around = _Around.of(clauses, place)
    for cue in cues.ready:
        if cue.cue.code == code and any(
            _guarded(cue.guards, around, match) for match in cue.regex.finditer(around.plain)
        ):
            return True
    if faulted:
        return False
    spoken = _SORRY_OR_FEELING.search(around.plain)
    if spoken is None:
        return False
    before, after = around.plain[: spoken.start()], around.plain[spoken.end() :]
    unmet = code == "apologise" and (_WOULD.search(before) or re.search(r"\bif\b", after))
    return bool(unmet or _DENIED.search(before))


def _without_echoes(hits: Sequence[_Hit]) -> list[_Hit]:
    """Without the doubtful traces that a sure finding leaves in the clauses beside it."""
    sure = {(hit.code, hit.clause) for hit in hits if hit.outcome in ("done", "shown")}
    return [
        hit
        for hit in hits
        if hit.outcome in ("done", "shown")
        or hit.confidence >= WEAK_CONFIDENCE
        or not {(hit.code, hit.clause - 1), (hit.code, hit.clause + 1)} & sure
    ]


def _joined(hits: Sequence[_Hit], clauses: Sequence[Clause]) -> list[_Hit]:
    """Hits of one code in neighbouring clauses of a sentence as one, under the surer of them."""
    joined: list[_Hit] = []
    last: dict[str, int] = {}
    for hit in sorted(hits, key=lambda hit: (hit.clause, hit.start)):
        before = joined[last[hit.code]] if hit.code in last else None
        if before and before.outcome == hit.outcome and _continues(before, hit, clauses):
            surer = max(before, hit, key=lambda one: one.confidence)
            joined[last[hit.code]] = replace(surer, clause=hit.clause, start=before.start, end=hit.end)
        else:
            last[hit.code] = len(joined)
            joined.append(hit)
    return joined


def _continues(before: _Hit, hit: _Hit, clauses: Sequence[Clause]) -> bool:
    return hit.clause == before.clause + 1 and clauses[before.clause].mark == "," and before.end <= hit.start


# --- insults ---------------------------------------------------------------------------------------

_FILLERS = r"(?:a|an|such|just|so|really|being|all|bloody|fucking|damn|complete|total|absolute|utter|stupid|silly|little|old|ignorant)"
_INSULT = re.compile(
    r"^(?:(?:just|oh|now|please|look|listen|and|so|ok|right|well|(?:will|would|can|could) you|you) )*"
    r"(?:shut (?:up|your (?:mouth|face))|(?:piss|sod|bugger|fuck|naff) off|get lost$|go to hell|screw you|fuck you)\b|"
    rf"\byou (?:are )?(?:{_FILLERS} )*(?:idiot|moron|imbecile|cretin|stupid|thick|dumb|liar|pathetic|cow|bitch|bastard|"
    r"asshole|arsehole|muppet|halfwit)\b|\b(?:stupid|silly|dumb|ignorant) (?:woman|man|cow|girl|boy|bitch|old \w+)\b"
)
_NOT_MEANT = re.compile(
    r"\b(?:not|never|nobody|no one|say|says|said|saying|told|tells|call|called|calling|think|thinks|thought|suggest\w*|"
    r"impl\w+|accus\w*|treat\w*|if|like|feel|feels|felt|made|makes|make|sounds?)\b"
)


def _insults(hits: Sequence[_Hit], clauses: Sequence[Clause], cues: Cues) -> list[_Hit]:
    """An insult is an attack (003.2) whatever the encoder makes of it, and nothing in its clause is a kindness."""
    rude: dict[int, re.Match[str]] = {}
    for index, clause in enumerate(clauses):
        said = _INSULT.search(clause.plain)
        if said and not _NOT_MEANT.search(clause.plain[: said.start()]):
            rude[index] = said
    kept = [hit for hit in hits if hit.clause not in rude or (hit.code in FAULTS and hit.code != "argue")]
    for index, said in rude.items():
        kept.append(_of_context("argue", STRONG_CONFIDENCE, cues, index, *clauses[index].span(*said.span())))
    return kept


# --- the customer's name ---------------------------------------------------------------------------

_TITLE = re.compile(r"mr|mrs|ms|miss|mister|dr|doctor|sir|madam")
_PLAIN_WORD_NAMES = listed(
    "will may mark rose grace hope bill drew sue art faith joy pat guy dean young best little long short white black "
    "brown green king day love price wells rich frank jack rob dawn summer page case cook hill wood stone"
)


MAX_NAME_CHARS = 80
"""No name is longer; the rest of the field is not looked at."""


def _names(clauses: Sequence[Clause], name: str, text: str, cues: Cues) -> Iterator[_Hit]:
    """Where the customer is called by name; without a known name, a title with a word after it is only likely."""
    parts = [part for part in re.findall(r"\w{2,}", name[:MAX_NAME_CHARS].lower()) if not _TITLE.fullmatch(part)]
    for index, clause in enumerate(clauses):
        for place, token in enumerate(clause.tokens):
            titled = place > 0 and bool(_TITLE.fullmatch(clause.tokens[place - 1].plain))
            written = text[token.start : token.end]
            opens = place == 0 and (index == 0 or clauses[index - 1].mark in ".?")
            confidence = _name_confidence(token.plain, written[:1].isupper() and not opens, titled, parts)
            if confidence and not _introduces(clause, place):
                start = clause.tokens[place - 1].start if titled else token.start
                yield _of_context("use_name", confidence, cues, index, start, token.end)
                break


def _name_confidence(word: str, capital: bool, titled: bool, parts: Sequence[str]) -> float:
    """How surely `word` is the customer's name, 0 for not at all; `capital`: not only because it opens a sentence."""
    if word in parts:
        return STRONG_CONFIDENCE if titled or capital or word not in _PLAIN_WORD_NAMES else 0.0
    if titled:
        ratio = max((_ratio(word, part) for part in parts[-1:]), default=0.0)  # a title goes before the surname
        if ratio < NAME_RATIO_AFTER_TITLE and len(parts) > 1:
            return 0.0  # somebody else
        return STRONG_CONFIDENCE if ratio >= NAME_RATIO_AFTER_TITLE else WEAK_CONFIDENCE if capital else 0.0
    near = (part for part in parts if part[0] == word[0] and len(word) > 3 and capital)
    return STRONG_CONFIDENCE if any(_ratio(word, part) >= NAME_RATIO for part in near) else 0.0


def _ratio(word: str, part: str) -> float:
    return difflib.SequenceMatcher(None, word, part).ratio()


def _introduces(clause: Clause, place: int) -> bool:
    """Whether the name is the trainee's own: "my name is Sarah"."""
    return bool(re.search(r"(?:my name is|this is|speaking with you is|i am) $", clause.plain[: clause.starts[place]]))


# --- restating -------------------------------------------------------------------------------------

_ASKS = re.compile(
    r"(?:and |so |or )?(?:what|when|where|who|why|how|which|can|could|would|will|may|shall|do|did|is|are)\b"
)
"""How a question begins; "you ordered it in May?" is a restatement said as a question."""
_ABOUT_YOU = re.compile(r"\b(?:you|your)\b")
_NOT_RESTATING = frozenset(
    {"apologise", "empathise", "resolution", "follow_up", "alternatives", "clarify", "checkback", "restate_feelings",
     "blame_customer", "argue", "calm_down", "excuse", "negative_language", "insincere"}
)  # fmt: skip


def _restated(hits: Sequence[_Hit], clauses: Sequence[Clause], context: TurnContext, cues: Cues) -> list[_Hit]:
    """Weigh cued restatements by the customer's own words, and find those that no cue announces."""
    told = content_of(f"{context.story}. {context.customer_said}")
    shared = [content(clause.plain) & told for clause in clauses]
    kept = [hit if hit.code != "restate_facts" else _weighed(hit, shared, told) for hit in hits]
    taken = {hit.clause for hit in hits if hit.code == "restate_facts" or hit.code in _NOT_RESTATING}
    for index, clause in enumerate(clauses):
        if index in taken or _ASKS.match(clause.plain) or not _ABOUT_YOU.search(clause.plain):
            continue
        words = len(shared[index])
        if words >= OVERLAP_WORDS_WEAK and words >= OVERLAP_SHARE * len(content(clause.plain)):
            confidence = STRONG_CONFIDENCE if words >= OVERLAP_WORDS else WEAK_CONFIDENCE
            kept.append(_of_context("restate_facts", confidence, cues, index, clause.start, clause.end))
    return kept


def _weighed(hit: _Hit, shared: Sequence[frozenset[str]], told: frozenset[str]) -> _Hit:
    """A cue with something of the customer's in it, here or in the next clause, is done; one without, unsure."""
    near = frozenset[str]().union(*shared[hit.clause : hit.clause + 2])
    if len(near) >= 2 or (near and hit.confidence >= WEAK_CONFIDENCE):
        return replace(hit, outcome="done", confidence=STRONG_CONFIDENCE)
    if told and not near:
        return replace(hit, outcome="unsure", confidence=WEAKENED_CONFIDENCE)
    return hit


# --- order and timing ------------------------------------------------------------------------------


def _checked_back(hits: Sequence[_Hit], context: TurnContext, cues: Cues) -> list[_Hit]:
    """A checkback needs a solution to check: in an earlier turn, or before it in this one."""
    offers = [hit.start for hit in hits if hit.code in OFFERED and hit.outcome == "done"]
    since = -1 if OFFERED & set(context.history) else min(offers, default=None)
    return [
        hit if hit.code != "checkback" or (since is not None and since <= hit.start) else _unfounded(hit, cues)
        for hit in hits
    ]


def _unfounded(hit: _Hit, cues: Cues) -> _Hit:
    """A checkback with nothing to check: the question it is instead, or, if it speaks of a solution, unsure."""
    if hit.otherwise:
        return _of_context(hit.otherwise, hit.confidence, cues, hit.clause, hit.start, hit.end)
    return replace(hit, outcome="unsure", confidence=WEAKENED_CONFIDENCE)


_INVITES = re.compile(
    r"\b(?:tell|walk) me (?:\w+ )?(?:what|about|everything|all|more|the whole|how|through)|\bwhat (?:has )?happened\b|\bgo on\b|"
    r"\bwhat (?:is|has been|seems to be) (?:going on|wrong|up|the (?:matter|problem|trouble))\b|"
    r"\b(?:how|what) (?:can|may|could) (?:i|we) (?:\w+ )?(?:help|do for) you\b|\bhow (?:can|may|could) (?:i|we) help\b"
)
"""An open invitation to tell the story is the opposite of hurrying (002.2, 003.1): it is no question that steers."""


def _too_early(hits: Sequence[_Hit], clauses: Sequence[Clause], context: TurnContext, cues: Cues) -> Iterator[_Hit]:
    """Solving, explaining or questioning before the customer has finished and been acknowledged."""
    acknowledged = min((hit.start for hit in hits if hit.code in ACKNOWLEDGING and hit.outcome == "done"), default=None)
    early_in_call = not ACKNOWLEDGING & set(context.history)
    for hit in sorted(hits, key=lambda hit: hit.start):
        if hit.code not in HURRIED or hit.outcome != "done" or _INVITES.search(clauses[hit.clause].plain):
            continue
        unheard = early_in_call and (acknowledged is None or hit.start < acknowledged)
        if unheard and context.customer_finished is False:
            confidence = STRONG_CONFIDENCE
        elif context.customer_finished is False or (unheard and context.customer_said and hit.code != "clarify"):
            confidence = WEAK_CONFIDENCE
        else:
            continue
        yield _of_context("premature_solution", confidence, cues, hit.clause, hit.start, hit.end)
        return


def _beyond_limits(hits: Sequence[_Hit], clauses: Sequence[Clause], context: TurnContext, cues: Cues) -> Iterator[_Hit]:
    """Offers of what the scenario does not allow (000.1, 000.4): all content words of a limit in an offer's clause."""
    limits = [content_of(limit) for limit in context.cannot]
    seen: set[int] = set()
    for hit in hits:
        if hit.code not in _PROMISES or hit.outcome != "done" or hit.clause in seen:
            continue
        seen.add(hit.clause)
        clause = clauses[hit.clause].plain
        words = content(clause)
        shares = [
            len(limit & words) / len(limit)
            for limit, said in zip(limits, context.cannot, strict=True)
            if limit and not _another_week(said, clause)
        ]
        if shares and max(shares) >= LIMIT_SHARE:
            confidence = STRONG_CONFIDENCE if max(shares) >= 1 else WEAK_CONFIDENCE
            yield _of_context("overpromise", confidence, cues, hit.clause, hit.start, hit.end)


def _another_week(limit: str, said: str) -> bool:
    """Whether a limit speaks of this week and the offer of the next: to that day nothing was promised."""
    return "this week" in limit.lower() and "next week" in said and "this week" not in said


def _talked_over(clauses: Sequence[Clause], context: TurnContext, cues: Cues) -> Iterator[_Hit]:
    """An interruption by the clock; which words were spoken over is not known here, so the first clause is quoted."""
    if context.talked_over_s > INTERRUPT_LISTEN_S:
        sure = context.cut_off or context.talked_over_s > INTERRUPT_SHOWN_S
        confidence = STRONG_CONFIDENCE if sure else WEAK_CONFIDENCE
        yield _of_context("interrupt", confidence, cues, 0, clauses[0].start, clauses[0].end)
