import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicecoach.errors import BadInput
from voicecoach.nouns import Style
from voicecoach.world import effects
from voicecoach.world.spoken import MANIFEST, Spoken, delivered, load, spoken_key

ROOT = Path(__file__).parents[2]
BUNDLED = ROOT / "assets" / "spoken"


def folder_with(tmp_path: Path, **entry: object) -> Path:
    """A folder with one line in its manifest."""
    key = spoken_key("kokoro/a", "hot-3", "Hello?")
    (tmp_path / MANIFEST).write_text(json.dumps({key: {"file": "a.opus", **entry}}), "utf-8")
    return tmp_path


# --- keys ------------------------------------------------------------------------------------------


def test_the_key_is_a_fixed_function() -> None:
    """The key of a line is the same on every machine and in every version: files are named after it."""
    assert spoken_key("kokoro/af_bella", "hot-3", "Hello?") == "58af5950b8e2a200c4d2"
    assert len(spoken_key("", "", "")) == 20


def test_every_part_counts() -> None:
    """Another voice, style or text, or the same letters divided otherwise, is another line."""
    parts = [("a", "b", "c"), ("x", "b", "c"), ("a", "x", "c"), ("a", "b", "x"), ("ab", "", "c"), ("", "ab", "c")]
    assert len({spoken_key(*part) for part in parts}) == len(parts)


# --- reading ---------------------------------------------------------------------------------------


def test_a_line_is_found_by_its_words(tmp_path: Path) -> None:
    """Voice, style and text together lead to the file."""
    (tmp_path / "a.opus").write_bytes(b"")
    lines = Spoken.open(folder_with(tmp_path))
    assert lines.find("kokoro/a", "hot-3", "Hello?") == tmp_path / "a.opus"


def test_a_line_never_spoken_or_lost_is_none(tmp_path: Path) -> None:
    """An unknown line and a line whose file is gone are None: another voice then speaks them."""
    lines = Spoken.open(folder_with(tmp_path))
    assert lines.find("kokoro/a", "hot-3", "Hello?") is None
    assert lines.find("kokoro/a", "hot-4", "Hello?") is None


def test_no_folder_is_no_lines(tmp_path: Path) -> None:
    """A checkout without spoken lines works; it finds nothing."""
    assert Spoken.open(tmp_path / "nowhere").find("a", "b", "c") is None


@pytest.mark.parametrize("file", ["../a.opus", "/etc/passwd", "b/a.opus", "..", "", None, 3])
def test_a_manifest_names_no_paths(tmp_path: Path, file: object) -> None:
    """What is not a plain file name of the folder is not found, even where it exists."""
    inner = tmp_path / "inner"
    (inner / "b").mkdir(parents=True)
    for path in (tmp_path / "a.opus", inner / "b" / "a.opus"):
        path.write_bytes(b"")
    assert Spoken.open(folder_with(inner, file=file)).find("kokoro/a", "hot-3", "Hello?") is None


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', "\xff"])
def test_a_damaged_manifest_is_a_sentence(tmp_path: Path, text: str) -> None:
    """A manifest that is not what it should be is named, with what to do."""
    (tmp_path / MANIFEST).write_bytes(text.encode("latin-1"))
    with pytest.raises(BadInput, match=r"manifest\.json cannot be read\. Install"):
        Spoken.open(tmp_path)


@pytest.mark.parametrize("data", [None, b"", b"OggS and then nothing"])
def test_a_damaged_sound_is_a_sentence(tmp_path: Path, data: bytes | None) -> None:
    """A missing, empty or broken file is named, with what to do."""
    path = tmp_path / "a.opus"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(BadInput, match=r"a\.opus cannot be played\. Install"):
        load(path)


def test_a_sound_without_samples_is_a_sentence(tmp_path: Path) -> None:
    """A file that decodes to nothing is refused too."""
    soundfile.write(tmp_path / "a.wav", np.zeros(0), 24_000)
    with pytest.raises(BadInput, match="is empty"):
        load(tmp_path / "a.wav")


def test_a_sound_comes_as_16_khz_mono_below_the_ceiling(tmp_path: Path) -> None:
    """A stereo file at 24 kHz becomes float32 mono at 16 kHz, its peaks turned down to -1 dBFS."""
    t = np.arange(24_000) / 24_000
    x = 1.5 * np.sin(2 * np.pi * 440 * t)
    soundfile.write(tmp_path / "a.wav", np.stack([x, x], axis=1), 24_000, "FLOAT")
    y = load(tmp_path / "a.wav")
    assert (y.shape, y.dtype) == ((16_000,), np.dtype("float32"))
    assert np.abs(y).max() <= 10 ** (-1 / 20) + 1e-6
    assert np.argmax(np.abs(np.fft.rfft(y))) == 440


# --- what ships ------------------------------------------------------------------------------------


def test_every_file_of_the_manifest_sits_under_its_key() -> None:
    lines = Spoken.open(BUNDLED)
    assert lines.entries
    for key, entry in lines.entries.items():
        assert key == spoken_key(entry["voice"], entry["style"], entry["text"])


def test_files_of_the_manifest_decode_at_their_level() -> None:
    """They last as long as stated and are as loud as their style: every tenth, in the order of keys, which is no order."""
    lines = Spoken.open(BUNDLED)
    for key in sorted(lines.entries)[::10]:
        entry = lines.entries[key]
        level_db = Style(**entry["numbers"]).level_db
        samples = delivered(BUNDLED / entry["file"], level_db)
        assert samples.size / 16_000 == pytest.approx(entry["seconds"], abs=0.05)
        level = effects.speech_level_db(samples, 16_000)
        assert level == pytest.approx(level_db, abs=0.3), entry["text"]
        assert np.abs(samples).max() <= 10 ** (-1 / 20) + 1e-6


def test_no_file_is_an_orphan() -> None:
    """The folder holds the manifest, its files and a README, and nothing else; tests/test_render.py asks for more."""
    named = {entry["file"] for entry in Spoken.open(BUNDLED).entries.values()}
    assert {path.name for path in BUNDLED.iterdir() if path.suffix != ".part"} == named | {MANIFEST, "README.md"}


def test_what_is_not_here_is_looked_for_behind(tmp_path: Path) -> None:
    """The trainer's own lines are found behind the bundled ones, and never hide them."""
    (tmp_path / "a.opus").write_bytes(b"")
    behind = Spoken.open(folder_with(tmp_path))
    here = Spoken(tmp_path, {}, more=behind)

    assert here.find("kokoro/a", "hot-3", "Hello?") == tmp_path / "a.opus"
    assert here.find("kokoro/a", "hot-4", "Hello?") is None
