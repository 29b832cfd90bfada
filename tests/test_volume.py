"""The comfortable volume: heard, chosen, kept for each output device, and never in the way."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from voicecoach import prepare, testing, volume
from voicecoach.before import Terminal
from voicecoach.commands import common, devices
from voicecoach.commands.calibrate import calibrate
from voicecoach.errors import BadInput, DiskError
from voicecoach.world import effects


def sitting(answers: Iterable[str | None]) -> tuple[Terminal, list[str]]:
    """A terminal at which these answers are typed, and what it says."""
    typed, said = iter(answers), []
    return Terminal(said.append, lambda _: next(typed), lambda _: None), said


@pytest.mark.parametrize(
    ("answers", "played", "chosen"),
    [
        ([""], [0], 0),
        (["+", "-", "-", ""], [0, 3, 0, -3], -3),
        (["r", "-", ""], [0, 0, -3], -3),
        (["+", "s"], [0, 3], None),
        ([None], [0], None),
        (["+"] * 3 + [""], [0, 3, 6, 6], 6),
        (["-"] * 9 + [""], [0, -3, -6, -9, -12, -15, -18, -21, -24, -24], -24),
    ],
)
def test_louder_and_quieter_until_it_is_good(answers: list[str | None], played: list[float], chosen: float) -> None:
    """Each answer is heard at once; there is an end in both directions; skipping chooses nothing."""
    terminal, _ = sitting(answers)
    heard: list[float] = []

    assert volume.choose(terminal, heard.append) == chosen
    assert heard == played


def test_the_ends_are_told() -> None:
    """Who wants it still louder turns to the system."""
    terminal, said = sitting(["+", "+", "+", ""])
    volume.choose(terminal, lambda _: None)

    assert any("turn up the volume of your system" in line for line in said)


def test_a_calm_line_and_the_loudest() -> None:
    """What is played spans all that a customer does, 12 dB, at the volume that is asked for, without clipping."""

    def ends(volume_db: float) -> tuple[float, float]:
        samples = volume.sample(prepare.spoken(), volume_db) / 32768
        assert np.abs(samples).max() <= 10 ** (effects.PEAK_DB / 20) + 1e-4
        level = effects.speech_level_db
        return level(samples[:48_000], 16_000) or 0.0, level(samples[-40_000:], 16_000) or 0.0

    (calm, loud), (quiet_calm, quiet_loud) = ends(0.0), ends(-12.0)
    assert loud - calm == pytest.approx(12, abs=1.5)
    assert (calm - quiet_calm, loud - quiet_loud) == pytest.approx((12, 12), abs=0.1)
    assert ends(6.0)[0] - calm == pytest.approx(6, abs=0.3)


def test_it_is_kept_for_each_device(tmp_path: Path) -> None:
    """Private, and one device does not change another."""
    assert volume.load(tmp_path, "headset") is None
    path = volume.save(tmp_path, "headset", -6.0)
    volume.save(tmp_path, "speaker", 3.0)

    assert (volume.load(tmp_path, "headset"), volume.load(tmp_path, "speaker")) == (-6.0, 3.0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["{", "[]", '{"headset": "loud"}', '{"headset": null}', '{"headset": NaN}', "\xff"])
def test_a_damaged_file_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "volume.json").write_bytes(text.encode("latin-1"))

    assert volume.load(tmp_path, "headset") is None


def test_nobody_is_deafened_by_a_file(tmp_path: Path) -> None:
    """A value out of bounds is brought inside."""
    (tmp_path / "volume.json").write_text(json.dumps({"headset": 60}), "utf-8")

    assert volume.load(tmp_path, "headset") == volume.HIGHEST_DB


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file", "utf-8")
    with pytest.raises(DiskError, match="could not be kept"):
        volume.save(tmp_path / "data", "headset", 0.0)


class Device(testing.FileDuplex):
    """A duplex that is taken for a real device."""

    realtime = True


def device() -> Device:
    return Device(testing.PlainRecording(np.zeros(16_000 * 60, np.int16)))


def test_it_is_asked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first call on a device; then it is known. Where nobody can be asked, nothing is played."""
    answers = iter(["-", ""])
    monkeypatch.setattr(common.Options, "data", tmp_path)
    monkeypatch.setattr("builtins.input", lambda _: next(answers))

    assert devices.volume(device(), ask=False) == 0.0
    assert devices.volume(testing.FileDuplex(testing.PlainRecording(np.zeros(1, np.int16))), ask=True) == 0.0
    assert devices.volume(device(), ask=True) == -3.0
    assert devices.volume(device(), ask=True) == -3.0


def test_skipping_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is offered again before the next call."""
    monkeypatch.setattr(common.Options, "data", tmp_path)
    monkeypatch.setattr("builtins.input", lambda _: "s")

    assert devices.volume(device(), ask=True) == 0.0
    assert not (tmp_path / "volume.json").exists()


def test_without_a_terminal_calibrate_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(BadInput, match="no terminal"):
        calibrate(volume=True)
