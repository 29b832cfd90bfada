"""The start-up test: played, kept for each pair of devices, told in one sentence, forced by an option."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from tests.calls import Speakers
from voicecoach import before, doctor, echotest, keys, prepare, record, session, testing
from voicecoach.call import entries
from voicecoach.cli import app
from voicecoach.commands import calls, calm_voice, common, devices, practice
from voicecoach.commands import drill as drilling
from voicecoach.commands import rehearse as rehearsing
from voicecoach.errors import DiskError, MissingModel
from voicecoach.measure.activity import FRAME
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.testing import Block, PlainRecording
from voicecoach.world import echo, vad
from voicecoach.world.echo import CANCELLED, HALF_DUPLEX, HEADSET, EchoTest
from voicecoach.world.sound import SoundInfo

LOUD = EchoTest(0.9, 0.2, -20.0, -70.0, 0.9)
NONE = EchoTest(0.01, 0.0, -70.0, -70.0, 0.0)


class Laptop(Speakers):
    """A device with loudspeakers that the microphone hears, and nobody beside it."""

    realtime = True

    def __init__(self, gain: float, names: tuple[str, str] = ("mic", "speaker"), late: int = 1600) -> None:
        super().__init__(PlainRecording(testing.noise(600.0, -75.0)), gain, late)
        self.info = SoundInfo("device", *names, 48_000, 0.1)
        self.played = 0
        """Blocks in which something was."""

    def read(self) -> Block | None:
        block = super().read()
        self.played += block is not None and bool(block.out.any())
        return block


@pytest.fixture(autouse=True)
def _known_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vad, "probabilities", testing.energy_activity)
    monkeypatch.setattr(echotest, "installed", lambda: False)


def test_five_seconds_tell_a_headset_from_speakers() -> None:
    """A sentence is played, and both channels are listened to."""
    said, voice = testing.voice_like(3.4, level_dbfs=-17), testing.voice_like(2.0)
    laptop = Laptop(0.5)

    assert echo.decide(echotest.run(Laptop(0.0), said, voice)) == HEADSET
    assert echo.decide(echotest.run(laptop, said, voice)) == HALF_DUPLEX
    assert not laptop.playing()


def test_the_sentence_is_bundled_and_short() -> None:
    sentence = echotest.sentence(prepare.spoken())

    assert 2.0 < len(sentence) / SAMPLE_RATE_HZ < 5.0
    assert np.abs(sentence.astype(int)).max() > 5000


def test_it_is_run_once_for_each_pair_and_told_each_time(tmp_path: Path) -> None:
    """Another microphone is another pair."""
    told: list[str] = []
    tests = iter([LOUD, NONE])
    for names in (("mic", "speaker"), ("mic", "speaker"), ("headset", "speaker")):
        mode, _ = echotest.for_call(tmp_path, Laptop(0.0, names), lambda: next(tests), told.append)

    assert mode == HEADSET
    assert sum("say nothing" in line for line in told) == 2
    assert sum("half duplex" in line for line in told) == 2
    assert stat.S_IMODE((tmp_path / "echo.json").stat().st_mode) == 0o600


def test_it_is_run_again_when_the_cancellation_was_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    echotest.save(tmp_path, Laptop(0.0), LOUD)
    before = echotest.load(tmp_path, Laptop(0.0))
    monkeypatch.setattr(echotest, "installed", lambda: True)

    assert before == LOUD
    assert echotest.load(tmp_path, Laptop(0.0)) is None


def test_a_call_that_heard_an_echo_all_the_same_has_the_devices_tested_again(tmp_path: Path) -> None:
    """Only these, and only then: what is kept of the others stays."""
    other = Laptop(0.0, ("headset", "speaker"))
    other_fault = {**entries.ECHO, "what": "The line could not be spoken."}
    held = []
    for fault in (other_fault, entries.ECHO):
        folder = tmp_path / str(len(held))
        with record.Writer(folder, "", "") as writer:
            writer.event("started", sound={"input": "mic", "output": "speaker"})
            writer.event("fault", **fault)
        held.append(record.read(folder))
    for sound in (Laptop(0.0), other):
        echotest.save(tmp_path, sound, NONE)

    echotest.unlearn(tmp_path, held[0])
    kept = echotest.load(tmp_path, Laptop(0.0))
    echotest.unlearn(tmp_path, held[1])

    assert kept == NONE
    assert echotest.load(tmp_path, Laptop(0.0)) is None
    assert echotest.load(tmp_path, other) == NONE


def test_an_echo_is_known_in_all_records() -> None:
    """Also in those that were written before the sentence was worded anew."""
    first = "Your microphone hears the customer: from now on it rests while the customer speaks."

    assert entries.is_echo_fault(entries.ECHO)
    assert entries.is_echo_fault({"what": first, "do": "", "detail": ""})
    assert not entries.is_echo_fault(entries.ZEROS)
    assert not entries.is_echo_fault({})


class Muted(Laptop):
    """A microphone that gives nothing but zeros."""

    def read(self) -> Block | None:
        block = super().read()
        return block and Block(np.zeros(FRAME, np.int16), block.out, block.customer)


class Gone(Laptop):
    """Devices that are away while the sentence would be played."""

    def read(self) -> Block | None:
        block = super().read()
        away = 60 < self.blocks < 100
        self.blocks += 1
        return block and Block(block.mic, block.out, block.customer, "stopped" if away else "")

    blocks = 0


@pytest.mark.parametrize(
    ("device", "gain", "says"), [(Muted, 0.0, "zeros"), (Gone, 0.0, "was away"), (Laptop, 0.0, "not played")]
)
def test_a_test_that_heard_nothing_decides_nothing(
    tmp_path: Path, device: type[Laptop], gain: float, says: str
) -> None:
    """Not kept: half duplex for this call, told why, and tested again before the next one."""
    sound, lines = device(gain), []
    said = np.zeros(100, np.int16) if says == "not played" else testing.voice_like(3.4, level_dbfs=-17)
    mode, found = echotest.for_call(
        tmp_path, sound, lambda: echotest.run(sound, said, testing.voice_like(2.0)), lines.append
    )

    assert mode == HALF_DUPLEX
    assert found.fault
    assert says in lines[-1]
    assert "half duplex for this call" in lines[-1]
    assert echotest.load(tmp_path, sound) is None


def test_it_can_be_run_again(tmp_path: Path) -> None:
    """What was found before is replaced."""
    echotest.save(tmp_path, Laptop(0.0), LOUD)
    mode, _ = echotest.for_call(tmp_path, Laptop(0.0), lambda: NONE, lambda _: None, again=True)

    assert mode == HEADSET
    assert echotest.load(tmp_path, Laptop(0.0)) == NONE


def test_the_option_runs_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--echo test` plays the sentence although something was found before; without it nothing is played."""
    monkeypatch.setattr(common.Options, "data", tmp_path)
    monkeypatch.setattr(echo, "TEST_S", 2.0)
    echotest.save(tmp_path, Laptop(0.0), LOUD)
    kept, again = Laptop(0.0), Laptop(0.0)
    modes = [calls.with_echo(call(), kept, "auto", 0.0).echo, calls.with_echo(call(), again, "test", 0.0).echo]

    assert modes == [HALF_DUPLEX, HEADSET]
    assert kept.played == 0
    assert again.played > 0


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"mic / speaker": 3}', '{"mic / speaker": {"cancellation": false}}', "\xff"]
)
def test_a_damaged_file_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "echo.json").write_bytes(text.encode("latin-1"))

    assert echotest.load(tmp_path, Laptop(0.0)) is None


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file", "utf-8")
    with pytest.raises(DiskError, match="could not be kept"):
        echotest.save(tmp_path / "data", Laptop(0.0), LOUD)


def call() -> session.Call:
    persona, persona_text = prepare.choose_persona("dana-printer")
    procedure, procedure_text = prepare.choose_procedure("six-guidelines")
    return session.Call(persona, persona_text, procedure, procedure_text, prepare.rules(cues_only=True))


@pytest.mark.parametrize(("wanted", "mode"), [("headset", HEADSET), ("half", HALF_DUPLEX)])
def test_it_can_be_forced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wanted: str, mode: str
) -> None:
    """Nothing is played, whatever was found before."""
    monkeypatch.setattr(common.Options, "data", tmp_path)
    laptop = Laptop(0.5)
    forced = calls.with_echo(call(), laptop, wanted, 0.0)

    assert forced.echo == mode
    assert laptop.played == 0
    assert "as you chose" in capsys.readouterr().out


def test_a_cancellation_that_is_not_there_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common.Options, "data", tmp_path)
    with pytest.raises(MissingModel, match="not installed") as caught:
        calls.with_echo(call(), Laptop(0.5), "cancel", 0.0)

    assert echo.INSTALL in str(caught.value)


def test_a_drill_on_loudspeakers_rests_the_microphone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a call does: the devices are tested before the first one, or it is as `--echo` or `--speakers` says."""
    rules = prepare.rules(cues_only=True)
    laptops = [Laptop(0.5) for _ in range(4)]
    opened, held = iter(laptops), list[session.Call]()
    monkeypatch.setattr(common.Options, "data", tmp_path)
    monkeypatch.setattr(devices, "open_device", lambda *_: next(opened))
    monkeypatch.setattr(prepare, "rules", lambda: rules)
    monkeypatch.setattr(prepare, "ears", lambda _: (testing.ScriptedEars([]), None))
    monkeypatch.setattr(prepare, "voice", lambda *_, **__: testing.BeepVoice())
    monkeypatch.setattr(calm_voice, "with_baseline", lambda call, *_: call)
    monkeypatch.setattr(calls, "hold", lambda call, *_, **__: held.append(call))

    drilling.drill("apologise")
    drilling.drill("apologise")
    drilling.drill("apologise", echo="headset")
    drilling.drill("apologise", speakers=True)

    assert [one.echo for one in held] == [HALF_DUPLEX, HALF_DUPLEX, HEADSET, HALF_DUPLEX]
    assert [one.echo_forced for one in held] == [False, False, True, True]
    assert [laptop.played > 0 for laptop in laptops] == [True, False, False, False]


def test_a_retry_after_the_call_is_on_the_devices_of_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The headset's plug came out in the call, which found the echo: the retry tests again, and does not go by the call."""
    laptop, held, calm = Laptop(0.0), list[session.Call](), list[session.Call]()

    def hold(call: session.Call, *_: object, **__: object) -> Path:
        held.append(call)
        laptop.gain = 0.5
        (tmp_path / "echo.json").unlink()
        return tmp_path

    retries = iter([call(), None])
    rules = prepare.rules(cues_only=True)
    monkeypatch.setattr(common.Options, "data", tmp_path)
    monkeypatch.setattr(devices, "open_device", lambda *_: laptop)
    monkeypatch.setattr(devices, "volume", lambda *_, **__: 0.0)
    monkeypatch.setattr(prepare, "rules", lambda: rules)
    monkeypatch.setattr(prepare, "ears", lambda _: (testing.ScriptedEars([]), None))
    monkeypatch.setattr(prepare, "voice", lambda *_, **__: testing.BeepVoice())
    monkeypatch.setattr(before, "prepare", lambda *_: ())
    monkeypatch.setattr(keys, "interactive", lambda: True)
    monkeypatch.setattr(calls, "with_consent", lambda call: call)
    monkeypatch.setattr(calls, "hold", hold)
    monkeypatch.setattr(calm_voice, "with_baseline", lambda call, *_, **__: calm.append(call) or call)
    monkeypatch.setattr(practice, "offered", lambda *_: next(retries))

    rehearsing.rehearse(typer.Context(typer.main.get_command(app)))

    assert [one.echo for one in held] == [HEADSET, HALF_DUPLEX]
    assert len(calm) == 2


@pytest.mark.parametrize(
    ("found", "mode", "says"),
    [
        (NONE, HEADSET, "none is heard"),
        (LOUD, HALF_DUPLEX, "headset is better"),
        (EchoTest(0.9, 0.2, -10.0, -70.0, 0.9, left=0.0), HALF_DUPLEX, "louder than you; use headphones"),
        (LOUD, CANCELLED, "cancelled"),
    ],
)
def test_the_choice_is_one_sentence(found: EchoTest, mode: Any, says: str) -> None:
    told = echotest.told(found, mode)

    assert says in told
    assert told.count("\n") == 0


def test_doctor_tells_what_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the package is there, with the line that installs it, and the mode of each pair."""
    monkeypatch.setattr(echo, "installed", lambda: False)
    echotest.save(tmp_path, Laptop(0.0), LOUD)
    package, pair = doctor._echo(tmp_path)

    assert not package.ok
    assert not package.needed
    assert package.do == echo.INSTALL
    assert "mic / speaker: half duplex, -20 dBFS after 200 ms" in pair.found
