"""`voicecoach doctor`: what is there on this machine, and how to mend what is not."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from voicecoach.commands import common


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(
    listen: Annotated[
        bool | None, typer.Option("--listen/--no-listen", help="The five-second test (default: in a terminal).")
    ] = None,
    input: common.Input = None,
    output: common.Output = None,
    model: common.Model = "tiny.en",
    fetch: Annotated[str | None, typer.Option(help="Fetch a recogniser from the model hub (uses the network).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON per check.")] = False,
) -> None:
    """Check devices, models, voices and disk, and test microphone and speaker for five seconds; say how to fix what fails.

    Example: `voicecoach doctor`
    """
    from dataclasses import asdict

    from rich.live import Live
    from rich.text import Text

    from voicecoach import doctor as checking
    from voicecoach.world import models

    if fetch:
        typer.echo(f"Fetching the recogniser {fetch}...")
        files = models.find(fetch, download=True)
        typer.echo(f"Fetched: {files.megabytes:.0f} MB, SHA-256 {files.sha256}")
    failed = 0

    def tell(check: checking.Check) -> None:
        nonlocal failed
        failed += not check.ok and check.needed
        if as_json:
            typer.echo(json.dumps(asdict(check), sort_keys=True))
            return
        mark = "ok" if check.ok else "MISSING" if check.needed else "missing"
        typer.echo(f"{mark:8} {check.name:16} {check.found}")
        if not check.ok and check.do:
            typer.echo(f"{'':8} {'':16} -> {check.do}")

    microphone = False
    for check in checking.checks(common.data(), model):
        microphone = microphone or (check.name == "microphone" and check.ok)
        tell(check)
    if (listen if listen is not None else checking.stdout_is_terminal() and microphone) and not as_json:
        typer.echo("\nSay a few words in your normal voice (five seconds; a soft tone is played)...")
        with Live(console=common.console(), refresh_per_second=10, transient=True) as live:
            check = checking.listen(input, output, lambda level: live.update(Text("█" * max(0, int((level + 60) / 2)))))
        tell(check)
    if failed:
        raise typer.Exit(5)
