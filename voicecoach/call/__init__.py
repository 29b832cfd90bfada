"""What a call is made of, and what it tells the screen and asks the keyboard; the modules beside this are its parts.

The loop that puts them together is `voicecoach.session`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from voicecoach import judge
from voicecoach.measure.turns import NORMAL, Mode, Patience
from voicecoach.nouns import Assessment, Baseline, Moment, Mood, Procedure, Reaction
from voicecoach.persona import Persona
from voicecoach.world.echo import HEADSET, EchoMode, EchoTest

Outcome = Literal["resolved", "hung up", "manager", "time limit", "stopped", "script over", "drill over", "fault"]


@dataclass(frozen=True)
class Call:
    """Everything that a call is made of, chosen before it starts."""

    persona: Persona
    persona_text: str
    procedure: Procedure
    procedure_text: str
    rules: judge.Rules
    baseline: Baseline | None = None
    trainee: str = "trainee"
    seed: int = 0
    mode: Mode = "hands-free"
    patience: Patience = NORMAL
    time_limit_s: float = 600.0
    cues: bool = True
    echo: EchoMode = HEADSET
    """What is done about the customer's voice in the microphone."""
    echo_test: EchoTest | None = None
    """What was found on these devices, where they were tested."""
    echo_forced: bool = False
    """The mode stays, whatever is heard."""
    wall: str = ""
    """When the call began, ISO 8601; given, so that a call can be repeated to the byte."""
    recent: tuple[str, ...] = ()
    """Ids of lines that the last calls used up; the customer avoids them where there are others."""
    reword: Callable[[Persona, Reaction], Reaction] | None = None
    """Says a line in other words (world/reword.py); what it is and what it does to the anger stays."""
    prepared: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """Events of what was done before the call, as (kind, data): see `before.py`."""
    moment: Moment | None = None
    """Where a retry or a drill begins; None: at the customer's opening."""
    origin: Mapping[str, Any] = field(default_factory=dict)
    """What `started` tells besides of where the call comes from: `retry` or `drill`."""
    react: Callable[[Persona, Mood, Assessment, str], Reaction] | None = None
    """What the customer makes of a turn, where that is not `persona.react`."""
    name: str = ""
    """Ends the session folder's name; empty: the persona's id."""


Who = Literal["customer", "you", "pause", "thinking", "nobody", "paused"]
"""Who has the floor: in a pause it is still the trainee's, nobody means that it is free, paused that there is no device."""


@dataclass(frozen=True)
class Tick:
    """The state of the call for the screen, many times a second."""

    at_s: float
    who: Who
    level_dbfs: float
    cue: str = ""


@dataclass(frozen=True)
class Keys:
    """What the keyboard (or a test) says now: the talk key is down, the trainee wants to stop, a note was typed."""

    talk: bool = False
    stop: bool = False
    send: bool = False
    """The trainee sends the turn (manual)."""
    note: str = ""
    """A note that was typed and ended just now."""
