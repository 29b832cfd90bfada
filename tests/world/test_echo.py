"""The echo of the customer in the microphone: measured on made echoes, decided, cancelled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from voicecoach import testing
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.testing import Samples
from voicecoach.world import echo
from voicecoach.world.echo import CANCELLED, HALF_DUPLEX, HEADSET, EchoTest, decide, measure

needs_package = pytest.mark.skipif(not echo.installed(), reason="needs the extra 'echo'")


def played() -> Samples:
    """Somebody shouting for three seconds, in five."""
    rng = np.random.default_rng(3)
    colour = np.convolve(rng.normal(0, 3000, 3 * SAMPLE_RATE_HZ), np.hanning(9) / 4, "same")
    swell = 0.6 - 0.4 * np.cos(2 * np.pi * 4 * np.arange(len(colour)) / SAMPLE_RATE_HZ)
    out = np.zeros(5 * SAMPLE_RATE_HZ, np.int16)
    out[10_000 : 10_000 + len(colour)] = colour * swell
    return out


def heard(out: Samples, gain_db: float | None, delay_s: float) -> Samples:
    """A quiet room, with `out` in it."""
    mic = np.random.default_rng(5).normal(0, 8, len(out))
    if gain_db is not None:
        late = round(delay_s * SAMPLE_RATE_HZ)
        mic[late:] += out[: len(out) - late] * 10 ** (gain_db / 20)
    return np.asarray(np.clip(mic, -32768, 32767), np.int16)


def detect(samples: np.ndarray) -> np.ndarray:
    return testing.energy_activity(samples)


def test_no_echo_is_a_headset() -> None:
    found = measure(heard(played(), None, 0.0), played(), detect)

    assert found.match < 0.05
    assert found.voiced == 0.0
    assert decide(found) == HEADSET


@pytest.mark.parametrize(("gain_db", "delay_s"), [(0.0, 0.08), (6.0, 0.2), (-12.0, 0.36)])
def test_an_echo_is_found_with_its_delay_and_level(gain_db: float, delay_s: float) -> None:
    """Without the cancellation it means half duplex."""
    out = played()
    loud = out[out != 0].astype(float) / 32768
    found = measure(heard(out, gain_db, delay_s), out, detect)

    assert found.delay_s == pytest.approx(delay_s, abs=0.001)
    assert found.match > 0.9
    assert found.echo_dbfs == pytest.approx(10 * np.log10(np.mean(loud**2)) + gain_db, abs=0.7)
    assert found.left is None
    assert decide(found) == HALF_DUPLEX


def test_somebody_speaking_during_the_test_is_no_echo() -> None:
    """What does not match what was played is not the customer."""
    out = played()
    mic = heard(out, None, 0.0)
    mic[20_000:60_000] += testing.voice_like(2.5, level_dbfs=-26)
    found = measure(mic, out, detect)

    assert found.voiced > 0.5
    assert decide(found) == HEADSET


def test_a_leak_far_below_the_voice_is_a_headset_with_a_gate() -> None:
    """Its gate lies between the leak and the trainee."""
    found = measure(heard(played(), -30.0, 0.2), played(), lambda one: testing.energy_activity(one, -70.0))
    assert found.gate_dbfs is not None

    assert decide(found) == HEADSET
    assert found.echo_dbfs < found.gate_dbfs < echo.TRAINEE_DBFS - 10


@pytest.mark.parametrize(
    ("left", "noticed_s", "mode"),
    [(0.0, 0.3, CANCELLED), (0.2, 0.3, HALF_DUPLEX), (0.0, 0.9, HALF_DUPLEX), (0.0, None, HALF_DUPLEX), (None, None, HALF_DUPLEX)],
)  # fmt: skip
def test_cancellation_must_leave_no_echo_and_let_the_trainee_through(
    left: float | None, noticed_s: float | None, mode: str
) -> None:
    heard_well = EchoTest(0.8, 0.2, -30.0, -70.0, 0.9)

    assert decide(replace(heard_well, left=left, noticed_s=noticed_s)) == mode


def test_a_test_without_sound_finds_nothing_out() -> None:
    """Nothing played, or a muted microphone: what is safe everywhere."""
    silence = np.zeros(len(played()), np.int16)
    unplayed, muted = (measure(silence, out, detect) for out in (silence, played()))

    assert (unplayed.fault, muted.fault) == ("not played", "zeros")
    assert decide(unplayed) == decide(muted) == HALF_DUPLEX


def test_the_customers_own_voice_is_told_from_the_trainees() -> None:
    """Half a second of it, whatever the delay; another voice over the same line is no echo."""
    out = played()[16_000:42_000]
    late = heard(played(), -10.0, 0.3)[16_000:42_000]
    other = heard(out, None, 0.0)
    other[-12_000:] += testing.voice_like(0.75, level_dbfs=-26)

    assert echo.is_echo(late, out)
    assert not echo.is_echo(other, out)
    assert not echo.is_echo(late[:4000], out[:4000])
    assert not echo.is_echo(late, np.zeros_like(out))


@needs_package
def test_the_cancellation_takes_the_echo_away_and_keeps_the_clock() -> None:
    """Over 20 dB once it has settled, block by block or at once; a voice alone comes through."""
    out = played()
    mic = heard(out, -6.0, 0.15)
    once = echo.Canceller().clean(mic, out)
    canceller = echo.Canceller()
    blocks = [canceller.clean(mic[at : at + 512], out[at : at + 512]) for at in range(0, 512 * 150, 512)]
    alone = testing.voice_like(2.0, level_dbfs=-26)
    through = echo.Canceller().clean(alone, np.zeros_like(alone))

    settled = slice(40_000, 56_000)
    assert len(once) == len(mic)
    assert np.array_equal(np.concatenate(blocks), once[: 512 * 150])
    assert np.mean(mic[settled].astype(float) ** 2) > 100 * np.mean(once[settled].astype(float) ** 2)
    assert 20 * np.log10(np.std(through[16_000:]) / np.std(alone[16_000:])) == pytest.approx(0.0, abs=1.5)


@needs_package
def test_a_quiet_echo_is_cancelled() -> None:
    """The voice that is laid over it is noticed soon; the same voice under a louder echo is not."""
    out, voice = played(), testing.voice_like(3.0, syllables_per_s=0)
    quiet = measure(heard(out, -10.0, 0.2), out, detect, echo.Canceller(), voice, -20.0)
    loud = measure(heard(out, 6.0, 0.2), out, detect, echo.Canceller(), voice, -40.0)

    assert decide(quiet) == CANCELLED
    assert quiet.noticed_s is not None
    assert quiet.noticed_s <= 0.45
    assert decide(loud) == HALF_DUPLEX
