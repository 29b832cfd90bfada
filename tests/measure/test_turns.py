"""Endpointing on a virtual clock."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from voicecoach.measure.activity import FRAME
from voicecoach.measure.turns import Frame, Mode, TurnState, flush, merge, next_turn, turns_of
from voicecoach.nouns import SAMPLE_RATE_HZ, Turn


def frames(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE_HZ / FRAME)


def run(
    *parts: tuple[float, float],
    mode: Mode = "hands-free",
    patience_s: float = 0.8,
    customer: bool = False,
    key: bool = False,
) -> list[Turn]:
    """Feed stretches of (probability, seconds); give the turns."""
    state, turns, at = TurnState(mode, patience_s), [], 0
    for probability, seconds in parts:
        for _ in range(frames(seconds)):
            state, turn = next_turn(state, Frame(at, probability, customer, key and probability > 0))
            turns += [turn] if turn else []
            at += FRAME
    last = flush(state, at)
    return turns + ([last] if last else [])


def test_one_utterance_is_one_turn_with_room_around_it() -> None:
    """Speech between silences is one turn with half a second before and a tail after."""
    (turn,) = run((0.0, 2.0), (0.9, 1.5), (0.0, 2.0))

    assert turn.speech == ((frames(2.0) * FRAME, frames(3.5) * FRAME),)
    assert turn.speech[0][0] - turn.start == SAMPLE_RATE_HZ // 2
    assert turn.end - turn.speech[-1][1] == round(0.3 * SAMPLE_RATE_HZ)


def test_a_thinking_pause_does_not_end_a_turn() -> None:
    """Six tenths of silence are planning, not the end."""
    (turn,) = run((0.9, 1.0), (0.0, 0.6), (0.9, 1.0), (0.0, 2.0))

    assert len(turn.speech) == 2


def test_patience_is_the_silence_that_ends_a_turn() -> None:
    """The same pause ends the turn of an impatient setting."""
    assert len(run((0.9, 1.0), (0.0, 0.6), (0.9, 1.0), (0.0, 2.0), patience_s=0.4)) == 2


def test_a_click_is_no_turn() -> None:
    """Voice for less than the start rule opens nothing."""
    assert run((0.0, 1.0), (0.9, 0.1), (0.0, 2.0)) == []


def test_a_soft_stretch_keeps_a_turn_open() -> None:
    """Once speaking, a middling probability still counts as voice (hysteresis)."""
    (turn,) = run((0.9, 1.0), (0.4, 2.0), (0.9, 1.0), (0.0, 1.0))

    assert len(turn.speech) == 1


def test_speech_over_the_customer_is_marked() -> None:
    """Voice while the customer speaks is overlap."""
    (turn,) = run((0.9, 1.0), (0.0, 1.0), customer=True)

    assert turn.overlap == turn.speech


def test_push_to_talk_follows_the_key() -> None:
    """The turn lasts as long as the key is down; silence in it does not end it."""
    state, turns, at = TurnState("push-to-talk"), [], 0
    for key, probability, seconds in (
        (False, 0.9, 1.0),
        (True, 0.9, 1.0),
        (True, 0.0, 3.0),
        (True, 0.9, 1.0),
        (False, 0.0, 1.0),
    ):
        for _ in range(frames(seconds)):
            state, turn = next_turn(state, Frame(at, probability, talk_key=key))
            turns += [turn] if turn else []
            at += FRAME

    (turn,) = turns
    assert len(turn.speech) == 2
    assert turn.speech[0][0] == frames(1.0) * FRAME


def test_a_key_without_voice_is_no_turn() -> None:
    """Nothing is recognised without voice."""
    state, at = TurnState("push-to-talk"), 0
    for key in (True,) * 30 + (False,) * 10:
        state, turn = next_turn(state, Frame(at, 0.0, talk_key=key))
        at += FRAME
        assert turn is None


def test_a_turn_cannot_last_for_ever() -> None:
    """Noise that never ends is cut after a minute."""
    turns = run((0.9, 65.0), (0.0, 1.0))

    assert len(turns) == 2
    assert turns[0].speech[-1][1] - turns[0].speech[0][0] <= 60 * SAMPLE_RATE_HZ


def test_turns_of_a_recording_are_the_live_ones() -> None:
    """Spans closer than the patience make one turn; the other side's speech is its overlap."""
    second = SAMPLE_RATE_HZ
    turns = turns_of(
        [(second, 2 * second), (int(2.5 * second), 3 * second), (6 * second, 7 * second)],
        [(int(6.5 * second), 9 * second)],
        10 * second,
    )

    assert [len(turn.speech) for turn in turns] == [2, 1]
    assert turns[1].overlap == ((int(6.5 * second), 7 * second),)


def test_merging_two_turns_keeps_all_speech() -> None:
    """Going on before the answer makes one turn of both."""
    merged = merge(Turn(0, 10, ((2, 8),)), Turn(12, 30, ((14, 28),), ((15, 16),)))

    assert merged == Turn(0, 30, ((2, 8), (14, 28)), ((15, 16),))


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.booleans()), max_size=400),
    st.sampled_from(["hands-free", "push-to-talk"]),
)
def test_turns_never_overlap_and_hold_their_speech(inputs: list[tuple[float, bool, bool]], mode: Mode) -> None:
    """Whatever the frames, turns come in order and contain their speech."""
    state, turns = TurnState(mode), []
    for index, (probability, customer, key) in enumerate(inputs):
        state, turn = next_turn(state, Frame(index * FRAME, probability, customer, key))
        turns += [turn] if turn else []

    assert all(a.end <= b.start for a, b in pairwise(turns))
    assert all(turn.start <= turn.speech[0][0] < turn.speech[-1][1] <= turn.end for turn in turns)
