"""What stands around a call and what comes out of it: worksheet, drafts, degrees of anger, advice to stay calm."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.report.conftest import finding, observed
from voicecoach import judge, persona, prepare
from voicecoach.judge.procedures import load_procedure
from voicecoach.nouns import SAMPLE_RATE_HZ, Assessment, Delivery, Event, Finding, Mood, Observation
from voicecoach.persona import Persona
from voicecoach.record import to_json
from voicecoach.report.page import as_html
from voicecoach.report.tell import tell
from voicecoach.report.text import as_text
from voicecoach.report.values import Report

HOME = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def dana() -> Persona:
    return persona.load_persona(HOME / "personas" / "dana-printer.yaml")


def of(kind: str, time_s: float, **data: Any) -> Event:
    return Event(kind, round(time_s * SAMPLE_RATE_HZ), json.loads(to_json(data)))


def line(key: str, text: str, start_s: float, level: int = 3) -> Event:
    start = round(start_s * SAMPLE_RATE_HZ)
    return of("said", start_s, line=key, text=text, level=level, anger=float(level), voice="x", start=start,
              end=start + 2 * SAMPLE_RATE_HZ)  # fmt: skip


def turn(
    number: int, start_s: float, text: str, *marks: tuple[str, str], seen: Observation | None = None
) -> list[Event]:
    """A turn of 4 s whose live verdicts are `marks` (code, quote)."""
    end_s = start_s + 4.0
    found = tuple(finding(text, quote, code, start_s, end_s) for code, quote in marks)
    at = [round(t * SAMPLE_RATE_HZ) for t in (start_s, end_s)]
    return [
        of("spoke", end_s, turn=number, start=at[0], end=at[1], speech=[at], overlap=[]),
        of("heard", end_s, who="trainee", turn=number, text=text, words=[], model="m"),
        *([of("measured", end_s, who="trainee", turn=number, observation=seen)] if seen else []),
        of("assessed", end_s, turn=number, assessment=Assessment(found, Delivery("quiet", "slow"))),
    ]


def told(events: Sequence[Event], customer: Persona | None = None, procedure: str = "five-step-process") -> Report:
    steps = load_procedure(HOME / "assets" / "procedures" / f"{procedure}.yaml")
    return tell(list(events), name="x", persona=customer, procedure=steps, rules=None)


OFFER = "Our engineer will bring a new printer. He comes by ten tomorrow."


def offered() -> list[Event]:
    return [
        of("started", 0, wall="2026-11-21T14:05:09+00:00", persona={"name": "Dana"}),
        *turn(1, 1, OFFER, ("resolution", "Our engineer will bring a new printer"), ("res_who", "Our engineer will"),
              ("res_when", "by ten tomorrow")),
        line("accepted.1", "Fine.", 6),
        *turn(2, 9, "I will call you at noon.", ("follow_up", "I will call you at noon"), ("res_who", "I will"),
              ("res_when", "at noon")),
    ]  # fmt: skip


# --- the record of the agreed action -------------------------------------------------------------------


def test_the_agreed_action_is_in_the_trainees_own_words() -> None:
    """001.5: what, by whom and when; the promise to call back is its own, not the engineer's."""
    draft = told(offered()).action_draft

    assert draft.splitlines()[1:] == [
        "Customer: Dana",
        "Date: 2026-11-21 14:05",
        "What: “Our engineer will bring a new printer.” (0:01); “He comes by ten tomorrow.” (0:04)",
        "Who: “Our engineer will” (0:01)",
        "By when: “by ten tomorrow” (0:04)",
        "Follow-up: “I will call you at noon.” (0:09)",
        "The customer answered: “Fine.”",
    ]


def test_what_was_not_said_is_a_blank() -> None:
    """Never invented: neither who nor when, nor the customer's name."""
    text = "We will exchange the product."
    draft = told(turn(1, 1, text, ("resolution", "We will exchange the product"))).action_draft

    assert draft.count("________ (not said)") == 6
    assert "“We will exchange the product.”" in draft


def test_a_rejected_offer_is_not_what_was_agreed() -> None:
    """What the customer did not take is out; what was offered then is in. Without an offer there is no draft."""
    first = turn(1, 1, "I can give you a coupon.", ("resolution", "I can give you a coupon"))
    second = turn(2, 9, "Then I will refund it.", ("resolution", "Then I will refund it"))

    both = told([*first, line("accepted.1", "Fine.", 6), *second]).action_draft
    rejected = told([*first, line("vague.1", "That is not an answer.", 6), *second]).action_draft

    assert "coupon" in both
    assert "Offer 2" in both
    assert "coupon" not in rejected
    assert "refund" in rejected
    assert told(turn(1, 1, "I see.", ("verbal_nod", "I see"))).action_draft == ""


def test_an_offer_made_too_early_is_no_agreement() -> None:
    """Words that are the fault of a premature solution are not what was agreed."""
    text = "I will just send you paper."
    found = (
        finding(text, text[:-1], "resolution", 1, 5),
        finding(text, text[:-1], "premature_solution", 1, 5, outcome="shown"),
    )
    events = turn(1, 1, text)[:-1]
    events.append(of("assessed", 5, turn=1, assessment=Assessment(found, Delivery("quiet", "slow"))))

    assert told(events).action_draft == ""


@pytest.mark.parametrize(
    ("text", "found", "whole"),
    [
        ("Right. I will refund you $49.99 by Friday. Bye.", "refund you $49.99 by Friday", "I will refund you $49.99 by Friday."),
        ("Good. Mr. Lee will call at 10 a.m. tomorrow. Bye.", "Lee will call", "Mr. Lee will call at 10 a.m. tomorrow."),
        ("I will send it by 10:30 p.m. We can talk then.", "I will send it", "I will send it by 10:30 p.m."),
        ("I will send it to No. 5, Elm St. in York! Bye.", "I will send it", "I will send it to No. 5, Elm St. in York!"),
        ("Fine. I will refund it. On Friday. All right?", "I will refund it. On Friday", "I will refund it. On Friday."),
        ("Would a refund of 1,000.50 help you? It is yours.", "a refund", "Would a refund of 1,000.50 help you?"),
        ("i will refund you 49.99 by friday", "refund you", "i will refund you 49.99 by friday"),
    ],
)  # fmt: skip
def test_an_offer_is_copied_whole(text: str, found: str, whole: str) -> None:
    """Amounts, hours, titles and numbers have full stops that end no sentence; and a sentence holds all of its mark."""
    draft = told(turn(1, 1, text, ("resolution", found))).action_draft

    assert f"What: “{whole}” (" in draft


# --- the written account -------------------------------------------------------------------------------


def test_a_referral_gets_its_written_account() -> None:
    """001.6: the issue, and what has been said and agreed; the customer's own words, and the notes."""
    why = "I will pass you to Ms. Quist because she can approve a refund"
    events = [
        line("story.a.1", "My heater failed.", 0.5),
        *turn(1, 4, "So your heater failed.", ("restate_facts", "So your heater failed")),
        *turn(2, 10, f"{why}.", ("referral", why)),
        of("note", 15, text="Heater, order 17"),
    ]
    draft = told(events).referral_draft

    assert f"Referred to, and why: “{why}” (0:10)" in draft
    assert "0:00 “My heater failed.”" in draft
    assert "What you said back: “So your heater failed” (0:04)" in draft
    assert "Heater, order 17" in draft
    assert told(offered()).referral_draft == ""


# --- the worksheet -------------------------------------------------------------------------------------


def test_the_worksheet_stands_against_the_promises(dana: Persona) -> None:
    """000.1 and 000.4: what could be offered and was, and what could not be and was."""
    text = "I will refund the printer to you. Our engineer will come tomorrow morning."
    events = turn(1, 1, text, ("resolution", "I will refund the printer"), ("resolution", "Our engineer will come"))

    report = told(events, dana)
    sheet = report.preparation.worksheet

    assert sheet is not None
    assert sheet.filled == ""
    limits = {limit.phrase: [quote.text for quote in limit.promised] for limit in (*sheet.can, *sheet.cannot)}
    assert limits["a refund of the printer"] == ["I will refund the printer to you."]
    assert limits["an engineer tomorrow morning"] == ["Our engineer will come tomorrow morning."]
    assert limits["pay for the lost morning"] == []
    assert limits["an engineer today"] == []


def test_the_trainees_own_worksheet_is_shown(dana: Persona) -> None:
    """As typed, instead of the scenario's; a skipped one leaves the scenario's, and says so."""
    typed = of(
        "worksheet", 0, outcome="done", goal="Stay calm <b>", can=["a coupon"], cannot=[], problems=[], win_wins=[]
    )
    done, skipped = told([typed, *offered()], dana), told([of("worksheet", 0, outcome="skipped"), *offered()], dana)

    assert done.steps[0].outcome == "done"
    assert skipped.steps[0].outcome == "not heard"
    assert done.preparation.worksheet is not None
    assert done.preparation.worksheet.sheet.goal == "Stay calm <b>"
    assert "Stay calm &lt;b&gt;" in as_html(done, None, None)
    assert "You skipped the worksheet" in as_text(skipped)
    assert dana.brief.goal in " ".join(as_text(skipped).split())


@pytest.mark.parametrize("data", [{}, {"outcome": 7}, {"outcome": "done", "goal": 3, "can": "x"}, {"outcome": "done", "can": [1, "a\x1b"]}])  # fmt: skip
def test_odd_worksheets_break_nothing(data: dict[str, Any]) -> None:
    """Whatever is on record of it."""
    report = told([of("worksheet", 0, **data), of("focus", 0, outcome=[1]), *offered()])

    assert "\x1b" not in as_text(report)
    assert as_html(report, None, None)


def test_what_was_not_heard_of_an_answer_is_not_in_the_draft() -> None:
    """Who speaks over the answer has not been told the rest of it, so nobody can put it on record."""

    def draft(**words: str) -> str:
        start, end = (round(time_s * SAMPLE_RATE_HZ) for time_s in (8.55, 8.6))
        events = [
            line("opening.1", "I want my paper.", 0.5),
            *turn(1, 3, "I will send paper by Friday.", ("resolution", "I will send paper")),
            line("accepted.1", "Friday is fine, thank you very much indeed.", 8),
            of("interrupted", 8.7, by="trainee", line="accepted.1", start=start, end=end, played_s=0.55, stopped=True, **words),
            *turn(2, 8.55, "And one more thing."),
        ]  # fmt: skip
        return told(events).action_draft

    assert "The customer answered: “Friday is …”" in draft()
    assert "The customer answered: “Friday is fine, …”" in draft(words="Friday is fine,")


def test_the_draft_of_a_recorded_call_bears_no_day_and_no_name() -> None:
    """Only the day of the review is on record, and nobody's name."""
    started = of("started", 0, mode="review", wall="2026-11-22T10:00:00+00:00", persona={"id": "", "name": "Customer"})
    said = turn(1, 3, "I will send paper by Friday.", ("resolution", "I will send paper"))
    report = told([started, line("customer.1", "I want my paper.", 0.5), *said])

    assert "Customer: ________ (not said)\nDate: ________ (not said)\n" in report.action_draft
    assert "reviewed 2026-11-22 10:00" in as_text(report)
    assert "reviewed" not in as_text(told([line("opening.1", "I want my paper.", 0.5), *said]))


# --- anger and calm ------------------------------------------------------------------------------------


def reacted(time_s: float, number: int, anger: float) -> Event:
    return of("reacted", time_s, turn=number, mood=Mood(anger, "VENT"), causes=[], line="x")


def test_degrees_of_anger_in_words() -> None:
    """002, slides 16 to 20: from the inconvenience to irate, with the one more chance and somebody else."""
    events = [
        line("opening.1", "I have had to wait.", 0.5, level=1),
        *turn(1, 3, "Yes."),
        reacted(8, 1, 3.2),
        line("repeated.1", "You're not listening. Let me say it again.", 8),
        *turn(2, 11, "Calm down."),
        reacted(16, 2, 4.7),
        line("manager.1", "I want to speak to your manager.", 16, level=5),
    ]
    degrees = told(events).degrees

    assert degrees[0] == "The customer was describing the inconvenience (0:00), then angry (0:08), then irate (0:16)."
    assert degrees[1].startswith("At 0:08 the customer said that you were not listening: that is one more chance")
    assert degrees[2].startswith("At 0:16 the customer asked for somebody else")
    assert told(offered()).degrees == ("The customer was angry (0:06).",)


@pytest.mark.parametrize(
    "said",
    [
        "Sorry, let me say that again: four, four, seven.",
        "The manager of your shop in Leeds sold it to me.",
        "I run a bakery. I'm the manager there.",
        "I don't want your manager, I want my money.",
        "Yesterday I had to speak to a manager, and he hung up.",
        "And then somebody else came, without the part.",
    ],
)
def test_a_customer_who_speaks_of_a_manager_has_not_asked_for_one(said: str) -> None:
    """And who repeats a number has not said that nobody listens."""
    assert len(told([line("customer.1", said, 0.5, level=1), *turn(1, 5, "Yes.")]).degrees) == 1


@pytest.mark.parametrize(
    "said",
    [
        "Get me your manager!", "I'd like your manager, please.", "Could I speak to your manager, please?",
        "Can I talk to somebody else?", "Put me through to a supervisor.", "It won’t do. I want to see the boss.",
        "This is why I asked for your manager!", "No, I've had enough, get me your manager.",
    ],
)  # fmt: skip
def test_a_customer_who_asks_for_a_manager_is_heard(said: str) -> None:
    _, degree = told([line("customer.1", said, 0.5, level=1), *turn(1, 5, "Yes.")]).degrees

    assert degree.startswith("At 0:00 the customer asked for somebody else")


def test_what_every_customer_says_to_get_a_manager_is_heard_by_its_words() -> None:
    """As a person on a recording would have said it, whose lines have no key."""
    for name in prepare.names("personas"):
        for asked in prepare.choose_persona(name)[0].lines["manager"]:
            _, degree = told([line("customer.1", asked.say, 0.5, level=1)]).degrees
            assert "asked for somebody else" in degree, asked.say


def test_a_few_words_are_no_climb() -> None:
    """In under six words up to +4 dB say nothing of loudness, so nothing is said of a climb (docs/delivery.md, section 5)."""

    def calm(effort_db: float, wpm: float) -> tuple[str, ...]:
        return told(turn(1, 1.0, "Yes, I do.", seen=observed(4, 120, effort_db, wpm))).calm

    assert calm(3.5, 60) == ()
    assert len(calm(4.5, 60)) == len(calm(3.5, 140)) == 1


def test_a_breath_is_offered_when_the_effort_climbs() -> None:
    """002 slide 31; a steady voice gets no such advice, and a hard call gets a pause."""
    climbing = [event for n, db in ((1, 0.5), (2, 1.0), (3, 6.5)) for event in turn(n, 10.0 * n, "Yes, I do.", seen=observed(4, 120, db, 140))]  # fmt: skip
    steady = [event for n in (1, 2, 3) for event in turn(n, 10.0 * n, "Yes, I do.", seen=observed(4, 120, 1.0, 140))]

    (advice,) = told(climbing).calm

    assert "from 0.0 to +6.5 dB over your calm voice at turn 3 (0:30)" in advice
    assert told(steady).calm == ()
    assert told([*steady, of("ended", 50, outcome="hung up")]).calm == (
        "That was a hard call. Take the time you need before the next one (002 slide 34).",
    )


# --- rounds --------------------------------------------------------------------------------------------


def test_rounds_follow_the_customers_lines() -> None:
    """000: a rejected solution begins the round again; a new point of the story does too; a yes does not."""
    first = turn(
        1, 1, "I am sorry. I will send paper.", ("apologise", "I am sorry"), ("resolution", "I will send paper")
    )
    again = turn(2, 9, "I am sorry.", ("apologise", "I am sorry"))

    def rounds(key: str, text: str = "x") -> list[str]:
        return [cycle.why for cycle in told([*first, line(key, text, 6), *again]).cycles]

    assert rounds("vague.1") == ["", "the customer did not take the solution"]
    assert rounds("story.labels.1") == ["", "the customer brought something new"]
    assert rounds("accepted.1") == [""]
    assert rounds("need.when.1") == [""]


def test_limits_reach_the_judge(dana: Persona, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge of moves is told what the scenario does not allow, in every report again."""
    seen = []

    def assess(text: str, words: Any, observation: Any, context: Any, *_: Any) -> Assessment:
        seen.append((context.cannot, context.can))
        return Assessment((Finding("apologise", "move", "done", "x", 0, 1, 0.9, "001.4"),), Delivery("quiet", "slow"))

    monkeypatch.setattr(judge, "assess", assess)
    tell(offered(), name="x", persona=dana, procedure=None, rules=judge.load_rules(HOME / "assets"))
    tell(offered(), name="x", persona=None, procedure=None, rules=judge.load_rules(HOME / "assets"))

    assert seen == [(dana.brief.cannot, dana.brief.can)] * 2 + [((), ())] * 2
    assert replace(dana.brief, cannot=()) != dana.brief
