"""The customer's own words, made ready to be said back: the most telling clause, turned from "I" to "you".

Turning is conservative. What is not surely grammatical after it ("my husband and I", "he goes: we can't") is left as
it was said, and then only quoted. Nothing is ever added to what the customer said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from voicecoach.judge.clauses import listed

MAX_WORDS = 14
MAX_CHARS = 90
"""A clause longer than either is nothing that anybody says back in one breath. Our judgement."""
LOOKED_AT_CHARS = 800
"""Of the last words, and of the story before them, the end of this length is looked at: about a minute of talking
each, and no longer to work on."""
MAX_CLAUSES = 30
"""Of either, at most this many clauses are weighed."""


@dataclass(frozen=True)
class Theirs:
    """One clause of the customer. `turned` is it in the second person, without a full stop; empty where in doubt."""

    words: str
    """As it was said, with nothing but openers ("and then", "well") left off."""
    turned: str = ""
    hard: bool = False
    """It tells of something that went wrong or was hard."""
    ours: bool = False
    """Turned, it says what "we" or ours did."""
    weight: float = 0.0
    """How much it tells, against other clauses."""


@dataclass(frozen=True)
class Telling:
    """What of the customer's words is worth saying back; each may be None."""

    fact: Theirs | None = None
    """The clause that tells most."""
    said: Theirs | None = None
    """The fullest clause that can be turned."""
    hardship: Theirs | None = None
    """The clause that can be turned and tells most of what was hard, if possible without what "we" did."""
    wish: Theirs | None = None
    """What the customer wants."""


# --- words -----------------------------------------------------------------------------------------

_WORD = re.compile(r"[£$€]?[^\W_]+(?:[.,:'’\-][^\W_]+)*%?")
_UNSAYABLE = re.compile(r"[\"“”«»„<>{}\[\]|\\`]")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|[;\n\r]+|\s[-–—]+\s|—|:\s+")
_OPENER = re.compile(
    r"(?:(?:and|but|then|well|yes|yeah|oh|okay|ok|right|look|listen|because|cause|'cause|honestly|frankly|seriously|anyway|"
    r"also|plus|actually|basically|finally|hello|hi|um|uh|erm|er|i mean|i swear|you know(?! (?:what|that|how))|you see|see|"
    r"i tell you|i'm telling you|on top of that|at the end of the day|guess what|nope|fine|sir|madam|now(?=,))\b[,.]?|"
    r"no,|so\b,?(?! (?:many|much|far|long))|like,)\s+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"[,\s]+(?:you know|you see|and|but|so|right|ok|okay|please|then|either|i think|i suppose|or something|mind you)[,.]?$",
    re.IGNORECASE,
)
_JOINT = re.compile(
    r",?\s+(?:and|but|so|because|cause|then|while|whilst)(?: then)?\s+(?=(?:i|i'm|i've|i'd|we|we've|he|she|it|it's|they|nobody|no one|the|my|"
    r"our|your|you|there|that|now|every|somebody|someone|all|im|ive)\b)",
    re.IGNORECASE,
)

_NUMBERS = listed(
    "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty hundred "
    "thousand once twice first second third fourth fifth half dozen"
)
_TIMES = listed(
    "monday tuesday wednesday thursday friday saturday sunday january february march april june july august september "
    "october november december today tonight tomorrow yesterday morning afternoon evening night noon minute minutes "
    "hour hours day days week weeks month months year years christmas easter weekend"
)
_HARD = listed(
    "nobody none never nothing again still twice third waited waiting wait hold lost missed missing broke broken without "
    "ruined late cancelled canceled wrong worried scared crying tired exhausted closed stuck refused ignored "
    "failed dead died leak leaks leaking leaked flood flooded cold damage damaged overcharged charged jammed jams down "
    "snapped cracked collapsed stranded cannot can't couldn't wouldn't didn't hasn't haven't doesn't won't cant couldnt "
    "didnt hasnt havent doesnt wasn't weren't isn't nowhere gone stolen hurt sick ill pain dropped smashed burnt burned "
    "empty faulty bounced blocked locked off mould soaked soaking ruining mistake stopped bleeding delayed worse worst "
    "debt fees fee fined penalty hungry afraid upset embarrassed embarrassing humiliated alone"
)
_SMALL = listed(
    "a an the and or but so if of in on at to for from by with about as is am are was were be been being do does did have "
    "has had will would can could should may might must not no yes i you he she it we they me him her us them my your "
    "his its our their this that these those there here what which who when where why how all any some just now then "
    "than too very really up out over more most much many only even also because get got go going know say said tell "
    "told want like well right let make see think thing things please sorry it's i'm i've that's you're we're there's "
    "don't i'd i'll he's she's they're one"
)
_INSULT = re.compile(
    r"\b(?:useless|idiots?|stupid|incompetent|pathetic|rubbish|joke|jokers?|liars?|lying|crooks?|thie(?:f|ves)|scam\w*|hell|"
    r"damn\w*|bloody|crap\w*|shit\w*|f+u+c+k\w*|bullshit|morons?|clowns?|disgrac\w+|disgust\w+|shambles|cowboys?|ass|arse|"
    r"hate|shut up|robb\w+|fool|dumb|garbage|muppets?|sod|bastards?|bitch\w*|jerks?|kill|sue|lawyer\w*|solicitors?|"
    r"your (?:fault|problem|job|manager|supervisor|boss)|papers|you people|you lot|you guys|reviews?|my name)\b",
    re.IGNORECASE,
)
_NO_STORY = re.compile(
    r"^(?:(?:just|please|don't|do not|dont|never mind|tell|give|get|send|stop|let|put|fix|sort|forget|explain|imagine|show|read|"
    r"look|listen|hang|hold|wait|come|go|call|ring|say|answer|help|make|take|check|cancel|refund|thank|thanks|cheers|bye|"
    r"goodbye|good|great|lovely|perfect|sure|of course|how|what|why|which|who|where|whose|can|could|would|will|do|does|did|is|"
    r"are|have|has|am|should|if|whether|unless|oh|hello|i (?:don't |do not |dont |can't |cannot |can |really |just |still )*"
    r"(?:think|bet|guess|suppose|know|doubt|assume|wonder|believe|care|see|understand|appreciate|swear|demand|say|said|hope|"
    r"agree)|i'm (?:not )?(?:sure|sorry|afraid|telling|asking|saying|done|counting|going to)|i am (?:sure|sorry|telling|asking|"
    r"saying|going to)|let's|lets|maybe|perhaps|that's (?:it|all|fine|right|exactly|what|why|not)|that is (?:it|all|fine|"
    r"right)|you (?:should|could|can|must|need|have to|better|want|think|know|don't|cant|can't|never listen)|"
    r"you(?:'re| are) (?:not|all|just|a|an|the|no|so|very|being)|thats)\b)",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\b(?:why|how|what|where|when|who) (?:have|has|did|do|does|is|are|was|were|am|can|could|should|would|will)\b"
)
_TURNS_TO_US = re.compile(
    r", (?:don't|do not|please|tell|give|get|send|so (?:please|just))\b|\bi(?:'ll| will) (?:tell|never)\b|\bnever again$"
)
_NOBODY = re.compile(r"(?:nobody|no one|nothing)\b", re.IGNORECASE)
_WISH = re.compile(
    r"^(?:all |what )?(?:i|we)(?: just| only| really| still| don't| do not)* (?:want|need|'d like|would like|expect)\b|^(?:i|we)'d like\b",
    re.IGNORECASE,
)
_WISH_OF_US = re.compile(r"\b(?:you|your|someone|somebody|manager|answers?|explanation)\b", re.IGNORECASE)
_SUBORDINATE = re.compile(
    r"^(?:when|after|before|until|till|while|whilst|since|although|though|unless|that|which|who|where|whose|than|as|with|"
    r"without|for|from|to|by|in|on|at|of|or|not|about)\b",
    re.IGNORECASE,
)
_WHOLE_ONLY = re.compile(
    r"^(?:when|after|before|while|whilst|since|in|on|at|for|by|every time|as soon as)\b", re.IGNORECASE
)
_DANGLING = listed(
    "and but or so because the a an to with of for from i my your our we he she they it that which who is was were are at in by "
    "on if when as than about this these into he'd she'd i'd they'd like very just im i'm he's she's it's they're personally you're we're i've we've you've ive says said um uh er"
)
_FINITE = listed(
    "is are was were am has have had do does did will would can could should might must isn't aren't wasn't weren't hasn't "
    "haven't hadn't don't doesn't didn't won't wouldn't can't couldn't shouldn't isnt arent wasnt werent hasnt havent dont "
    "doesnt didnt wont wouldnt cant couldnt cannot came went left got gave took made said told paid spent lost sat stood rang "
    "kept sent put broke cut hit hung heard held knew met ran read saw sold slept stuck thought threw woke wrote bought "
    "brought built caught chose drove fell felt flew forgot found froze grew led let meant quit rose shut sang spoke stole "
    "swore taught tore won wore wound began became bit blew died tripped needs wants keeps says works jams leaks costs smells "
    "looks sounds goes comes makes means stops starts shows runs sits stands hurts died showed closes opens ends"
)
_NO_VERBS = listed("hundred speed indeed infrared sacred breed kindred")
_NOT_SUBJECT = listed(
    "was were is are has have had been being got gone left went told came said took paid spent lost sat stood rang kept sent "
    "gave made can't cant couldn't couldnt didn't didnt don't dont won't wont never not wasn't isn't just only still even "
    "supposed same because more less too very"
)
_STARTERS = listed(
    "i i'm i've i'd i'll im ive we we've we'd we'll we're you you've you'd your our my mine he he's she she's it it's its "
    "they they've they're they'd the a an this that these those there there's nobody no-one somebody someone everybody everyone "
    "nothing everything every each all both half one two three four five six seven eight nine ten eleven twelve twenty thirty "
    "forty fifty several some no when after before while since whilst his her their another neither other in on at for by as "
    "nine-hundred twice now again"
)


# --- from "I" to "you" -----------------------------------------------------------------------------

_TURNED = {
    "i": "you", "i'm": "you're", "im": "you're", "i've": "you've", "ive": "you've", "i'd": "you'd", "i'll": "you'll",
    "me": "you", "my": "your", "mine": "yours", "myself": "yourself",
    "we": "you", "we're": "you're", "we've": "you've", "we'd": "you'd", "we'll": "you'll",
    "us": "you", "our": "your", "ours": "yours", "ourselves": "yourselves",
    "your": "our", "yours": "ours",
}  # fmt: skip
_FIRST = frozenset(_TURNED) - {"your", "yours"}
_SUBJECTS = listed("i i'm im i've ive i'd i'll we we're we've we'd we'll")
_ADVERBS = listed(
    "really just never always still already only also honestly literally actually even not then so all both now"
)
_AGREES = {"was": "were", "am": "are", "wasn't": "weren't", "wasnt": "weren't", "aint": "aren't", "ain't": "aren't"}
_IN_DOUBT = listed("wanna gonna innit ya ye yous let's lets goes quote id il iam whos")
_OTHERS = listed("he she it they who which that there this nobody someone somebody everyone it's he's she's they're")
_REPORTS = listed("said says say saying told tells asked asks goes claimed claims reckons wrote promised swore")
_TO_YOU = listed(
    "to from with of by for at told called rang phoned ring call emailed asked paid gave sent reminded warned tell on against"
)
_YOU_DID = listed(
    "said told promised sent charged took sold gave booked cancelled canceled delivered left lost billed had put kept forgot "
    "closed cut changed refused missed did didn't didnt have haven't raised doubled swapped replaced fitted installed turned "
    "stopped never shut dropped mixed printed posted shipped repaired fixed overcharged confirmed approved moved wrote"
)
_YOU_ARE_DOING = listed("charging sending billing chasing threatening taking telling asking putting keeping holding")


def turned(words: str) -> str:
    """The clause in the second person ("I waited" as "you waited", "your driver" as "our driver"); empty in doubt."""
    found = list(_WORD.finditer(words))
    plain = [match[0].lower().replace("’", "'") for match in found]
    if not found or _doubtful(plain):
        return ""
    new: list[str] = []
    for place, word in enumerate(plain):
        spoken = _turn(word, place, plain)
        if spoken is None:
            return ""
        new.append(spoken)
    parts, end = [], 0
    for match, was, now in zip(found, plain, new, strict=True):
        parts += [words[end : match.start()], match[0] if now == was else now]
        end = match.end()
    return _small("".join([*parts, words[end:]]))


def _small(words: str) -> str:
    """The clause as it stands within a sentence: a common first word in lower case, in doubt nothing at all."""
    first = _WORD.match(words)
    if first is None:
        return ""
    known = first[0].lower().replace("’", "'") in _STARTERS or not first[0][0].isupper()
    return words[0].lower() + words[1:] if known else ""


def _doubtful(plain: Sequence[str]) -> bool:
    """Whether turning could go wrong in ways that words alone do not settle."""
    told = set(plain)
    if told & _IN_DOUBT or (told & _REPORTS and _speaks_for_the_house(plain)):
        return True
    for place, word in enumerate(plain):
        after = plain[place + 1] if place + 1 < len(plain) else ""
        before = plain[place - 1] if place else ""
        if word in ("i", "me") and before in ("and", "or") and not (_SUBJECTS | _FINITE) & set(plain[: place - 1]):
            return True  # "my husband and I"
        if word in ("i", "me", "we", "us") and after in ("and", "or") and word != plain[-1]:
            follows = plain[place + 2] if place + 2 < len(plain) else ""
            if word in ("i", "we") or follows in ("my", "the", "our"):
                return True
        if word in _AGREES and after in ("i", "we"):
            return True  # "was I supposed to"
        if word in ("i", "i'm") and after in ("is", "has", "says", "does", "goes", "were"):
            return True
        if word == "let" and after in ("us", "me"):
            return True
    return False


def _speaks_for_the_house(plain: Sequence[str]) -> bool:
    """Whether reported words could be the house's own: "he said we can't", "you told me you would"."""
    report = min(place for place, word in enumerate(plain) if word in _REPORTS)
    behind = [
        word
        for word in plain[report + 1 :]
        if word in ("we", "we're", "we've", "we'll", "our", "you", "you'd", "you'll", "your")
    ]
    return bool(behind) and not (len(behind) == 1 and plain[report + 1] in ("you", "your"))


def _turn(word: str, place: int, plain: Sequence[str]) -> str | None:
    """One word turned; None where it cannot be told how."""
    if word in ("you", "you've", "you'd", "you're", "you'll", "yourself"):
        return _you(word, place, plain)
    if word in ("am", "was", "wasn't", "wasnt", "aint", "ain't"):
        return _be(word, place, plain)
    return _TURNED.get(word, word)


def _you(word: str, place: int, plain: Sequence[str]) -> str | None:
    """The house, which the customer calls "you": "we" as a subject, "us" after a verb or preposition."""
    before = plain[place - 1] if place else ""
    rest = [w for w in plain[place + 1 : place + 4] if w not in _ADVERBS or w == "never"]
    after = rest[0] if rest else ""
    if word == "you've" and after in _YOU_DID | {"got", "not"}:
        return "we've"
    if word == "you're" and after in _YOU_ARE_DOING:
        return "we're"
    if word != "you":
        return None
    if after in _YOU_DID and before in ("", "and", "but", "because", "when", "after", "what", "that", "then"):
        return "we"
    if before in _TO_YOU and (after == "" or after not in _FINITE | _YOU_DID):
        return "us"
    return None


def _be(word: str, place: int, plain: Sequence[str]) -> str | None:
    """What "was" becomes: after "I" it is "were", also in "I rang and was told"; after anything else it stays."""
    at = place - 1
    while at >= 0 and plain[at] in _ADVERBS:
        at -= 1
    subject = plain[at] if at >= 0 else ""
    if subject in ("i", "we"):
        return _AGREES[word]
    if subject in ("and", "but", "or", ""):
        before = plain[: max(at, 0)]
        own = [spot for spot, w in enumerate(before) if w in _SUBJECTS]
        if not own or set(before[own[-1] + 1 :]) & _OTHERS:
            return None
        return _AGREES[word]
    return word if word in ("was", "wasn't") else None


# --- the most telling clause -----------------------------------------------------------------------


def tells_much(word: str) -> bool:
    """Whether one word alone is telling: a number, a time, or what was hard."""
    plain = word.lower()
    return plain in _NUMBERS or plain in _TIMES or plain in _HARD or any(ch.isdigit() for ch in plain)


def telling(said: str, story: str = "") -> Telling:
    """What of the customer's words is worth saying back: of what was `said` last, or else of the `story` before it."""
    return _telling(_end(said), _end(story))


def _end(text: str) -> str:
    """The end of a long text, from a whole word on."""
    return text if len(text) <= LOOKED_AT_CHARS else text[-LOOKED_AT_CHARS:].partition(" ")[2]


@lru_cache(maxsize=16)
def _telling(said: str, story: str) -> Telling:
    last = list(_weighed(said, 1.5))
    earlier = list(_weighed(story, 0.0)) if story else []
    clauses = [*earlier, *last]
    if not clauses:
        return Telling()
    facts = [(score, one) for score, one, wish in clauses if not wish]
    turnable = [(score, one) for score, one in facts if one.turned]
    hard = [(score + (0 if one.ours else 3) - (4 if _spliced(one) else 0), one) for score, one in turnable if one.hard]
    wishes = [(score, one) for score, one, wish in clauses if wish and one.turned]
    return Telling(_best(facts), _best(turnable), _best(hard), _best(wishes))


def _spliced(one: Theirs) -> bool:
    """Whether it is two clauses with hardly a joint: too much to be sorry for in one breath."""
    return "," in one.turned and ", and " not in one.turned


def _best(weighed: Sequence[tuple[float, Theirs]]) -> Theirs | None:
    """The weightiest clause, of equals the last."""
    best = None
    for score, one in weighed:
        if best is None or score >= best[0]:
            best = (score, one)
    return best[1] if best else None


def _weighed(text: str, bonus: float) -> Iterator[tuple[float, Theirs, bool]]:
    """(weight, clause, whether it is a wish) of each clause that can be said back."""
    for count, words in enumerate(_clauses(text)):
        if count >= MAX_CLAUSES:
            return
        plain = [match[0].lower().replace("’", "'") for match in _WORD.finditer(words)]
        told = {word for word in plain if word not in _SMALL}
        hard = {word for word in plain if word in _HARD}
        marked = [w for w in plain if w in _NUMBERS or w in _TIMES or any(c.isdigit() for c in w)]
        whole = _whole(plain)
        if (len(told) < 2 and not (hard and told)) or not (whole or len(plain) > 2):
            continue
        spoken = turned(words) if whole else ""
        score = bonus + min(len(told), 7) + 1.5 * min(len(marked), 2) + 2 * min(len(hard), 2) + (3 if spoken else 0)
        score -= 2 if plain[0] in ("it", "it's", "that", "this", "that's", "he", "she", "they") else 0
        ours = bool(re.search(r"\b(?:we|we're|we've|us)\b|^our\b", spoken))
        wish = bool(_WISH.search(words))
        if wish and _WISH_OF_US.search(words):
            continue
        one = Theirs(words, spoken, bool(hard), ours, score - ours)
        yield one.weight - _spliced(one), one, wish


def _whole(plain: Sequence[str]) -> bool:
    """Whether the words have a subject and a finite verb."""
    if plain[0] in _NOT_SUBJECT or (plain[0].endswith(("ed", "ing")) and plain[0] not in ("nothing", "everything")):
        return False
    if any(word in _FINITE or word.endswith(("'ve", "'re", "'d", "'ll", "'m")) for word in plain):
        return True
    if any(word.endswith("ed") and len(word) > 4 and word not in _NO_VERBS for word in plain[1:]):
        return True
    if plain[0] in ("it's", "there's", "he's", "she's", "that's", "im", "ive"):
        return True
    return plain[0] in ("i", "we", "they", "you") and len(plain) > 2


def _clauses(text: str) -> Iterator[str]:
    """Clauses that could be said back, in order: short sentences whole, longer ones in parts."""
    text = " ".join(text.split())
    text = "".join(ch for ch in text if ch.isprintable())
    before = ""
    for sentence in _SENTENCE.split(text):
        if not sentence:
            continue
        asked = sentence.rstrip().endswith("?")
        whole = _trimmed(sentence)
        if asked or not whole or _UNSAYABLE.search(whole):
            before = ""
            continue
        joined = f"{before}, and {_small(whole)}" if before and _NOBODY.match(whole) else ""
        if joined and _fits(joined):
            yield joined
        if _fits(whole) and _tells(whole, whole=True):
            yield whole
            before = "" if joined or _NOBODY.match(whole) else whole
            if "," not in whole:
                continue
        else:
            before = ""
        for part in _parts(sentence):
            short = _trimmed(part)
            if _fits(short) and _tells(short, whole=False):
                yield short


def _parts(sentence: str) -> Iterator[str]:
    """The sentence at its joints, and each of these at its commas."""
    for piece in _JOINT.split(sentence):
        yield piece
        if "," in piece:
            yield from re.split(r",\s+", piece)


def _trimmed(words: str) -> str:
    """Without openers in front and leavings behind."""
    words = words.strip(" ,.!…'’-–—")
    for _ in range(4):
        shorter = _OPENER.sub("", words, count=1) if _OPENER.match(words) else words
        shorter = _TAIL.sub("", shorter).strip(" ,.!…-–—")
        if shorter == words:
            break
        words = shorter
    return words


def _fits(words: str) -> bool:
    return 0 < len(words) <= MAX_CHARS and 2 <= len(words.split()) <= MAX_WORDS


def _tells(words: str, *, whole: bool) -> bool:
    """Whether a clause tells something that stands by itself: no question, no command, no insult, nothing broken off."""
    plain = words.lower().replace("’", "'")
    if _INSULT.search(plain) or _NO_STORY.match(plain) or plain.split()[-1].strip(",") in _DANGLING:
        return False
    if _ASKS.search(plain) or _TURNS_TO_US.search(plain) or _broken_off(plain):
        return False
    if _SUBORDINATE.match(plain):
        return whole and bool(_WHOLE_ONLY.match(plain)) and "," in plain
    return True


def _broken_off(plain: str) -> bool:
    """Whether the words end in a few that go nowhere: "..., and last night"."""
    last = re.search(r", (?:and|but|or|so)((?: [^\s,]+){1,3})$", plain)
    if last is None:
        return False
    words = last[1].split()
    return not any(word in _FINITE or word.endswith(("ed", "'s", "'d", "'ve", "'re")) for word in words)
