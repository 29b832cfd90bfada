"""The real device with a PortAudio that does what a test says: rates, two streams, devices that go away and come back."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from voicecoach import testing
from voicecoach.errors import DeviceError
from voicecoach.measure.activity import FRAME
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.world import sound, sound_server
from voicecoach.world.sound import Block, Device, ZeroWatch


class PortAudioError(Exception):
    """As sounddevice's."""


class PortAudio:
    """A stand-in for the module sounddevice: devices that open or not, and streams that a test drives."""

    PortAudioError = PortAudioError

    def __init__(
        self,
        *,
        duplex: bool = True,
        rates_in: Sequence[int] = (48_000,),
        rates_out: Sequence[int] = (),
        channels: int = 1,
    ) -> None:
        self.channels = channels
        """The one number of channels that its devices take."""
        self.duplex, self.rates_in, self.rates_out = duplex, rates_in, rates_out or rates_in
        self.names = ("Headset mic", "Headset")
        self.there = True
        self.streams: list[FakeStream] = []
        self.starts = 0
        self._lib = SimpleNamespace(Pa_Terminate=lambda: None, Pa_Initialize=self._initialize)
        self._exit_handler = lambda: None
        self.Stream = lambda **options: self._made("both", **options)
        self.InputStream = lambda **options: self._made("input", **options)
        self.OutputStream = lambda **options: self._made("output", **options)

    def _initialize(self) -> None:
        self.starts += 1

    def query_devices(self, device: Any = None, kind: str = "input") -> dict[str, Any]:
        name, rates = (self.names[0], self.rates_in) if kind == "input" else (self.names[1], self.rates_out)
        if not self.there:
            raise PortAudioError("no such device")
        if isinstance(device, str) and device not in name:
            raise ValueError(f"no {device}")
        most = {f"max_{kind}_channels": self.channels}
        return {"name": name, "default_samplerate": float(rates[0]), **most}

    def _made(self, kind: str, **options: Any) -> FakeStream:
        rates = {"input": self.rates_in, "output": self.rates_out}.get(kind, self.rates_in)
        refused = not self.there or options["samplerate"] not in rates or (kind == "both" and not self.duplex)
        if options["channels"] != self.channels:
            raise PortAudioError("Invalid number of channels [PaErrorCode -9998]")
        if refused:
            raise PortAudioError("Invalid sample rate [PaErrorCode -9997]")
        stream = FakeStream(kind, **options)
        self.streams.append(stream)
        return stream


class FakeStream:
    """One stream; `feed` is what its device does."""

    latency = 0.1

    def __init__(self, kind: str, **options: Any) -> None:
        self.kind, self.options, self.rate = kind, options, options["samplerate"]
        self.heard: list[np.ndarray] = []
        self.closed = self.hangs = False
        self._status = False

    def start(self) -> None:
        pass

    def abort(self, ignore_errors: bool = True) -> None:
        if self.hangs:
            threading.Event().wait()  # as PortAudio does when its server was killed

    def close(self, ignore_errors: bool = True) -> None:
        self.closed = True

    def feed(self, level: int, blocks: int = 1) -> None:
        """So many blocks of 20 ms in which every sample of the microphone is `level`."""
        n, channels = self.rate // 50, self.options["channels"]
        for _ in range(blocks):
            mic, out = np.zeros((n, channels), np.int16), np.zeros((n, channels), np.int16)
            mic[:, 0] = level
            given = {"both": (mic, out), "input": (mic,), "output": (out,)}[self.kind]
            self.options["callback"](*given, n, None, self._status)
            self.heard.append(out[:, 0].copy() if channels == 1 else out.copy())

    def live(self, level: int, seconds: float) -> None:
        """As `feed`, in real time and from a thread of its own."""

        def run() -> None:
            for _ in itertools.takewhile(lambda _: not self.closed, range(round(seconds / 0.02))):
                self.feed(level)
                time.sleep(0.02)

        threading.Thread(target=run, daemon=True).start()

    def finish(self) -> None:
        self.options["finished_callback"]()


@pytest.fixture
def portaudio(monkeypatch: pytest.MonkeyPatch) -> Callable[..., PortAudio]:
    """Puts a PortAudio in place, and shortens the waits."""
    waits = {"STALLED_AFTER_S": 1.0, "THAWS_WITHIN_S": 0.05, "GIVE_UP_S": 10.0, "RETRY_S": 0.02, "POLL_S": 0.01}
    for name, seconds in {**waits, "STARTS_WITHIN_S": 1.0, "CLOSES_WITHIN_S": 0.1}.items():
        monkeypatch.setattr(sound, name, seconds)

    def put(**options: Any) -> PortAudio:
        made = PortAudio(**options)
        monkeypatch.setattr(sound, "import_sounddevice", lambda: made)
        return made

    return put


def read_until(device: Device, done: Callable[[Block], bool], limit_s: float = 20.0) -> list[Block]:
    blocks: list[Block] = []
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        blocks.append(device.read())
        if done(blocks[-1]):
            return blocks
    raise AssertionError("it never came")


@pytest.mark.parametrize("rate", [48_000, 44_100, 16_000, 8_000])
def test_any_rate_becomes_16_khz_once(portaudio: Callable[..., PortAudio], rate: int) -> None:
    """A Bluetooth headset at 16 or 8 kHz, a card at 44.1: as many seconds of both channels as the device had."""
    pa = portaudio(rates_in=(rate,))
    device = Device()
    device.play(testing.tone(300, 0.5))
    pa.streams[0].feed(500, 60)
    blocks = [device.read() for _ in range(int(1.1 * SAMPLE_RATE_HZ) // FRAME)]
    mic, out = (np.concatenate([getattr(one, name) for one in blocks]) for name in ("mic", "out"))
    device.close()

    assert device.info.device_rate_hz == rate
    assert np.median(mic) == pytest.approx(500, abs=3)
    assert np.flatnonzero(np.abs(out) > 50)[-1] / SAMPLE_RATE_HZ == pytest.approx(0.5, abs=0.02)
    assert sum(one.customer for one in blocks) * FRAME / SAMPLE_RATE_HZ == pytest.approx(0.5, abs=0.05)


def test_two_streams_where_one_cannot_be_had(portaudio: Callable[..., PortAudio]) -> None:
    """A microphone at 16 kHz and a speaker at 48: what was played lies beside what was heard meanwhile."""
    pa = portaudio(duplex=False, rates_in=(16_000,), rates_out=(48_000,))
    device = Device()
    speaker, microphone = pa.streams
    device.play(testing.tone(300, 1.0))
    for _ in range(100):
        speaker.feed(0)
        microphone.feed(700)
    blocks = [device.read() for _ in range(55)]
    out = np.concatenate([one.out for one in blocks])
    device.close()

    assert (speaker.kind, microphone.kind) == ("output", "input")
    assert [stream.rate for stream in pa.streams] == [48_000, 16_000]
    loud = np.flatnonzero(np.abs(out.astype(int)) > 500)
    assert loud[0] / SAMPLE_RATE_HZ < 0.05
    assert (loud[-1] - loud[0]) / SAMPLE_RATE_HZ == pytest.approx(1.0, abs=0.01)
    assert pa.streams[0].closed
    assert pa.streams[1].closed


@pytest.mark.parametrize("freezes", [False, True])
def test_a_speaker_that_dies_alone_is_noticed(portaudio: Callable[..., PortAudio], freezes: bool) -> None:
    """With two streams the microphone goes on: the call pauses once all the same, and the line goes on afterwards."""
    pa = portaudio(duplex=False)
    device = Device()
    stalls: list[float] = []
    device.on_stall = lambda: stalls.append(time.monotonic())
    speaker, microphone = pa.streams
    device.play(np.full(SAMPLE_RATE_HZ // 2, 4000, np.int16))
    microphone.live(700, 9.0)
    speaker.feed(0, 10)
    dead = time.monotonic()
    pa.there = False
    if not freezes:
        speaker.finish()
    read_until(device, lambda block: block.away == "stopped")
    noticed_s = time.monotonic() - dead
    waiting = [device.read() for _ in range(10)]
    pa.there = True
    read_until(device, lambda _: len(pa.streams) == 4)
    for stream in pa.streams[2:]:
        stream.live(900, 4.5)
    read_until(device, lambda block: not block.away)
    back = [device.read() for _ in range(25)]
    device.close()

    assert noticed_s < 8.0
    assert len(stalls) == 1
    assert all(block.away for block in waiting)
    assert not any(block.mic.any() for block in waiting[2:])  # the edges share a block with sound
    assert not any(block.away for block in back)
    played = sum(int(np.abs(one).sum()) for stream in pa.streams if stream.kind == "output" for one in stream.heard)
    assert played / 4000 / 48_000 == pytest.approx(0.5, abs=0.01)


def test_a_speaker_that_only_paused_goes_on_by_itself(
    portaudio: Callable[..., PortAudio], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two streams, too, nothing is opened anew then."""
    monkeypatch.setattr(sound, "THAWS_WITHIN_S", 5.0)
    pa = portaudio(duplex=False)
    device = Device()
    speaker, microphone = pa.streams
    microphone.live(700, 6.0)
    speaker.feed(0, 10)
    read_until(device, lambda block: block.away == "stopped")
    speaker.live(0, 3.0)
    read_until(device, lambda block: not block.away)
    back = [device.read() for _ in range(10)]
    device.close()

    assert len(pa.streams) == 2
    assert not any(block.away for block in back)


@pytest.mark.parametrize("duplex", [True, False])
def test_what_opens_in_stereo_only_is_opened_so(portaudio: Callable[..., PortAudio], duplex: bool) -> None:
    """A card without a sound server may refuse one channel: the first one is heard, both are played on."""
    pa = portaudio(duplex=duplex, channels=2)
    device = Device()
    device.play(np.full(SAMPLE_RATE_HZ // 10, 4000, np.int16))
    for _ in range(20):
        for stream in reversed(pa.streams):
            stream.feed(700)
    block = [device.read() for _ in range(6)][-1]
    (speaker,) = (stream for stream in pa.streams if stream.kind != "input")
    device.close()

    assert [stream.options["channels"] for stream in pa.streams] == [2] * len(pa.streams)
    assert np.median(block.mic) == pytest.approx(700, abs=5)
    assert speaker.heard[1].shape == (960, 2)
    assert np.abs(speaker.heard[1] - 4000).max() <= 2


def test_what_no_device_takes_is_a_sentence(portaudio: Callable[..., PortAudio]) -> None:
    portaudio(rates_in=(11_025,), rates_out=(22_050,), duplex=False)
    with pytest.raises(DeviceError, match="could not be opened") as caught:
        Device(rate_hz=48_000)

    assert "--rate" in str(caught.value)


@pytest.mark.parametrize("hangs", [False, True])
def test_a_device_that_is_gone_is_opened_anew(portaudio: Callable[..., PortAudio], hangs: bool) -> None:
    """Told once, silence by the wall clock, then the new device's sound; the line goes on where it stopped.

    Streams of a killed server cannot be closed: then they are left behind.
    """
    pa = portaudio()
    device = Device()
    stalls: list[float] = []
    device.on_stall = lambda: stalls.append(time.monotonic())
    device.play(np.full(SAMPLE_RATE_HZ, 4000, np.int16))
    pa.streams[0].feed(500, 20)
    pa.streams[0].hangs = hangs
    pa.there = False
    pa.streams[0].finish()
    read_until(device, lambda block: block.away == "stopped")
    gone = time.monotonic()
    read_until(device, lambda _: time.monotonic() - gone > 0.4)
    pa.there, pa.names = True, ("Built-in mic", "Built-in")
    waiting = [device.read() for _ in itertools.takewhile(lambda _: len(pa.streams) < 2, range(1000))]
    pa.streams[1].live(900, 4.5)
    read_until(device, lambda block: not block.away)
    back = [device.read() for _ in range(35)]
    device.close()

    assert len(stalls) == 1
    assert all(not block.mic.any() and not block.out.any() and not block.customer for block in waiting if block.away)
    assert np.median(np.concatenate([block.mic for block in back])) == pytest.approx(900, abs=5)
    assert device.info.input == "Built-in mic"
    assert pa.starts > 0 or hangs
    played = sum(int(np.abs(one).sum()) for stream in pa.streams for one in stream.heard) / 4000 / 48_000
    assert played == pytest.approx(1.0, abs=0.01)


def test_the_names_follow_the_server_and_outlast_one_that_does_not_answer(
    portaudio: Callable[..., PortAudio], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told by the lookout; a server that has just come back and says nothing has what it had."""
    monkeypatch.setattr(sound_server, "ASKED_EVERY_S", 0.01)
    answers = {"now": ("default (Headset)", "default (Headset)")}
    for place in (sound, sound_server):
        monkeypatch.setattr(place, "behind", lambda _: answers["now"])
    pa = portaudio()
    pa.names = ("default", "default")
    device = Device()
    pa.streams[0].live(700, 3.0)
    first = device.info
    answers["now"] = ("default (Laptop)", "default (Laptop)")
    read_until(device, lambda _: device.info != first)
    moved = device.info
    answers["now"] = ("default", "default")
    pa.streams[0].finish()
    read_until(device, lambda _: len(pa.streams) == 2)
    pa.streams[1].live(900, 1.5)
    read_until(device, lambda block: not block.away)
    back = device.info
    device.close()

    assert (first.output, moved.output) == ("default (Headset)", "default (Laptop)")
    assert back == moved


def test_silence_stands_in_for_the_time_without_a_device(portaudio: Callable[..., PortAudio]) -> None:
    """The sample index does not run ahead of the wall clock, and keeps up with it."""
    pa = portaudio()
    device = Device()
    pa.streams[0].feed(500, 5)
    began = time.monotonic()
    pa.streams[0].finish()
    for _ in range(round(0.9 * SAMPLE_RATE_HZ / FRAME)):  # 0.1 s of it was sound
        device.read()
    took_s = time.monotonic() - began
    device.close()

    assert 0.7 < took_s < 8.0


def test_a_server_that_only_paused_goes_on_by_itself(
    portaudio: Callable[..., PortAudio], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No second stream is opened, and blocks from before the silence are not told twice."""
    monkeypatch.setattr(sound, "THAWS_WITHIN_S", 5.0)
    pa = portaudio()
    device = Device()
    pa.streams[0].feed(500, 10)
    read_until(device, lambda block: block.away == "stopped")
    pa.streams[0].live(800, 1.5)
    blocks = read_until(device, lambda block: not block.away)
    device.close()

    assert len(pa.streams) == 1
    assert blocks[-1].mic.any()


def test_a_device_that_does_not_come_back_ends_it(
    portaudio: Callable[..., PortAudio], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound, "GIVE_UP_S", 0.3)
    pa = portaudio()
    device = Device()
    pa.streams[0].feed(500, 10)
    pa.there = False
    pa.streams[0].finish()
    with pytest.raises(DeviceError, match="did not come back"):
        read_until(device, lambda _: False)
    device.close()


def test_a_server_that_never_answers_is_not_waited_for(
    portaudio: Callable[..., PortAudio], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen sound server keeps PortAudio from opening: a sentence, not a hang."""
    monkeypatch.setattr(sound, "OPENS_WITHIN_S", 0.1)
    pa = portaudio()
    pa.Stream = lambda **_: threading.Event().wait()  # type: ignore[assignment]
    with pytest.raises(DeviceError, match="has not answered"):
        Device()


def test_waiting_unread_is_no_absence(portaudio: Callable[..., PortAudio]) -> None:
    """While models are loaded nobody reads: what came in is dropped, and nothing counts as lost."""
    pa = portaudio()
    device = Device()
    pa.streams[0].feed(500, 1700)
    lost = device.lost_blocks
    device.drain()
    pa.streams[0].feed(600, 10)
    block = device.read()
    device.close()

    assert lost > 0
    assert device.lost_blocks == 0
    assert not block.away
    assert np.median(block.mic) == pytest.approx(600, abs=60)


def steady(watch: ZeroWatch, seconds: float = 6.0) -> None:
    for _ in range(round(seconds / 0.02)):
        assert not watch.dead(True, 0.02)


def test_zeros_after_steady_sound_are_a_dead_microphone() -> None:
    """Within a second; sound brings it back."""
    watch = ZeroWatch()
    steady(watch)
    dead = [watch.dead(False, 0.02) for _ in range(50)]

    assert dead.index(True) * 0.02 == pytest.approx(0.8, abs=0.05)
    assert not watch.dead(True, 0.02)
    assert [watch.dead(False, 0.02) for _ in range(50)][-1]


def test_a_noise_gate_is_not_a_dead_microphone() -> None:
    """Zeros between words are how such microphones are; so are zeros from the start."""
    gated, silent = ZeroWatch(), ZeroWatch()
    for _ in range(20):
        for sounding in (True, False):
            for _ in range(40):
                assert not gated.dead(sounding, 0.02)

    assert not any(silent.dead(False, 0.02) for _ in range(500))


def test_zeros_from_the_start_are_a_noise_gate() -> None:
    """A headset that suppresses noise gives zeros until somebody speaks, and between all turns."""
    watch = ZeroWatch()
    dead = [
        watch.dead(sounding, 0.02)
        for sounding, seconds in ((False, 3.0), (True, 6.0), (False, 4.0), (True, 8.0), (False, 10.0))
        for _ in range(round(seconds / 0.02))
    ]

    assert not any(dead)


def test_a_device_that_wakes_up_is_no_noise_gate() -> None:
    """Its first half second may be zeros; what is unplugged later is noticed all the same."""
    watch = ZeroWatch()
    waking = [watch.dead(False, 0.02) for _ in range(25)]
    steady(watch)

    assert not any(waking)
    assert any(watch.dead(False, 0.02) for _ in range(50))


def test_zeros_that_end_by_themselves_twice_are_a_noise_gate() -> None:
    """Somebody who began to speak at once and never paused is not stopped in every pause of theirs."""
    watch = ZeroWatch()
    pauses = []
    for _ in range(4):
        steady(watch)
        zeros = [watch.dead(False, 0.02) for _ in range(100)]
        pauses.append(any(zeros))

    assert pauses == [True, True, False, False]
