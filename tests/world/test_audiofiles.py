"""Any recording in, something a browser plays out: a result or a sentence, never another exception."""

from __future__ import annotations

import base64
import io
import random
import socket
import struct
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from tests import memory
from voicecoach import testing
from voicecoach.errors import BadInput, DiskError
from voicecoach.measure.observe import Floats
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.world import audiofiles

DATA = Path(__file__).parent.parent / "data"


def chirp(rate_hz: int, seconds: float = 1.0, channels: int = 1) -> Floats:
    """A tone of 440 Hz, another in each further channel."""
    t = np.arange(round(rate_hz * seconds)) / rate_hz
    return np.stack([0.3 * np.sin(2 * np.pi * 440 * (c + 1) * t) for c in range(channels)], axis=1).astype(np.float32)


def channels_of(path: Path) -> list[Floats]:
    """Each channel of a file, as a review takes them."""
    with audiofiles.spooled(path, path.parent) as spool:
        return [spool.read(channel, 0, spool.samples) for channel in range(spool.channels)]


def loudest_hz(samples: Floats) -> float:
    """The frequency with the most energy."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * SAMPLE_RATE_HZ / len(samples))


def assert_refused(path: Path, what: str) -> None:
    with pytest.raises(BadInput) as caught:
        audiofiles.read_with_flat(path)

    assert what in str(caught.value)
    assert str(path.name) in caught.value.what


@pytest.mark.parametrize(("suffix", "subtype"), [
    ("wav", "PCM_16"), ("wav", "PCM_U8"), ("wav", "PCM_24"), ("wav", "FLOAT"), ("wav", "ULAW"), ("flac", "PCM_16"),
    ("ogg", "VORBIS"), ("ogg", "OPUS"), ("mp3", "MPEG_LAYER_III"), ("aiff", "PCM_16"), ("caf", "PCM_16"),
])  # fmt: skip
@pytest.mark.parametrize("channels", [1, 2])
def test_what_people_record_is_read(tmp_path: Path, suffix: str, subtype: str, channels: int) -> None:
    """Common formats come in as 16 kHz channels, of the right length, with the right tones at the right level."""
    path = tmp_path / f"call.{suffix}"
    soundfile.write(path, chirp(48_000, 2.0, channels), 48_000, subtype=subtype)
    read = channels_of(path)

    assert len(read) == channels
    for number, channel in enumerate(read, 1):
        assert channel.dtype == np.float32
        assert abs(len(channel) - 2 * SAMPLE_RATE_HZ) <= (2000 if suffix == "mp3" else 1)
        assert loudest_hz(channel) == pytest.approx(440 * number, abs=1)
        assert np.abs(channel).max() == pytest.approx(0.3, rel=0.12)


@pytest.mark.parametrize("channels", [1, 2])
def test_m4a_is_read_through_ffmpeg(tmp_path: Path, channels: int) -> None:
    """What a telephone records."""
    import av

    path = tmp_path / "call.m4a"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44_100, layout="mono" if channels == 1 else "stereo")
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(chirp(44_100, 2.0, channels).T), format="fltp", layout=stream.layout.name
        )
        frame.rate = 44_100
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    read = channels_of(path)

    assert len(read) == channels
    assert abs(len(read[0]) - 2 * SAMPLE_RATE_HZ) < 3000
    assert [loudest_hz(channel) for channel in read] == pytest.approx([440 * (c + 1) for c in range(channels)], abs=1)


@pytest.mark.parametrize(("rate_hz", "channels"), [(8_000, 1), (11_025, 2), (16_000, 8), (44_100, 1), (96_000, 2)])
def test_rates_and_channels(tmp_path: Path, rate_hz: int, channels: int) -> None:
    """Telephone and studio rates are resampled; eight channels stay eight, and mix to one."""
    path = tmp_path / "x.wav"
    soundfile.write(path, chirp(rate_hz, 1.5, channels), rate_hz)
    read = channels_of(path)

    assert [round(loudest_hz(channel), -1) for channel in read] == [440 * (c + 1) for c in range(channels)]
    assert abs(len(read[0]) - 1.5 * SAMPLE_RATE_HZ) <= 1
    assert audiofiles.read_with_flat(path)[0].shape == read[0].shape


def test_pieces_join_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading and resampling piece by piece gives what resampling at once gives."""
    path = tmp_path / "x.wav"
    soundfile.write(path, chirp(44_100, 3.0, 2), 44_100, subtype="FLOAT")
    whole = channels_of(path)
    monkeypatch.setattr(audiofiles, "PIECE_SAMPLES", 3000)

    assert np.array_equal(np.stack(channels_of(path)), np.stack(whole))


def test_a_file_of_16_khz_is_taken_sample_for_sample(tmp_path: Path) -> None:
    """Nothing is resampled that need not be."""
    samples = testing.noise(0.5)
    soundfile.write(tmp_path / "x.flac", samples, SAMPLE_RATE_HZ)

    assert np.array_equal(channels_of(tmp_path / "x.flac")[0], samples.astype(np.float32) / 32768)


def test_files_that_hold_nothing_or_nonsense_are_sentences(tmp_path: Path) -> None:
    """No samples, NaN, absurd rates, too many channels, too long, no audio at all, missing, a folder."""
    soundfile.write(tmp_path / "empty.wav", np.zeros((0, 2), np.float32), 16_000)
    soundfile.write(tmp_path / "nan.wav", np.array([0.0, np.nan, 0.1], np.float32), 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "inf.wav", np.array([0.0, np.inf], np.float32), 48_000, subtype="FLOAT")
    soundfile.write(tmp_path / "slow.wav", np.zeros(50, np.int16), 1_000)
    soundfile.write(tmp_path / "fast.wav", np.zeros(50, np.int16), 2_000_000)
    soundfile.write(tmp_path / "crowd.wav", np.zeros((50, 40), np.int16), 16_000)
    soundfile.write(
        tmp_path / "day.wav", np.zeros(4_000 * 4 * 3600 + 1, np.uint8).astype(np.int16), 4_000, subtype="PCM_U8"
    )
    (tmp_path / "text.wav").write_text("This is not audio.\n" * 40)
    (tmp_path / "nothing.mp3").write_bytes(b"")
    (tmp_path / "page.m4a").write_text("<html><body>no</body></html>")
    for name, what in {
        "empty.wav": "holds no audio", "nan.wav": "not numbers", "inf.wav": "not numbers",
        "slow.wav": "sampling rate of 1000 Hz", "fast.wav": "sampling rate of 2000000 Hz", "crowd.wav": "40 channels",
        "day.wav": "hours long", "text.wav": "not an audio file", "nothing.mp3": "not an audio file",
        "page.m4a": "not an audio file", "missing.wav": "does not exist", "x" * 400: "does not exist",
        "a\0b": "does not exist",
    }.items():  # fmt: skip
        assert_refused(tmp_path / name, what)
    assert_refused(tmp_path, "is not a file")


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 96_000])
def test_one_sample_is_a_result_or_a_sentence(tmp_path: Path, rate_hz: int) -> None:
    """The shortest file there can be."""
    soundfile.write(tmp_path / "x.wav", np.array([1000], np.int16), rate_hz)
    try:
        read = channels_of(tmp_path / "x.wav")
    except BadInput as error:
        assert "holds no audio" in error.what  # noqa: PT017
    else:
        assert len(read[0]) >= 1


def test_truncated_and_mutated_files_are_a_result_or_bad_input(tmp_path: Path) -> None:
    """P16: cut anywhere or damaged anywhere, a file of any kind raises nothing else, quickly."""
    random_ = random.Random(20261121)
    path = tmp_path / "x"
    results = 0
    begun = time.thread_time()
    for suffix, rounds in (("wav", 60), ("flac", 20), ("ogg", 20), ("mp3", 20)):
        buffer = io.BytesIO()
        soundfile.write(buffer, chirp(16_000, 0.5, 2), 16_000, format=suffix.upper())
        raw = buffer.getvalue()
        for number in range(rounds):
            damaged = bytearray(raw)
            for _ in range(random_.randint(1, 8)):  # mostly in the header, where it hurts
                at = random_.randrange(min(len(raw), 64 if random_.random() < 0.7 else len(raw)))
                damaged[at] = random_.randrange(256)
            path.write_bytes(raw[: random_.randrange(len(raw))] if number % 4 == 0 else damaged)
            try:
                channels = channels_of(path)
            except BadInput as error:
                assert error.do  # noqa: PT017
            else:
                results += 1
                assert all(np.isfinite(channel).all() and len(channel) for channel in channels)

    assert results > 20
    assert time.thread_time() - begun < 60


@memory.known
def test_a_header_that_promises_too_much_costs_no_memory(tmp_path: Path) -> None:
    """P15: a header that speaks of an hour of 32 channels in a file of 2 kB does not reserve gigabytes."""
    soundfile.write(tmp_path / "0.wav", chirp(48_000), 48_000)
    for number, (channels, claimed) in enumerate(((32, 0x7FFFFFFF), (2, 0xFFFFFFFF), (1, 700_000_000)), 1):
        align = channels * 2
        head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 0xFFFFFFFF, b"WAVE", b"fmt ", 16, 1, channels, 48_000,
                           48_000 * align, align, 16, b"data", claimed)  # fmt: skip
        (tmp_path / f"{number}.wav").write_bytes(head + bytes(2048))
        try:
            assert len(channels_of(tmp_path / f"{number}.wav")) == channels
        except BadInput as error:
            assert error.do  # noqa: PT017
    code = (
        "from tests.world.test_audiofiles import BadInput, channels_of\n"
        "for path in map(Path, sys.argv[1:]):\n"
        "    try: channels_of(path)\n"
        "    except BadInput: pass\n"
        "    print(peak())\n"
    )
    before, *_, after = memory.peaks(code, *map(str, sorted(tmp_path.glob("*.wav"))))

    assert after - before < 150 * 1024**2


def test_a_playlist_opens_nothing_else(tmp_path: Path) -> None:
    """P12: a file called .wav that is a playlist neither reaches the network nor reads another file."""
    soundfile.write(tmp_path / "secret.wav", chirp(16_000), 16_000)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    listener.settimeout(0.5)
    called = threading.Event()

    def wait() -> None:
        try:
            listener.accept()[0].close()
            called.set()
        except OSError:
            pass

    thread = threading.Thread(target=wait)
    thread.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/a.ts"
    lists = [
        f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{address}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{tmp_path}/secret.wav'\n",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{tmp_path}/secret.wav\n#EXT-X-ENDLIST\n",
        f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio {listener.getsockname()[1]} RTP/AVP 0\n",
    ]
    for text in lists:
        for suffix in ("wav", "m3u8", "sdp", "txt"):
            (tmp_path / f"call.{suffix}").write_text(text)
            assert_refused(tmp_path / f"call.{suffix}", "not an audio file")
    thread.join()
    listener.close()

    assert not called.is_set()


def played(uri: str) -> tuple[np.ndarray, int]:
    """What a `data:` URI holds, decoded [shape=(n, 2)], and its rate in Hz."""
    import av

    raw = base64.b64decode(uri.partition(",")[2], validate=True)
    with av.open(io.BytesIO(raw)) as container:
        stream = container.streams.audio[0]
        frames = [frame.to_ndarray() for frame in container.decode(stream)]
        return np.concatenate(frames, axis=1).T, stream.rate


@pytest.mark.parametrize("kind", ["webm;codecs=opus", "mpeg"])
def test_the_page_gets_the_same_bytes_each_time_and_they_play(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as the recording, with both voices where they were; MP3 where there is no Opus."""
    if kind == "mpeg":
        monkeypatch.setattr(audiofiles, "_opus", lambda _: None)
    rng = np.random.default_rng(1)
    samples = np.zeros((SAMPLE_RATE_HZ * 3, 2), np.int16)
    samples[8000:16000, 0] = testing.tone(300, 0.5)
    samples[24000:40000, 1] = testing.tone(500, 1.0)
    samples += rng.integers(-20, 20, samples.shape, dtype=np.int16)
    uri = audiofiles.as_data_uri(samples)

    assert uri is not None
    assert uri == audiofiles.as_data_uri(samples.copy())
    assert uri.startswith(f"data:audio/{kind};base64,")
    assert len(uri) * 3 / 4 < 8 * 3000
    decoded, rate_hz = played(uri)

    assert abs(len(decoded) / rate_hz - 3.0) < 0.08  # a frame of the codec
    for channel, (start_s, end_s) in enumerate([(0.5, 1.0), (1.5, 2.5)]):
        active = np.flatnonzero(np.abs(decoded[:, channel]) > 0.05) / rate_hz
        assert abs(active[0] - start_s) < 0.05
        assert abs(active[-1] - end_s) < 0.05


def test_what_cannot_be_embedded_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing recorded, longer than a page can hold, or no encoder that works: a page without sound."""
    import av

    assert audiofiles.as_data_uri(np.zeros((0, 2), np.int16)) is None

    with monkeypatch.context() as patch:
        patch.setattr(audiofiles, "MAX_EMBEDDED_S", 1)
        assert audiofiles.as_data_uri(np.zeros((SAMPLE_RATE_HZ + 1, 2), np.int16)) is None
        assert audiofiles.as_data_uri(np.zeros((SAMPLE_RATE_HZ, 2), np.int16)) is not None
    monkeypatch.setattr(soundfile, "SoundFile", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("no MP3 here")))
    monkeypatch.setattr(av, "open", lambda *_, **__: (_ for _ in ()).throw(ValueError("no Opus here")))

    assert audiofiles.as_data_uri(np.zeros((100, 2), np.int16)) is None


def test_the_envelope_has_the_peaks() -> None:
    """Each point is the peak of its stretch, 0 to 1, also where the most negative sample is the peak."""
    samples = np.zeros((1200, 2), np.int16)
    samples[100, 0], samples[700, 1], samples[1199, 0] = 16384, -32768, 100
    trainee, customer = audiofiles.envelope_of([samples], 1200, 12)

    assert trainee == (0.0, 0.5, *(0.0,) * 9, 0.003)
    assert customer == (*(0.0,) * 7, 1.0, *(0.0,) * 4)


@pytest.mark.parametrize("n", [0, 1, 2, 7, 1199, 1200, 1201, 50_000])
def test_the_envelope_of_any_length(n: int) -> None:
    """Never more points than asked for or than samples, and the loudest sample is in it."""
    samples = np.random.default_rng(n).integers(-32768, 32767, (n, 2), dtype=np.int16)
    sides = audiofiles.envelope_of([samples], n)

    assert [len(side) for side in sides] == [min(n, 1200)] * 2
    if n:
        assert [max(side) for side in sides] == pytest.approx(np.abs(samples.astype(int)).max(axis=0) / 32768, abs=1e-3)


def test_the_start_of_a_recording(tmp_path: Path) -> None:
    """As much as is wanted, the same as reading it whole, and whether there was more."""
    rng = np.random.default_rng(5)
    samples = np.asarray(rng.normal(0, 3000, (44_100 * 3, 2)), np.int16)
    soundfile.write(tmp_path / "x.wav", samples, 44_100)
    whole = audiofiles.read_with_flat(tmp_path / "x.wav")[0]

    start, more, _ = audiofiles.read_start(tmp_path / "x.wav", 10.0)
    assert not more
    assert np.array_equal(start, whole)
    start, more, _ = audiofiles.read_start(tmp_path / "x.wav", 1.0)
    assert more
    assert np.array_equal(start, whole[:SAMPLE_RATE_HZ])


def test_a_spooled_file_is_the_file(tmp_path: Path) -> None:
    """Channel by channel, from anywhere, resampled; and nothing is left behind."""
    rng = np.random.default_rng(5)
    samples = np.asarray(rng.normal(0, 3000, (44_100, 2)), np.int16)
    soundfile.write(tmp_path / "x.wav", samples, 44_100)
    (tmp_path / "spool").mkdir()
    whole = soxr.resample(samples.astype(np.float32) / 32768, 44_100, SAMPLE_RATE_HZ)
    with audiofiles.spooled(tmp_path / "x.wav", tmp_path / "spool") as spool:
        assert (spool.channels, spool.samples) == (2, len(whole))
        assert spool.read(1, 5000, 9000) == pytest.approx(whole[5000:9000, 1], abs=1e-6)
        assert len(spool.read(0, spool.samples - 5, spool.samples + 5)) == 5
        assert len(spool.read(0, 9, 3)) == 0
    assert list((tmp_path / "spool").iterdir()) == []


def test_what_cannot_be_spooled_is_told(tmp_path: Path) -> None:
    """No file, no audio, no room."""
    (tmp_path / "x.wav").write_bytes(b"no audio at all")
    with pytest.raises(BadInput, match="does not exist"):
        audiofiles.spooled(tmp_path / "none.wav", tmp_path)
    with pytest.raises(BadInput, match="not an audio file"):
        audiofiles.spooled(tmp_path / "x.wav", tmp_path)
    with pytest.raises(DiskError, match="could not be unpacked"):
        audiofiles.spooled(tmp_path / "x.wav", tmp_path / "no-folder")


@pytest.mark.parametrize("size", [1, 7, 100, 4000])
def test_the_outline_comes_out_the_same_in_blocks(size: int) -> None:
    samples = np.asarray(np.random.default_rng(2).integers(-30000, 30000, (3333, 2)), np.int16)
    blocks = [samples[at : at + size] for at in range(0, len(samples), size)]
    assert audiofiles.envelope_of(blocks, len(samples), 50) == audiofiles.envelope_of([samples], len(samples), 50)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("turned_down", [1.0, 0.4, 0.05])
def test_a_voice_that_was_clipped_and_turned_down_is_found(tmp_path: Path, rate_hz: int, turned_down: float) -> None:
    """At any rate, in one of several channels, however far it was turned down; the same voice unclipped is not."""
    voice = soxr.resample(soundfile.read(DATA / "LJ001-0008.flac")[0], 22_050, rate_hz)
    voice /= np.abs(voice).max()
    found = {}
    for name, loud in (("as it was", voice), ("clipped", np.clip(6 * voice, -1, 1))):
        soundfile.write(tmp_path / "x.wav", turned_down * np.stack([0 * loud, loud], axis=1), rate_hz)
        found[name] = audiofiles.read_with_flat(tmp_path / "x.wav")[1]

    assert found["as it was"] < 0.0002
    assert found["clipped"] > 0.01


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_U8", "ULAW"])
def test_silence_and_coarse_steps_are_not_cut_flat(tmp_path: Path, subtype: str) -> None:
    """Nothing, an offset of nothing, and a voice in 8 bits."""
    voice = soundfile.read(DATA / "LJ001-0008.flac")[0]
    soundfile.write(tmp_path / "voice.wav", voice, 22_050, subtype)
    soundfile.write(tmp_path / "silence.wav", np.zeros(22_050), 22_050, subtype)

    assert audiofiles.read_with_flat(tmp_path / "voice.wav")[1] < 0.0005
    assert audiofiles.read_with_flat(tmp_path / "silence.wav")[1] == 0 or subtype != "PCM_16"


def test_of_a_call_it_is_known_where_it_was_cut_flat(tmp_path: Path) -> None:
    """By channel and place, though it was turned down and came to another rate."""
    voice = soxr.resample(soundfile.read(DATA / "LJ001-0008.flac")[0], 22_050, 8_000)
    voice /= 2 * np.abs(voice).max()
    seconds = len(voice) / 8_000
    both = np.stack([np.concatenate([voice, np.clip(6 * voice, -0.5, 0.5)]), np.concatenate([voice, voice])], axis=1)
    soundfile.write(tmp_path / "x.wav", both, 8_000)
    with audiofiles.spooled(tmp_path / "x.wav", tmp_path) as spool:
        middle = round(seconds * SAMPLE_RATE_HZ)
        shares = [
            spool.flat(0, 0, middle - 4000),
            spool.flat(0, middle, spool.samples),
            spool.flat(1, 0, spool.samples),
        ]
        past_the_end = spool.flat(0, 10 * spool.samples, 11 * spool.samples), spool.flat(0, 5, 5)

    assert shares[0] == pytest.approx(0, abs=1e-4)
    assert shares[1] > 0.01
    assert shares[2] == pytest.approx(0, abs=1e-4)
    assert past_the_end == (0, 0)


def test_whole_numbers_as_floating_point_come_to_full_scale(tmp_path: Path) -> None:
    """What a program has saved without dividing it sounds as it was; a float that is merely loud stays."""
    samples = chirp(44_100, 1.0, 2)
    for factor, gain in ((1.0, 1.0), (6.0, 6.0), (2.0**15, 1.0), (2.0**23, 1.0), (2.0**31, 1.0)):
        soundfile.write(tmp_path / "x.wav", factor * samples, 44_100, "FLOAT")
        read = [audiofiles.read_with_flat(tmp_path / "x.wav")[0], audiofiles.read_start(tmp_path / "x.wav", 0.5)[0]]

        assert [np.abs(one).max() for one in channels_of(tmp_path / "x.wav")] == pytest.approx(
            [0.3 * gain] * 2, rel=0.05
        )
        assert np.abs(read[0]).max() == pytest.approx(np.abs(read[1]).max(), rel=0.05)
        assert 0.2 * gain < np.abs(read[0]).max() < 0.6 * gain


def test_values_far_beyond_full_scale_are_refused(tmp_path: Path) -> None:
    """Whole numbers as floats are read; what would overflow is a sentence."""
    soundfile.write(tmp_path / "x.wav", np.full(800, 32_768.0), 16_000, "FLOAT")
    assert audiofiles.read_with_flat(tmp_path / "x.wav")[0].max() == 1
    soundfile.write(tmp_path / "x.wav", np.full(800, 1e30), 16_000, "FLOAT")
    with pytest.raises(BadInput, match="above full scale"):
        audiofiles.read_with_flat(tmp_path / "x.wav")
