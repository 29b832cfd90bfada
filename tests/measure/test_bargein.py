"""Barge-in on a virtual clock: frames in, what the line does out."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from voicecoach.measure.activity import FRAME
from voicecoach.measure.bargein import RESUME_S, Action, BargeIn, Over, Words, next_step, words_so_far
from voicecoach.nouns import SAMPLE_RATE_HZ

LOOKING_S = 0.2
"""How long the looker of these tests takes."""


def play(
    voiced_s: float,
    says: Mapping[float, Words],
    *,
    until_s: float = 5.0,
    line_s: float = 60.0,
    whole: Words = "unclear",
    pauses: tuple[tuple[float, float], ...] = (),
) -> list[tuple[float, Action]]:
    """What happens to a line over which somebody speaks for `voiced_s` from 0 on, each action with its time.

    A look finds the last entry of `says` up to its time; one taken after the voice has ended finds `whole`.
    """
    state, done = BargeIn(), []
    look: tuple[float, Words, bool] | None = None
    ended = False
    for at in range(0, round(until_s * SAMPLE_RATE_HZ), FRAME):
        now = at / SAMPLE_RATE_HZ
        speaking = now < voiced_s and not any(a <= now < b for a, b in pauses)
        found, is_whole = None, False
        if look is not None and now >= look[0]:
            _, found, is_whole = look
            look = None
        line = now < line_s and not ended
        state, actions = next_step(state, Over(at, 0.9 if speaking else 0.0, line, found, is_whole))
        for action in actions:
            done.append((round(now + FRAME / SAMPLE_RATE_HZ, 2), action))
            ended = ended or action == "stop"
            if action == "look":
                seen = [words for when, words in sorted(says.items()) if when <= now]
                look = (now + LOOKING_S, (seen or ["unclear"])[-1] if speaking else whole, not speaking)  # type: ignore[list-item]
    return done


def times(done: list[tuple[float, Action]], action: Action) -> list[float]:
    return [when for when, one in done if one == action]


def test_words_over_the_line_duck_hold_and_stop_it() -> None:
    """Within half a second the customer is silent; the words make it final."""
    done = play(3.0, {0.0: "unclear", 0.5: "words"})

    assert [action for _, action in done if action != "look"] == ["duck", "hold", "stop"]
    assert times(done, "duck")[0] <= 0.3
    assert times(done, "hold")[0] <= 0.5
    assert times(done, "stop")[0] <= 1.2


def test_a_pause_after_the_first_words_does_not_begin_anew() -> None:
    """ "Hang on, which invoice?": noticed with the first two words, silent with the third."""
    done = play(2.0, {0.0: "unclear", 1.0: "words"}, pauses=((0.38, 0.78),))

    assert [action for _, action in done if action != "look"] == ["duck", "hold", "stop"]
    assert times(done, "duck")[0] <= 0.3
    assert times(done, "hold")[0] <= 0.9


def test_two_short_nods_are_two() -> None:
    """ "Yeah", a pause, "okay": the look in the pause tells, and the line never stands still."""
    done = play(0.95, {0.0: "unclear", 0.9: "nod"}, whole="nod", pauses=((0.3, 0.75),))

    assert [action for _, action in done if action != "look"] == ["duck", "full"]


def test_two_coughs_are_two() -> None:
    """Neither is long enough to make the line stand still; together they are not, either."""
    done = play(1.1, {0.0: "none"}, whole="none", pauses=((0.3, 0.8),))

    assert [action for _, action in done if action != "look"] == ["duck", "full", "duck", "full"]


def test_words_that_are_known_in_time_stop_it_at_once() -> None:
    done = play(3.0, {0.0: "words"})

    assert "hold" not in [action for _, action in done] or times(done, "stop")[0] - times(done, "hold")[0] < 0.15
    assert times(done, "stop")[0] <= 0.6


@pytest.mark.parametrize("voiced_s", [0.1, 0.2])
def test_a_click_does_nothing(voiced_s: float) -> None:
    assert play(voiced_s, {}) == []


def test_a_short_nod_only_ducks() -> None:
    """It is over before anybody had to decide: the line goes on, and is as loud as before."""
    done = play(0.38, {0.0: "nod"})

    assert [action for _, action in done if action != "look"] == ["duck", "full"]


def test_a_long_nod_does_not_stop_the_line() -> None:
    """Where the words come a little late it stands still for a moment, and goes on from there."""
    done = play(1.1, {0.0: "nod"})
    actions = [action for _, action in done if action != "look"]

    assert "stop" not in actions
    assert actions[-1] == "full"
    assert sum(times(done, "go on")) - sum(times(done, "hold")) <= 0.3


def test_a_nod_that_turns_into_words_stops_the_line() -> None:
    """ "Right, but what do you want?" """
    done = play(2.0, {0.0: "nod", 0.8: "words"})

    assert times(done, "stop")
    assert times(done, "stop")[0] <= 1.6


def test_a_false_alarm_goes_on_within_two_seconds() -> None:
    """A cough: the line stands still, nobody heard words, it goes on where it stopped."""
    done = play(0.6, {0.0: "unclear"}, whole="unclear")
    (held,), (went_on,) = times(done, "hold"), times(done, "go on")

    assert "stop" not in [action for _, action in done]
    assert went_on - held <= 1.0


def test_noise_without_end_does_not_keep_the_customer_waiting() -> None:
    """A voice-like noise that goes on: after RESUME_S the customer does too."""
    done = play(10.0, {0.0: "none"}, until_s=10.0)

    assert times(done, "go on")[0] - times(done, "hold")[0] == pytest.approx(RESUME_S, abs=0.1)
    assert "stop" not in [action for _, action in done]
    assert len(times(done, "hold")) == 1


@pytest.mark.parametrize(
    ("voiced_s", "turn", "then"),
    [(3.0, "words", "stop"), (1.4, "none", "go on"), (3.0, "nod", "go on"), (3.0, None, "go on"), (0.7, None, "go on")],
)
def test_a_looker_that_never_answers_is_not_waited_for(voiced_s: float, turn: Words | None, then: Action) -> None:
    """The line stands still, and the words of the turn decide, 0.4 s after it; without any it goes on within 2 s."""
    state, done = BargeIn(), []
    for at in range(0, 8 * SAMPLE_RATE_HZ, FRAME):
        now = at / SAMPLE_RATE_HZ
        told = turn if now - FRAME / SAMPLE_RATE_HZ <= voiced_s + 0.4 < now else None
        ended = [action for _, action in done if action in {"stop", "go on"}]
        state, actions = next_step(state, Over(at, 0.9 if now < voiced_s else 0.0, "stop" not in ended, turn=told))
        done += [(now, action) for action in actions if action not in {"look", "full"}]

    assert [action for _, action in done] == ["duck", "hold", then]
    assert done[-1][0] - voiced_s <= (0.5 if turn else RESUME_S + 0.1)


def test_what_no_look_could_tell_is_stopped_by_a_late_look() -> None:
    """Words that are known while the trainee still speaks are not waited for."""
    done = play(4.0, {0.0: "unclear", 1.5: "words"})

    assert [action for _, action in done if action != "look"] == ["duck", "hold", "stop"]
    assert times(done, "stop")[0] <= 2.1


def test_short_stops_inside_words_do_not_end_them() -> None:
    done = play(2.0, {0.0: "unclear", 0.9: "words"}, pauses=((0.3, 0.45),))

    assert times(done, "hold")[0] <= 0.65
    assert times(done, "stop")


def test_the_end_of_the_line_ends_it_all() -> None:
    """Who speaks on after the customer has finished interrupts nobody; the next line is at full volume."""
    done = play(3.0, {0.0: "unclear"}, line_s=0.35)

    assert [action for _, action in done if action != "look"] == ["duck", "full"]


def is_nod(text: str) -> bool:
    return text.lower().strip(" .") in {"right", "i see", "okay", "okay i see"}


@pytest.mark.parametrize(
    ("text", "probability", "voiced_s", "speaking", "found"),
    [
        ("", 0.9, 1.0, False, "none"),
        ("Right.", 0.2, 0.3, True, "nod"),
        ("Right, but", 0.6, 0.6, True, "nod"),  # "but" may be half of anything
        ("I see the", 0.6, 0.6, True, "nod"),
        ("Let me stop", 0.74, 0.6, True, "words"),
        ("Let me stop", 0.5, 0.6, True, "unclear"),
        ("Let me stop", 0.5, 0.9, True, "words"),
        ("M.H.M.", 0.57, 0.7, False, "unclear"),  # a hum
        ("You", 0.05, 0.6, False, "unclear"),  # a cough
        ("Stop!", 0.8, 0.6, False, "words"),
        ("Stop", 0.8, 0.6, True, "unclear"),
        ("Excuse me", 0.8, 1.0, True, "unclear"),
        ("Excuse me", 0.8, 1.0, False, "words"),
    ],
)
def test_what_the_words_so_far_tell(
    text: str, probability: float, voiced_s: float, speaking: bool, found: Words
) -> None:
    """Nods by the words that are certain; other words only where the recogniser is sure of them."""
    words = text.replace(",", "").split()

    assert words_so_far(words, probability, is_nod, voiced_s=voiced_s, speaking=speaking) == found
