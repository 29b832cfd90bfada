"""The command line: its commands, the options before them, and errors as sentences with an exit code.

Heavy libraries are imported inside the commands, so that --help answers at once.

Exit codes: 0 done, 1 something unexpected, 2 the command line, 3 a file or input that cannot be used, 4 the sound
device, 5 a model or voice that is missing, 6 the disk, 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from voicecoach import __version__
from voicecoach.commands import (
    calibrate,
    common,
    delete,
    desk,
    doctor,
    drill,
    export,
    history,
    judge,
    measure,
    personas,
    practice,
    procedures,
    rehearse,
    report,
    review,
    serve,
)
from voicecoach.errors import VoicecoachError

EPILOG = (
    "Everything stays on this machine, unless you ask for `doctor --fetch`, a speech URL or `rehearse --reword`. "
    "Exit codes: 0 done, 1 unexpected, 2 usage, 3 input, 4 sound, 5 model, 6 disk, 130 Ctrl-C."
)

app = typer.Typer(
    name="voicecoach",
    help="Rehearse difficult calls: an angry customer speaks, you answer aloud, and the debrief plays back every mark.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
for _module in (
    personas, procedures, rehearse, calibrate, review, report, history, export, delete, desk, doctor, measure, judge,
    serve, practice, drill,
):  # fmt: skip
    _module.add_to(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"voicecoach {__version__}")
        raise typer.Exit


@app.callback()
def _before(
    data: Annotated[
        Path | None, typer.Option(help="Folder for sessions and calibrations (or set VOICECOACH_DATA).")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """See `app`."""
    del version
    common.Options.data, common.Options.debug = data, debug


def main() -> NoReturn:
    """Run the command line: errors become sentences and exit codes, tracebacks only with --debug."""
    _open_streams()
    try:
        code = app(standalone_mode=False)
        if code == common.STOPPED:
            typer.echo("Stopped.", err=True)
        sys.exit(code if isinstance(code, int) else 0)
    except VoicecoachError as error:
        _fail(error, error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("Stopped.", err=True)
        sys.exit(common.STOPPED)
    except BrokenPipeError:
        _abandon_stdout()
        sys.exit(0)
    except OSError as error:
        _abandon_stdout()
        _fail(error, 6 if error.errno in {errno.ENOSPC, errno.EROFS, errno.EDQUOT} else 1)
    except Exception as error:  # noqa: BLE001 - the last resort: a sentence, not a traceback
        if hasattr(error, "format_message") and hasattr(
            error, "exit_code"
        ):  # the command line was wrong: Typer tells how
            error.message = error.message.replace("Value error, ", "")  # type: ignore[attr-defined]  # pydantic's, for us
            error.show()  # type: ignore[attr-defined]
            sys.exit(error.exit_code)
        _fail(error, 1)


def _abandon_stdout() -> None:
    """Discard what could not be printed: Python would try again as it exits, and fail there."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_streams() -> None:
    """Closed streams are replaced by the null device; characters that a terminal cannot show become question marks."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for as long as we run
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _fail(error: Exception, code: int) -> NoReturn:
    if common.Options.debug or os.environ.get("VOICECOACH_DEBUG"):
        raise error
    if isinstance(error, VoicecoachError):
        typer.echo(str(error), err=True)
    elif isinstance(error, OSError):
        typer.echo(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}.", err=True)
    else:
        typer.echo(
            f"Something unexpected went wrong ({type(error).__name__}: {error}). Run again with --debug to see where.",
            err=True,
        )
    sys.exit(code)


if __name__ == "__main__":
    main()
