"""What a debrief says, as frozen values: `tell` makes them, the text and the page show them.

All times are seconds on the session clock (sample index of the recording over `SAMPLE_RATE_HZ`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voicecoach.judge.silence import GapVerdict, PauseVerdict, Silence
from voicecoach.measure.bargein import words_played
from voicecoach.nouns import CallInKind, Cause, Delivery, InKind, Observation, Worksheet
from voicecoach.report.desk import Desk

WHOLE_S = 0.1
"""A line that lacks less than this was heard to its end: sound comes in blocks of 32 ms."""

Who = Literal["trainee", "customer"]
Span = tuple[float, float]
"""(start, end) in seconds."""
Events = tuple[int, ...]
"""What something was told from: places in the session's events, counted from 0, in order."""


@dataclass(frozen=True)
class Mark:
    """A move or a fault in a turn. `start_s` to `end_s` is its place in the recording, the turn's where words had no times."""

    turn: int
    code: str
    kind: Literal["move", "fault"]
    outcome: str
    quote: str
    start: int
    end: int
    """Character offsets into the turn's text; equal where the quote is not found there."""
    start_s: float
    end_s: float
    source: str
    advice: str
    confidence: float
    rule: str = ""
    """The rule of `source` in words; empty where that is not known."""


@dataclass(frozen=True)
class CustomerLine:
    """A line of the customer. `end_s` is where it really ended, before `planned_end_s` when it was cut off."""

    id: str
    text: str
    start_s: float
    end_s: float
    planned_end_s: float
    level: int | None
    """Spoken anger, 0 calm to 5 shouting; None in a call that was not simulated."""
    voice: str
    observation: Observation | None = None
    events: Events = ()
    spoken: str | None = None
    """Where the trainee cut it off: the words that had been spoken, if they are on record."""

    @property
    def heard(self) -> str:
        """Of `text` what was heard: all of it, unless the trainee or the end of the call cut it off."""
        if self.spoken is not None:
            return self.spoken
        if self.planned_end_s - self.end_s < WHOLE_S:
            return self.text
        return words_played(self.text, (self.end_s - self.start_s) / (self.planned_end_s - self.start_s))

    @property
    def shown(self) -> str:
        """What was heard, with "…" for a rest that was not."""
        return self.text if self.heard.split() == self.text.split() else f"{self.heard} …".strip()


@dataclass(frozen=True)
class AfterCue:
    """What was measured after a live cue. `came_back` is None where that cannot be told; never that the cue caused it."""

    cue: str
    came_back: bool | None
    told: str
    """The same as a phrase, with its numbers."""


@dataclass(frozen=True)
class Waiting:
    """How long the customer waited for a turn and how it paused: each verdict with its number beside the threshold."""

    gap: GapVerdict
    gap_told: str
    pauses: PauseVerdict
    pauses_told: str


@dataclass(frozen=True)
class ReportTurn:
    """An utterance of the trainee with its verdicts; `observation` or `delivery` is None where there is none on record."""

    number: int
    text: str
    start_s: float
    end_s: float
    speech: tuple[Span, ...]
    overlap: tuple[Span, ...]
    model: str
    """What heard the words."""
    marks: tuple[Mark, ...]
    delivery: Delivery | None
    observation: Observation | None
    cues: tuple[str, ...] = ()
    """What the screen whispered to the trainee at this turn."""
    after_cues: tuple[AfterCue, ...] = ()
    """What came after each of them."""
    in_kind: InKind | None = None
    """The voice against the customer's last line; None where the record does not tell how heated that was."""
    waiting: Waiting | None = None
    """None where nothing was measured, and after a verbal nod."""
    events: Events = ()


@dataclass(frozen=True)
class AngerStep:
    """The customer's anger (0 to 5) from `at_s` on, and why it changed there."""

    at_s: float
    before: float
    after: float
    turn: int | None
    """The turn that it answers; None for the opening and for silence."""
    why: Literal["opening", "turn", "silence", "cut in"]
    causes: tuple[Cause, ...] = ()
    met: tuple[str, ...] = ()
    """The customer's needs that are met from here on."""
    events: Events = ()


@dataclass(frozen=True)
class Interruption:
    """One speaker cut into the other's words; `by` says who did. `played_s` of the cut line had been heard."""

    by: Who
    start_s: float
    end_s: float
    line: str
    played_s: float | None
    stopped: bool
    words: str | None = None
    """Of the cut line, the words that had been spoken; None in older records, which do not say."""
    together: bool = False
    """Both had begun at the same time: nobody has interrupted."""
    events: Events = ()


@dataclass(frozen=True)
class MachineFault:
    """Something that the machine, not the trainee, did wrong."""

    at_s: float
    what: str
    do: str
    detail: str
    events: Events = ()


@dataclass(frozen=True)
class Note:
    """A note that the trainee took during the call."""

    at_s: float
    text: str
    events: Events = ()


@dataclass(frozen=True)
class Point:
    """One thing done well, or one to work on. Without a place in the recording, `start_s` and `end_s` are None."""

    title: str
    quote: str
    evidence: str
    advice: str
    source: str
    turn: int | None
    start_s: float | None
    end_s: float | None
    certain: bool = True
    """False for what is only worth a listen."""
    rule: str = ""
    """The rule of `source` in words."""
    events: Events = ()


@dataclass(frozen=True)
class Feeling:
    """What the customer felt, in the first person, and at which words; without a place, it was never felt."""

    say: str
    start_s: float | None
    end_s: float | None
    turn: int | None
    quote: str
    events: Events = ()


@dataclass(frozen=True)
class StepQuote:
    """Words that show a step of the procedure."""

    turn: int
    code: str
    quote: str
    start_s: float
    end_s: float
    certain: bool


@dataclass(frozen=True)
class StepRemark:
    """What else is to be said of a step: out of order, too early, waited or not; with its place if it has one."""

    kind: str
    say: str
    turn: int | None = None
    quote: str = ""
    start_s: float | None = None
    end_s: float | None = None


@dataclass(frozen=True)
class Moment:
    """A place in the recording with the words that are heard there, and whose they are."""

    who: Who
    quote: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class StepLine:
    """One step of the chosen procedure and what was heard of it."""

    id: str
    name: str
    rule: str
    source: str
    outcome: str
    quotes: tuple[StepQuote, ...]
    remarks: tuple[StepRemark, ...] = ()
    looked_for: str = ""
    """What would have shown the step, in words; empty where it was heard."""
    could: str = ""
    """What could have been said and when, in a sentence; empty where the step was heard or nobody spoke."""
    moment: Moment | None = None
    """Where that was."""
    marked: str = ""
    """The outcome that follows from the trainer's marks on moves and faults, where it is another; else empty."""


@dataclass(frozen=True)
class CycleStep:
    """One step in one round of the procedure; without `quote` it was not heard in that round."""

    name: str
    quote: StepQuote | None


@dataclass(frozen=True)
class CycleLine:
    """One round through the steps that begin again when the customer is not satisfied."""

    number: int
    why: str
    said: str
    """What the customer said that began it."""
    steps: tuple[CycleStep, ...]


@dataclass(frozen=True)
class Quote:
    """Words of the trainee with their place; `certain` is False where the judge is not sure of them."""

    turn: int
    text: str
    start_s: float
    end_s: float
    certain: bool = True


@dataclass(frozen=True)
class Action:
    """An action that was offered: what, who, by when and how it is followed up, in the trainee's own words or blank."""

    what: tuple[Quote, ...]
    who: tuple[Quote, ...]
    when: tuple[Quote, ...]
    follow_up: tuple[Quote, ...]
    answer: str
    """What the customer said to it."""


@dataclass(frozen=True)
class Limit:
    """One phrase of the worksheet with the promises that share its words."""

    phrase: str
    promised: tuple[Quote, ...]


@dataclass(frozen=True)
class WorksheetLine:
    """The worksheet of the call against what was promised in it."""

    filled: str
    """"done", "skipped", or empty where only the scenario's own brief is known."""
    sheet: Worksheet
    can: tuple[Limit, ...]
    cannot: tuple[Limit, ...]
    beyond: tuple[Quote, ...]
    """Promises that the judge marked as more than can be kept."""


@dataclass(frozen=True)
class Preparation:
    """What was done around the call: worksheet, breath, and the pause after the call before."""

    worksheet: WorksheetLine | None
    focus: str
    recovery: str
    """As recorded, "done" or "skipped"; empty where nothing is."""


@dataclass(frozen=True)
class CurvePoint:
    """One measured value, held from `start_s` to `end_s` of the utterance it was measured in."""

    who: Who
    start_s: float
    end_s: float
    value: float
    events: Events = ()


@dataclass(frozen=True)
class Curve:
    """One measure over the call, both voices on one scale; `baseline` is the trainee's calm voice."""

    id: str
    name: str
    unit: str
    points: tuple[CurvePoint, ...]
    baseline: float | None = None


@dataclass(frozen=True)
class DrillRound:
    """One marked turn of a drill, at a level of anger from 0 to 5."""

    turn: int
    level: int
    verdict: str
    """passed, not yet or unsure."""
    why: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Latency:
    """Time of one part of the machine's answer, over `count` turns: its median, and what 95 % of them stay under."""

    id: str
    median_ms: float
    count: int
    p95_ms: float | None = None
    events: Events = ()


@dataclass(frozen=True)
class Report:
    """The whole debrief of one session."""

    name: str
    persona: str
    trainee: str
    procedure: str
    wall: str
    """Date and time as the session wrote it down."""
    duration_s: float
    outcome: str
    why: str
    well: tuple[Point, ...]
    work: tuple[Point, ...]
    lines: tuple[CustomerLine, ...]
    turns: tuple[ReportTurn, ...]
    anger: tuple[AngerStep, ...]
    steps: tuple[StepLine, ...]
    cycles: tuple[CycleLine, ...]
    actions: tuple[Action, ...]
    """What was agreed, as far as the trainee's own words tell; the last round of offers."""
    action_draft: str
    """The record of the agreed action as text to copy; blanks are blanks."""
    referral_draft: str
    """The written account for a referral as text to copy; empty where none was heard."""
    preparation: Preparation
    degrees: tuple[str, ...]
    """The customer's degrees of anger in words, and warnings that the customer gave."""
    feelings: tuple[Feeling, ...]
    """The customer's view of the call; empty where the customer was not simulated, and for a drill."""
    calm: tuple[str, ...]
    """Advice where the trainee's effort climbed or the call was a hard one."""
    curves: tuple[Curve, ...]
    in_kind: CallInKind
    silences: tuple[Silence, ...]
    """Long silences that were the trainee's to fill: dead air, or explained because they had been announced."""
    interruptions: tuple[Interruption, ...]
    faults: tuple[MachineFault, ...]
    notes: tuple[Note, ...]
    latencies: tuple[Latency, ...]
    settings: tuple[tuple[str, str], ...]
    """(name, value) in the order to show them."""
    differences: tuple[str, ...]
    """Where today's judgement is not the live one, a sentence each."""
    problems: tuple[str, ...]
    rejudged: bool
    """True when the verdicts are today's, False when they are those of the call."""
    desk: Desk | None = None
    """The assignment, and what came back from the trainer; None where there is neither."""
    origin: str = ""
    """What the session is, where it is not a whole call: "Take 2 of turn 5 of ...", "Drill: ..."."""
    rounds: tuple[DrillRound, ...] = ()
    """The marks of a drill."""

    @property
    def timeline(self) -> tuple[CustomerLine | ReportTurn, ...]:
        """Both voices in the order in which they began to speak."""
        return tuple(
            sorted((*self.lines, *self.turns), key=lambda entry: (entry.start_s, isinstance(entry, ReportTurn)))
        )
