"""A session at a glance: one reading of its events, and every list shows the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import sessions
from voicecoach import RULES_VERSION, desk, history, record
from voicecoach.commands import history as listing
from voicecoach.nouns import SAMPLE_RATE_HZ, Event
from voicecoach.report.head import Head, head_of
from voicecoach.web import places


def started(**data: Any) -> Event:
    return Event("started", 0, {"wall": "2026-11-21T10:00:00+01:00", "trainee": "Sam", **data})


def test_a_whole_call_at_a_glance() -> None:
    """Who called whom and when, how long, how many turns and how it ended."""
    who = {"id": "dana-printer", "name": "Dana", "person": "dana", "level": "hard"}
    events = [
        started(persona=who),
        Event("spoke", 16000, {"turn": 1}),
        Event("ended", 96 * 16000, {"outcome": "resolved"}),
    ]

    assert head_of(events) == Head(
        "2026-11-21T10:00:00+01:00",
        "Sam",
        "Dana",
        "dana",
        "hard",
        "call",
        demo=False,
        turns=1,
        minutes=1.6,
        outcome="resolved",
    )


@pytest.mark.parametrize("tail", [[], [Event("ended", 9, {})], [Event("ended", 9, {"outcome": ["resolved"]})]])
def test_a_call_without_an_end_was_cut_off(tail: list[Event]) -> None:
    """Said in words, not left empty: also where the end is there and says nothing that can be read."""
    assert head_of([started(), *tail]).outcome == "cut off"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({}, "call"),
        ({"mode": "review"}, "review"),
        ({"retry": {"session": "x", "turn": 2, "take": 2}}, "retry"),
        ({"drill": {"id": "name"}}, "drill"),
        ({"drill": {"id": "name"}, "retry": {"session": "x", "turn": 2, "take": 2}}, "drill"),
    ],
)
def test_what_a_session_is(data: dict[str, Any], kind: str) -> None:
    """A review is no call; a drill is repeated as a whole and never retried, so it stays a drill."""
    assert head_of([started(**data)]).kind == kind


@pytest.mark.parametrize(
    ("sound", "demo"), [({"port": "recorded trainee"}, True), ({"port": "device"}, False), (7, False)]
)
def test_a_demo_is_known_by_who_was_at_the_microphone(sound: Any, demo: bool) -> None:
    """Not by the name, which a person may have too."""
    assert head_of([started(sound=sound)]).demo == demo


def test_it_lasts_to_its_latest_event() -> None:
    """What was heard again after the call is written later with an earlier time."""
    events = [started(), Event("ended", 120 * SAMPLE_RATE_HZ, {}), Event("heard", 30 * SAMPLE_RATE_HZ, {"turn": 1})]

    assert head_of(events).minutes == 2.0


@pytest.mark.parametrize("odd", [None, 7, True, [], "Dana", {}, {"name": 7, "person": [], "level": {}}])
def test_damage_leaves_the_rest(odd: Any) -> None:
    """Every value may be of another kind, and every event may be missing."""
    head = head_of([started(persona=odd, mode=odd), Event("spoke", 16000, {"turn": odd})])

    assert (head.trainee, head.person, head.level, head.kind, head.turns) == ("Sam", "", "", "call", 1)
    assert head.persona == (odd if isinstance(odd, str) else "")
    assert head_of([]) == Head("", "", "", "", "", "call", demo=False, turns=0, minutes=0.0, outcome="cut off")


def test_every_list_shows_the_same(tmp_path: Path) -> None:
    """The page, `history`, its trends and the desk, of a call that was cut off."""
    folder = sessions.write(tmp_path, ended=False)
    page, line = places.Shelf().row(folder), listing._row(folder)
    (trend,), (handed_in,) = history.read(tmp_path).rows, desk.submissions(tmp_path)

    assert {page["outcome"], line["outcome"], trend.outcome, handed_in.outcome} == {"cut off"}
    assert {page["turns"], line["turns"], trend.turns, handed_in.turns} == {len(sessions.SAID)}
    assert {page["customer"], line["persona"], trend.persona, handed_in.persona} == {"Dana"}
    assert line["minutes"] == trend.minutes
    assert page["kind"] == trend.kind == "call"


def test_a_call_that_was_cut_off_before_a_word_is_no_review(tmp_path: Path) -> None:
    """No customer was heard yet, whether its verdicts are those of that day or made again."""
    for number, rules in enumerate((RULES_VERSION, "")):
        with record.Writer(tmp_path / f"2026112{number}-100000-dana", "", "") as writer:
            writer.event("started", rules=rules, persona={"name": "Dana"}, mode="hands-free")

    assert {row.kind for row in history.read(tmp_path).rows} == {"call"}


def test_the_stamp_changes_with_the_session_and_with_the_trainers_words(tmp_path: Path) -> None:
    """And only then."""
    folder = sessions.write(tmp_path)
    before = record.stamp(folder)
    assert record.stamp(folder) == before

    record.append_line(folder / record.TRAINER, {"kind": "comment", "text": "Good."})
    answered = record.stamp(folder)
    (folder / "procedure.yaml").unlink()

    assert len({before, answered, record.stamp(folder)}) == 3
