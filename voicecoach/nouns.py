"""The words of the house, as frozen values. Every room speaks in these and holds no state of its own.

Time. The session's only clock is the sample index of its recording (`SAMPLE_RATE_HZ`); a field named
`start` or `end` without a unit is such an index, `_s` fields are that index divided by the rate.
Units are in the names: `_hz` hertz, `_st` semitones, `_db` decibels, `_s` seconds, `_wpm` words a minute,
`_sps` syllables a second. `None` means "not measured" and always comes with a reason, never 0.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SAMPLE_RATE_HZ = 16_000
"""The record's clock, and the rate of everything that is measured, recognised or recorded."""

Samples: TypeAlias = "npt.NDArray[np.int16]"
"""Sound as it is recorded and played [shape=(n,)], or both channels of it [shape=(n, 2)]."""
Floats: TypeAlias = "npt.NDArray[np.float32]"
"""Sound as it is measured, full scale at -1 and 1, and what models take and give."""

RECORDED_TRAINEE = "recorded trainee"
"""The sound port of a demo, as records have it."""

Strict: Mapping[str, Any] = {"extra": "forbid"}
"""`__pydantic_config__` of the values that are read from files: an unknown key is a mistake."""

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
"""An id, which may name a file."""


def slug(name: str) -> str:
    """A name as an id; empty where it has no letter and no digit for one."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")


# --- ears and measure ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Word:
    """One recognised word; times on the session clock; `probability` is the recogniser's own, 0 to 1."""

    text: str
    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True)
class Heard:
    """What the ears made of an utterance: the text, its words and the model that heard them."""

    text: str
    words: tuple[Word, ...]
    model: str


@dataclass(frozen=True)
class Turn:
    """One utterance of the trainee, found by endpointing. Sample indices; `end` is exclusive.

    `speech` are the stretches of voice activity inside it, `overlap` the stretches during which the
    customer was speaking too. `resumed` is how often it went on after it had been closed.
    """

    start: int
    end: int
    speech: tuple[tuple[int, int], ...]
    overlap: tuple[tuple[int, int], ...] = ()
    resumed: int = 0


@dataclass(frozen=True)
class Pause:
    """A stretch of at least 250 ms inside an utterance: a gap in voice activity, or (`unspoken`) voice without words."""

    start: float
    end: float


@dataclass(frozen=True)
class F0:
    """Fundamental frequency over voiced frames; `range_st` is p10 to p90 in semitones."""

    median_hz: float
    p10_hz: float
    p90_hz: float
    range_st: float
    voiced_s: float
    slope_st_s: float | None = None
    """Rise (positive) or fall over the utterance, semitones a second; None under 1 s of voiced speech."""


@dataclass(frozen=True)
class Level:
    """RMS of speech and of the gaps in dB re full scale, and the share of clipped samples."""

    rms_dbfs: float
    noise_dbfs: float | None
    clip_frac: float


@dataclass(frozen=True)
class Effort:
    """Traces of vocal effort: voiced centroid (50-5000 Hz) and alpha ratio (1-5 kHz over 50-1000 Hz)."""

    centroid_hz: float
    alpha_db: float
    f0_hz: float | None = None
    """Mean pitch. It and the centroid are means of logarithms in which each frame counts by its amplitude."""


@dataclass(frozen=True)
class Rate:
    """`wpm` counts pauses in (words over first onset to last offset), `articulation_sps` counts them out."""

    wpm: float
    articulation_sps: float
    words: int
    syllables: int


@dataclass(frozen=True)
class Relative:
    """Change against the trainee's own calibration; `effort_db` is the gain-free vocal effort of docs/delivery.md."""

    f0_st: float
    centroid_oct: float
    level_db: float
    effort_db: float
    rate_ratio: float | None = None
    """Articulation rate over the calibration's, where both were measured."""
    nuclei_ratio: float | None = None
    """The same from the sound alone (`measure.nuclei`): coarse, for the live cue and for what came after it."""


@dataclass(frozen=True)
class Quality:
    """Whether the signal carries a verdict, and if not, why (each reason a sentence)."""

    ok: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observation:
    """The numbers of one utterance. A part that could not be measured is None; `quality.reasons` says why."""

    duration_s: float
    span_s: float
    """From first to last voice, less what the customer said in between."""
    speech_s: float
    pauses: tuple[Pause, ...] = ()
    f0: F0 | None = None
    level: Level | None = None
    effort: Effort | None = None
    rate: Rate | None = None
    fillers: tuple[Word, ...] = ()
    relative: Relative | None = None
    response_gap_s: float | None = None
    """End of the customer's line to the first voice of the trainee; negative when the trainee cut in."""
    overlap_s: float = 0.0
    quality: Quality = Quality(ok=True)
    tracker: str = ""
    """Name and version of the pitch tracker."""
    nuclei_sps: float | None = None
    """Syllables a second counted in the sound, without words (`measure.nuclei`): only to be compared with itself."""
    unspoken: tuple[Pause, ...] = ()
    """Voice that no recognised word covers: possible fillers, beside the recognised ones in `fillers`."""


@dataclass(frozen=True)
class Baseline:
    """A trainee's calm voice on one microphone, from a calibration (or, marked provisional, from first turns)."""

    f0_median_hz: float
    centroid_hz: float
    level_dbfs: float
    articulation_sps: float | None
    device: str
    provisional: bool = False
    nuclei_sps: float | None = None
    """Articulation counted in the sound (`measure.nuclei`); calibrations of before lack it."""
    f0_hz: float | None = None
    """Mean pitch as in `Effort`; None in baselines from before it was measured."""


# --- judge -----------------------------------------------------------------------------------------

Outcome = Literal["done", "unsure", "shown", "listen"]
"""Moves are `done` or `unsure`; faults are `shown` or, on weaker evidence, `listen` (worth a listen)."""


@dataclass(frozen=True)
class Finding:
    """A move or a fault, with the words that show it. `start` and `end` are character offsets into the turn's text."""

    code: str
    kind: Literal["move", "fault"]
    outcome: Outcome
    quote: str
    start: int
    end: int
    confidence: float
    source: str
    """Where the rule comes from, such as "001.3" (seed document, step) or "house"."""
    start_s: float | None = None
    end_s: float | None = None
    advice: str = ""


@dataclass(frozen=True)
class TurnContext:
    """What the judge of moves knows besides the words of the turn."""

    customer_said: str = ""
    """What the customer said since the trainee's last turn."""
    story: str = ""
    """What the customer had said before that."""
    customer_name: str = ""
    history: tuple[str, ...] = ()
    """Codes of the moves done in earlier turns, oldest first."""
    customer_finished: bool | None = True
    """False while the customer still has points of the story to tell (venting); None where that is not known."""
    talked_over_s: float = 0.0
    """Seconds of the trainee's speech over the customer's (`judge.context.talked_over_s`), a verbal nod too: the judge of
    moves tells a nod from an interruption."""
    cut_off: bool = False
    """The customer fell silent in mid-line because of it."""
    cannot: tuple[str, ...] = ()
    """What the scenario does not allow, as short phrases: promising it is more than can be kept (000.1, 000.4)."""
    can: tuple[str, ...] = ()
    """What the scenario allows, as short phrases: advice is given in these."""


@dataclass(frozen=True)
class Question:
    """What the encoder is asked about one turn: `clauses` are [start, end) in `text`."""

    text: str
    said: str
    """The customer's name and words before the turn."""
    clauses: tuple[tuple[int, int], ...]
    features: Floats
    """[shape=(n_clauses, n_features)]: see `judge.reading.features`."""


Read: TypeAlias = "Callable[[Question], Floats]"
"""From a question to the probability of each code in each clause [shape=(n_clauses, n_codes)]."""


@dataclass(frozen=True)
class Reading:
    """A trained encoder with the probabilities from which its word is taken, by code."""

    read: Read
    sure: Mapping[str, float]
    """From here a move is `done`, a fault `shown`."""
    maybe: Mapping[str, float]
    """From here a move is `unsure`, a fault `listen`."""
    name: str = ""


Loudness = Literal["quiet", "raised", "shouting", "unsure"]
Pace = Literal["slow", "brisk", "rushed", "unsure"]


@dataclass(frozen=True)
class Delivery:
    """How it was said: a verdict for each half of "quietly and slowly", and at most one sentence of advice."""

    loudness: Loudness
    pace: Pace
    evidence: tuple[str, ...] = ()
    """Each verdict's number beside its threshold, as a short phrase."""
    advice: str = ""


@dataclass(frozen=True)
class InKind:
    """Whether one turn kept the own calm voice against a heated customer ("not in kind", 001.3)."""

    verdict: Literal["held", "drifted", "matched the anger", "unsure"]
    evidence: tuple[str, ...] = ()
    """Each number beside its threshold, or why there is no verdict."""
    source: str = "001.3"
    level: int | None = None
    """Spoken anger, 0 to 5, of the line that was answered."""


@dataclass(frozen=True)
class CallInKind:
    """Both voices over a whole call."""

    held: int
    drifted: int
    matched: int
    correlation: float | None
    """Spearman's rank correlation, -1 to 1, of the customer's spoken anger with the trainee's effort."""
    pairs: int
    """Turns that the correlation rests on, or would."""
    came_down: int
    """How often the customer's next line was less angry after a heated line met a held or quieter turn."""
    chances: int
    """How often a heated line met such a turn, with a line of the customer after it."""
    measured: bool = False
    """The customer's heat was measured (a recorded call), not known; then "less angry" is 4 dB less effort."""
    why_not: str = ""
    """Why nothing of it could be judged in a recorded call."""


@dataclass(frozen=True)
class Assessment:
    """The verdicts on one turn."""

    findings: tuple[Finding, ...]
    delivery: Delivery

    def codes(self, *outcomes: str) -> tuple[str, ...]:
        """Codes of the findings with one of `outcomes` (all, if none are named), in the order found."""
        return tuple(f.code for f in self.findings if not outcomes or f.outcome in outcomes)


@dataclass(frozen=True)
class TooEarly:
    """Moves that a step holds back until the customer has finished, or until another step is done."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    moves: tuple[str, ...]
    until: str
    """CUSTOMER_FINISHED, or the id of a step."""
    say: str
    """Why it is too early, as a sentence for the screen."""
    unless: tuple[str, ...] = ()
    """Phrases that invite the customer to go on: words that hold one of them are never too early."""


CUSTOMER_FINISHED = "customer-finished"
"""The `until` of a rule that holds while the customer still has points of the story to tell."""


@dataclass(frozen=True)
class Step:
    """One step of a published procedure: heard when any of `any_of` is, and each of `all_of`."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    id: str
    name: str
    rule: str
    """What the published procedure asks for, in our words, short enough for a screen."""
    source: str
    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    delivery: bool = False
    """True where the step also asks for quiet, slow delivery."""
    before_call: bool = False
    """Done before the call, so never heard in it."""
    prepared_by: Literal["", "worksheet", "focus"] = ""
    """What of the preparation, as recorded, shows a step that is done before the call."""
    notes: bool = False
    """True where the step also asks for a record of what was said: notes are shown beside it."""
    forbids: tuple[str, ...] = ()
    """Fault codes that show that the step was not done."""
    after: tuple[str, ...] = ()
    """Ids of the steps that the procedure wants done before this one."""
    wait_after: tuple[str, ...] = ()
    """Codes of questions after which the trainee stops and lets the customer answer."""
    too_early: tuple[TooEarly, ...] = ()
    anger_returns: bool = False
    """True where the procedure warns that anger cut short comes back while a solution is worked on."""


@dataclass(frozen=True)
class Procedure:
    """A published complaint-handling procedure, scored by itself."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    id: str
    name: str
    document: str
    """The number of the published document, such as "001"."""
    about: str
    steps: tuple[Step, ...]
    cycle: tuple[str, ...] = ()
    """Ids of the steps that begin again when the customer rejects a solution or brings a new problem."""


@dataclass(frozen=True)
class Remark:
    """What else is to be said of a step. `turn` and `finding` are where, if there is a place."""

    kind: Literal["order", "too early", "wait", "delivery", "anger", "before the call"]
    say: str
    turn: int | None = None
    finding: Finding | None = None


@dataclass(frozen=True)
class Wait:
    """What came after a question that wants an answer. `waited` is None where that cannot be told."""

    turn: int
    finding: Finding
    waited: bool | None
    silence_s: float | None
    """From the end of the question to the next voice, whoever's."""
    answer: str = ""
    """What the customer said then."""


@dataclass(frozen=True)
class StepOutcome:
    """What was heard of a step in the whole call: `where` lists (turn number, finding)."""

    step: Step
    outcome: Literal["done", "unsure", "not heard"]
    where: tuple[tuple[int, Finding], ...] = ()
    remarks: tuple[Remark, ...] = ()
    waits: tuple[Wait, ...] = ()


@dataclass(frozen=True)
class Cycle:
    """One round through the steps that a procedure lets begin again."""

    number: int
    why: str
    """What began it, as a phrase; empty for the first."""
    said: str
    """The customer's words that did."""
    steps: tuple[tuple[Step, tuple[int, Finding] | None], ...]
    """Each step of the cycle with its first evidence in this round, or None."""


@dataclass(frozen=True)
class Worksheet:
    """What is settled before a call (000.1): the goal, what can and cannot be offered, problems, and common gains."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    goal: str = ""
    can: tuple[str, ...] = ()
    cannot: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    win_wins: tuple[str, ...] = ()


# --- persona ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Style:
    """How a line is to be spoken; see `persona/style.py` for the table from anger to style."""

    wpm: float = 165.0
    f0_st: float = 0.0
    f0_range: float = 1.0
    tilt_db: float = 0.0
    """High shelf from 1 kHz: the brighter spectrum of a strained voice."""
    drive_db: float = 0.0
    level_db: float = -26.0
    """RMS of the speech, dB re full scale."""
    pause_ms: float = 350.0
    """Silence between clauses."""


@dataclass(frozen=True)
class Cause:
    """One reason for a change of anger, with the words or the measurement that show it."""

    cue: str
    delta: float
    why: str
    """A phrase for the screen, such as 'you said back what happened'."""
    evidence: str = ""


@dataclass(frozen=True)
class Drilled:
    """How far a drill has come."""

    passed: int = 0
    """Levels of anger that were passed: the index of the one that is tried."""
    tries: int = 0
    """How often that one has been missed."""
    result: str = ""
    """What came of it, as a sentence; empty until it is over."""


@dataclass(frozen=True)
class Mood:
    """Everything the customer remembers. Pure data: the same mood and seed always lead to the same call."""

    anger: float
    state: str
    turn: int = 0
    told: int = 0
    """Points of the story told so far."""
    met: tuple[str, ...] = ()
    """Needs that have been met, in order."""
    cues: tuple[tuple[str, int], ...] = ()
    """How often each calming cue has worked, for diminishing returns."""
    used: tuple[str, ...] = ()
    """Ids of the lines already spoken."""
    boiling: int = 0
    """Turns in a row at the top of the anger scale."""
    asked_manager: bool = False
    seed: int = 0
    recent: tuple[str, ...] = ()
    """Ids of the lines spoken in the last calls, avoided where there are others."""
    offer: tuple[str, ...] = ()
    """What is known of an offer: what, who, when."""
    answered: tuple[str, ...] = ()
    """Names of the answers that have been given."""
    doubted: tuple[str, ...] = ()
    """Codes of the moves that were half heard."""
    stuck: int = 0
    """Turns in a row without anything new."""
    silences: int = 0
    """Silences in a row."""
    loud: int = 0
    """Turns in a row that were loud."""
    fast: int = 0
    """Turns in a row that were rushed."""
    cut_short: bool = False
    """The story was cut short, and nobody has made up for it."""
    came_back: bool = False
    """Because of that the anger has come back at the solution, as it does once."""
    refused: bool = False
    """An offer that would have been taken was refused, as happens once."""
    drill: Drilled = Drilled()
    """In a drill: how far it has come."""


@dataclass(frozen=True)
class Reply:
    """What the customer says next. `ends` names the outcome when this line ends the call."""

    text: str
    line: str
    """Id of the authored line, such as "manager.1" or "story.POINT.2"."""
    level: int
    """Spoken anger, 0 calm to 5 shouting."""
    ends: Literal["", "resolved", "hung up", "manager", "drill over"] = ""


@dataclass(frozen=True)
class Reaction:
    """The customer's new mood, why it changed, and the line it leads to."""

    mood: Mood
    reply: Reply
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True)
class Moment:
    """Where a call begins in its middle: all that the customer and the judge remember just before a turn."""

    mood: Mood
    reply: Reply
    """The line that is answered; it is said again."""
    context: TurnContext
    """What the judge knew after the turn before, the moves of that turn in its history."""
    said: tuple[str, ...] = ()
    """What the customer has said since the turn before, the line that is answered included."""
    delivery: Delivery | None = None
    """How the turn before was said."""
    own: tuple[Observation, ...] = ()
    """Turns that were measured well, while there is no baseline."""
    patient: bool = False
    """The turn before announced a silence."""
    done: tuple[str, ...] = ()
    """Ids of the procedure's steps that were done before."""


# --- record ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Event:
    """One line of `events.jsonl`. `at` is the sample index at which it became true; `data` is plain JSON."""

    kind: str
    at: int
    data: Mapping[str, Any] = field(default_factory=dict)
