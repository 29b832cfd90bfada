"""The browser's Sound port: one clock for both channels, gaps as silence, and a page that goes and comes back."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

from tests.web.site import unpack_chunk
from voicecoach import testing
from voicecoach.errors import DeviceError
from voicecoach.measure.activity import FRAME
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.testing import Samples
from voicecoach.web import sound as port
from voicecoach.web import wire
from voicecoach.web.sound import BrowserDuplex, BrowserInfo
from voicecoach.world.sound import Block


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """These pages send a second in no time, so their own clock is the only one that counts."""
    monkeypatch.setattr(port, "BOOTTIME", None)


def duplex(rate_hz: int = SAMPLE_RATE_HZ) -> BrowserDuplex:
    return BrowserDuplex(BrowserInfo("browser", "A microphone", "speaker", rate_hz, 0.02, False, False, False))


class Far:
    """The page at the far end."""

    def __init__(self, near: BrowserDuplex, rate_hz: int, have: int | None = None) -> None:
        self.near, self.n = near, rate_hz // 50
        self.first = 0
        self.done = 0
        self.deaf = False
        self.messages: list[Any] = []
        self.send_to = self.messages.append
        near.connect(self.send_to, rate_hz, have)

    def send(self, mic: Samples, out: Samples | None = None, customer: bool = False) -> None:
        """Both channels in frames of 20 ms."""
        out = np.zeros_like(mic) if out is None else out
        for at in range(0, len(mic), self.n):
            piece = mic[at : at + self.n]
            spoken = (0, len(piece)) if customer else (0, 0)
            self.near.feed(wire.Frame(self.first, self.done, spoken, 0, piece, out[at : at + self.n], self.deaf))
            self.first += len(piece)

    @property
    def line(self) -> Samples:
        """The samples of the customer that came."""
        found = [unpack_chunk(message)[1] for message in self.messages if isinstance(message, bytes)]
        return np.concatenate(found) if found else np.zeros(0, np.int16)


def blocks(near: BrowserDuplex, n: int) -> list[Block]:
    return [near.read() for _ in range(n)]


def mic_of(found: list[Block]) -> Samples:
    return np.concatenate([block.mic for block in found])


def out_of(found: list[Block]) -> Samples:
    return np.concatenate([block.out for block in found])


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
def test_both_channels_stay_on_one_clock(rate_hz: int) -> None:
    """A click that is in both channels at the same moment is at the same sample of the record, and at the right one."""
    near = duplex(rate_hz)
    far = Far(near, rate_hz)
    click = np.zeros(rate_hz, np.int16)
    click[rate_hz // 2] = 20_000
    far.send(click, click, customer=True)
    found = blocks(near, 25)
    mic, out = mic_of(found), out_of(found)

    assert np.argmax(mic) == np.argmax(out)
    assert abs(int(np.argmax(mic)) - SAMPLE_RATE_HZ // 2) <= 1
    assert all(len(block.mic) == FRAME == len(block.out) for block in found)


def test_the_customer_is_where_the_page_says() -> None:
    """`customer` is true in the blocks in which the loudspeaker spoke, and in no other."""
    near = duplex()
    far = Far(near, SAMPLE_RATE_HZ)
    quiet, line = testing.silence(0.32), testing.tone(300, 0.32)
    far.send(quiet)
    far.send(quiet, line, customer=True)
    far.send(testing.silence(0.64))
    found = [block.customer for block in blocks(near, 30)]

    assert found == [False] * 10 + [True] * 10 + [False] * 10


def test_what_the_page_could_not_send_is_silence_of_the_same_length() -> None:
    near = duplex()
    far = Far(near, SAMPLE_RATE_HZ)
    tone = testing.tone(300, 0.32)
    far.send(tone)
    far.first += SAMPLE_RATE_HZ  # one second that never arrived
    far.send(tone)
    found = mic_of(blocks(near, (2 * len(tone) + SAMPLE_RATE_HZ) // FRAME))
    lost = found[len(tone) : len(tone) + SAMPLE_RATE_HZ]

    assert np.abs(lost[200:-200]).max() <= 1  # the resampler dithers
    assert np.abs(found[: len(tone)]).max() > 1000
    assert np.abs(found[len(tone) + SAMPLE_RATE_HZ + 200 :]).max() > 1000
    assert near.xruns == 1


def test_what_comes_twice_counts_once() -> None:
    near = duplex()
    far = Far(near, SAMPLE_RATE_HZ)
    ramp = np.arange(SAMPLE_RATE_HZ // 2, dtype=np.int16)
    far.send(ramp)
    far.first = 0
    far.send(ramp)
    far.send(np.full(4 * FRAME, 9000, np.int16))
    found = mic_of(blocks(near, 16))

    assert np.abs(found[: len(ramp)] - ramp).max() <= 2  # the resampler dithers
    assert np.abs(found[len(ramp) + 100 :] - 9000).max() < 200


def test_a_page_whose_frames_all_lie_behind_is_not_heard_of() -> None:
    """Nothing of it arrives in the call, so it cannot keep the call from ending."""
    near = duplex()
    far = Far(near, SAMPLE_RATE_HZ)
    far.first = 60 * SAMPLE_RATE_HZ
    far.send(np.zeros(FRAME, np.int16))
    near._heard_at -= 1
    far.first = 0
    far.send(np.zeros(SAMPLE_RATE_HZ, np.int16))

    assert near.still


def test_a_line_goes_out_at_the_rate_of_the_page_and_is_playing_until_it_was_played() -> None:
    near = duplex(48_000)
    far = Far(near, 48_000)
    near.play(testing.tone(300, 1.0))

    assert len(far.line) == pytest.approx(48_000, abs=50)
    assert near.playing()
    far.done = len(far.line)
    far.send(np.zeros(960, np.int16))
    assert not near.playing()


def test_a_line_that_is_stopped_is_halted_at_the_page() -> None:
    near = duplex()
    far = Far(near, SAMPLE_RATE_HZ)
    near.play(testing.tone(300, 1.0))
    near.stop()

    assert far.messages[-1] == {"t": "halt", "upto": SAMPLE_RATE_HZ, "fade_ms": port.FADE_MS}
    far.done = SAMPLE_RATE_HZ
    far.send(np.zeros(320, np.int16))
    assert not near.playing()


def test_a_page_that_comes_back_gets_what_it_has_not_got() -> None:
    """A broken connection: the same page goes on with its clock and the rest of the line."""
    near = duplex()
    far = Far(near, SAMPLE_RATE_HZ)
    near.play(testing.tone(300, 1.0))
    whole = far.line
    near.disconnect(far.send_to)
    near.play(testing.tone(500, 0.5))
    again = Far(near, SAMPLE_RATE_HZ, have=12_000)

    assert np.array_equal(again.line[:4000], whole[12_000:])
    assert len(again.line) == 4000 + 8000


def test_a_page_that_is_loaded_again_goes_on_where_the_line_was() -> None:
    """A crashed tab: a new clock, perhaps at another rate; the time between is silence, and nothing is played twice."""
    near = duplex()
    far = Far(near, SAMPLE_RATE_HZ)
    near.play(testing.tone(300, 1.0))
    far.done = 8000
    far.send(testing.noise(0.512))
    began = time.monotonic()
    near.disconnect(far.send_to)
    time.sleep(0.3)
    again = Far(near, 48_000, have=None)
    took_s = time.monotonic() - began
    again.first = 77_777
    again.send(np.full(48_000, 5000, np.int16))
    given = [near.read()]
    while given[-1].mic.max() <= 4000:
        given.append(near.read())
    found = mic_of(given)
    back = int(np.argmax(found > 4000)) / SAMPLE_RATE_HZ

    assert len(again.line) == pytest.approx(24_000, abs=50)
    assert 0.3 - 0.01 < back - 0.512 < took_s + 0.01  # the resampler is late by 3 ms
    assert np.abs(found[8400:12_000]).max() <= 2  # the resampler dithers


def test_a_page_that_stays_away_loses_its_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a connection soon; with one, but without sound, only after time enough to press a button."""
    monkeypatch.setattr(port, "RESUME_WITHIN_S", 0.2)
    monkeypatch.setattr(port, "SLACK_S", 0.0)
    for leaves, silent_for_s, least_s, most_s in ((True, 30.0, 0.1, 15.0), (False, 0.6, 0.5, 15.0)):
        monkeypatch.setattr(port, "SILENT_FOR_S", silent_for_s)
        near = duplex()
        far = Far(near, SAMPLE_RATE_HZ)
        far.send(testing.silence(0.064))
        blocks(near, 1)
        if leaves:
            near.disconnect(far.send_to)
        began = time.monotonic()

        with pytest.raises(DeviceError, match="page in the browser"):
            blocks(near, 10)
        assert least_s < time.monotonic() - began < most_s
        assert near.gone


def test_a_hole_of_some_length_is_an_absence_and_a_hiccup_is_none() -> None:
    """So that the call stands still for the one and not for the other."""
    near = duplex()
    far = Far(near, SAMPLE_RATE_HZ)
    far.send(testing.silence(0.512))
    far.first += 128
    far.send(testing.silence(0.512 - 128 / SAMPLE_RATE_HZ))
    far.first += SAMPLE_RATE_HZ
    far.send(testing.silence(0.512))
    away = [block.away for block in blocks(near, 78)]

    assert away[:31] == [""] * 31
    assert away.count("stopped") == pytest.approx(SAMPLE_RATE_HZ / FRAME, abs=2)
    assert away[-10:] == [""] * 10


@pytest.mark.parametrize(("slept_s", "goes_on"), [(10, True), (29, True), (600, False), (3600, False)])
def test_a_clock_that_jumps_is_a_machine_that_slept(slept_s: int, goes_on: bool) -> None:
    """Some seconds are a pause of the call, as long as they lasted; after minutes nobody is on the line any more."""
    near = duplex()
    far = Far(near, SAMPLE_RATE_HZ)
    far.send(testing.silence(0.32))
    far.first += slept_s * SAMPLE_RATE_HZ
    far.send(testing.silence(0.32))

    assert near.gone is not goes_on
    if goes_on:
        away = [block.away for block in blocks(near, (slept_s * SAMPLE_RATE_HZ) // FRAME + 15)]
        assert away.count("stopped") == pytest.approx(slept_s * SAMPLE_RATE_HZ / FRAME, abs=2)
        return
    with pytest.raises(DeviceError, match="fell asleep"):
        blocks(near, 20)


@pytest.mark.parametrize(("leapt_s", "slept_s"), [(40, 0), (5, 0), (40, 3), (10, 10)])
def test_a_clock_that_was_set_is_no_machine_that_slept(
    monkeypatch: pytest.MonkeyPatch, leapt_s: int, slept_s: int
) -> None:
    """The browser adds the time of day where its sound stood still; only as much counts as went by on the machine's clock."""
    now_s = [1000.0]
    monkeypatch.setattr(port, "BOOTTIME", 7)
    monkeypatch.setattr(time, "clock_gettime", lambda _: now_s[0], raising=False)
    near = duplex()
    far = Far(near, SAMPLE_RATE_HZ)

    def send(seconds: float) -> None:
        for _ in range(round(seconds * 50)):
            now_s[0] += 0.02
            far.send(testing.silence(0.02))

    send(0.32)
    far.first += leapt_s * SAMPLE_RATE_HZ
    now_s[0] += slept_s
    send(0.32)
    far.first += SAMPLE_RATE_HZ // 2  # and what is missing later is silence again
    now_s[0] += 0.5
    send(0.32)
    missing = [block.away for block in blocks(near, 45 + slept_s * SAMPLE_RATE_HZ // FRAME)].count("stopped")

    assert not near.gone
    assert missing == pytest.approx((slept_s + 0.5) * SAMPLE_RATE_HZ / FRAME, abs=3)


def test_a_page_without_a_microphone_is_away_to_the_sample() -> None:
    near = duplex()
    far = Far(near, SAMPLE_RATE_HZ)
    far.send(testing.noise(0.32))
    far.deaf = True
    far.send(np.zeros(16 * FRAME, np.int16))
    far.deaf = False
    far.send(testing.noise(0.32))
    away = [block.away for block in blocks(near, 34)]

    assert away == [""] * 10 + ["zeros"] * 16 + [""] * 8


def test_a_microphone_that_stays_away_ends_the_call() -> None:
    """As with a device, after half a minute: a call that nobody can speak in takes the place of another."""
    near = duplex()
    far = Far(near, SAMPLE_RATE_HZ)
    far.send(testing.noise(0.32))
    far.deaf = True
    for _ in range(30):
        far.send(np.zeros(SAMPLE_RATE_HZ, np.int16))
        blocks(near, 31)
    assert not near.gone

    far.send(np.zeros(SAMPLE_RATE_HZ, np.int16))
    with pytest.raises(DeviceError, match="microphone did not come back within 30 s"):
        blocks(near, 31)
    assert near.gone


def test_another_microphone_has_its_name_in_the_record() -> None:
    near = duplex(48_000)
    near.now_through(BrowserInfo("browser", "Another", "speaker", 44_100, 0.05, True, False, False))

    assert (near.info.input, near.info.device_rate_hz, near.browser.echo_cancellation) == ("Another", 48_000, True)


def test_a_loop_that_falls_behind_loses_sound_and_not_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames that find no room are counted, and their place is silence."""
    monkeypatch.setattr(port, "QUEUE_FRAMES", 10)
    near = duplex()
    far = Far(near, SAMPLE_RATE_HZ)
    sent = threading.Thread(target=far.send, args=(testing.noise(0.4),))
    sent.start()
    sent.join()
    early = blocks(near, 5)
    far.send(np.full(320, 7000, np.int16))
    late = blocks(near, 8)

    assert near.lost_blocks > 0
    assert len(mic_of(early)) + len(mic_of(late)) == 13 * FRAME
    assert int(np.argmax(mic_of(late) > 6000)) + 5 * FRAME == pytest.approx(0.4 * SAMPLE_RATE_HZ, abs=20)
