"""`voicecoach serve`: the page in the browser."""

from __future__ import annotations

import sys
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from voicecoach.commands import common


def add_to(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def serve(
        customers: Annotated[
            list[Path] | None, typer.Argument(help="Your own customers (.yaml files), beside the bundled ones.")
        ] = None,
        browser: Annotated[
            bool, typer.Option("--browser/--no-browser", help="Open the page, or only print its address.")
        ] = True,
        port: Annotated[
            int | None, typer.Option(help="Port on this machine (default: 8477, or a free one).", min=1024, max=65535)
        ] = None,
        calls: Annotated[
            int | None, typer.Option(help="How many calls at a time (default: three on two processors).", min=1, max=64)
        ] = None,
        inbox: Annotated[
            Path | None,
            typer.Option(
                help="The folder that trainees submit to and trainers read (default: desk in the data folder)."
            ),
        ] = None,
        model: Annotated[
            str, typer.Option(help="Recogniser: a name (small.en), a folder, or a hub id. tiny.en is included.")
        ] = "tiny.en",
    ) -> None:
        """Rehearse, review and coach in the browser: a page from this machine, for this machine alone.

        Example: `voicecoach serve`   or   `voicecoach serve my-customer.yaml --no-browser`
        """
        from voicecoach import prepare
        from voicecoach.errors import BadInput, install

        try:
            from voicecoach.web import app as web
            from voicecoach.web.calls import House, Models, calls_at_a_time
        except ModuleNotFoundError as error:
            raise BadInput(
                "The page needs libraries that are not installed.", f"Install them with: {install('web')}"
            ) from error
        own = [str(path.resolve()) for path in customers or ()]
        for name in own:
            prepare.choose_persona(name)
        bundled = [name for name in prepare.names("personas") if name not in {Path(path).stem for path in own}]
        house = House(common.data(), Models(common.data(), model), calls or calls_at_a_time(), (*bundled, *own), inbox)

        def ready(address: Callable[[], str]) -> None:
            first = address()
            typer.echo(f"voicecoach is at  {first}")
            typer.echo("The address opens one browser, once, and only on this machine. Ctrl-C ends it.")
            if browser:
                threading.Thread(target=webbrowser.open, args=(first,), daemon=True).start()
            if sys.stdin is not None and sys.stdin.isatty():
                typer.echo("For another browser or another trainee, press Enter: a new address.")
                threading.Thread(target=_more, args=(address,), daemon=True).start()

        web.serve(house, port, ready)


def _more(address: Callable[[], str]) -> None:
    """A new one-time address for each Enter."""
    for _ in sys.stdin:
        typer.echo(f"voicecoach is at  {address()}")
