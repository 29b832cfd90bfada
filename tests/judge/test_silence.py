"""Silence: what announces it, the verdicts at their thresholds, and the long silences of a call."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecoach import prepare
from voicecoach.errors import BadInput
from voicecoach.judge.silence import (
    EXPLAINED_S,
    Said,
    Silence,
    announced,
    judge_gap,
    judge_pauses,
    load_announcements,
    silences,
    words_before,
)
from voicecoach.nouns import Pause, Word

KNOWN = prepare.rules().silence

ANNOUNCED = """
One moment while I check.
one moment while i check that for you miss whitfield
Bear with me.
bear with me please
I'm so sorry, let me pull that up for you.
let me just pull that up
Can I put you on hold for a minute?
can i just put you on a brief hold while i speak to my supervisor
Just a second, please.
I won't be a moment.
I'm just checking that for you now.
okay um just looking that up
Would you mind holding for a moment?
Could you hold on a second?
Give me two seconds.
This may take a minute.
Let me have a look.
Thanks for telling me. Hang on.
Hold on, I'll check with the warehouse.
I'll just check the system for you
I need a minute to read through the notes.
Please hold.
while the page loads
I cannot see it here, one moment please
as I said bear with me
let me look into it
I will be right back
Let me find your order
Yes, of course. I'm going to put you on hold now
I'm pulling up your account now
I'm opening your file.
Let me see what happened.
Do you mind if I put you on hold?
Let me check the status of your order for you
Bear with me for just a moment, my computer is slow
Just bear with me a moment whilst I check
whilst I look into this
Two ticks.
Let me just bring up your details
Could you bear with me?
I'm going to look into this now for you
it'll just take a moment
just one second
Stay on the line please
May I place you on hold briefly
I'll be back with you in a moment
I'm just going to check with my manager
hold on a minute
Just a mo.
Let me get your details up on the screen.
One sec.
I'm looking at your account right now
checking now
Give me one moment to look at your account
"""
NOT_ANNOUNCED = """
I won't put you on hold.
I am not going to put you on hold
i do not want to put you on hold again
You said one moment while I check.
they told you one moment and left you there
She said bear with me and nothing happened
Thank you for holding.
Thank you for bearing with me.
One moment while I check. Okay I found it, it was shipped on Monday.
Let me check that I understand you correctly.
Let me see if I've got this right.
Let me make sure I understand
I'll look into this and call you back tomorrow.
I am so sorry that you had to wait.
You were on hold for a minute?
I'll send a new printer tomorrow.
a moment ago it worked
one minute it works and the next it does not
Let me apologise.
I understand how upsetting that is.
There is no need to hold on.
I'd never ask you to bear with me
hold me to that
Let me tell you what I will do
Let me explain.
I will check back with you tomorrow.
You've been asked to bear with us before
I told you to hold on
It only took a second.
That should take two weeks.
Can you hold the phone closer?
I'm looking forward to it.
I'm looking for a solution with you
You asked me to give you a moment
Take a moment to think about it
I'm not going to ask you to wait
I don't need a minute.
I can see that at one moment you were told yes
Just a minute of your time is all I need
Wait, what?
I will find out who did this and email you
No, I will not check that.
You don't have to hold on.
"Bear with me", she said
Let me get this straight.
Let me get this right
"""


@pytest.mark.parametrize("text", ANNOUNCED.strip().splitlines())
def test_announced(text: str) -> None:
    """With and without punctuation and capitals, as recognisers write it; the quote is of the text."""
    plain = "".join(c for c in text if c not in ",.?!").lower()
    assert announced(text, KNOWN) in text
    assert announced(text, KNOWN)
    assert announced(plain, KNOWN)


@pytest.mark.parametrize("text", NOT_ANNOUNCED.strip().splitlines())
def test_not_announced(text: str) -> None:
    """Denied, reported, over already, or about something else."""
    assert announced(text, KNOWN) == ""


def test_only_the_words_right_before_count() -> None:
    long = "One moment while I check. Your printer was bought in March, it has a warranty of two years, and the engineer is due on Friday"
    assert announced(long, KNOWN) == ""
    assert announced("", KNOWN) == announced("...", KNOWN) == ""
    assert announced("One moment.", None) == ""


@given(st.text())
def test_any_text_is_fine(text: str) -> None:
    assert announced(text, KNOWN) in text


@pytest.mark.parametrize(
    ("gap_s", "verdict"),
    [
        (None, "not measured"), (-0.1, "interrupting"), (0.0, "quick"), (0.19, "quick"), (0.2, "good"), (2.0, "good"),
        (2.1, "caution"), (4.0, "caution"), (4.1, "dead air"),
    ],
)  # fmt: skip
def test_the_wait_before_an_answer(gap_s: float | None, verdict: str) -> None:
    assert judge_gap(gap_s)[0] == verdict


def test_an_announced_wait_is_explained() -> None:
    assert judge_gap(9.0, explained=True) == ("explained", "9.0 s of silence, announced")
    assert judge_gap(1.0, explained=True)[0] == "good"


@pytest.mark.parametrize(
    ("lengths_s", "span_s", "explained_s", "verdict"),
    [
        ([1.0, 1.0], 10.0, 0.0, "good"), ([0.5], 10.0, 0.0, "few"), ([], 10.0, 0.0, "few"),
        ([1.0, 2.6], 10.0, 0.0, "many"), ([1.0], 10.0, 0.0, "good"), ([3.5], 10.0, 0.0, "good"),
        ([3.1], 20.0, 0.0, "dead air"), ([3.1], 20.0, 3.1, "explained"), ([], 5.9, 0.0, "not measured"),
        ([3.0], 20.0, 0.0, "good"),
    ],
)  # fmt: skip
def test_pauses(lengths_s: list[float], span_s: float, explained_s: float, verdict: str) -> None:
    pauses = [Pause(float(at), at + length) for at, length in enumerate(lengths_s)]
    assert judge_pauses(pauses, span_s, explained_s)[0] == (verdict if lengths_s != [3.5] else "dead air")


# --- a call --------------------------------------------------------------------------------------------


def customer(start_s: float, end_s: float) -> Said:
    return Said("customer", start_s, end_s)


def trainee(start_s: float, end_s: float, turn: int, text: str = "I see.") -> Said:
    return Said("trainee", start_s, end_s, turn, text)


WAIT = "One moment while I check."


def found(*said: Said) -> list[tuple[str, float, float, str]]:
    return [(one.kind, one.start_s, one.explained_s, one.verdict) for one in silences(said, KNOWN)]


def test_long_silences_and_whose_they_are() -> None:
    """After the customer's words the trainee is due, and the other way round; 4 s between turns, 3 s inside one."""
    assert found(customer(0, 5), trainee(8.9, 12, 1), customer(18, 20), trainee(24.1, 26, 2)) == [
        ("answer", 20, 0.0, "dead air")
    ]
    assert found(customer(0, 5), trainee(6, 7, 1), trainee(10.1, 12, 1)) == [("pause", 7, 0.0, "dead air")]
    assert found(customer(0, 5), trainee(6, 7, 1), trainee(10.0, 12, 1), trainee(13, 14, 2)) == []
    assert found(customer(0, 5), customer(12, 13), trainee(14, 15, 1)) == [("answer", 5, 0.0, "dead air")]
    assert found(customer(0, 5), trainee(6, 7, 1), trainee(15, 16, 2)) == []
    assert found() == []


def test_an_announcement_explains_the_silence_after_it() -> None:
    """Inside a turn, before the own next turn, and after the customer has said "all right"."""
    assert found(trainee(0, 2, 1, WAIT), trainee(10, 12, 1)) == [("pause", 2, 8.0, "explained")]
    assert found(trainee(0, 2, 1, WAIT), trainee(20, 22, 2)) == [("answer", 2, 18.0, "explained")]
    assert found(trainee(0, 2, 1, WAIT), customer(3, 4), trainee(19, 22, 2)) == [("answer", 4, 15.0, "explained")]
    assert found(trainee(0, 2, 1, "I see."), customer(3, 4), trainee(19, 22, 2)) == [("answer", 4, 0.0, "dead air")]


def test_one_announcement_explains_so_much_and_no_more() -> None:
    """Beyond the most it is dead air again; what is used up is used up; the next words need their own announcement."""
    assert found(trainee(0, 2, 1, WAIT), customer(3, 4), trainee(34, 36, 2)) == [("answer", 4, 20.0, "dead air")]
    asked = [trainee(0, 2, 1, WAIT), customer(2, 4), customer(16, 17), trainee(29, 30, 2)]
    assert found(*asked) == [("answer", 4, 12.0, "explained"), ("answer", 17, 8.0, "dead air")]
    again = [trainee(0, 2, 1, WAIT), trainee(12, 13, 2, "Still there?"), customer(13.5, 14), trainee(20, 21, 3)]
    assert found(*again) == [("answer", 2, 10.0, "explained"), ("answer", 14, 0.0, "dead air")]
    assert EXPLAINED_S == 20.0


def test_the_customer_who_asks_at_the_end_of_it_does_not_make_it_dead() -> None:
    """The live loop asks when the explained time is over, a moment late."""
    assert found(trainee(0, 2, 1, WAIT), customer(2, 4), customer(24.1, 25)) == [("answer", 4, 20.0, "explained")]


def test_words_belong_to_the_side_of_a_gap_on_which_their_middle_lies() -> None:
    """A recogniser stretches words into silence."""
    words = [Word("One", 0.0, 0.3, 1.0), Word("moment.", 0.3, 3.0, 1.0), Word("So", 5.0, 9.2, 1.0)]
    assert words_before("One moment. So", words, (0.8, 8.8)) == "One moment."
    assert words_before("One moment.", (), (0.8, 8.8)) == ""


def test_a_mistake_in_the_file_is_told(tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "silence.yaml"
    path.write_text("about: x\nmoments: ['(']\nrequests: []\ndenied: x\nreported: x\notherwise: x\nover: x\n")
    with pytest.raises(BadInput, match="regular expression"):
        load_announcements(path)


def test_dead_seconds() -> None:
    assert Silence("answer", 4.0, 30.0, 20.0, "one moment", 2, "dead air").dead_s == 6.0
