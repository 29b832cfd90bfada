"""A call in the terminal: consent, echo and the trainee at the microphone before it; the end of its record and its debrief."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from voicecoach.commands import common
from voicecoach.errors import VoicecoachError

if TYPE_CHECKING:
    from voicecoach.session import Call
    from voicecoach.world.ears import Ears
    from voicecoach.world.models import ModelFiles
    from voicecoach.world.sound import Duplex
    from voicecoach.world.trainee import TraineeScript
    from voicecoach.world.voice import Voice


def with_consent(call: Call) -> Call:
    """The trainee's consent to the recording, asked for once; without it nothing is recorded."""
    from dataclasses import replace

    from voicecoach import consent
    from voicecoach.keys import interactive

    agreed = consent.before_recording(
        common.terminal() if interactive() else None, common.data(), call.trainee, call.wall
    )
    if agreed is None:
        typer.echo("Nothing was recorded.")
        raise typer.Exit
    if agreed[1]["how"] == "told":
        typer.echo(f"{consent.LINE}\n")
    return replace(call, prepared=(*call.prepared, agreed))


def with_demo(call: Call, script: TraineeScript, ears: Ears) -> tuple[Call, Duplex]:
    """The recorded trainee at the microphone, with its own calibration."""
    from dataclasses import replace

    from voicecoach import prepare
    from voicecoach.world.trainee import FileDuplex, recorded_trainee

    call = replace(call, baseline=prepare.demo_baseline(script, ears), trainee=script.name, mode="hands-free")
    return call, FileDuplex(recorded_trainee(script, prepare.spoken()))


def with_echo(call: Call, sound: Duplex, wanted: str, volume_db: float) -> Call:
    """What to do about the customer's voice in the microphone: as chosen, as found before, or by a test of 5 s."""
    from dataclasses import replace

    from voicecoach import echotest, prepare
    from voicecoach.world.trainee import calibration_of

    if wanted not in {"auto", "test"}:
        mode = echotest.checked(echotest.WORDS[wanted])
        typer.echo(echotest.told(None, mode, forced=True))
        return replace(call, echo=mode, echo_test=echotest.load(common.data(), sound), echo_forced=True)
    spoken = prepare.spoken()
    level = [call.baseline.level_dbfs] if call.baseline else []
    mode, found = echotest.for_call(
        common.data(),
        sound,
        lambda: echotest.run(
            sound, echotest.sentence(spoken, volume_db), calibration_of(prepare.demo_trainee(), spoken), *level
        ),
        typer.echo,
        again=wanted == "test",
    )
    return replace(call, echo=mode, echo_test=found)


def hold(
    call: Call, sound: Duplex, ears: Ears, files: ModelFiles, voice: Voice, *, words: bool, notes: bool = False
) -> Path:
    """Hold the call, ask for notes, then show its debrief; after a fault, that of what was recorded until then."""
    from voicecoach import before, echotest, record, session
    from voicecoach.keys import Keyboard, interactive
    from voicecoach.screen import Screen

    folder = record.new_folder(common.sessions(), call.wall, call.name or call.persona.id)
    space = {"hands-free": "", "push-to-talk": "space: talk / send    ", "manual": "space: send    "}[call.mode]
    keys = f"{space}n: note    q hangs up"
    keyboard = Keyboard()
    failure: BaseException | None = None
    kept = f"The call is kept. Its debrief: voicecoach report {folder.name}"
    writer = record.Writer(folder, call.persona_text, call.procedure_text)
    screen = Screen(
        common.console(),
        call.persona.name,
        words=words,
        keys=keys if interactive() else "",
        draft=lambda: keyboard.draft,
    )
    try:
        try:
            with keyboard.listening(), screen:
                session.rehearse(call, sound, ears, files, voice, writer, show=screen, keys=keyboard)
        finally:
            for note in keyboard.rest():
                writer.event("note", text=note)
        if notes and not keyboard.interrupted:
            with contextlib.suppress(KeyboardInterrupt):
                for note in before.notes(common.terminal()):
                    writer.event("note", text=note)
    except Exception as error:  # noqa: BLE001 - whatever it was, the debrief of what was recorded comes first
        failure = error
    except KeyboardInterrupt:
        typer.echo(kept, err=True)
        raise
    finally:
        close(writer, clean=failure is None)
    try:
        echotest.unlearn(common.data(), record.read(folder))
        show_debrief(folder)
    except (KeyboardInterrupt, BrokenPipeError):
        typer.echo(kept, err=True)
        failure = failure or KeyboardInterrupt()
    except VoicecoachError as error:
        if failure is None:
            raise
        typer.echo(str(error), err=True)
    if failure is not None:
        raise failure
    if keyboard.interrupted:
        raise typer.Exit(common.STOPPED)
    return folder


def close(writer: Any, clean: bool) -> None:
    """Close the record; what fails here is printed, so that what failed before it is not lost."""
    try:
        writer.close(archive=clean)
    except VoicecoachError as error:
        typer.echo(str(error), err=True)


def show_debrief(folder: Path, html: Path | None = None, open_page: bool = False) -> None:
    """Print the debrief of a session and write its page beside the record."""
    from voicecoach import debrief, record
    from voicecoach.report.takes import as_text as takes_text
    from voicecoach.report.text import as_text
    from voicecoach.takes import takes_of

    session = record.read(folder)
    report, page = debrief.debrief_of(session)
    width = min(100, common.console().width)
    typer.echo(as_text(report, width) + takes_text(takes_of(folder), width))
    path = debrief.write_page(page, html or folder / record.PAGE)
    typer.echo(f"\nThe page with the recording: {path}")
    if open_page:
        common.open_page(path)
