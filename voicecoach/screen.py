"""The sparse screen of a call: who speaks, a level, the time, the last words, one cue. Nothing that needs reading."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from voicecoach.nouns import SAMPLE_RATE_HZ, Event
from voicecoach.report.words import clock
from voicecoach.session import Tick
from voicecoach.world.echo import HALF_DUPLEX

METER_CELLS = 24
METER_FLOOR_DBFS = -60.0
REFRESH_HZ = 12
WHO = {
    "customer": "{name} is speaking",
    "you": "You are speaking",
    "pause": "You have paused",
    "thinking": "{name} is thinking",
    "nobody": "Listening: your turn",
    "paused": "The call is paused: no sound device",
}


def _rests(data: Any) -> str:
    """What becomes of the microphone on other devices."""
    if data["echo"] != HALF_DUPLEX:
        return ""
    return " Your microphone rests while the customer speaks: this may be a loudspeaker."


class Screen:
    """Shows a call on a terminal, or prints it line by line where there is none."""

    def __init__(
        self,
        console: Console,
        customer: str,
        *,
        words: bool = True,
        keys: str = "",
        draft: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._console, self._customer, self._words, self._keys = console, customer, words, keys
        self._draft = draft
        """The note that is being typed, if any."""
        self._tick = Tick(0.0, "nobody", METER_FLOOR_DBFS)
        self._lines: list[tuple[str, str]] = []
        self._live: Live | None = None
        self._broken = False
        self._mark = ""
        """The mark of a drill's last turn."""
        self._spoken_by: tuple[float, Event] | None = None
        """When the customer's line will have been spoken (s), and its event."""

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(self._view(), console=self._console, refresh_per_second=REFRESH_HZ, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            with contextlib.suppress(OSError, UnicodeError, SystemExit):
                self._live.stop()

    def __call__(self, news: Event | Tick) -> None:
        """Take in an event or a tick of the call. A terminal that is gone never ends a call."""
        try:
            self._take(news)
        except (OSError, UnicodeError, SystemExit):
            self._broken = True
            self._live = None

    def _take(self, news: Event | Tick) -> None:
        if self._broken:
            return
        if isinstance(news, Tick):
            self._tick = news
            if self._spoken_by is not None and news.at_s >= self._spoken_by[0]:
                self._show_spoken()
            if self._live is not None:
                self._live.update(self._view())
            return
        match news.kind:
            case "said":
                self._show_spoken()
                until_s = float(news.data.get("end", news.at)) / SAMPLE_RATE_HZ
                self._spoken_by = (until_s, news)
                if self._live is None:
                    self._show_spoken()
            case "heard" if "again" not in news.data:
                self._show_spoken()
                self._line("You", news.data, "")
            case "interrupted" if not news.data.get("together"):
                by_customer = news.data.get("by") == "customer"
                self._note(f"{self._customer} cuts in." if by_customer else "You spoke over the customer.")
            case "held" if self._spoken_by is not None:  # the line stood still, so it ends later
                longer_s = float(news.data["end"] - news.data["start"]) / SAMPLE_RATE_HZ
                self._spoken_by = (self._spoken_by[0] + longer_s, self._spoken_by[1])
            case "resumed":
                back_on = f" on {news.data['input']}" if news.data["other"] else ""
                self._note(f"The sound is back{back_on}. Go on.{_rests(news.data) if back_on else ''}")
            case "moved":
                self._note(
                    f"Now listening through {news.data['input']}, and speaking through {news.data['output']}."
                    f"{_rests(news.data)}"
                )
            case "reacted":
                for cause in news.data.get("causes", ()):
                    if cause.get("cue") == "drill":
                        self._mark = f"{str(cause.get('why', '')).capitalize()}: {cause.get('evidence', '')}"
                        self._note(self._mark)
            case "fault" | "wordless":
                self._note(f"{news.data.get('what', '')} {news.data.get('do', '')}")

    def _show_spoken(self) -> None:
        """Show the customer's last line, once it has been heard: nobody should read ahead."""
        if self._spoken_by is not None:
            event, self._spoken_by = self._spoken_by[1], None
            self._line(self._customer, event.data, f"anger {float(event.data.get('anger', 0)):.1f}")

    def _line(self, who: str, data: Any, aside: str) -> None:
        text = str(data.get("text", ""))
        if self._live is None:
            self._console.print(
                f"[bold]{escape(who)}[/bold]{f' [dim]({aside})[/dim]' if aside else ''}: {escape(text)}"
            )
        self._lines = [*self._lines, (who, text)][-2:]

    def _note(self, text: str) -> None:
        if self._live is None:
            self._console.print(f"[dim]  {escape(text)}[/dim]")
        else:
            self._lines = [*self._lines, ("", text)][-2:]

    def _view(self) -> Group:
        tick = self._tick
        filled = round(METER_CELLS * min(1.0, max(0.0, (tick.level_dbfs - METER_FLOOR_DBFS) / -METER_FLOOR_DBFS)))
        top = Table.grid(expand=True, padding=(0, 1))
        top.add_column(ratio=1)
        top.add_column(justify="right")
        who = WHO[tick.who].format(name=self._customer)
        top.add_row(Text(who, style="bold"), Text(clock(tick.at_s), style="dim"))
        parts: list[Any] = [top, Text("█" * filled, style="cyan") + Text("─" * (METER_CELLS - filled), style="dim")]
        if self._words:
            parts += [Text(f"{who}: {text}" if who else text, style="dim") for who, text in self._lines]
        parts.append(Text(tick.cue, style="bold yellow") if tick.cue else Text(""))
        if self._mark:
            parts.append(Text(self._mark, style="bold"))
        draft = self._draft()
        if draft is not None:
            parts.append(Text(f"Note: {draft}_   (Enter keeps it, Esc drops it)"))
        elif self._keys:
            parts.append(Text(self._keys, style="dim"))
        return Group(*parts)
