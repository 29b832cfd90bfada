"""`voicecoach procedures`: what scores a call, listed, shown and checked."""

from __future__ import annotations

from typing import Annotated

import typer

from voicecoach.errors import BadInput

procedures_app = typer.Typer(invoke_without_command=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(procedures_app, name="procedures")


@procedures_app.callback()
def _procedures(context: typer.Context) -> None:
    """List, show and check the complaint-handling procedures that score a call.

    Example: `voicecoach procedures`
    """
    if context.invoked_subcommand is None:
        procedures_list()


@procedures_app.command("list")
def procedures_list() -> None:
    """List the bundled procedures.

    Example: `voicecoach procedures list`
    """
    from voicecoach import prepare

    for name in prepare.names("assets/procedures"):
        steps, _ = prepare.choose_procedure(name)
        typer.echo(f"{name:22} {steps.name} ({len(steps.steps)} steps, document {steps.document})")


@procedures_app.command("show")
def procedures_show(name: Annotated[str, typer.Argument(help="A procedure's name or a .yaml file.")]) -> None:
    """Show the steps of a procedure, what shows each, and where it comes from.

    Example: `voicecoach procedures show six-guidelines`
    """
    from voicecoach import plumbing, prepare

    steps, _ = prepare.choose_procedure(name)
    typer.echo("\n".join(plumbing.procedure_lines(steps)))


@procedures_app.command("check")
def procedures_check(
    files: Annotated[list[str], typer.Argument(help="Procedure files, or names of bundled ones.")],
) -> None:
    """Check procedure files: every problem with its line and what to write instead.

    Example: `voicecoach procedures check my-procedure.yaml`
    """
    from voicecoach import prepare

    failed = False
    for name in files:
        try:
            steps, _ = prepare.choose_procedure(name)
            typer.echo(f"{name}: good, {len(steps.steps)} steps. Use it with: voicecoach rehearse --procedure {name}")
        except BadInput as error:
            failed = True
            typer.echo(str(error), err=True)
    if failed:
        raise typer.Exit(BadInput.exit_code)
