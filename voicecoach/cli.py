"""The commands. Heavy libraries are imported inside the commands, so that --help answers at once.

Exit codes: 0 done, 1 something unexpected, 2 the command line, 3 a file or input that cannot be used, 4 the sound
device, 5 a model or voice that is missing, 6 the disk, 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer
from typer.core import TyperCommand

from voicecoach import __version__
from voicecoach.commands import delete, desk, drill, export, history, practice, serve
from voicecoach.errors import BadInput, DeviceError, DiskError, NoDevice, VoicecoachError

if TYPE_CHECKING:
    from rich.console import Console

    from voicecoach.before import Terminal
    from voicecoach.measure.observe import Floats
    from voicecoach.measure.turns import Patience
    from voicecoach.nouns import Baseline
    from voicecoach.session import Call
    from voicecoach.world.audiofiles import Spool
    from voicecoach.world.ears import Ears
    from voicecoach.world.models import ModelFiles
    from voicecoach.world.sound import Duplex, Samples
    from voicecoach.world.voice import Voice

EPILOG = "Everything stays on this machine. Exit codes: 0 done, 2 usage, 3 input, 4 sound, 5 model, 6 disk, 130 Ctrl-C."

READING_S = 22.0
"""The three calibration sentences at an easy pace, with a breath before and after."""
STOPPED = 130
"""Exit code after Ctrl-C, as shells have it."""

app = typer.Typer(
    name="voicecoach",
    help="Rehearse difficult calls: an angry customer speaks, you answer aloud, and the debrief plays back every mark.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
personas_app = typer.Typer(invoke_without_command=True)
procedures_app = typer.Typer(invoke_without_command=True)
app.add_typer(personas_app, name="personas")
app.add_typer(procedures_app, name="procedures")


class _Options:
    """What is said before the command."""

    data: Path | None = None
    debug = False


def _data() -> Path:
    from voicecoach.world.places import data_home

    return _Options.data or data_home()


def _sessions() -> Path:
    return _data() / "sessions"


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def _say(text: str = "") -> None:
    typer.echo(text)


def _version(wanted: bool) -> None:
    if wanted:
        _say(f"voicecoach {__version__}")
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
    _Options.data, _Options.debug = data, debug


# --- the call --------------------------------------------------------------------------------------

_Model = Annotated[str, typer.Option(help="Recogniser: a name (small.en), a folder, or a hub id. tiny.en comes along.")]
_Input = Annotated[str | None, typer.Option("--input", help="Microphone: part of its name, or its number in `doctor`.")]
_Output = Annotated[str | None, typer.Option("--output", help="Speaker: part of its name, or its number in `doctor`.")]
_Trainee = Annotated[str, typer.Option(help="Your name: calibrations are kept for each trainee and microphone.")]


@app.command()
def rehearse(
    context: typer.Context,
    persona: Annotated[
        str, typer.Argument(help="Which call: a name from `voicecoach personas`, or a .yaml file.")
    ] = "dana-printer",
    scenario: Annotated[
        str | None, typer.Option("--scenario", "--persona", help="The same as an option.", metavar="NAME")
    ] = None,
    level: Annotated[
        Literal["mild", "medium", "hard"] | None,
        typer.Option(help="How angry the customer begins, and how hard it is."),
    ] = None,
    procedure: Annotated[
        str, typer.Option(help="What scores the call: a name from `voicecoach procedures`, or a .yaml file.")
    ] = "six-guidelines",
    talk: Annotated[
        Literal["hands-free", "push-to-talk", "manual"],
        typer.Option(help="Speak freely, hold the floor with the space bar, or speak freely and send with it."),
    ] = "hands-free",
    demo: Annotated[
        bool, typer.Option("--demo", help="Let the recorded trainee answer; needs no sound device.")
    ] = False,
    auto: Annotated[
        bool, typer.Option("--auto", help="Live where there is a microphone, else the recorded trainee.")
    ] = False,
    trainee: _Trainee = "trainee",
    input: _Input = None,
    output: _Output = None,
    rate: Annotated[
        int | None, typer.Option(help="Device rate in Hz, if 48000 does not do.", min=8000, max=192000)
    ] = None,
    speakers: Annotated[
        bool, typer.Option("--speakers", help="No headset: your microphone rests while the customer speaks.")
    ] = False,
    echo: Annotated[
        Literal["auto", "headset", "cancel", "half"],
        typer.Option(help="The customer in your microphone: tested once for each pair of devices, or as you say."),
    ] = "auto",
    telephone: Annotated[bool, typer.Option(help="Hear the customer as on a telephone line.")] = True,
    cues: Annotated[bool, typer.Option(help="Show a sparse cue ('softer', 'slower') while you speak.")] = True,
    words: Annotated[bool, typer.Option(help="Show the last words on the screen.")] = True,
    patience: Annotated[
        str,
        typer.Option(help="Silence that ends your turn: quick, normal, patient, or seconds (0.3 to 3)."),
    ] = "normal",
    time_limit: Annotated[float, typer.Option(help="Minutes after which the call ends.", min=0.2, max=60.0)] = 10.0,
    seed: Annotated[int | None, typer.Option(help="Repeat a call: the same seed chooses the same lines.")] = None,
    reword: Annotated[
        str | None,
        typer.Option(help="A language model re-words the lines: an OpenAI-compatible URL (off: nothing is sent)."),
    ] = None,
    reword_model: Annotated[str, typer.Option(help="With --reword: the model's name there.")] = "llama3.2",
    assignment: Annotated[
        Path | None, typer.Option(help="A trainer's file: it sets the customer, the level and the procedure.")
    ] = None,
    retry: Annotated[
        tuple[str, int] | None,
        typer.Option(
            help="Say a turn of a recorded call again, from the customer's state then.", metavar="SESSION TURN"
        ),
    ] = None,
    prepared: Annotated[
        bool,
        typer.Option("--prepare/--no-prepare", help="Worksheet and one breath before, notes after (in a terminal)."),
    ] = True,
    model: _Model = "tiny.en",
) -> None:
    """Take a call from an angry customer, and read the debrief.

    Example: `voicecoach rehearse dana-printer --level hard --procedure six-guidelines`

    Without a microphone: `voicecoach rehearse --demo`
    """
    import random
    from dataclasses import replace

    from voicecoach import before, prepare
    from voicecoach.keys import interactive
    from voicecoach.session import Call

    taken = desk.take(assignment, _sessions()) if assignment is not None else None
    if taken is not None:
        scenario, level, procedure = taken.scenario, taken.level, taken.procedure
    customer, persona_text = prepare.choose_persona(scenario or persona, level)
    steps, procedure_text = prepare.choose_procedure(procedure)
    chosen_seed = seed if seed is not None else 1 if demo else random.randrange(1 << 30)
    call = Call(
        customer, persona_text, steps, procedure_text, prepare.rules(), trainee=trainee, seed=chosen_seed, mode=talk,
        patience=_patience(patience), time_limit_s=time_limit * 60, cues=cues, half_duplex=speakers, wall=prepare.now(),
        recent=prepare.recent_lines(_sessions(), customer) if seed is None and not demo else (),
    )  # fmt: skip
    if taken is not None:
        call = replace(call, prepared=(taken.event,))
    skip = 0
    if retry is not None:
        call, skip = practice.retried(context, call, *retry)
        customer = call.persona
    if reword is not None:
        from voicecoach.world.reword import from_options

        call = replace(call, reword=from_options(reword, reword_model))
    sound: Duplex | None = None
    if not demo:
        try:
            sound = _open_device(input, output, rate)
        except DeviceError as error:
            if not auto:
                raise
            _say(f"{error.what} The recorded trainee takes the call instead, through the same loop.")
            mend = "plug in a microphone and a speaker, and start again." if isinstance(error, NoDevice) else error.do
            _say(f"To take it yourself: {mend}\n")
            demo = True
    try:
        if not demo:
            call = _with_consent(call)
        console = _console()
        with console.status("Loading the recogniser and the customer's voice..."):
            ears, files = prepare.ears(model)
            voice = prepare.voice(customer, telephone=telephone, data=_data())
        for notice in voice.notices:
            _say(notice)
        call, sound = (
            _with_demo(call, ears, seed, skip) if sound is None else (_with_baseline(call, sound, ears), sound)
        )
        asked = prepared and not demo and interactive()
        if not demo:
            voice.volume_db = _volume(sound, telephone=telephone, ask=asked)
            call = _with_echo(call, sound, "half" if speakers else echo, voice.volume_db)
        if asked and call.moment is None:
            call = replace(
                call,
                prepared=(
                    *before.prepare(_terminal(), customer, before.hard_call(_sessions(), call.wall)),
                    *call.prepared,
                ),
            )
        folder = _hold(call, sound, ears, files, voice, words=words, notes=asked)
        while asked and (again := practice.offered(call, folder)) is not None:
            folder = _hold(again, sound, ears, files, voice, words=words)
    finally:
        if sound is not None:
            sound.close()


def _patience(text: str) -> Patience:
    from voicecoach.measure.turns import patience_of

    try:
        return patience_of(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.", param_hint="--patience") from error


def _open_device(device_in: str | None, device_out: str | None, rate: int | None) -> Duplex:
    from voicecoach.world.sound import Device

    return Device(device_in, device_out, rate)


def _with_demo(call: Call, ears: Ears, seed: int | None, skip: int = 0) -> tuple[Call, Duplex]:
    """The recorded trainee at the microphone, with its own calibration and a call that repeats; `skip` its first turns."""
    from dataclasses import replace

    from voicecoach import prepare
    from voicecoach.world.trainee import FileDuplex, recorded_trainee

    script = prepare.demo_trainee()
    baseline = prepare.demo_baseline(script, ears)
    seed = call.seed if call.moment else 1 if seed is None else seed
    call = replace(call, baseline=baseline, trainee=script.name, seed=seed, mode="hands-free")
    script = replace(script, turns=script.turns[skip:] or script.turns[-1:])
    return call, FileDuplex(recorded_trainee(script, prepare.spoken()))


def _with_consent(call: Call) -> Call:
    """The trainee's consent to the recording, asked for once; without it nothing is recorded."""
    from dataclasses import replace

    from voicecoach import consent
    from voicecoach.keys import interactive

    agreed = consent.before_recording(_terminal() if interactive() else None, _data(), call.trainee, call.wall)
    if agreed is None:
        _say("Nothing was recorded.")
        raise typer.Exit
    if agreed[1]["how"] == "told":
        _say(f"{consent.LINE}\n")
    return replace(call, prepared=(*call.prepared, agreed))


def _with_baseline(call: Call, sound: Duplex, ears: Ears) -> Call:
    """The trainee's calibration on this microphone; without one it is offered, or the first turns stand in for it."""
    from dataclasses import replace

    from voicecoach import calibration
    from voicecoach.keys import interactive

    if call.baseline is not None and call.baseline.device == sound.info.input:
        return call  # a retry on the microphone of that day
    baseline = calibration.load(_data(), call.trainee, sound.info.input)
    if baseline is None:
        _say("There is no calibration of your calm voice on this microphone, so your first turns will stand in for it.")
        if interactive() and typer.confirm("Record it now? It takes twenty seconds.", default=True):
            try:
                baseline = _calibrated(_read_aloud(sound, READING_S), sound.info.input, ears, call.trainee)
            except BadInput as error:
                _say(f"{error}\nThe call goes on without it.")
        _say()
    return replace(call, baseline=baseline)


def _with_echo(call: Call, sound: Duplex, wanted: str, volume_db: float) -> Call:
    """What is done about the customer's voice in the microphone: as chosen, as found before, or by a test of 5 s."""
    from dataclasses import replace

    from voicecoach import echotest, prepare
    from voicecoach.world.trainee import calibration_of

    if wanted != "auto":
        mode = echotest.checked(echotest.WORDS[wanted])
        _say(echotest.told(None, mode, forced=True))
        return replace(call, echo=mode, echo_test=echotest.load(_data(), sound), echo_forced=True)
    spoken = prepare.spoken()
    level = [call.baseline.level_dbfs] if call.baseline else []
    mode, found = echotest.for_call(
        _data(),
        sound,
        lambda: echotest.run(
            sound, echotest.sentence(spoken, volume_db), calibration_of(prepare.demo_trainee(), spoken), *level
        ),
        _say,
    )
    return replace(call, echo=mode, echo_test=found)


def _volume(sound: Duplex, *, telephone: bool = True, ask: bool, again: bool = False) -> float:
    """The volume kept for this output device; without one, or `again`, it is asked for, if anybody can be asked."""
    from voicecoach import prepare, volume

    device = sound.info.output
    kept = volume.load(_data(), device)
    if not ask or not sound.realtime or (kept is not None and not again):
        return kept or 0.0
    lines = prepare.spoken()
    chosen = volume.choose(
        _terminal(), lambda db: volume.play_through(sound, volume.sample(lines, db, telephone=telephone)), kept or 0.0
    )
    if chosen is None:
        _say("Skipped. To set it later: voicecoach calibrate --volume\n")
        return kept or 0.0
    volume.save(_data(), device, chosen)
    _say(f"The volume on {device}: {chosen:+g} dB. To change it: voicecoach calibrate --volume\n")
    return chosen


def _terminal() -> Terminal:
    """The terminal to ask on; the end of the input is no answer."""
    import time

    from voicecoach.before import Terminal

    def ask(prompt: str) -> str | None:
        try:
            return input(prompt)
        except EOFError:
            _say()
            return None

    return Terminal(_say, ask, time.sleep)


def _hold(
    call: Call, sound: Duplex, ears: Ears, files: ModelFiles, voice: Voice, *, words: bool, notes: bool = False
) -> Path:
    """Hold the call, ask for notes, then show its debrief: also after a fault, as far as the record goes."""
    from voicecoach import before, record, session
    from voicecoach.keys import Keyboard, interactive
    from voicecoach.screen import Screen

    folder = record.new_folder(_sessions(), call.wall, call.name or call.persona.id)
    space = {"hands-free": "", "push-to-talk": "space: talk / send    ", "manual": "space: send    "}[call.mode]
    keys = f"{space}n: note    q hangs up"
    keyboard = Keyboard()
    failure: BaseException | None = None
    writer = record.Writer(folder, call.persona_text, call.procedure_text)
    screen = Screen(
        _console(), call.persona.name, words=words, keys=keys if interactive() else "", draft=lambda: keyboard.draft
    )
    try:
        with keyboard.listening(), screen:
            session.rehearse(call, sound, ears, files, voice, writer, show=screen, keys=keyboard)
        if notes and not keyboard.interrupted:
            with contextlib.suppress(KeyboardInterrupt):
                for note in before.notes(_terminal()):
                    writer.event("note", text=note)
    except Exception as error:  # noqa: BLE001 - whatever it was, what was recorded gets its debrief first
        failure = error
    finally:
        _close(writer, clean=failure is None)
    try:
        _debrief(folder)
    except (KeyboardInterrupt, BrokenPipeError):
        typer.echo(f"The call is kept. Its debrief: voicecoach report {folder.name}", err=True)
        failure = failure or KeyboardInterrupt()
    if failure is not None:
        raise failure
    if keyboard.interrupted:
        raise typer.Exit(STOPPED)
    return folder


def _close(writer: Any, clean: bool) -> None:
    """Close the record; a disk that fails here too has been told already."""
    try:
        writer.close(archive=clean)
    except VoicecoachError as error:
        typer.echo(str(error), err=True)


def _debrief(folder: Path, html: Path | None = None, open_page: bool = False) -> None:
    """Print the debrief of a session and write its page beside the record."""
    from voicecoach import debrief, record
    from voicecoach.report.takes import as_text as takes_text
    from voicecoach.report.text import as_text
    from voicecoach.takes import takes_of

    session = record.read(folder)
    report, page = debrief.debrief_of(session)
    path = debrief.write_page(page, html or folder / debrief.PAGE)
    width = min(100, _console().width)
    _say(as_text(report, width) + takes_text(takes_of(folder), width))
    _say(f"\nThe page with the recording: {path}")
    if open_page:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())


# --- calibration, review, reports ------------------------------------------------------------------


@app.command()
def calibrate(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Recordings of a calm reading; without any, the microphone.")
    ] = None,
    trainee: _Trainee = "trainee",
    input: _Input = None,
    output: _Output = None,
    device: Annotated[str | None, typer.Option(help="With files: the microphone that they stand for.")] = None,
    seconds: Annotated[float, typer.Option(help="Seconds to read.", min=8, max=60)] = READING_S,
    model: _Model = "tiny.en",
    volume: Annotated[
        bool, typer.Option("--volume", help="Only choose how loud customers are on this output device.")
    ] = False,
) -> None:
    """Measure your calm voice once per microphone: twenty seconds of reading, so that verdicts compare you with yourself.

    Example: `voicecoach calibrate`   or   `voicecoach calibrate reading.wav --device "USB headset"`
    """
    import numpy as np

    from voicecoach import prepare
    from voicecoach.keys import interactive

    if volume:
        if not interactive():
            raise BadInput("There is no terminal to ask on.", "Set the volume of your system instead.")
        sound = _open_device(input, output, None)
        try:
            _volume(sound, ask=True, again=True)
        finally:
            sound.close()
        return
    ears, _ = prepare.ears(model)
    if files:
        samples = np.concatenate([_calm(path) for path in files])
        _calibrated(samples, device or "recording", ears, trainee)
        return
    sound = _open_device(input, output, None)
    try:
        samples = _read_aloud(sound, seconds)
    finally:
        sound.close()
    _calibrated(samples, sound.info.input, ears, trainee)


def _calm(path: Path) -> Floats:
    """A recording of a calm voice: as much of it as is of use, so that memory does not grow with its length."""
    from voicecoach import calibration
    from voicecoach.measure import observe
    from voicecoach.world import audiofiles

    samples, more, flat = audiofiles.read_start(path, calibration.MAX_CALIBRATION_S)
    if more:
        _say(f"{path.name}: the first {calibration.MAX_CALIBRATION_S / 60:.0f} minutes are used.")
    if flat > observe.MAX_CLIPPED:
        raise BadInput(
            f"{path} is clipped: {100 * flat:.1f} % of it is cut flat.", "Turn the microphone down and read again."
        )
    return samples


def _calibrated(samples: Floats, device: str, ears: Ears, trainee: str) -> Baseline:
    """Measure a calm reading, keep it, and say what was found. Raises BadInput naming what was wrong with it."""
    from voicecoach import calibration

    baseline, seen = calibration.calibrate(samples, device, ears)
    path = calibration.save(_data(), trainee, baseline)
    _say(f"Your calm voice on {device}:")
    _say(
        f"  pitch {baseline.f0_median_hz:.0f} Hz, level {baseline.level_dbfs:.0f} dBFS, {seen.speech_s:.0f} s of speech"
    )
    if seen.rate:
        _say(f"  {seen.rate.wpm:.0f} words a minute, {seen.rate.articulation_sps:.1f} syllables a second")
    _say(f"Kept in {path}")
    return baseline


def _read_aloud(sound: Duplex, seconds: float) -> Floats:
    """Record a reading from the microphone, with the sentences and a meter on the screen."""
    import numpy as np
    from rich.live import Live
    from rich.text import Text

    from voicecoach import calibration
    from voicecoach.nouns import SAMPLE_RATE_HZ

    _say("Read this aloud, calmly, as you would to a friendly customer:\n")
    for sentence in calibration.READING:
        _say(f"  {sentence}")
    _say()
    blocks: list[Samples] = []
    got, needed = 0, round(seconds * SAMPLE_RATE_HZ)
    sound.drain()
    with Live(console=_console(), refresh_per_second=10, transient=True) as live:
        while got < needed:
            block = sound.read()
            if block is None:
                break
            blocks.append(block.mic)
            got += len(block.mic)
            level = 20 * np.log10(np.sqrt(np.mean((block.mic / 32768.0) ** 2)) + 1e-6)
            left = (needed - got) / SAMPLE_RATE_HZ
            live.update(Text("█" * max(0, int((level + 60) / 2.5)) + f"  {left:.0f} s"))
    return np.asarray(np.concatenate(blocks) / 32768, np.float32)


@app.command()
def review(
    file: Annotated[Path, typer.Argument(help="A call: stereo with agent and customer, or mono with the agent alone.")],
    agent: Annotated[Literal["left", "right"], typer.Option(help="The agent's channel in a stereo file.")] = "left",
    baseline: Annotated[
        list[Path] | None, typer.Option(help="A calm recording of the agent (may be repeated).")
    ] = None,
    procedure: Annotated[
        str, typer.Option(help="What scores the call: a name from `voicecoach procedures`, or a .yaml file.")
    ] = "six-guidelines",
    model: _Model = "tiny.en",
) -> None:
    """Score an existing recording: the same record and the same debrief as a rehearsal.

    Example: `voicecoach review call.wav --agent left --procedure five-step-process`
    """
    from rich.progress import Progress

    from voicecoach import calibration, prepare, record
    from voicecoach import review as reviewing
    from voicecoach.world.ears import SHORT_S, THREADS

    steps, procedure_text = prepare.choose_procedure(procedure)
    with _unpacked(file) as spool:
        sides = reviewing.sides_of(spool, agent, file)
        which = agent if sides[1] is not None else "both" if spool.channels > 1 else "only"
        faults = reviewing.faults_of(spool, file)
        for what, do in faults:
            _say(f"{what} {do}\n")
        ears, files = prepare.ears(model, silence_s=SHORT_S, at_once=THREADS)
        own = calibration.average((_calm(path) for path in baseline or ()), "this recording", ears)
        root, wall = _sessions(), prepare.now()
        record.make_room(root)
        with Progress(console=_console(), transient=True) as progress:
            task = progress.add_task("Listening", total=1.0)
            said = reviewing.hear(
                *sides, name=file.name, ears=ears, progress=lambda share: progress.update(task, completed=share)
            )
        writer = record.Writer(record.new_folder(root, wall, f"review-{file.stem}"), "", procedure_text)
        try:
            reviewing.write(
                said, *sides, name=file.name, which=which, ears=ears, ears_files=files, rules=prepare.rules(),
                procedure=steps.id, baseline=own, writer=writer, wall=wall, faults=faults,
            )  # fmt: skip
            writer.close()
        except BaseException:
            _close(writer, clean=False)
            record.delete(writer.folder)  # nothing was recorded here that the given file does not hold
            raise
    _debrief(writer.folder)


def _unpacked(file: Path) -> Spool:
    """A recording of any length, on the disk where sessions are kept."""
    from voicecoach.world import audiofiles

    folder = _data()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DiskError(
            f"The folder {folder} cannot be made ({error.strerror or error}).", "Choose another with --data."
        ) from error
    with _console().status(f"Reading {file.name}..."):
        return audiofiles.spooled(file, folder)


@app.command()
def report(
    session: Annotated[
        str, typer.Argument(help="A session: its name, the beginning of it, its folder, or `last`.")
    ] = "last",
    html: Annotated[
        Path | None, typer.Option(help="Where to write the page (default: in the session's folder).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one line of JSON instead.")] = False,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Rebuild a debrief from its record alone: as text, and as one page with the recording in it.

    Example: `voicecoach report last --open`
    """
    from voicecoach import bundles, copies, debrief, prepare, record

    if bundles.is_bundle(Path(session)):
        desk.show(Path(session), html, open_page, as_json)
        return
    folder = record.find(_sessions(), session)
    if as_json:
        _say(record.to_json(debrief.report_on(record.read(folder))))
        return
    _debrief(folder, html, open_page)
    if html is not None:
        copies.note(folder, "exported", html / debrief.PAGE if html.is_dir() else html, prepare.now())


history.add_to(app)


for _module in (export, delete, desk):
    _module.add_to(app)


# --- customers and procedures ----------------------------------------------------------------------


@personas_app.callback()
def _personas(context: typer.Context) -> None:
    """List, show and check the customers that can call.

    Example: `voicecoach personas`
    """
    if context.invoked_subcommand is None:
        personas_list()


@personas_app.command("list")
def personas_list() -> None:
    """List the bundled customers.

    Example: `voicecoach personas list`
    """
    from voicecoach import prepare

    for name in prepare.names("personas"):
        customer, _ = prepare.choose_persona(name)
        _say(f"{name:20} {customer.name}: {customer.about}")


@personas_app.command("show")
def personas_show(name: Annotated[str, typer.Argument(help="A customer's name or a .yaml file.")]) -> None:
    """Show who a customer is and what the call is about.

    Example: `voicecoach personas show dana-printer`
    """
    from voicecoach import persona as customers
    from voicecoach import prepare

    customer, _ = prepare.choose_persona(name)
    lines = customers.lines(customer)
    _say(f"{customer.full_name} ({customer.id})\n{customer.about}\n")
    if customer.situation:
        _say(f"{customer.title} ({customer.situation.replace('-', ' ')})\n")
    for heading, phrases in (
        ("You can offer", customer.brief.can),
        ("You cannot offer", customer.brief.cannot),
        ("Accepted", tuple(outcome.outcome for outcome in customer.accepts)),
    ):
        if phrases:
            _say("\n".join([f"{heading}:", *(f"  - {phrase}" for phrase in phrases), ""]))
    _say(f"{len(lines)} lines. The first words: {lines[0][1]}")


@personas_app.command("check")
def personas_check(
    files: Annotated[list[str], typer.Argument(help="Scenarios, people, or names of bundled scenarios.")],
) -> None:
    """Check scenarios and people: every problem with its line and what to write instead.

    Example: `voicecoach personas check my-customer.yaml`
    """
    from voicecoach import prepare
    from voicecoach.persona.check import check

    failed = False
    for name in files:
        try:
            checked = check(prepare.path_of("personas", name, "persona"), prepare.people())
        except BadInput as error:
            failed = True
            typer.echo(str(error), err=True)
            continue
        for problem in checked.problems:
            typer.echo(problem, err=True)
        if checked.problems:
            failed = True
            continue
        _say(f"{name}: good, {checked.who}.")
        for remark in checked.remarks:
            _say(f"  {remark}")
    if failed:
        raise typer.Exit(BadInput.exit_code)


@personas_app.command("new")
def personas_new(
    out: Annotated[Path, typer.Option(help="Folder for the new file.")] = Path(),
) -> None:
    """Ask ten questions and write a new scenario, and a new person if you like, with comments, ready to be played.

    Example: `voicecoach personas new --out my-calls`
    """
    from voicecoach import authoring, prepare

    path = authoring.new(_terminal().ask, _say, out, [out / "people", *prepare.people()])
    _say(f"\nWritten: {path}")
    _say(f"Try it in text: voicecoach personas play {path}")
    _say(f"Check it:       voicecoach personas check {path}")


_Level = Annotated[Literal["mild", "medium", "hard"] | None, typer.Option(help="mild, medium or hard.")]


@personas_app.command("play")
def personas_play(
    name: Annotated[str, typer.Argument(help="A customer's name or a .yaml file.")] = "dana-printer",
    level: _Level = None,
    seed: Annotated[int, typer.Option(help="The same seed chooses the same lines.")] = 1,
) -> None:
    """Rehearse in text, in the terminal: no sound, and every change of the anger with its reason.

    Example: `voicecoach personas play dana-printer --level hard`
    """
    from voicecoach import authoring, prepare

    customer, _ = prepare.choose_persona(name, level)
    authoring.play(customer, prepare.rules(), seed, _terminal().ask, _say)


@personas_app.command("say")
def personas_say(
    line: Annotated[str, typer.Argument(help="Words, or the id of a line such as manager.1.")],
    anger: Annotated[int, typer.Option(help="0 calm to 5 shouting.", min=0, max=5)] = 3,
    customer: Annotated[str, typer.Option("--scenario", "--persona", help="Whose voice.")] = "dana-printer",
    out: Annotated[Path | None, typer.Option(help="Write a WAV file instead of playing it.")] = None,
    output: _Output = None,
    telephone: Annotated[bool, typer.Option(help="As on a telephone line.")] = True,
) -> None:
    """Speak one line in a customer's voice, as angry as you like.

    Example: `voicecoach personas say "Where is my parcel?" --anger 4 --out parcel.wav`
    """
    from voicecoach import persona as customers
    from voicecoach import prepare
    from voicecoach.world.voice import whole

    chosen, _ = prepare.choose_persona(customer)
    text = next((said for name, said, _ in customers.lines(chosen) if name == line), line)
    voice = prepare.voice(chosen, telephone=telephone, ready=False, data=_data())
    temper = chosen.voice.style
    spoken = whole(voice.speak(text[:600], customers.style_for(anger, temper), customers.style_name(anger, temper)))
    _say(f"{spoken.engine}, {len(spoken.samples) / 16000:.1f} s: {text}")
    if out is None:
        _play_aloud(spoken.samples, output)
        return
    from voicecoach.world import audiofiles

    audiofiles.write_wav(out, spoken.samples)
    _say(f"Written: {out}")


def _play_aloud(samples: Samples, output: str | None) -> None:
    """Play a line and wait for its end."""
    import time

    sound = _open_device(None, output, None)
    try:
        sound.play(samples)
        while sound.playing():
            sound.read()
        time.sleep(0.3)
    finally:
        sound.close()


@personas_app.command("simulate")
def personas_simulate(
    names: Annotated[list[str] | None, typer.Argument(help="Customers (default: all bundled ones).")] = None,
    level: _Level = None,
    trainees: Annotated[Path | None, typer.Option(help="Your own scripted trainees; see the bundled file.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed chooses the same lines.")] = 1,
    svg: Annotated[Path | None, typer.Option(help="Draw the curves into this SVG file (one customer).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON per call.")] = False,
) -> None:
    """Let scripted trainees, from excellent to awful, call a customer, and draw how the anger goes.

    Example: `voicecoach personas simulate dana-printer --level hard --svg curves.svg`
    """
    from voicecoach import prepare, simulate
    from voicecoach.errors import DiskError
    from voicecoach.world.places import bundled

    scripts = simulate.load_trainees(trainees or bundled("assets") / "scripted" / "twelve.yaml")
    chosen = names or prepare.names("personas")
    if svg is not None and len(chosen) != 1:
        raise BadInput("An SVG shows one customer.", "Name one, such as: voicecoach personas simulate dana-printer")
    rules = prepare.rules()
    for name in chosen:
        customer, _ = prepare.choose_persona(name, level)
        calls = [simulate.simulate(customer, script, rules, seed) for script in scripts]
        rho = simulate.spearman((call.design, call.anger[-1]) for call in calls)
        if as_json:
            for call in calls:
                row = {
                    "customer": customer.id, "level": customer.level, "trainee": call.trainee, "design": call.design,
                    "anger": [round(anger, 3) for anger in call.anger], "outcome": call.outcome,
                }  # fmt: skip
                _say(json.dumps(row, sort_keys=True))
            continue
        _say(f"{customer.full_name} ({customer.id}, {customer.level or 'as written'})")
        _say("\n".join(simulate.curve(calls)))
        _say(f"Design and final anger agree by {rho:.2f} (Spearman).\n" if rho is not None else "")
        if svg is not None:
            try:
                svg.write_text(simulate.svg(calls, f"{customer.full_name}: {customer.title or customer.id}"), "utf-8")
            except OSError as error:
                raise DiskError(f"{svg} cannot be written ({error.strerror}).", "Choose another place.") from error


@personas_app.command("render")
def personas_render(
    names: Annotated[
        list[str] | None, typer.Argument(help="Customers, or your own .yaml files (default: everything bundled).")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only listen to what is there, and say what is wrong.")
    ] = False,
    table: Annotated[bool, typer.Option("--table", help="Only print what was measured, as Markdown.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Speak everything anew.")] = False,
    jobs: Annotated[int, typer.Option(help="How many lines at a time.", min=1, max=64)] = 1,
) -> None:
    """Speak customers' lines beforehand in Kokoro's voices: only what is new or changed, and each is listened to.

    Stop it at any time: it goes on where it was. Nothing of this is needed for a call: what was not spoken
    beforehand is spoken by the best voice that is installed.

    Example: `voicecoach personas render my-customer.yaml`   or   `voicecoach personas render --check`
    """
    from voicecoach import prepare, render

    bundled = prepare.names("personas")
    chosen = [(prepare.choose_persona(name)[0], name in bundled) for name in names or bundled]
    scripts = [] if names else [prepare.demo_trainee()]
    wrong = 0
    for plan in render.plans(prepare.spoken_folder(), prepare.own_spoken_folder(_data()), chosen, scripts):
        if table:
            _say("\n".join(render.tables(plan)))
            continue
        todo = plan.wanted if again else plan.missing()
        _say(f"{len(plan.wanted)} lines in {plan.folder}, {len(todo)} of them not spoken yet.")
        if check:
            render.again(plan.folder, plan.wanted, _say)
        elif todo:
            render.render(todo, plan.folder, jobs, _say)
        if plan.whole and not check:
            for name in render.tidy(plan.folder, plan.wanted):
                _say(f"{name} was not needed any more.")
        for problem in render.problems(plan.folder, plan.wanted):
            wrong += 1
            typer.echo(problem, err=True)
    if wrong and check:
        raise typer.Exit(BadInput.exit_code)


@personas_app.command("schema")
def personas_schema(
    kind: Annotated[Literal["scenario", "person", "customer"], typer.Argument(help="Which kind of file.")] = "scenario",
) -> None:
    """Print the JSON Schema, by which editors complete and check the files while you type.

    Example: `voicecoach personas schema scenario > scenario.schema.json`
    """
    from voicecoach import authoring

    _say(json.dumps(authoring.schema(kind), indent=1, sort_keys=True))


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
        _say(f"{name:22} {steps.name} ({len(steps.steps)} steps, document {steps.document})")


@procedures_app.command("show")
def procedures_show(name: Annotated[str, typer.Argument(help="A procedure's name or a .yaml file.")]) -> None:
    """Show the steps of a procedure, what shows each, and where it comes from.

    Example: `voicecoach procedures show six-guidelines`
    """
    from voicecoach import plumbing, prepare

    steps, _ = prepare.choose_procedure(name)
    _say("\n".join(plumbing.procedure_lines(steps)))


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
            _say(f"{name}: good, {len(steps.steps)} steps. Use it with: voicecoach rehearse --procedure {name}")
        except BadInput as error:
            failed = True
            typer.echo(str(error), err=True)
    if failed:
        raise typer.Exit(BadInput.exit_code)


# --- this machine ----------------------------------------------------------------------------------


@app.command()
def doctor(
    listen: Annotated[
        bool | None, typer.Option("--listen/--no-listen", help="The five-second check (default: in a terminal).")
    ] = None,
    input: _Input = None,
    output: _Output = None,
    model: _Model = "tiny.en",
    fetch: Annotated[str | None, typer.Option(help="Fetch a recogniser from the model hub (uses the network).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON per check.")] = False,
) -> None:
    """Check devices, models, voices and disk, with a five-second microphone and speaker check; say how to mend what fails.

    Example: `voicecoach doctor`
    """
    from dataclasses import asdict

    from rich.live import Live
    from rich.text import Text

    from voicecoach import doctor as checking
    from voicecoach.world import models

    if fetch:
        _say(f"Fetching the recogniser {fetch}...")
        files = models.find(fetch, download=True)
        _say(f"Fetched: {files.megabytes:.0f} MB, SHA-256 {files.sha256}")
    failed = 0

    def tell(check: checking.Check) -> None:
        nonlocal failed
        failed += not check.ok and check.needed
        if as_json:
            _say(json.dumps(asdict(check), sort_keys=True))
            return
        mark = "ok" if check.ok else "MISSING" if check.needed else "missing"
        _say(f"{mark:8} {check.name:16} {check.found}")
        if not check.ok and check.do:
            _say(f"{'':8} {'':16} -> {check.do}")

    microphone = False
    for check in checking.checks(_data(), model):
        microphone = microphone or (check.name == "microphone" and check.ok)
        tell(check)
    if (listen if listen is not None else checking.stdout_is_terminal() and microphone) and not as_json:
        _say("\nSay a few words in your normal voice (five seconds; a soft tone is played)...")
        with Live(console=_console(), refresh_per_second=10, transient=True) as live:
            check = checking.listen(input, output, lambda level: live.update(Text("█" * max(0, int((level + 60) / 2)))))
        tell(check)
    if failed:
        raise typer.Exit(5)


# --- plumbing --------------------------------------------------------------------------------------


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


@app.command(cls=_Measure)
def measure(
    files: Annotated[list[Path], typer.Argument(help="Recordings: WAV, FLAC, MP3, M4A.")],
    baseline: Annotated[
        list[Path] | None,
        typer.Option(
            help="Calm recordings of the same voice: behind the files as many as you like, else one each time."
        ),
    ] = None,
    transcript: Annotated[bool, typer.Option(help="Recognise the words (needed for the rates).")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON per file.")] = False,
    model: _Model = "tiny.en",
) -> None:
    """Measure recordings: pitch, level, vocal effort, rates and pauses, with their change from a baseline.

    Example: `voicecoach measure reply.wav --baseline calm.wav --json`
    """
    from voicecoach import calibration, plumbing, prepare

    ears = prepare.ears(model)[0] if transcript else None
    calm = calibration.average_of_files(baseline or (), "recording", ears)
    if baseline and calm is None:
        raise BadInput(
            "The baseline does not carry a measurement.",
            "Give a calm recording of at least two seconds of clear speech.",
        )
    failed: BadInput | None = None
    for path in files:
        try:
            result = plumbing.measure(path, ears, calm)
        except BadInput as error:
            failed = error
            if as_json:
                _say(json.dumps({"file": str(path), "error": str(error)}, sort_keys=True, ensure_ascii=False))
            else:
                typer.echo(str(error), err=True)
            continue
        _say(json.dumps(result, ensure_ascii=False) if as_json else plumbing.as_lines(result))
    if failed is not None:
        raise typer.Exit(failed.exit_code)


@app.command()
def judge(
    text: Annotated[str | None, typer.Option(help="What the agent said.")] = None,
    context: Annotated[str, typer.Option(help="What the customer had said before.")] = "",
    customer_name: Annotated[str, typer.Option(help="The customer's name.")] = "",
    limit: Annotated[
        list[str] | None, typer.Option(help="What may not be promised, as a short phrase (may be repeated).")
    ] = None,
    offer: Annotated[
        list[str] | None, typer.Option(help="What can be offered, as a short phrase (may be repeated).")
    ] = None,
    jsonl: Annotated[
        str | None, typer.Option(help="A file with one turn per line of JSON, or - for standard input.")
    ] = None,
    cues_only: Annotated[
        bool, typer.Option("--cues-only", help="Go by the cues alone, without the text encoder: faster, hears less.")
    ] = False,
) -> None:
    """Judge what was said: moves and faults of a turn, each with its quote, rule and advice, as JSON.

    Example: `voicecoach judge --text "I am so sorry you have been upset." --context "This is the third time!"`

    Lines of --jsonl: `{"id", "text", "context", "customer_name", "history_steps": [codes], "limits": [phrases],
    "offers": [phrases], "finished": true or false}`; all but `text` may be left out.
    """
    from voicecoach import plumbing, prepare

    rules = prepare.rules(cues_only=cues_only)
    if rules.reading is None and not cues_only:
        typer.echo("The judge's text encoder is not there: judged by the cues alone, which hear less.", err=True)
    if (text is None) == (jsonl is None):
        raise BadInput("Give either --text or --jsonl.", 'For example: voicecoach judge --text "I see, go on."')
    if text is not None:
        told = {"context": context, "customer_name": customer_name, "limits": limit, "offers": offer}
        line = {"id": "text", "text": text, **told}
        _say(json.dumps(plumbing.judge_line(line, rules), ensure_ascii=False))
        return
    for result in plumbing.judge_lines(str(jsonl), rules):
        _say(json.dumps(result, ensure_ascii=False))


serve.add_to(app)
practice.add_to(app)
drill.add_to(app)


# --- errors ----------------------------------------------------------------------------------------


def main() -> NoReturn:
    """Run the command line: errors become sentences and exit codes, tracebacks only with --debug."""
    _open_streams()
    try:
        code = app(standalone_mode=False)
        if code == STOPPED:
            typer.echo("Stopped.", err=True)
        sys.exit(code if isinstance(code, int) else 0)
    except VoicecoachError as error:
        _fail(error, error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("Stopped.", err=True)
        sys.exit(STOPPED)
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
            error.show()  # type: ignore[attr-defined]
            sys.exit(error.exit_code)
        _fail(error, 1)


def _abandon_stdout() -> None:
    """Let what could not be printed go nowhere: Python would try once more at its very end, and fail there."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_streams() -> None:
    """Streams that are closed lead nowhere, and letters that a terminal does not have become question marks."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for as long as we run
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _fail(error: Exception, code: int) -> NoReturn:
    if _Options.debug or os.environ.get("VOICECOACH_DEBUG"):
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
