"""The ears: real speech by the packaged recogniser, and what they do where there is none."""

from __future__ import annotations

from pathlib import Path

import jiwer
import numpy as np
import pytest

from voicecoach import testing
from voicecoach.errors import MissingModel
from voicecoach.measure.observe import Floats
from voicecoach.nouns import Heard
from voicecoach.world import audiofiles, ears, models

DATA = Path(__file__).parent.parent / "data"
JFK = "And so my fellow Americans ask not what your country can do for you ask what you can do for your country"


@pytest.fixture(scope="module")
def whisper() -> ears.Whisper:
    return ears.Whisper(models.find())


@pytest.fixture(scope="module")
def jfk() -> Floats:
    return audiofiles.read_with_flat(DATA / "jfk.flac")[0]


@pytest.mark.models
def test_known_speech_is_recognised(whisper: ears.Whisper, jfk: Floats) -> None:
    """A famous sentence with at most a tenth of its words wrong, each word in its place in time."""
    heard = whisper.hear(jfk)

    assert jiwer.wer(ears.plain(JFK), ears.plain(heard.text)) <= 0.10
    assert heard.model == "tiny.en"
    assert heard.text == " ".join(word.text for word in heard.words)
    assert all(0 <= a.start_s <= a.end_s <= 11.05 and 0 <= a.probability <= 1 for a in heard.words)
    assert [a.start_s for a in heard.words] == sorted(a.start_s for a in heard.words)
    asks = [word.end_s for word in heard.words if ears.plain(word.text) == "ask"]
    assert asks == pytest.approx([3.7, 8.4], abs=0.4)  # starts are vague after a pause: they reach back into it


@pytest.mark.models
@pytest.mark.parametrize(
    ("name", "text"), [("LJ001-0002", "in being comparatively modern"), ("LJ001-0008", "has never been surpassed")]
)
def test_read_sentences_are_recognised(whisper: ears.Whisper, name: str, text: str) -> None:
    """Short sentences, whole."""
    assert ears.plain(whisper.hear(audiofiles.read_with_flat(DATA / f"{name}.flac")[0]).text) == text


@pytest.mark.models
def test_the_same_sound_is_heard_the_same_way(whisper: ears.Whisper, jfk: Floats) -> None:
    """No sampling, no memory from one utterance to the next; an offset moves the words and nothing else."""
    piece = jfk[: 16_000 * 6]
    first = whisper.hear(piece)
    whisper.hear(jfk[16_000 * 6 :])
    second = whisper.hear(piece, 100.0)

    assert first.text == second.text
    assert [w.start_s + 100 for w in first.words] == pytest.approx([w.start_s for w in second.words])
    assert whisper.hear(piece) == first


@pytest.mark.models
@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.19, 0.5, 3.0])
def test_silence_has_no_words(whisper: ears.Whisper, seconds: float) -> None:
    """Exact zeros of any length."""
    heard = whisper.hear(np.zeros(round(seconds * 16_000), np.float32))

    assert heard.words == ()
    assert heard.text == ""


@pytest.mark.models
def test_a_broken_model_is_a_sentence(tmp_path: Path) -> None:
    """Files with the right names and the wrong bytes."""
    for name in models.NEEDED:
        (tmp_path / name).write_text("{}")
    with pytest.raises(MissingModel, match=r"could not be loaded.*doctor") as caught:
        ears.Whisper(models.find(str(tmp_path)))

    assert caught.value.detail


@pytest.mark.parametrize(
    ("text", "looping"),
    [
        ("", False),
        (JFK, False),
        ("No no no no no no no.", False),
        ("I am so sorry. I am really sorry. I am very sorry about that, and I am sorry for the wait.", False),
        ("Thank you. " * 30, True),
        ("the the the the " * 20, True),
        ("ha" * 100, True),
    ],
)
def test_loops_are_told_from_emphasis(text: str, looping: bool) -> None:
    """A recogniser's loop is found; a person who repeats a word is not one."""
    assert ears.loops(text) is looping


def test_a_loop_is_heard_again_and_then_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """First the wide search, then the greedy one; a text that still loops is no text."""
    made = object.__new__(ears.Whisper)
    made.name = "tiny.en"
    beams: list[int] = []

    def transcribe(samples: Floats, offset_s: float, beam: int) -> Heard:
        beams.append(beam)
        return Heard("Thank you. " * 30 if beam > good else "I see.", (), "tiny.en")

    monkeypatch.setattr(made, "_transcribe", transcribe)
    texts = []
    for good in (5, 1, 0):  # noqa: B007 - `transcribe` sees it
        texts.append(  # noqa: PERF401
            made.hear(testing.noise(1.0).astype(np.float32)).text
        )

    assert texts == ["I see.", "I see.", ""]
    assert beams == [5, 5, 1, 5, 1]


def test_plain_leaves_the_words() -> None:
    """For comparing: no case, no punctuation, apostrophes stay."""
    assert ears.plain("It's NOT 'fine' -- I said so, twice!") == "it's not 'fine' i said so twice"
