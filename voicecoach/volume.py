"""A comfortable volume: a calm line and the loudest one are played before the first call; the trainee says louder or not.

Kept for each output device.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from voicecoach import kept
from voicecoach.before import SKIP, Terminal
from voicecoach.nouns import SAMPLE_RATE_HZ, Samples
from voicecoach.persona.style import style_for, style_name
from voicecoach.world.kokoro import CALIBRATION
from voicecoach.world.sound import Duplex
from voicecoach.world.spoken import Spoken
from voicecoach.world.voice import CustomerVoice, whole

STEP_DB, LOWEST_DB, HIGHEST_DB = 3.0, -24.0, 6.0
"""Louder than +6 dB the limiter would take away what tells calm from shouting."""
VOICE = "kokoro/af_bella"
LOUDEST = 5
GAP_S = 0.6


def sample(spoken: Spoken, volume_db: float, *, telephone: bool = True) -> Samples:
    """A calm line, and one as loud as any customer gets, at this volume."""
    voice = CustomerVoice((VOICE,), spoken, telephone=telephone, volume_db=volume_db)
    calm = whole(voice.speak(CALIBRATION[0], style_for(0, "hot"), style_name(0, "hot")))
    # Spoken beforehand as furious, and played as loud as shouting is.
    loud = whole(voice.speak(CALIBRATION[0], style_for(LOUDEST, "hot"), style_name(4, "hot")))
    return _after_each_other(calm.samples, loud.samples)


def _after_each_other(first: Samples, second: Samples) -> Samples:
    import numpy as np

    return np.concatenate([first, np.zeros(round(GAP_S * SAMPLE_RATE_HZ), np.int16), second])


def choose(terminal: Terminal, play: Callable[[float], None], start_db: float = 0.0) -> float | None:
    """The volume that the trainee likes, in dB; None where the step is skipped."""
    terminal.say("Set a comfortable volume: you hear a calm line, and then the loudest that a customer gets.")
    volume_db = start_db
    while True:
        play(volume_db)
        answer = terminal.ask("  Enter: good.  +: louder.  -: quieter.  r: again.  s: skip.  ")
        if answer is None or answer.strip().casefold() in SKIP:
            return None
        match answer.strip().casefold()[:1]:
            case "":
                return volume_db
            case "+":
                volume_db = _within(terminal, volume_db + STEP_DB)
            case "-":
                volume_db = _within(terminal, volume_db - STEP_DB)
            case _:
                pass


def _within(terminal: Terminal, volume_db: float) -> float:
    """`volume_db` inside its bounds, which are told."""
    if volume_db > HIGHEST_DB:
        terminal.say("  This is the loudest here: turn up the volume of your system.")
    elif volume_db < LOWEST_DB:
        terminal.say("  This is the quietest here: turn down the volume of your system.")
    return min(max(volume_db, LOWEST_DB), HIGHEST_DB)


def play_through(sound: Duplex, samples: Samples) -> None:
    """Play on an open device and wait for the end."""
    sound.play(samples)
    while sound.playing() and sound.read() is not None:
        pass


def save(data: Path, device: str, volume_db: float) -> Path:
    """Keep the volume of this output device; raises DiskError."""
    path = _path(data)
    with kept.changed(path, "The volume") as volumes:
        volumes[device] = volume_db
    return path


def load(data: Path, device: str) -> float | None:
    """The volume kept for this output device, or None; a damaged file counts as none."""
    db = kept.read(_path(data)).get(device)
    if not isinstance(db, int | float) or isinstance(db, bool) or db != db:
        return None
    return float(min(max(db, LOWEST_DB), HIGHEST_DB))


def _path(data: Path) -> Path:
    return data / "volume.json"
