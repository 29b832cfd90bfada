"""The screen of a call: nobody reads ahead, and a terminal that is gone ends nothing."""

from __future__ import annotations

import io

from rich.console import Console

from voicecoach.nouns import SAMPLE_RATE_HZ, Event
from voicecoach.screen import Screen
from voicecoach.session import Tick

SAID = Event("said", 0, {"text": "I have been waiting!", "anger": 3.0, "start": 0, "end": 4 * SAMPLE_RATE_HZ})


def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=80)


def shown(screen: Screen) -> list[str]:
    return [text for _, text in screen._lines]


def test_a_line_is_shown_once_it_has_been_spoken() -> None:
    """The customer's words appear at the end of the line, not at its beginning."""
    with Screen(terminal(), "Dana") as screen:
        screen(SAID)
        screen(Tick(2.0, "customer", -30.0))
        during = shown(screen)
        screen(Tick(4.1, "nobody", -60.0))

    assert during == []
    assert shown(screen) == ["I have been waiting!"]


def test_without_a_terminal_lines_are_printed_as_they_come() -> None:
    """A log is read afterwards, so it holds everything at once."""
    out = io.StringIO()
    with Screen(Console(file=out), "Dana") as screen:
        screen(SAID)
        screen(Event("heard", 0, {"text": "I am [bold]sorry"}))

    assert "Dana (anger 3.0): I have been waiting!" in out.getvalue()
    assert "You: I am [bold]sorry" in out.getvalue()


def test_a_broken_terminal_does_not_end_the_call() -> None:
    """Output that fails is given up, and the events go on."""

    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    screen = Screen(Console(file=Gone()), "Dana")
    screen(SAID)
    screen(Tick(1.0, "customer", -30.0))

    assert screen._broken


def test_the_screen_says_who_spoke_over_whom() -> None:
    """A customer who cuts in is not the trainee's doing, and who begins together with the customer does nothing wrong."""
    out = io.StringIO()
    with Screen(Console(file=out), "Dana [x]") as screen:
        screen(Event("interrupted", 0, {"by": "customer"}))
        screen(Event("interrupted", 0, {"by": "trainee", "together": True}))
        after_customer = out.getvalue()
        screen(Event("interrupted", 0, {"by": "trainee"}))

    assert after_customer.strip() == "Dana [x] cuts in."
    assert "You spoke over the customer." in out.getvalue()
