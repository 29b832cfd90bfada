"""What all commands have in common: the data folder, the screen, a terminal to ask on, and options of the same name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from voicecoach.before import Terminal

STOPPED = 130
"""Exit code after Ctrl-C, as shells have it."""

Model = Annotated[str, typer.Option(help="Recogniser: a name (small.en), a folder, or a hub id. tiny.en is included.")]
Input = Annotated[str | None, typer.Option("--input", help="Microphone: part of its name, or its number in `doctor`.")]
Output = Annotated[str | None, typer.Option("--output", help="Speaker: part of its name, or its number in `doctor`.")]
Trainee = Annotated[str, typer.Option(help="Your name: calibrations are kept for each trainee and microphone.")]
Demo = Annotated[
    bool,
    typer.Option(
        "--demo", help="Let the recorded trainee answer, hands-free and under its own name; needs no sound device."
    ),
]
Speakers = Annotated[
    bool, typer.Option("--speakers", help="No headset: your microphone rests while the customer speaks.")
]
Echo = Annotated[
    Literal["auto", "test", "headset", "cancel", "half"],
    typer.Option(
        help="The customer's voice in your microphone: auto tests new devices, test tests again, or choose what is done."
    ),
]
LevelName = Literal["mild", "medium", "hard"]
"""As `persona.LevelName`, which is too heavy for `--help`."""
Level = Annotated[LevelName | None, typer.Option(help="mild, medium or hard.")]


class Options:
    """The options that stand before the command."""

    data: Path | None = None
    debug = False


def stated(context: typer.Context, options: Sequence[str]) -> list[str]:
    """Those of `options` that were written on the command line."""
    sources = ((option, context.get_parameter_source(option)) for option in options)
    return [option for option, source in sources if source is not None and source.name == "COMMANDLINE"]


def data() -> Path:
    """The folder for sessions, calibrations and everything else that is kept."""
    from voicecoach.world.places import data_home

    return Options.data or data_home()


def sessions() -> Path:
    """The folder of all sessions."""
    return data() / "sessions"


def note_copy(session: Path, what: Literal["submitted", "exported"], path: Path) -> None:
    """Keep in mind where a copy of a session went; where that cannot be kept, say so."""
    from voicecoach import copies, prepare

    if not copies.note(session, what, path, prepare.now()):
        typer.echo(
            f"The copy could not be noted in the session {session.name}, so `voicecoach delete` will not find it."
        )


def console() -> Console:
    """The screen; lines that go to a file are not wrapped."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def open_page(path: Path) -> None:
    """Show a page in the browser."""
    import webbrowser

    webbrowser.open(path.resolve().as_uri())


def terminal() -> Terminal:
    """The terminal to ask on; the end of the input is no answer."""
    import time

    from voicecoach.before import Terminal

    def ask(prompt: str) -> str | None:
        try:
            return input(prompt)
        except EOFError:
            typer.echo()
            return None

    return Terminal(typer.echo, ask, time.sleep)
