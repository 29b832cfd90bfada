"""The line on its way to the speaker: ducked, held, gone on with, stopped. No sample is lost or played out of turn."""

from __future__ import annotations

import numpy as np
import pytest

from voicecoach.world.playback import FADE_MS, Playback, Samples

RATE = 16_000
FADE = RATE * FADE_MS // 1000


def line(n: int = RATE) -> Samples:
    return np.arange(1000, 1000 + n, dtype=np.int16)


def pulled(playback: Playback, n: int, block: int = 320) -> tuple[Samples, int]:
    """`n` samples, block by block, and how many belonged to a line."""
    pieces = [playback.pull(block) for _ in range(n // block)]
    return np.concatenate([piece for piece, _ in pieces]), sum(filled for _, filled in pieces)


def test_a_line_comes_out_as_it_went_in() -> None:
    playback = Playback(RATE)
    playback.add(line(8000))
    playback.add(line(4000))
    out, filled = pulled(playback, 16_000)

    assert filled == 12_000
    assert np.array_equal(out[:12_000], np.concatenate([line(8000), line(4000)]))
    assert not out[12_000:].any()
    assert not playback.playing


def test_ducking_is_smooth_and_comes_back() -> None:
    """-12 dB is a quarter; from full to that in less than a fade, and back; nothing of the line is skipped."""
    playback = Playback(RATE)
    playback.add(np.full(RATE, 8000, np.int16))
    playback.pull(1600)
    playback.duck(-12.0)
    out, _ = pulled(playback, 3200)
    playback.duck(0.0)
    back, _ = pulled(playback, 3200)

    assert out[-1] == pytest.approx(8000 * 10 ** (-12 / 20), abs=2)
    assert np.abs(np.diff(out.astype(int))).max() < 8000 / FADE + 2
    assert back[-1] == 8000


def test_a_held_line_goes_on_where_it_was_told_to_stand_still() -> None:
    """Silence after the fade, as long as it takes; then the sample at which it was told, faded in."""
    playback = Playback(RATE)
    playback.add(line())
    playback.pull(3200)
    playback.hold()
    out, filled = pulled(playback, 6400)
    standing = playback.playing
    playback.go_on()
    rest, more = pulled(playback, 16_000)

    assert standing
    assert filled == FADE
    assert not out[FADE:].any()
    assert more == RATE - 3200
    assert np.array_equal(rest[FADE : RATE - 3200], line()[3200 + FADE :])


def test_a_hold_that_is_taken_back_at_once_skips_nothing() -> None:
    playback = Playback(RATE)
    playback.add(line())
    playback.hold()
    playback.pull(320)
    playback.go_on()
    rest, filled = pulled(playback, 16_000 - 320)

    assert filled == RATE - 320
    assert np.array_equal(rest[FADE:], line()[320 + FADE :])


def test_what_is_added_to_a_held_line_follows_it() -> None:
    playback = Playback(RATE)
    playback.add(line(3200))
    playback.pull(1600)
    playback.hold()
    pulled(playback, 3200)
    playback.add(line(800))
    playback.go_on()
    rest, filled = pulled(playback, 6400)

    assert filled == 1600 + 800
    assert np.array_equal(rest[1600:2400], line(800))


@pytest.mark.parametrize("held", [False, True])
def test_a_stopped_line_is_over(held: bool) -> None:
    """It fades out, or has done so; the next line is at full volume."""
    playback = Playback(RATE)
    playback.add(np.full(RATE, 8000, np.int16))
    playback.duck(-12.0)
    pulled(playback, 3200)
    if held:
        playback.hold()
        pulled(playback, 3200)
    playback.stop()
    _, filled = pulled(playback, 3200)
    playback.add(line(640))
    out, _ = playback.pull(640)

    assert filled <= FADE
    assert (filled == 0) is held
    assert np.array_equal(out, line(640))


def test_a_line_goes_on_at_another_rate() -> None:
    """A new device has another rate: as many seconds of the line are left as before."""
    playback = Playback(48_000)
    playback.add(np.full(48_000, 5000, np.int16))
    playback.pull(24_000)
    playback.change_rate(16_000)
    _, filled = pulled(playback, 16_000)

    assert filled == pytest.approx(8000, abs=2)
