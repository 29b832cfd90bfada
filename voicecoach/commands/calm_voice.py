"""The trainee's calm voice: read from files or aloud, measured, kept for a microphone, and given to a call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from voicecoach.commands import common
from voicecoach.errors import BadInput

if TYPE_CHECKING:
    from voicecoach.nouns import Baseline, Floats, Samples
    from voicecoach.session import Call
    from voicecoach.world.ears import Ears
    from voicecoach.world.sound import Duplex

READING_S = 22.0
"""The three calibration sentences at an easy pace, with a breath before and after."""


def with_baseline(call: Call, sound: Duplex, ears: Ears, *, ask: bool = True) -> Call:
    """The trainee's calibration on this microphone; without one it is offered, or the first turns stand in for it.

    Without `ask` nothing is said or offered: the trainee was asked before.
    """
    from dataclasses import replace

    from voicecoach import calibration
    from voicecoach.keys import interactive

    if call.baseline is not None and call.baseline.device == sound.info.input:
        return call  # a retry on the microphone of that day
    baseline = calibration.load(common.data(), call.trainee, sound.info.input)
    if baseline is None and ask:
        typer.echo(
            "There is no calibration of your calm voice on this microphone, so your first turns will stand in for it."
        )
        if interactive() and typer.confirm("Record it now? It takes twenty seconds.", default=True):
            try:
                baseline = measured(read_aloud(sound, READING_S), sound.info.input, ears, call.trainee)
            except BadInput as error:
                typer.echo(f"{error}\nThe call goes on without it.")
        typer.echo()
    if call.moment is not None and call.baseline is not None:  # it and the turns before were on another microphone
        call = replace(call, moment=replace(call.moment, own=()))
    return replace(call, baseline=baseline)


def of_files(paths: Sequence[Path], device: str, ears: Ears | None) -> Baseline | None:
    """The calm voice in recordings, averaged; None if none are named. Unfit recordings are named and left out.

    Raises BadInput where nothing is left or too little, and where a file cannot be read.
    """
    from voicecoach import calibration
    from voicecoach.measure import observe

    if not paths:
        return None
    seen = [calibration.hear_and_measure(samples, ears, flat=flat)[0] for samples, flat in map(_start_of, paths)]
    baseline = observe.baseline_from(seen, device)
    if baseline is None:
        why = " ".join(f"{path}: {' '.join(one.quality.reasons)}" for path, one in zip(paths, seen, strict=True))
        raise BadInput(
            f"The baseline cannot be used. {why}",
            f"Give calm recordings with at least {observe.MIN_SPEECH_S:g} s of clear speech in all, "
            f"{observe.MIN_VOICED_S:g} s of it voiced.",
        )
    for path, one in zip(paths, seen, strict=True):
        if reasons := observe.unfit(one):
            typer.echo(f"{path} is left out of the baseline. {' '.join(reasons)}", err=True)
    return baseline


def _start_of(path: Path) -> tuple[Floats, float]:
    """The part of a recording that is used, so that memory does not grow with its length, and its share of flat samples."""
    from voicecoach import calibration
    from voicecoach.world import audiofiles

    samples, more, flat = audiofiles.read_start(path, calibration.MAX_CALIBRATION_S)
    if more:
        typer.echo(f"{path.name}: the first {calibration.MAX_CALIBRATION_S / 60:.0f} minutes are used.", err=True)
    return samples, flat


def read(path: Path) -> Floats:
    """A recording of a calm reading, the part that is used. Raises BadInput if it was clipped."""
    from voicecoach.measure import observe

    samples, flat = _start_of(path)
    if flat > observe.MAX_CLIPPED:
        raise BadInput(
            f"{path} is clipped: {100 * flat:.1f} % of it is cut flat.", "Turn the microphone down and read again."
        )
    return samples


def measured(samples: Floats, device: str, ears: Ears, trainee: str) -> Baseline:
    """Measure a calm reading, keep it, and say what was found. Raises BadInput naming what was wrong with it."""
    from voicecoach import calibration

    baseline, seen = calibration.calibrate(samples, device, ears)
    path = calibration.save(common.data(), trainee, baseline)
    typer.echo(f"Your calm voice on {device}:")
    typer.echo(
        f"  pitch {baseline.f0_median_hz:.0f} Hz, level {baseline.level_dbfs:.0f} dBFS, {seen.speech_s:.0f} s of speech"
    )
    if seen.rate:
        typer.echo(f"  {seen.rate.wpm:.0f} words a minute, {seen.rate.articulation_sps:.1f} syllables a second")
    typer.echo(f"Kept in {path}")
    return baseline


def read_aloud(sound: Duplex, seconds: float) -> Floats:
    """Record a reading from the microphone, with the sentences and a meter on the screen."""
    import numpy as np
    from rich.live import Live
    from rich.text import Text

    from voicecoach import calibration
    from voicecoach.measure.observe import dbfs
    from voicecoach.nouns import SAMPLE_RATE_HZ

    typer.echo("Read this aloud, calmly, as you would to a friendly customer:\n")
    for sentence in calibration.READING:
        typer.echo(f"  {sentence}")
    typer.echo()
    blocks: list[Samples] = []
    got, needed = 0, round(seconds * SAMPLE_RATE_HZ)
    sound.drain()
    with Live(console=common.console(), refresh_per_second=10, transient=True) as live:
        while got < needed:
            block = sound.read()
            if block is None:
                break
            blocks.append(block.mic)
            got += len(block.mic)
            left = (needed - got) / SAMPLE_RATE_HZ
            live.update(Text("█" * max(0, int((dbfs(block.mic) + 60) / 2.5)) + f"  {left:.0f} s"))
    return np.asarray(np.concatenate(blocks) / 32768, np.float32)
