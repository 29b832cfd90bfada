"""How to do it better in this very situation."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path

import pytest

from voicecoach import prepare
from voicecoach.judge.better import MAX_ADVICE_CHARS, PLAINLY, better, could_say
from voicecoach.judge.cues import FAULTS, MOVES
from voicecoach.nouns import TurnContext

PRINTER = TurnContext(
    customer_said="I waited in all Tuesday. Nobody came.",
    customer_name="Dana Whitfield",
    can=("an engineer tomorrow morning", "a replacement printer", "a call back from you in person"),
    cannot=("an engineer today", "a refund of the printer"),
)
PHONE = TurnContext(
    customer_said="I've been three weeks without a line and I've a shop to run!", customer_name="Mr Okafor"
)
TICKETS = TurnContext(
    customer_said="You charged my card twice. I want my money back by Friday.",
    story="I booked two seats for my mother's eightieth.",
    can=("a refund of one of the two payments",),
)
CLINIC = TurnContext(customer_said="My husband and I were sent home from the clinic!", customer_name="Mrs Tighe")
SITUATIONS = (PRINTER, PHONE, TICKETS, CLINIC)


@pytest.mark.parametrize(
    ("code", "outcome", "quote", "context", "advice"),
    [
        ("negative_language", "shown", "I can't send an engineer today", PRINTER,
         "Put what you can do first: “What I can do is an engineer tomorrow morning.”"),
        ("negative_language", "shown", "we don't do replacements", PRINTER,
         "Put what you can do first: “What I can do is a replacement printer.”"),
        ("restate_facts", "unsure", "I see what happened", PRINTER,
         "Use Dana's own words: “So you waited in all Tuesday, and nobody came.”"),
        ("empathise", "unsure", "I understand", PHONE,
         "Say what you understand: “You've been three weeks without a line and you've a shop to run: that is hard.”"),
        ("apologise", "unsure", "sorry", PRINTER,
         "Make it whole, with what you are sorry for: “I am sorry that you waited in all Tuesday, and nobody came.”"),
        ("admit_liability", "shown", "that was our fault", TICKETS,
         "Be sorry for the upset and leave the fault open; the customer said “You charged my card twice”."),
        ("calm_down", "shown", "You need to calm down", PHONE,
         "Instead of “You need to calm down”, name what is behind the anger: "
         "“You've been three weeks without a line and you've a shop to run: that is hard.”"),
        ("overpromise", "shown", "I will refund the printer", PRINTER,
         "“A refund of the printer” is beyond your limits here; offer what you can: “What I can do is a replacement printer.”"),
        ("premature_solution", "shown", "Just restart it", PRINTER,
         "Keep “Just restart it” until you have said “So you waited in all Tuesday, and nobody came.”"),
        ("restate_facts", "unsure", "okay", CLINIC,
         "Use Mrs Tighe's own words; Mrs Tighe said “My husband and I were sent home from the clinic”."),
        ("restate_facts", "done", "so you waited on Tuesday", PRINTER,
         "“waited” and “Tuesday” are Dana's own: now ask whether you have it right, and wait."),
        ("checkback", "unsure", "okay?", TICKETS,
         "Tie the question to what was asked for: “You said that you want your money back by Friday: does this give you that?”"),
    ],
)  # fmt: skip
def test_the_situation_is_in_the_sentence(
    code: str, outcome: str, quote: str, context: TurnContext, advice: str
) -> None:
    """The customer's words, what can be offered, the name, and the trainee's own quote."""
    assert better(code, outcome, quote, context) == advice


def test_a_resolution_is_told_what_it_lacks() -> None:
    """Who and by when, from what was found beside it."""
    said = "I will send a replacement printer"
    assert "who does it and by when" in better("resolution", "done", said, PRINTER)
    assert "add by when" in better("resolution", "done", said, PRINTER, {"res_who"})
    assert "all there" in better("resolution", "done", said, PRINTER, {"res_who", "res_when"})


def test_an_apology_never_accepts_a_fault() -> None:
    """What "we" or our people did is nothing to be sorry for in so many words (001.4)."""
    for said in ("You charged my card twice.", "Your driver broke my fence again.", "You've lost my form twice."):
        assert "sorry that" not in better("apologise", "unsure", "sorry", TurnContext(customer_said=said))


@pytest.mark.parametrize("code", [*MOVES, *FAULTS])
def test_empty_context_is_fine(code: str) -> None:
    """Nothing known: the general advice stands, or a sentence that needs nothing."""
    for outcome in ("done", "unsure", "shown", "listen"):
        advice = better(code, outcome, "", TurnContext())
        assert "“”" not in advice
        assert "None" not in advice


@pytest.mark.parametrize("code", [*MOVES, *FAULTS])
@pytest.mark.parametrize("context", SITUATIONS)
def test_one_bounded_sentence(code: str, context: TurnContext) -> None:
    """One line with a full stop, never "he" or "she" for the customer, the same each time."""
    for outcome in ("shown",) if code in FAULTS else ("done", "unsure"):
        for quote in ("Okay", "word " * 300, "<b>&amp;</b> “x” \x1b[0m\n"):
            advice = better(code, outcome, quote, context)
            assert advice == better(code, outcome, quote, context)
            assert len(advice) <= MAX_ADVICE_CHARS
            assert "\n" not in advice
            assert advice.isprintable()
            assert not advice or advice.rstrip("”")[-1] in ".?"
            assert advice.count("“") == advice.count("”")
            assert not {"she", "her", "his", "him"} & set(advice.lower().split())


def test_offers_are_put_into_the_trainees_mouth() -> None:
    """A brief speaks to the trainee; what is no thing to offer is left out."""
    can = ("A call back from you in person", "a month free, if your supervisor agrees", "you may refund it", "x" * 200)
    assert could_say("resolution", TurnContext(can=can[:1])) == "What I can do is a call back from me in person."
    assert (
        could_say("resolution", TurnContext(can=can[1:2])) == "What I can do is a month free, if my supervisor agrees."
    )
    assert could_say("resolution", TurnContext(can=can[2:])) == ""
    deeds = ("pay back all of it, in his account by Friday", "two free tickets", "refund her ticket")
    assert could_say("resolution", TurnContext(can=deeds)) == "What I can do is pay back all of it."
    assert could_say("alternatives", TurnContext(can=deeds)).startswith(
        "I can pay back all of it, or offer two free tickets:"
    )
    assert could_say("resolution", TurnContext(can=deeds[2:])) == ""


def test_the_scenarios_offers_can_be_said() -> None:
    """Every scenario that comes with voicecoach has something that advice can offer."""
    for path in sorted((Path(__file__).parents[2] / "personas").glob("*.yaml")):
        brief = prepare.choose_persona(path.stem)[0].brief
        said = could_say("resolution", TurnContext(can=brief.can))
        assert said.startswith("What I can do is "), path
        assert not {"he", "she", "him", "her", "his", "you"} & set(said.split())


def test_names_are_data() -> None:
    """A title stays, of two names the first is used, and what is no name is left out."""
    said = replace(PRINTER, customer_name="Ms. O'Brien-Smith")
    assert "Ms. O'Brien-Smith's" in better("restate_facts", "unsure", "x", said)
    for name in ("", "{name}", "<b>Dana</b>", "x" * 500, "Robert'); DROP"):
        assert "the customer's" in better("restate_facts", "unsure", "x", replace(PRINTER, customer_name=name))


def test_each_move_can_be_said() -> None:
    """What could have been said at a step that was not heard: in these words, or at least plainly."""
    for code in MOVES:
        assert could_say(code, PRINTER) or PLAINLY[code]
    assert could_say("unknown", PRINTER) == ""
    assert better("unknown", "done", "x", PRINTER) == ""


def test_five_thousand_words_are_quick() -> None:
    """A long story is looked at from its end."""
    best = math.inf
    for number in range(5):
        text = (
            "I waited in all Tuesday, and nobody came. I rang three times and was told Friday. " * 330
            + f"Day {number}."
        )
        context = replace(PRINTER, customer_said=text, story=text)
        began = time.thread_time()
        assert better("calm_down", "shown", "calm down", context)
        best = min(best, time.thread_time() - began)
    assert len(text.split()) > 5000
    assert best < 0.5
