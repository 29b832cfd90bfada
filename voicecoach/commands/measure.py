"""`voicecoach measure`: recordings in, numbers out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from voicecoach.commands import calm_voice, common
from voicecoach.errors import BadInput


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(cls=_Measure)(measure)


class _Measure(TyperCommand):
    """Its --baseline takes all names that follow, once the files to measure have been named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """See `_spread`."""
        return super().parse_args(ctx, _spread(args))


def _spread(args: list[str]) -> list[str]:
    """`FILE --baseline A B` as `FILE --baseline A --baseline B`; without a FILE before it, --baseline takes one name."""
    spread: list[str] = []
    named = value = several = False
    for at, arg in enumerate(args):
        if value:
            value = False
        elif arg == "--":
            return [*spread, *args[at:]]
        elif arg.startswith("-") and arg != "-":
            name, equals, _ = arg.partition("=")
            value = not equals and name in {"--baseline", "--model"}
            several = named and name == "--baseline"
        elif several:
            spread.append("--baseline")
        else:
            named = True
        spread.append(arg)
    return spread


def measure(
    files: Annotated[list[Path], typer.Argument(help="Recordings: WAV, FLAC, MP3, M4A.")],
    baseline: Annotated[
        list[Path] | None,
        typer.Option(
            help="Calm recordings of the same voice: several names after the files, or one name each time before them."
        ),
    ] = None,
    transcript: Annotated[bool, typer.Option(help="Recognise the words (needed for the rates).")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON per file.")] = False,
    model: common.Model = "tiny.en",
) -> None:
    """Measure recordings: pitch, level, vocal effort, rates and pauses, with their change from a baseline.

    Example: `voicecoach measure reply.wav --baseline calm.wav --json`
    """
    from voicecoach import plumbing, prepare

    ears = prepare.ears(model)[0] if transcript else None
    calm = calm_voice.of_files(baseline or (), "recording", ears)
    failed: BadInput | None = None
    for path in files:
        try:
            result = plumbing.measure(path, ears, calm)
        except BadInput as error:
            failed = error
            if as_json:
                typer.echo(json.dumps({"file": str(path), "error": str(error)}, sort_keys=True, ensure_ascii=False))
            else:
                typer.echo(str(error), err=True)
            continue
        typer.echo(json.dumps(result, ensure_ascii=False) if as_json else plumbing.as_lines(result))
    if failed is not None:
        raise typer.Exit(failed.exit_code)
