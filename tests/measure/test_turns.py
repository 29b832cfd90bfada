"""Endpointing on a virtual clock."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecoach.measure.activity import FRAME
from voicecoach.measure.turns import (
    MAX_TURN_S,
    PRESETS,
    Frame,
    Mode,
    Patience,
    TurnState,
    Words,
    can_resume,
    deaf_patience,
    draft,
    flush,
    next_turn,
    patience_of,
    resume,
    told,
    turns_of,
)
from voicecoach.nouns import SAMPLE_RATE_HZ, Turn

HOLD_S = 0.08
"""The detector's own: so much later than the sound does its voice end."""


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
    state, turns, at = TurnState(mode, Patience("", patience_s, patience_s)), [], 0
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


def talk(
    state: TurnState, *parts: tuple[float, float], words: Words = "unknown", **frame: bool
) -> list[tuple[int, Turn]]:
    """Feed (probability, seconds) to a clock; each turn with the sample at which it was closed.

    `words` is what a recogniser that needs no time says of every silence.
    """
    closed, at = [], 0
    for probability, seconds in parts:
        for _ in range(frames(seconds)):
            state, turn = next_turn(state, Frame(at, probability, **frame))
            at += FRAME
            if draft(state, at):
                state = told(state, words)
            closed += [(at, turn)] if turn else []
    return closed


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("words", ["finished", "unfinished", "unknown"])
def test_the_words_decide_how_long_a_silence_is_waited_out(name: str, words: Words) -> None:
    """A finished step is answered soon, an unfinished one later, and one that nobody understood as late as that."""
    patience = PRESETS[name]
    ((at, turn),) = talk(TurnState(patience=patience), (0.9, 1.0), (0.0, 4.0), words=words)
    waited_s = (at - turn.speech[-1][1]) / SAMPLE_RATE_HZ + HOLD_S

    assert waited_s == pytest.approx(patience.finished_s if words == "finished" else patience.unfinished_s, abs=0.04)


def test_the_presets_are_in_order() -> None:
    """From quick to patient, never shorter after unfinished words, and the default is half a second."""
    quick, normal, patient = PRESETS.values()

    assert quick.finished_s < normal.finished_s < patient.finished_s
    assert all(one.finished_s < one.unfinished_s for one in PRESETS.values())
    assert (normal.finished_s, normal.unfinished_s) == (0.5, 1.2)
    assert TurnState().patience == normal


@pytest.mark.parametrize(
    ("text", "patience"),
    [("patient", PRESETS["patient"]), ("0.3", Patience("", 0.3, 1.0)), ("3", Patience("", 3, 3.7))],
)
def test_patience_is_a_name_or_seconds(text: str, patience: Patience) -> None:
    """As a trainer types it."""
    assert patience_of(text) == patience


def test_a_resting_microphone_waits_for_calm_speakers() -> None:
    """Who goes on while it rests is lost, so a preset is never short; own seconds stay what they are."""
    assert [deaf_patience(one).finished_s for one in PRESETS.values()] == [0.8, 0.8, 0.9]
    assert deaf_patience(patience_of("0.4")) == patience_of("0.4")


@pytest.mark.parametrize("text", ["", "slow", "0.2", "3.1", "-1", "nan", "inf", "0,5"])
def test_other_patience_is_refused_with_what_there_is(text: str) -> None:
    """The sentence names the presets."""
    with pytest.raises(ValueError, match=r"quick, normal, patient nor seconds from 0\.3 to 3"):
        patience_of(text)


def test_a_draft_is_there_from_a_fifth_of_a_second_of_silence() -> None:
    """Not while there is voice, not before, and it holds what the turn holds when it is closed."""
    state, at, first = TurnState(), 0, None
    closed: list[Turn] = []
    for probability, seconds in ((0.9, 1.0), (0.0, 3.0)):
        for _ in range(frames(seconds)):
            state, turn = next_turn(state, Frame(at, probability))
            at += FRAME
            seen = draft(state, at)
            assert seen is None or probability == 0.0
            first = first or (seen and (at, seen))
            closed += [turn] if turn else []

    assert first is not None
    assert (first[0] - first[1].speech[-1][1]) / SAMPLE_RATE_HZ + HOLD_S == pytest.approx(0.2, abs=0.033)
    assert (first[1].start, first[1].speech) == (closed[0].start, closed[0].speech)
    assert first[1].end <= closed[0].end


def test_voice_makes_the_words_unknown_again() -> None:
    """What was said of the words before is not said of those after."""
    state, _ = next_turn(told(TurnState(phase="speaking", speech=((0, FRAME),)), "unfinished"), Frame(FRAME, 0.9))

    assert state.words == "unknown"
    assert told(TurnState(), "finished").words == "unknown"  # nobody speaks


def test_who_goes_on_has_one_turn() -> None:
    """A closed turn that goes on keeps its beginning and its speech, and its pauses get more patience from then on."""
    first = Turn(8000, 40000, ((16000, 36000),), ((16000, 17000),))
    state = TurnState(phase="speaking", onset=60000, last_voice=64000, floor=48000, speech=((60000, 64000),))
    waits = []
    for one in (state, resume(state, first), resume(state, replace(first, resumed=1))):
        at, turn = one.last_voice, None
        one = told(one, "finished")
        while turn is None:
            one, turn = next_turn(one, Frame(at, 0.0))
            at += FRAME
        waits.append((at - 64000) / SAMPLE_RATE_HZ + HOLD_S)

    end = 64000 + round(0.3 * SAMPLE_RATE_HZ)
    assert turn == Turn(8000, end, ((16000, 36000), (60000, 64000)), ((16000, 17000),), resumed=2)
    assert waits == pytest.approx([0.5, 0.8, 1.0], abs=0.033)
    assert can_resume(first, 60000)
    assert not can_resume(first, 8000 + round(MAX_TURN_S * SAMPLE_RATE_HZ))


def test_who_sends_by_hand_is_never_cut_off() -> None:
    """No pause ends the turn, however finished the words; the key does, at once."""
    state, turns, at = TurnState("manual"), [], 0
    for probability, seconds in ((0.9, 1.0), (0.0, 6.0), (0.9, 1.0), (0.0, 2.0)):
        for _ in range(frames(seconds)):
            state, turn = next_turn(told(state, "finished"), Frame(at, probability))
            at += FRAME
            turns += [turn] if turn else []
    assert turns == []
    state, turn = next_turn(state, Frame(at, 0.0, send=True))

    assert turn is not None
    assert len(turn.speech) == 2
    assert not state.speaking


def test_by_hand_a_nod_over_the_customer_ends_by_itself() -> None:
    """It is no answer that waits to be sent; what is said when the customer has finished is one."""
    state, turns, at = TurnState("manual"), [], 0
    parts = ((0.9, 0.6, True), (0.0, 3.0, True), (0.0, 1.0, False), (0.9, 1.0, False), (0.0, 3.0, False))
    for probability, seconds, customer in parts:
        for _ in range(frames(seconds)):
            state, turn = next_turn(state, Frame(at, probability, customer))
            at += FRAME
            turns += [turn] if turn else []

    (nod,) = turns
    assert nod.speech == nod.overlap == ((0, frames(0.6) * FRAME),)
    assert state.speaking


def test_a_turn_that_is_sent_early_ends_with_its_last_syllable() -> None:
    """Whose finger is faster than the voice has sent one turn, and opens no other."""
    state, turns, at = TurnState("manual"), [], 0
    for probability, seconds in ((0.9, 1.25), (0.0, 2.0)):
        for _ in range(frames(seconds)):
            send = at == frames(0.9) * FRAME
            state, turn = next_turn(state, Frame(at, probability, send=send))
            at += FRAME
            turns += [turn] if turn else []

    (turn,) = turns
    assert turn.speech == ((0, frames(1.25) * FRAME),)
    assert state.phase == "quiet"


def test_a_turn_that_is_sent_in_a_noise_ends_all_the_same() -> None:
    """A second later: nobody waits for a noise to end."""
    state, ends, at = TurnState("manual"), [], 0
    for _ in range(frames(4.0)):
        state, turn = next_turn(state, Frame(at, 0.9, send=at == frames(1.0) * FRAME))
        at += FRAME
        ends += [at] if turn else []

    assert ends[0] / SAMPLE_RATE_HZ == pytest.approx(2.0, abs=0.1)


def test_a_key_that_stays_down_opens_one_turn_for_each_voice() -> None:
    """After the time-out the trainee is quiet: nobody has spoken, until somebody does."""
    state = TurnState("push-to-talk")
    seen, turns, at = set[str](), [], 0
    for probability, seconds in ((0.9, 1.0), (0.0, 45.0), (0.9, 1.0), (0.0, 25.0)):
        for _ in range(frames(seconds)):
            state, turn = next_turn(state, Frame(at, probability, talk_key=True))
            at += FRAME
            turns += [turn] if turn else []
            if 25 < at / SAMPLE_RATE_HZ < 45:
                seen.add(state.phase)

    assert seen == {"quiet"}
    assert len(turns) == 2


def test_sending_nothing_sends_nothing() -> None:
    """The key without any voice before it is no turn."""
    state = TurnState("manual")
    for n in range(20):
        state, turn = next_turn(state, Frame(n * FRAME, 0.0, send=True))
        assert turn is None


@pytest.mark.parametrize(("mode", "key"), [("manual", False), ("push-to-talk", True)])
def test_a_forgotten_key_has_a_time_out(mode: Mode, key: bool) -> None:
    """Who never sends, or holds the key for ever, is answered after twenty seconds of silence."""
    ((at, turn), *others) = talk(TurnState(mode), (0.9, 1.0), (0.0, 45.0), talk_key=key)

    assert (at - turn.speech[-1][1]) / SAMPLE_RATE_HZ + HOLD_S == pytest.approx(20.0, abs=0.04)
    assert others == []


def test_letting_the_key_go_keeps_the_last_syllable() -> None:
    """Two tenths of a second after it belong to the turn, and pressing it again within them goes on."""
    state, turns, at = TurnState("push-to-talk"), [], 0
    for key, seconds in ((True, 1.0), (False, 0.1), (True, 1.0), (False, 1.0)):
        for _ in range(frames(seconds)):
            state, turn = next_turn(state, Frame(at, 0.9, talk_key=key))
            at += FRAME
            turns += [turn] if turn else []

    (turn,) = turns
    let_go = sum(map(frames, (1.0, 0.1, 1.0))) * FRAME
    assert turn.speech[-1][1] == let_go
    assert 0.11 < (turn.end - let_go) / SAMPLE_RATE_HZ <= 0.3


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.booleans()), max_size=400),
    st.sampled_from(["hands-free", "push-to-talk", "manual"]),
)
def test_turns_never_overlap_and_hold_their_speech(inputs: list[tuple[float, bool, bool]], mode: Mode) -> None:
    """Whatever the frames, turns come in order and contain their speech."""
    state, turns = TurnState(mode), []
    for index, (probability, customer, key) in enumerate(inputs):
        state, turn = next_turn(state, Frame(index * FRAME, probability, customer, key, key))
        turns += [turn] if turn else []

    assert all(a.end <= b.start for a, b in pairwise(turns))
    assert all(turn.start <= turn.speech[0][0] < turn.speech[-1][1] <= turn.end for turn in turns)
