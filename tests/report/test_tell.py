"""The debrief says what the events say, judged again by today's rules, and survives any record."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from html import escape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voicecoach import RULES_VERSION, judge, persona, prepare
from voicecoach.judge import Rules
from voicecoach.judge.context import next_context, talked_over_s
from voicecoach.nouns import (
    F0,
    SAMPLE_RATE_HZ,
    Assessment,
    Cause,
    Delivery,
    Event,
    Finding,
    InKind,
    Mood,
    Observation,
    Procedure,
    Rate,
    TurnContext,
)
from voicecoach.persona import Persona
from voicecoach.record import to_json
from voicecoach.report import points
from voicecoach.report.facts import gather
from voicecoach.report.page import as_html
from voicecoach.report.tell import tell
from voicecoach.report.text import as_text
from voicecoach.report.values import AngerStep, CustomerLine, Mark, Report, ReportTurn

HOME = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def rules() -> Rules:
    return judge.load_rules(HOME / "assets")


@pytest.fixture(scope="module")
def dana() -> Persona:
    return persona.load_persona(HOME / "personas" / "dana-printer.yaml")


def of(kind: str, time_s: float, **data: Any) -> Event:
    import json

    return Event(kind, round(time_s * SAMPLE_RATE_HZ), json.loads(to_json(data)))


# --- facts -------------------------------------------------------------------------------------------


def test_header_is_what_the_session_wrote_down(report: Report) -> None:
    """Persona, time, length, outcome and reason come from the record."""
    assert (report.persona, report.trainee, report.wall) == ("Dana", "Sam", "2026-11-21T14:05:09+00:00")
    assert report.duration_s == pytest.approx(105.2)
    assert (report.outcome, report.why) == ("resolved", "Dana accepted the solution.")


def test_timeline_is_in_order_of_speaking(report: Report) -> None:
    """Both voices stand in the order in which they began, the customer first."""
    starts = [entry.start_s for entry in report.timeline]

    assert starts == sorted(starts)
    assert isinstance(report.timeline[0], CustomerLine)
    assert [turn.number for turn in report.turns] == list(range(1, 9))


def test_cut_line_ends_where_it_was_stopped(report: Report) -> None:
    """A line that the trainee stopped ends with the interruption, not as planned."""
    cut = next(line for line in report.lines if line.id == "story.no-show.1")

    assert cut.end_s == pytest.approx(25.9)
    assert cut.planned_end_s == pytest.approx(27.0)
    assert cut.shown.startswith("And then your engineer was supposed to come Tuesday")
    assert cut.shown.endswith(" …")
    assert "Nobody came" not in cut.shown


def test_a_call_that_ended_in_the_middle_of_a_line_is_no_longer_than_it_was() -> None:
    """The line ends where the call did, and says so; what lacks less than a few blocks was heard whole."""
    line = {"line": "a", "text": "And another thing.", "voice": "v", "level": 3}
    said = of("said", 30, **line, start=29 * SAMPLE_RATE_HZ, end=41 * SAMPLE_RATE_HZ)
    whole = of("said", 30, **line, start=29 * SAMPLE_RATE_HZ, end=round(30.05 * SAMPLE_RATE_HZ))
    ended = of("ended", 30, outcome="stopped", why="")
    cut, heard, torn = (
        tell(events, name="", persona=None, procedure=None, rules=None)
        for events in ([said, ended], [whole, ended], [said])
    )

    assert (cut.duration_s, cut.lines[0].end_s, cut.lines[0].planned_end_s) == (30.0, 30.0, 41.0)
    assert (cut.lines[0].shown, heard.lines[0].shown) == ("…", "And another thing.")
    assert "[cut off after 1.0 s]" in " ".join(as_text(cut).split())
    assert "Cut off after 1.0 s." in as_html(cut, None, None)
    assert "cut off" not in as_text(heard)
    assert torn.lines[0].end_s == 41.0


def test_every_mark_has_its_place_in_the_recording(report: Report) -> None:
    """A mark's quote is in its turn's text, and its time inside the turn."""
    for turn in report.turns:
        for mark in turn.marks:
            assert turn.text[mark.start : mark.end] == mark.quote
            assert turn.start_s <= mark.start_s < mark.end_s <= turn.end_s


def test_mark_without_word_times_plays_the_whole_turn() -> None:
    """Where words had no times, the turn is what can be heard."""
    found = Finding("apologise", "move", "done", "sorry", 0, 5, 0.9, "001.4")
    said = Assessment((found,), Delivery("quiet", "slow"))
    events = [
        of("spoke", 9, turn=1, start=16000, end=48000, speech=[], overlap=[]),
        of("heard", 9, turn=1, text="sorry", words=[], model="m", who="trainee"),
        of("assessed", 9, turn=1, assessment=said),
    ]

    (turn,) = tell(events, name="", persona=None, procedure=None, rules=None).turns

    assert (turn.marks[0].start_s, turn.marks[0].end_s) == (1.0, 3.0)


def test_later_hearing_of_a_turn_counts(call: Sequence[Event]) -> None:
    """A careful pass after the call replaces the words of a turn."""
    again = of(
        "heard", 106, who="trainee", turn=8, text="I will call you at half past eleven.", words=[], model="base.en"
    )

    report = tell([*call, again], name="", persona=None, procedure=None, rules=None)

    assert report.turns[7].text == "I will call you at half past eleven."
    assert report.turns[7].model == "base.en"


def test_curves_hold_both_voices_and_the_baseline(report: Report) -> None:
    """Pitch has values of both; effort only the trainee's; what was not measured is absent."""
    curves = {curve.id: curve for curve in report.curves}

    assert {point.who for point in curves["f0_hz"].points} == {"trainee", "customer"}
    assert {point.who for point in curves["effort_db"].points} == {"trainee"}
    assert curves["f0_hz"].baseline == 118.0
    assert len([point for point in curves["f0_hz"].points if point.who == "trainee"]) == 7


def test_latency_is_the_median(report: Report) -> None:
    """Medians over the turns, in milliseconds, in the order of happening."""
    assert [latency.id for latency in report.latencies] == ["endpoint", "recognise", "judge", "voice"]
    assert report.latencies[0].median_ms == pytest.approx(704.5)
    assert report.latencies[0].p95_ms == pytest.approx(707.65)


def test_a_turn_heard_again_has_the_later_words() -> None:
    """The debrief goes by the careful pass; what the customer had answered to is kept where the words differ."""
    heard = {"who": "trainee", "turn": 1, "model": "tiny.en"}
    facts = gather(
        [
            Event("spoke", 16000, {"turn": 1, "start": 0, "end": 16000, "speech": [[0, 16000]]}),
            Event("heard", 16000, {**heard, "text": "It is our fold.", "words": []}),
            Event(
                "heard",
                32000,
                {
                    **heard,
                    "text": "It is our fault.",
                    "words": [{"text": "It", "start_s": 0.1, "end_s": 0.2, "probability": 0.9}],
                    "again": True,
                },
            ),
        ]
    )
    (turn,) = facts.turns

    assert turn.heard is not None
    assert (turn.heard.text, len(turn.heard.words)) == ("It is our fault.", 1)
    assert turn.reacted_to == "It is our fold."
    assert facts.spoke == ((0, 1),)


@pytest.mark.parametrize(
    ("patience", "shown"),
    [
        ({"name": "normal", "finished_s": 0.5, "unfinished_s": 1.2}, "normal, 0.5 s of silence, 1.2 s after words"),
        ({"name": "", "finished_s": 0.8, "unfinished_s": 1.5}, "0.8 s of silence"),
        ({"finished_s": "soon"}, ""),
        ("normal", ""),
        (None, ""),
    ],
)
def test_settings_name_the_patience(patience: Any, shown: str) -> None:
    """What the trainer had set, as far as the record can be read."""
    report = tell([Event("started", 0, {"patience": patience})], name="", persona=None, procedure=None, rules=None)
    found = dict(report.settings).get("Patience", "")

    assert found.startswith(shown)
    assert bool(found) is bool(shown)


def test_settings_name_models_with_hashes(report: Report) -> None:
    """Models, hashes, devices and the rules' version can be read."""
    shown = dict(report.settings)

    assert "sha256 0123456789abcdef" in shown["Recogniser"]
    assert "Headset USB" in shown["Sound"]
    assert shown["Rules in the call"] == "2026.11.1"
    assert "verdicts of the call" in shown["Rules of this report"]


def test_recorded_call_has_a_customer_without_anger() -> None:
    """A reviewed recording has no simulated customer: its words are heard, its anger is not known."""
    events = [
        of("heard", 3, who="customer", turn=1, text="Hello?", words=[{"text": "Hello?", "start_s": 1, "end_s": 2, "probability": 1}], model="m"),
        of("ended", 5, outcome="", why=""),
    ]  # fmt: skip

    report = tell(events, name="", persona=None, procedure=None, rules=None)

    assert [(line.text, line.level, line.start_s) for line in report.lines] == [("Hello?", None, 1.0)]
    assert report.anger == ()


# --- judged again ------------------------------------------------------------------------------------


def live(dana: Persona, rules: Rules, texts: Sequence[str], overlap_s: float = 0.0) -> list[Event]:
    """A call as the live loop writes it, by the real judge and the real customer."""
    now, reaction = 1.0, persona.begin(dana, 3)
    brief = dana.brief
    context = TurnContext(customer_name=dana.full_name, cannot=brief.cannot, can=brief.can)
    previous: Assessment | None = None
    said: list[str] = []
    events = [of("started", 0, persona={"name": dana.name}, seed=3, rules="2026.11.1")]

    def speak() -> None:
        reply = reaction.reply
        said.append(reply.text)
        span = {"start": round(now * SAMPLE_RATE_HZ), "end": round((now + 2) * SAMPLE_RATE_HZ)}
        events.append(
            of(
                "said",
                now,
                line=reply.line,
                text=reply.text,
                level=reply.level,
                anger=reaction.mood.anger,
                voice="v",
                **span,
            )
        )

    speak()
    for number, text in enumerate(texts, 1):
        now += 3
        at, to = round(now * SAMPLE_RATE_HZ), round((now + 2) * SAMPLE_RATE_HZ)
        over = [(at, at + round(overlap_s * SAMPLE_RATE_HZ))] if overlap_s else []
        if text:
            context = next_context(
                context,
                previous,
                customer_said=" ".join(said),
                customer_finished=not persona.has_more_to_tell(dana, reaction.mood),
                overlap_s=overlap_s,
            )
            said.clear()
            spoken = previous.delivery if previous else None
            previous = judge.assess(text, (), None, context, rules, spoken)
            reaction = persona.react(dana, reaction.mood, previous, text)
            events.append(of("spoke", now + 2, turn=number, start=at, end=to, speech=[(at, to)], overlap=over))
            events.append(of("heard", now + 2, who="trainee", turn=number, text=text, words=[], model="m"))
            events.append(of("assessed", now + 2, turn=number, assessment=previous))
        else:
            reaction = persona.react_to_silence(dana, reaction.mood)
        turn = number if text else None
        events.append(
            of("reacted", now + 2, turn=turn, mood=reaction.mood, causes=[asdict(c) for c in reaction.causes], line="")
        )
        now += 3
        speak()
    return events


TEXTS = (
    "I'm so sorry that you had to wait for so long.",
    "Mm hmm.",
    "",
    "That must be really frustrating. So your printer jammed for the third time.",
    "Did you even read the manual?",
    "I will send you a new printer by ten tomorrow morning.",
)


def test_replay_equals_the_live_call(dana: Persona, rules: Rules) -> None:
    """By the same rules, every verdict and every anger comes out as it was live, silence included."""
    events = live(dana, rules, TEXTS, overlap_s=1.5)
    lived = tell(events, name="", persona=None, procedure=None, rules=None)

    again = tell(events, name="", persona=dana, procedure=None, rules=rules)

    assert again.differences == ()
    assert [step.after for step in again.anger] == pytest.approx([step.after for step in lived.anger])
    without_rules = [tuple(replace(mark, rule="") for mark in turn.marks) for turn in again.turns]
    assert without_rules == [tuple(replace(mark, rule="") for mark in turn.marks) for turn in lived.turns]
    assert all(mark.rule and mark.advice for turn in again.turns for mark in turn.marks)
    assert again.rejudged
    assert not lived.rejudged


def test_difference_from_the_live_verdict_is_said(dana: Persona, rules: Rules) -> None:
    """Where today's verdict or anger is another, one sentence a turn says so."""
    events = live(dana, rules, TEXTS[:1])
    events = [
        replace(e, data={**e.data, "assessment": to_plain(Assessment((), Delivery("raised", "unsure")))})
        if e.kind == "assessed"
        else replace(e, data={**e.data, "mood": to_plain(Mood(4.9, "VENT"))})
        if e.kind == "reacted"
        else e
        for e in events
    ]

    report = tell(events, name="", persona=dana, procedure=None, rules=rules)

    (sentence,) = report.differences
    assert sentence.startswith("Turn 1 is judged differently today: now “Apologised personally” (done)")
    assert "was with a raised voice, pace not certain" in sentence
    assert "was 4.9" in sentence


def test_words_that_were_heard_otherwise_are_told_with_the_difference(dana: Persona, rules: Rules) -> None:
    """The customer answered to what the quick pass heard: the debrief says to what, where the verdict is another."""
    events = live(dana, rules, ["You should have read the manual."])
    again = {"who": "trainee", "turn": 1, "text": "I am so sorry about that.", "words": [], "model": "x", "again": True}

    told = tell([*events, Event("heard", events[-1].at, again)], name="", persona=dana, procedure=None, rules=rules)
    same = {**again, "text": "you should have read the manual"}
    untold = tell([*events, Event("heard", events[-1].at, same)], name="", persona=dana, procedure=None, rules=rules)

    todays = [replace(events[0], data={**events[0].data, "rules": RULES_VERSION}), *events[1:]]
    ours = tell([*todays, Event("heard", events[-1].at, again)], name="", persona=dana, procedure=None, rules=rules)

    (sentence,) = told.differences
    assert sentence.startswith("Turn 1 is judged differently today: ")
    assert ours.differences == (sentence.replace("today", "by the careful hearing"),)
    assert "in the call the customer had heard “You should have read the manual.”" in sentence
    assert untold.differences == ()
    assert [turn.text for turn in told.turns] == ["I am so sorry about that."]


def to_plain(value: Any) -> Any:
    import json

    return json.loads(to_json(value))


def test_without_rules_the_live_verdicts_stand(dana: Persona, call: Sequence[Event], procedure: Procedure) -> None:
    """A persona alone does not make the anger today's: anger follows from verdicts."""
    report = tell(call, name="", persona=dana, procedure=procedure, rules=None)

    assert report.turns[2].marks[1].code == "blame_customer"
    assert [step.after for step in report.anger][:3] == [3.0, 2.6, 2.4]


def test_context_gathers_the_done_moves() -> None:
    """History is the moves that were done, oldest first; what the customer said last is kept."""
    done = Finding("apologise", "move", "done", "", 0, 0, 1.0, "")
    said = Assessment((done, replace(done, code="clarify", outcome="unsure")), Delivery("unsure", "unsure"))
    first = next_context(
        TurnContext(customer_name="Dana"), None, customer_said="No!", customer_finished=False, overlap_s=0.2
    )

    second = next_context(first, said, customer_said="", customer_finished=True, overlap_s=0.0)

    assert first == TurnContext("No!", "", "Dana", (), False, 0.2)
    assert second == TurnContext("No!", "", "Dana", ("apologise",), True, 0.0)


def test_the_story_grows_with_what_the_customer_says() -> None:
    """What was said before the last words stays known, so that it can be said back."""
    first = next_context(TurnContext(), None, customer_said="It broke.", customer_finished=False, overlap_s=0.0)
    second = next_context(first, None, customer_said="Nobody came.", customer_finished=True, overlap_s=0.0)

    assert (second.story, second.customer_said) == ("It broke.", "Nobody came.")


def test_beginning_together_is_no_interruption() -> None:
    """Overlap from the very start of a line is the trainee going on; overlap in the middle of it counts."""
    assert talked_over_s([(10.0, 11.0)], [9.8]) == 0.0
    assert talked_over_s([(12.0, 13.0)], [9.8]) == 1.0


# --- what to say first -------------------------------------------------------------------------------


def mark(code: str, turn: int = 1, outcome: str = "done") -> Mark:
    kind = "fault" if outcome in ("shown", "listen") else "move"
    return Mark(turn, code, kind, outcome, code, 0, 0, float(turn), turn + 1.0, "001.3", "", 0.9)  # type: ignore[arg-type]


def turn(number: int, *marks: Mark, delivery: Delivery | None = None) -> ReportTurn:
    return ReportTurn(number, "words", float(number), number + 1.0, (), (), "m", marks, delivery, None)


def step(turn: int, cue: str, delta: float) -> AngerStep:
    return AngerStep(float(turn), 3.0, 3.0 + delta, turn, "turn", (Cause(cue, delta, "because"),))


def test_what_calmed_the_customer_most_comes_first() -> None:
    """The effect in this very call outranks the general weight of a move."""
    turns = [turn(1, mark("empathise")), turn(2, mark("use_name", 2))]

    found = points.well(turns, [step(2, "use_name", -0.3), step(1, "empathise", -0.1)])

    assert [point.quote for point in found] == ["use_name", "empathise"]


def capped(turn: int, before: float, after: float, *causes: tuple[str, float]) -> AngerStep:
    """A step by its causes, with what the limits took as one more."""
    rest = after - before - sum(delta for _, delta in causes)
    told = tuple(Cause(cue, delta, "because") for cue, delta in (*causes, ("cap", rest)))
    return AngerStep(float(turn), before, after, turn, "turn", told)


def test_only_what_the_limits_left_is_said() -> None:
    """Ranked by what they would have done, told by what they did; at the bottom or the top, nothing is."""
    faults = [turn(1, mark("interrupt", outcome="shown"), mark("blame_customer", outcome="shown"))]
    moves = [turn(1, mark("apologise"), mark("empathise"))]

    rude = points.work(faults, [capped(1, 4.2, 5.0, ("interrupt", 0.4), ("blame_customer", 1.0), ("loud", 1.5))], ())
    kind = points.well(moves, [capped(1, 2.0, 2.0, ("apologise", -0.2), ("empathise", -0.6))])
    slow = points.well(moves, [capped(1, 3.0, 1.8, ("apologise", -0.5), ("empathise", -1.5), ("slow", -0.4))])

    assert [(point.quote, point.evidence) for point in rude] == [
        ("blame_customer", "The customer's anger rose by 0.3."),
        ("interrupt", "The customer's anger rose by 0.1."),
    ]
    assert [(point.quote, point.evidence) for point in kind] == [("empathise", ""), ("apologise", "")]
    assert [(point.quote, point.evidence) for point in slow] == [
        ("empathise", "The customer's anger fell by 0.8."),
        ("apologise", "The customer's anger fell by 0.2."),
    ]


def test_shared_out_the_causes_are_the_change(dana: Persona, rules: Rules) -> None:
    """After every turn and silence: what was felt of the causes adds up to how far the anger moved, none of it backwards."""
    rude = "Calm down. Did you even read the manual? I can't help you, that is our policy, and it is your own fault."
    events = live(dana, rules, (*TEXTS, rude, rude, rude), overlap_s=1.5)

    steps = tell(events, name="", persona=dana, procedure=None, rules=rules).anger

    assert sum(cause.cue == "cap" for step in steps for cause in step.causes) >= 3
    for one in steps:
        raw = {cause.cue: cause.delta for cause in one.causes}
        shared = points.felt(one).causes
        assert sum(cause.delta for cause in shared) == pytest.approx(one.after - one.before, abs=1e-6)
        assert all(0 <= cause.delta / raw[cause.cue] <= 1 for cause in shared)


def test_words_that_are_the_fault_are_not_praised() -> None:
    """A solution before the story is told is one to work on, and nothing else; what was said beside it stands."""
    early = [replace(one, end=20) for one in (mark("resolution"), mark("premature_solution", outcome="shown"))]
    said = turn(1, *early, replace(mark("apologise"), start=22, end=30))

    assert [point.quote for point in points.well([said], [step(1, "resolution", -0.8)])] == ["apologise"]
    assert [point.quote for point in points.work([said], [], ())] == ["premature_solution"]


def test_points_spread_over_turns() -> None:
    """The best of each turn stands before the second best of any."""
    turns = [turn(1, mark("empathise"), mark("restate_facts")), turn(2, mark("verbal_nod", 2))]

    assert [point.quote for point in points.well(turns, [])] == ["empathise", "verbal_nod", "restate_facts"]


def test_calm_voice_is_praised_only_when_it_held() -> None:
    """One raised turn, or a single measured one, and there is no praise for the voice."""
    quiet, raised = Delivery("quiet", "slow"), Delivery("raised", "slow")

    assert points.well([turn(1, delivery=quiet), turn(2, delivery=quiet)], [])[0].title.startswith("Spoke quietly")
    assert points.well([turn(1, delivery=quiet)], []) == ()
    assert points.well([turn(1, delivery=quiet), turn(2, delivery=raised)], []) == ()


def test_no_praise_for_the_voice_beside_a_turn_that_rushed() -> None:
    """Also where that turn's loudness could not be judged: nothing is both done well and to be worked on."""
    quiet, rushed = Delivery("quiet", "slow"), Delivery("unsure", "rushed")
    turns = [turn(1, delivery=quiet), turn(2, delivery=quiet), turn(3, delivery=rushed)]

    assert points.well(turns, []) == ()
    assert [point.title for point in points.work(turns, [], ())] == ["Rushed"]


def test_the_voice_was_calm_throughout_only_where_it_was_judged_throughout() -> None:
    """Two of three turns are not the whole call; a nod, which nobody can judge, is no gap."""
    calm = [turn(n, delivery=Delivery("quiet", "slow")) for n in (1, 2)]
    unknown, nod = turn(3), turn(4, mark("verbal_nod", 4))

    whole, part = (
        next(point for point in points.well([*calm, last], []) if "quietly" in point.title) for last in (nod, unknown)
    )

    assert whole.title == "Spoke quietly and slowly throughout"
    assert part.title == "Spoke quietly and slowly"
    assert part.evidence.startswith("2 of 3 turns could be judged, none of them raised or rushed.")


def test_against_the_own_first_turns_nobody_knows_whether_a_voice_was_quiet() -> None:
    """Who shouts from the first turn to the last has not risen, and that is all that is said."""
    calm = [turn(n, delivery=Delivery("quiet", "slow")) for n in (1, 2)]

    (point,) = points.well(calm, [], provisional=True)

    assert point.title == "Kept to the voice of your first turns"


def test_a_voice_that_matched_the_anger_is_not_praised_for_being_kept_down() -> None:
    """By its pitch and its pace a quiet voice can have done so: one of the two is told, not both."""
    brisk = Delivery("quiet", "brisk")
    turns = [turn(1, delivery=brisk), replace(against(2, "matched the anger"), delivery=brisk)]

    assert points.well(turns, []) == ()
    assert [point.title for point in points.work(turns, [], ())] == ["Matched the anger while the customer was furious"]


def flat(range_st: float) -> Observation:
    """A measured turn by its range of pitch alone."""
    return Observation(8, 8, 7, f0=F0(120, 100, 150, range_st, 4), rate=Rate(130, 4, 20, 28))


def test_a_monotone_is_never_praised_for_being_quiet() -> None:
    """Flat turns alone earn nothing; beside a natural one, that is the one to hear."""
    quiet = Delivery("quiet", "slow")
    dull = [replace(turn(n, delivery=quiet), observation=flat(3.0)) for n in (1, 2)]
    lively = replace(turn(3, delivery=quiet), observation=flat(8.0))

    assert points.well(dull, []) == ()
    assert points.well([*dull, lively], [])[0].turn == 3


def against(number: int, verdict: str, level: int = 4) -> ReportTurn:
    """A turn by its verdict against a customer of that level."""
    return replace(turn(number), in_kind=InKind(verdict, ("effort",), level=level))  # type: ignore[arg-type]


def test_holding_twice_is_praised_unless_the_anger_was_matched() -> None:
    """Two held turns and none that matched the anger; the most heated is the one to hear."""
    held = [against(1, "held", 3), against(2, "held", 5)]

    (point,) = points.well(held, [])
    assert (point.title, point.turn) == ("Held steady while the customer was shouting", 2)
    assert point.evidence == "2 of 2 turns after a heated line. Turn 2: effort."
    assert points.well(held[:1], []) == ()
    assert points.well([*held, against(3, "matched the anger")], []) == ()


def test_matched_anger_takes_the_place_of_the_strained_voice() -> None:
    """One point about the voice, not two about the same turn."""
    loud = replace(against(1, "matched the anger"), delivery=Delivery("raised", "rushed", (), "Softer."))

    (point,) = points.work([loud, against(2, "held")], [], ())

    assert point.title == "Matched the anger while the customer was furious"
    assert (point.advice, point.source) == ("Softer.", "001.3")
    assert point.evidence.startswith("1 of 2 turns after a heated line.")


def test_weak_evidence_is_only_worth_a_listen_and_comes_last() -> None:
    """A fault on weak evidence never stands before a strained voice, and is marked as uncertain."""
    turns = [turn(1, mark("insincere", outcome="listen"), delivery=Delivery("raised", "rushed"))]

    found = points.work(turns, [], ())

    assert [point.title for point in found] == ["Raised your voice and rushed", "May have sounded insincere"]
    assert [point.certain for point in found] == [True, False]


def test_never_more_than_three(report: Report) -> None:
    """Three of each at most, every one with its source; in the call, the voice has its place beside the faults."""
    assert len(report.well) == len(report.work) == 3
    assert all(point.source for point in (*report.well, *report.work))
    assert report.work[2].title == "Raised your voice and rushed"


# --- torn, edited and foreign records ----------------------------------------------------------------

TEXT = st.text(st.characters(), max_size=8)  # lone surrogates and control characters included
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(min_value=10**300) | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=4,
)


def spoil(draw: Any, value: Any) -> Any:
    """Replace one thing, somewhere inside `value`, with junk."""
    if isinstance(value, dict) and value and draw(st.integers(0, 5)):
        key = draw(st.sampled_from(sorted(value)))
        if not draw(st.integers(0, 5)):
            return {name: item for name, item in value.items() if name != key}
        return {**value, key: spoil(draw, value[key])}
    if isinstance(value, list) and value and draw(st.integers(0, 5)):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], spoil(draw, value[place]), *value[place + 1 :]]
    return draw(JUNK)


@st.composite
def spoilt(draw: Any, events: Sequence[Event]) -> list[Event]:
    """Some of the events, some of them damaged, some of them twice."""
    chosen = draw(st.lists(st.sampled_from(range(len(events))), min_size=1, max_size=14))
    result = []
    for place in chosen if draw(st.booleans()) else sorted(chosen):
        event = events[place]
        if draw(st.booleans()):
            data = spoil(draw, copy.deepcopy(dict(event.data)))
            at = draw(st.sampled_from([event.at, -5, 10**300]))
            event = Event(event.kind, at, data if isinstance(data, dict) else {})
        result.append(event)
    return result


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_record_makes_it_raise(
    data: st.DataObject, call: tuple[Event, ...], procedure: Procedure, dana: Persona, rules: Rules
) -> None:
    """Whatever is missing or damaged, there is a debrief, as text and as a page that can be saved."""
    events = data.draw(spoilt(call))
    judged = data.draw(st.booleans())

    report = tell(
        events, name="x", persona=dana if judged else None, procedure=procedure, rules=rules if judged else None
    )

    as_text(report).encode()
    as_html(report, None, "data:audio/wav;base64,").encode()


def test_empty_record_has_a_debrief() -> None:
    """Nothing on record is said, not hidden."""
    report = tell([], name="x", persona=None, procedure=None, rules=None, problems=("The beginning is missing.",))

    assert "! The beginning is missing." in as_text(report)
    assert "Nothing that was said is on record." in as_text(report)


# --- silence -----------------------------------------------------------------------------------------


def quiet_call(first: str, wait_s: float, *, customer: bool = True) -> Report:
    """A turn, the customer's "fine", and the next turn after so much silence; or without a customer on the recording."""
    from voicecoach import prepare

    def at(time_s: float) -> int:
        return round(time_s * SAMPLE_RATE_HZ)

    def spoke(turn: int, start_s: float, end_s: float, text: str, gap_s: float | None) -> list[Event]:
        seen = asdict(Observation(end_s - start_s, end_s - start_s, end_s - start_s, response_gap_s=gap_s))
        span = [at(start_s), at(end_s)]
        return [
            Event("spoke", span[1], {"turn": turn, "start": span[0], "end": span[1], "speech": [span], "overlap": []}),
            Event("heard", span[1], {"who": "trainee", "turn": turn, "text": text, "words": [], "model": "x"}),
            Event("measured", span[1], {"who": "trainee", "turn": turn, "observation": seen}),
        ]

    events = [
        Event("started", 0, {"sound": {"latency_s": 0.2}}),
        *spoke(1, 1.0, 4.0, first, None),
        *([Event("said", at(5), {"line": "a", "text": "Fine.", "start": at(5), "end": at(6), "level": 2})] * customer),
        *spoke(2, 6.2 + wait_s, 8.2 + wait_s, "There we are.", wait_s if customer else None),
    ]
    return tell(events, name="", persona=None, procedure=None, rules=prepare.rules())


def test_dead_air_is_told_with_its_time() -> None:
    told = quiet_call("I see.", 9.0)
    assert [(one.start_s, one.end_s, one.verdict) for one in told.silences] == [(6.2, 15.2, "dead air")]
    assert told.turns[1].waiting is not None
    assert told.turns[1].waiting.gap == "dead air"
    assert "0:06: 9.0 s of silence before turn 2: dead air" in as_text(told, 200)
    assert any(point.title == "Left the customer waiting" for point in told.work)
    assert "<h3>Silence</h3>" in as_html(told, None, None)
    assert ">dead air</span>" in as_html(told, None, None)


def test_announced_silence_is_not_held_against_anybody() -> None:
    told = quiet_call("Bear with me while I check that.", 9.0)
    assert told.turns[1].waiting is not None
    assert told.turns[1].waiting.gap == "explained"
    assert "you said so, so it is not held against you" in as_text(told, 200)
    assert "you said so, so it is not held against you" in as_html(told, None, None)
    assert not any(point.title == "Left the customer waiting" for point in told.work)


def test_longer_than_announced_is_dead_air_again() -> None:
    told = quiet_call("Bear with me while I check that.", 26.0)
    assert "20 s of it you had announced, the 6.0 s beyond are dead air" in as_text(told, 200)
    (point,) = [point for point in told.work if point.title == "Left the customer waiting"]
    assert "26.0 s of silence before turn 2, 20 s of it announced" in point.evidence


@pytest.mark.parametrize("first", ["I see.", "Bear with me while I check that."])
def test_where_no_customer_is_on_record_nobody_was_kept_waiting(first: str) -> None:
    """A recording of the agent alone: in what is silence there, the customer may have talked for a minute."""
    told = quiet_call(first, 60.0, customer=False)

    assert told.silences == ()
    assert "s of silence" not in as_text(told, 200)
    assert not any(point.title == "Left the customer waiting" for point in told.work)


def test_short_waits_are_no_clutter() -> None:
    told = quiet_call("I see.", 1.0)
    assert told.silences == ()
    assert "SILENCE" not in as_text(told)
    assert "<h3>Silence</h3>" not in as_html(told, None, None)


# --- what could have been said -------------------------------------------------------------------------


def test_a_step_not_heard_is_told_with_its_moment(dana: Persona, rules: Rules) -> None:
    """After which words of the customer, and what could have been said then; steps that were heard say nothing."""
    procedure = prepare.choose_procedure("shut-up-listen-wait")[0]
    events = live(dana, rules, ("Mm hmm.", "I see, go on.", "I will send a replacement printer by ten tomorrow."))
    report = tell(events, name="", persona=dana, procedure=procedure, rules=rules)

    for step in report.steps:
        assert bool(step.could) == (step.outcome == "not heard")
        assert step.could.count("“") == step.could.count("”")
    said = {step.id: step.could for step in report.steps}
    assert re.match(r"After “.+” \(0:\d\d\), for example: “.+”$", said["paraphrase"])
    assert said["ask-for-closure"].startswith("After “I will send a replacement printer by ten tomorrow” (0:")
    heard = " ".join(line.text for line in report.lines)
    moment = said["paraphrase"].split("”")[0].removeprefix("After “")
    assert moment in heard
    assert said["paraphrase"] in as_text(report, width=1000)
    page = as_html(report, None, "data:,")
    assert escape(said["paraphrase"]) in page
    assert "this moment of the call: “" in page
    assert "None" not in page


@pytest.mark.parametrize("judged", [True, False])
def test_a_call_that_is_left_before_the_story_is_told_shows_no_listening(
    dana: Persona, rules: Rules, judged: bool
) -> None:
    """By today's rules and by the verdicts of the call alike; a whole call shows it."""
    procedure = prepare.choose_procedure("help-desk-six-steps")[0]

    def vent(*texts: str) -> str:
        events = live(dana, rules, texts)
        told = tell(events, name="", persona=dana, procedure=procedure, rules=rules if judged else None)
        return next(step for step in told.steps if step.id == "let-the-customer-vent").outcome

    assert vent("Go on.") == "unsure"
    assert vent(*["Mm hmm."] * (len(dana.story) + 2)) == "done"


def test_a_fault_against_a_step_is_told_with_what_to_do_instead(dana: Persona, rules: Rules) -> None:
    """At which of the trainee's words, and what instead."""
    procedure = prepare.choose_procedure("help-desk-six-steps")[0]
    report = tell(live(dana, rules, ("Calm down.",)), name="", persona=dana, procedure=procedure, rules=rules)
    vent = next(step for step in report.steps if step.id == "let-the-customer-vent")
    assert vent.could.startswith("At “Calm down” (0:04): Name what is behind the anger")


def test_advice_from_odd_words_is_escaped(dana: Persona, rules: Rules) -> None:
    """The customer's words stand in the advice, and are data there too."""
    events = [
        of("started", 0, persona={"name": "Customer"}, mode="review"),
        of(
            "said",
            1,
            line="customer.1",
            text="I waited <b>three</b> weeks & nobody came.",
            start=16000,
            end=32000,
            voice="recorded",
        ),
        of("spoke", 5, turn=1, start=64000, end=80000, speech=[(64000, 80000)], overlap=[]),
        of("heard", 5, who="trainee", turn=1, text="Calm down. <script>x</script>", words=[], model="m"),
    ]
    report = tell(events, name="", persona=None, procedure=None, rules=rules)
    assert report.turns[0].marks
    page = as_html(report, None, None)
    assert "<b>three" not in page
    assert "<script>x" not in page
