"""`voicecoach calibrate`: the trainee's calm voice, once per microphone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voicecoach.commands import calm_voice, common, devices
from voicecoach.errors import BadInput


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(calibrate)


def calibrate(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Recordings of a calm reading; without any, the microphone.")
    ] = None,
    trainee: common.Trainee = "trainee",
    input: common.Input = None,
    output: common.Output = None,
    device: Annotated[str | None, typer.Option(help="With files: the microphone they were recorded with.")] = None,
    seconds: Annotated[float, typer.Option(help="Seconds to read.", min=8, max=60)] = calm_voice.READING_S,
    model: common.Model = "tiny.en",
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
        sound = devices.open_device(input, output, None)
        try:
            devices.volume(sound, ask=True, again=True)
        finally:
            sound.close()
        return
    ears, _ = prepare.ears(model)
    if files:
        samples = np.concatenate([calm_voice.read(path) for path in files])
        calm_voice.measured(samples, device or "recording", ears, trainee)
        return
    sound = devices.open_device(input, output, None)
    try:
        samples = calm_voice.read_aloud(sound, seconds)
    finally:
        sound.close()
    calm_voice.measured(samples, sound.info.input, ears, trainee)
