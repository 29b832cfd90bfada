"""Both voices side by side in the debrief: who answered what, the summary, and what came after a cue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import pytest

from voicecoach.judge.in_kind import effort_db
from voicecoach.nouns import F0, CallInKind, Effort, Event, Level, Observation, Quality, Relative
from voicecoach.report.exchanges import after_cues, exchanges
from voicecoach.report.facts import CueFacts, TurnFacts
from voicecoach.report.page import as_html
from voicecoach.report.tell import tell
from voicecoach.report.text import as_text, not_in_kind
from voicecoach.report.values import CustomerLine, Report


def line(start_s: float, level: int | None) -> CustomerLine:
    return CustomerLine("x", "words", start_s, start_s + 2, start_s + 2, level, "")


def seen(effort: float, *, ok: bool = True) -> Observation:
    return Observation(4, 4, 3, relative=Relative(0, 0, 0, effort), quality=Quality(ok))


def turn(number: int, start_s: float, effort: float | None = 0.0, *cues: CueFacts) -> TurnFacts:
    return TurnFacts(number, start_s, start_s + 2, observation=None if effort is None else seen(effort), cues=cues)


def test_each_turn_answers_the_line_that_was_heard_before_it() -> None:
    """A line that began together with the turn was not heard yet; the next line counts only before the next turn."""
    lines = [line(9.8, 5), line(0, 4), line(16, 2)]
    turns = [turn(1, 4.0), turn(2, 10.0), turn(3, 13.0), turn(4, 19.0)]

    told = exchanges(lines, turns)

    assert [exchange.heat.level for exchange in told] == [4, 4, 5, 2]
    assert [exchange.next_level for exchange in told] == [5, None, 2, None]


def test_before_any_line_there_was_nothing_to_answer() -> None:
    """A trainee who speaks first, or to a customer without a level, is not judged."""
    (first,) = exchanges([line(8, 4)], [turn(1, 1.0)])
    (foreign,) = exchanges([line(0, None)], [turn(1, 4.0)])

    assert first.in_kind.verdict == foreign.in_kind.verdict == "unsure"


def test_the_call_tells_it_by_turn_and_in_short(report: Report) -> None:
    """In the made call turns 1, 4 and 5 held, turn 6 was brisk, and turn 3 answered a customer who was not heated."""
    text = " ".join(as_text(report).split())

    assert [t.in_kind.verdict for t in report.turns if t.in_kind and t.in_kind.verdict != "unsure"] == [
        "held",
        "held",
        "held",
        "drifted",
    ]
    assert "~ held steady while the customer was furious" in text
    assert "3 turns held, 1 drifted, 0 matched the anger." in text
    assert "after 1 of 3 turns" in text
    assert "<h3>Not in kind</h3>" in as_html(report, None, None)
    assert "<strong>Held steady while the customer was furious</strong>" in as_html(report, None, None)


def recorded_call(call: Sequence[Event], pitches_hz: Sequence[float]) -> list[Event]:
    """The call as a recording of it: no levels, and the customer's pitch measured line by line."""
    left = list(pitches_hz)

    def of_a_person(event: Event) -> Event:
        if event.kind == "said":
            return replace(event, data={k: v for k, v in event.data.items() if k != "level"})
        if event.kind != "measured" or event.data.get("who") != "customer":
            return event
        hz = left.pop(0) if left else 200.0
        seen = Observation(
            4, 4, 3, f0=F0(hz, hz * 0.8, hz * 1.2, 7.0, 3.0), level=Level(-20, -60, 0), effort=Effort(1000.0, -12)
        )
        return replace(event, data={**event.data, "observation": asdict(seen)})

    return [of_a_person(event) for event in call]


def test_a_recorded_customer_is_measured_against_the_own_voice(call: Sequence[Event]) -> None:
    """Half an octave up is 5.7 dB of effort: heated. The verdicts, the curve and the sentence say what they rest on."""
    told = tell(
        recorded_call(call, [200.0] + [283.0] * 3 + [200.0] * 20), name="", persona=None, procedure=None, rules=None
    )
    verdicts = [turn.in_kind.verdict for turn in told.turns if turn.in_kind and turn.in_kind.verdict != "unsure"]
    curve = next(curve for curve in told.curves if curve.id == "effort_db")

    assert told.in_kind.measured
    assert verdicts
    assert told.in_kind.held + told.in_kind.drifted + told.in_kind.matched == len(verdicts)
    assert "While the customer was 4 dB or more over the own quieter voice" in as_text(told)
    assert "while the customer was heated" in as_text(told)
    assert {point.who for point in curve.points} == {"trainee", "customer"}
    assert max(p.value for p in curve.points if p.who == "customer") == pytest.approx(5.7, abs=0.1)
    assert "the customer&#x27;s above the own quieter one" in as_html(told, None, None)


@pytest.mark.parametrize(
    ("pitches_hz", "reason"),
    [
        ([200.0] * 24, "no turn of yours answered a voice 4 dB or more over"),
        ([0.5] * 24, "0 of 10 turns of the customer could be measured; 3 are needed"),
    ],
)
def test_a_recorded_customer_who_stays_calm_says_why_not(
    call: Sequence[Event], pitches_hz: Sequence[float], reason: str
) -> None:
    told = tell(recorded_call(call, pitches_hz), name="", persona=None, procedure=None, rules=None)

    assert not any(turn.in_kind and turn.in_kind.verdict != "unsure" for turn in told.turns)
    (why,) = not_in_kind(told.in_kind)
    assert why.startswith(f"Not judged: {reason}")
    assert "NOT IN KIND" in as_text(told)


def test_without_a_customer_the_debrief_says_so(call: Sequence[Event]) -> None:
    """A recording of the agent alone."""
    alone = [e for e in call if e.kind not in {"said", "reacted"} and e.data.get("who") != "customer"]
    started = next(e for e in alone if e.kind == "started")
    alone[alone.index(started)] = replace(started, data={**started.data, "mode": "review"})
    told = tell(alone, name="", persona=None, procedure=None, rules=None)

    assert not_in_kind(told.in_kind) == ("Not judged: there is no customer on record.",)


def test_summary_never_claims_more_than_was_counted() -> None:
    """Too few turns give no correlation and say so; without a line after a held turn there is no sentence about it."""
    few = not_in_kind(CallInKind(1, 0, 0, None, 1, 0, 0))

    assert few[0] == "While the customer was angry or worse: 1 turn held, 0 drifted, 0 matched the anger."
    assert "no rank correlation from 1 turn; it takes 5" in few[1]
    assert len(few) == 2
    assert "rank correlation −0.50 over 8 turns" in not_in_kind(CallInKind(2, 1, 0, -0.5, 8, 3, 4))[1]
    assert "after 3 of 4 turns" in not_in_kind(CallInKind(2, 1, 0, -0.5, 8, 3, 4))[2]


# --- after a cue -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rest", "following", "came_back", "told"),
    [
        (1.9, 9.0, True, "your effort fell from +7.1 to +1.9 dB in the rest of the turn, back under +2"),
        (2.0, None, True, "your effort fell from +7.1 to +2.0 dB in the rest of the turn, back under +2"),
        (6.0, 1.0, True, "your effort fell from +7.1 to +1.0 dB in the next turn, back under +2"),
        (6.0, 8.0, False, "your effort fell from +7.1 to +6.0 dB in the rest of the turn, not back under +2"),
        (None, 8.0, False, "your effort went from +7.1 to +8.0 dB in the next turn, not back under +2"),
        (None, None, None, "what came after it was not measured"),
    ],
)
def test_what_came_after_a_cue(rest: float | None, following: float | None, came_back: bool | None, told: str) -> None:
    """The rest of the turn, or else the next turn, is under the line for raised, or is not, or cannot be told."""
    cue = CueFacts("softer", 7.1, None if rest is None else seen(rest))
    (after,) = after_cues(turn(1, 0.0, 6.5, cue), turn(2, 9.0, following))

    assert after.came_back is came_back
    assert told in after.told
    assert "softer" in after.told


def test_older_records_compare_whole_turns() -> None:
    """A cue without its effort is told by the turn it fell in, and says so; without that, it cannot be told."""
    (whole,) = after_cues(turn(1, 0.0, 8.6, CueFacts("softer")), turn(2, 9.0, 1.9))
    (nothing,) = after_cues(turn(1, 0.0, None, CueFacts("softer")), turn(2, 9.0, 1.9))
    (last,) = after_cues(turn(1, 0.0, 8.6, CueFacts("softer")), None)

    assert "fell from +8.6 (the whole turn) to +1.9 dB in the next turn" in whole.told
    assert nothing.came_back is last.came_back is None


def test_effort_of_another_cue_is_not_claimed() -> None:
    """Only the cue for loudness is told by effort."""
    (after,) = after_cues(turn(1, 0.0, 8.0, CueFacts("slower", 7.0, seen(1.0))), None)

    assert after.came_back is None


def test_poor_recordings_do_not_count() -> None:
    """Numbers of a signal that carries no verdict are not compared."""
    assert effort_db(seen(3.0, ok=False)) is None
    assert effort_db(None) is None
    assert effort_db(seen(3.0)) == 3.0


def test_the_record_says_what_came_after_its_cue(report: Report) -> None:
    """The effort at the cue, the rest of the turn and the next turn come from the events."""
    (after,) = report.turns[2].after_cues

    assert report.turns[2].cues == ("softer",)
    assert after.came_back
    assert after.told.startswith("after the cue “softer” your effort fell from +9.2 to +0.9 dB in the next turn")
