"""The plumbing commands: their keys are a promise, and every refusal names its line or its file."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from tests import memory
from voicecoach import calibration, cli, plumbing, prepare, testing
from voicecoach.commands.measure import _spread
from voicecoach.errors import BadInput
from voicecoach.measure import observe
from voicecoach.world import audiofiles, hearing, pitch

DATA = Path(__file__).parent / "data"
KEYS = {
    "file", "duration_s", "span_s", "speech_s", "pauses", "f0", "level", "effort", "rate", "relative", "tracker",
    "transcript", "words", "fillers", "quality", "longest_pause_s", "unspoken", "validity", "delivery",
}  # fmt: skip


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli.app, ["measure", *arguments, "--json"])


@pytest.mark.models
def test_the_promised_keys_are_there() -> None:
    """docs/delivery.md, section 9: names, nesting, units and types, on real speech with a baseline."""
    done = run(str(DATA / "jfk.flac"), "--baseline", str(DATA / "jfk.flac"))
    found = json.loads(done.stdout)

    assert done.exit_code == 0
    assert set(found) == KEYS
    assert set(found["f0"]) == {"median_hz", "p10_hz", "p90_hz", "range_st", "voiced_s", "slope_st_s"}
    assert set(found["level"]) == {"rms_dbfs", "noise_dbfs", "clip_frac"}
    assert set(found["effort"]) == {"centroid_hz", "alpha_db", "f0_hz"}
    assert {"wpm", "articulation_sps", "words", "syllables"} <= set(found["rate"])
    assert all(set(word) == {"text", "start", "end", "probability"} for word in found["words"])
    assert all(set(pause) == {"start", "end"} and pause["end"] - pause["start"] >= 0.25 for pause in found["pauses"])
    assert found["longest_pause_s"] == max(round(pause["end"] - pause["start"], 4) for pause in found["pauses"])
    assert all(set(stretch) == {"start", "end"} for stretch in found["unspoken"])
    assert {"f0_st", "centroid_oct", "level_db", "effort_db"} <= set(found["relative"])
    assert [found["relative"][key] for key in ("f0_st", "centroid_oct", "level_db", "effort_db")] == [0, 0, 0, 0]
    assert found["quality"] == {"ok": True, "reasons": []}
    assert found["duration_s"] == 11.0
    assert 7 < found["speech_s"] < found["span_s"] < 11
    assert found["rate"]["words"] == len(found["words"]) == len(found["transcript"].split()) == 22


@pytest.mark.models
def test_what_is_not_measured_is_null_with_a_reason(tmp_path: Path) -> None:
    """Silence has no pitch, no level, no rate; without a transcript there are no words. Never 0, never NaN."""
    soundfile.write(tmp_path / "silence.wav", testing.silence(3.0), 16_000)
    for arguments in ((str(tmp_path / "silence.wav"),), (str(DATA / "jfk.flac"), "--no-transcript")):
        found = json.loads(run(*arguments).stdout)
        nulls = {key for key, value in found.items() if value is None}

        assert set(found) == KEYS
        assert nulls >= {"rate", "transcript", "words", "fillers", "unspoken"}
        assert (nulls >= {"f0", "level", "effort"}) == (not found["quality"]["ok"])
        assert found["quality"]["reasons"]
        assert all(reason.endswith(".") for reason in found["quality"]["reasons"])


@pytest.mark.models
def test_every_measure_says_whether_it_may_be_relied_on(tmp_path: Path) -> None:
    """Unit, definition and flag for each; a null never without a reason; few words give no pace."""
    soundfile.write(tmp_path / "silence.wav", testing.silence(3.0), 16_000)
    whole = json.loads(run(str(DATA / "jfk.flac"), "--baseline", str(DATA / "jfk.flac")).stdout)
    silent = json.loads(run(str(tmp_path / "silence.wav")).stdout)
    bare = json.loads(run(str(DATA / "jfk.flac"), "--no-transcript").stdout)

    for found in (whole, silent, bare):
        for key, flag in found["validity"].items():
            part, _, name = key.partition(".")
            value = (found[part] or {}).get(name) if name else found[part]
            assert flag["unit"]
            assert flag["definition"]
            assert flag["ok"] == (flag["reason"] is None)
            assert value is not None or not flag["ok"]
    assert [key for key, flag in whole["validity"].items() if not flag["ok"]] == ["relative.level_db"]
    assert silent["validity"]["f0.median_hz"]["reason"] == "No speech was found."
    assert bare["validity"]["rate.wpm"]["reason"] == "There is no transcript."
    assert bare["validity"]["relative.effort_db"]["reason"] == "There is no baseline to compare with."


@pytest.mark.models
def test_the_verdicts_stand_beside_the_numbers(tmp_path: Path) -> None:
    """Those of a debrief, each with its number and its line; "unsure" with the reason where there is no verdict."""
    raised = mono("jfk")
    raised = np.interp(np.arange(0, len(raised), 1.3), np.arange(len(raised)), raised)  # higher, brighter, faster
    soundfile.write(tmp_path / "raised.wav", raised, 16_000)
    soundfile.write(tmp_path / "silence.wav", testing.silence(3.0), 16_000)
    files = (str(DATA / "jfk.flac"), str(tmp_path / "raised.wav"), str(tmp_path / "silence.wav"))
    own, loud, silent = map(json.loads, run(*files, "--baseline", str(DATA / "jfk.flac")).stdout.splitlines())
    bare = json.loads(run(str(DATA / "jfk.flac"), "--no-transcript").stdout)["delivery"]

    assert (own["delivery"]["loudness"], own["delivery"]["pace"]) == ("quiet", "slow")
    assert own["delivery"]["why"][0] == "effort +0.0 dB over your calm voice; raised above +2"
    assert loud["delivery"]["loudness"] == ("shouting" if loud["relative"]["effort_db"] > 12 else "raised")
    assert loud["delivery"]["advice"].endswith(".")
    assert silent["delivery"] == {
        "loudness": "unsure",
        "pace": "unsure",
        "why": ["No speech was found."],
        "advice": None,
    }
    assert (bare["loudness"], bare["pace"]) == ("unsure", "unsure")
    assert "no calibration" in bare["why"][0]
    assert "not measured" in bare["why"][1]


@pytest.mark.models
@pytest.mark.parametrize("several", [("--baseline", "b", "c"), ("--baseline", "b", "--baseline", "c")])
def test_several_baselines_may_follow_the_files(several: tuple[str, ...], tmp_path: Path) -> None:
    """What follows --baseline is no file to measure; before the files it takes one name."""
    names = {"a": DATA / "LJ001-0002.flac", "b": DATA / "LJ001-0008.flac", "c": DATA / "jfk.flac"}
    for name, path in names.items():
        (tmp_path / name).write_bytes(path.read_bytes())
    options = [str(tmp_path / word) if word in names else word for word in several]
    file = str(tmp_path / "a")

    behind = run(file, "--no-transcript", *options).stdout.splitlines()
    before = run("--baseline", str(tmp_path / "b"), "--baseline", str(tmp_path / "c"), file, "--no-transcript").stdout
    one = run(file, "--no-transcript", "--baseline", str(tmp_path / "b")).stdout

    assert behind == before.splitlines()
    assert len(behind) == 1
    assert json.loads(one)["relative"] != json.loads(behind[0])["relative"]


@pytest.mark.usefixtures("known_detectors")
def test_a_baseline_that_cannot_serve_is_told_and_left_out(tmp_path: Path) -> None:
    """Clipped, also where it was turned down afterwards, or silent: the others alone are what is compared with."""
    voice = testing.voice_like(3.0) / 32768
    clipped = np.clip(voice * 60, -1, 1)
    made = {"calm": voice, "clipped": clipped, "turned-down": clipped / 4, "silent": np.zeros(48_000)}
    paths = {name: str(tmp_path / f"{name}.wav") for name in made}
    for name, samples in made.items():
        soundfile.write(paths[name], samples, 16_000)

    some = run(paths["calm"], "--no-transcript", "--baseline", *paths.values())
    good = run(paths["calm"], "--no-transcript", "--baseline", paths["calm"])

    assert some.exit_code == 0
    assert some.stdout == good.stdout
    assert [line.partition(" is left out")[0] for line in some.stderr.splitlines()] == list(paths.values())[1:]
    assert some.stderr.count("clipped: turn the microphone down") == 2
    assert "No speech was found." in some.stderr


@pytest.mark.usefixtures("known_detectors")
def test_where_no_baseline_is_left_it_says_why(tmp_path: Path) -> None:
    """Each file with its reason; what to do has the numbers of the rule. Short ones count together."""
    for number in range(2):
        soundfile.write(tmp_path / f"{number}.wav", testing.voice_like(0.7), 16_000)
    short, both = str(tmp_path / "0.wav"), [str(tmp_path / f"{number}.wav") for number in range(2)]

    refused = run(short, "--no-transcript", "--baseline", short).exception

    assert isinstance(refused, BadInput)
    assert f"{short}: Only 0." in refused.what
    assert "1 s is needed" in refused.what
    assert f"{observe.MIN_SPEECH_S:g} s of clear speech in all, {observe.MIN_VOICED_S:g} s of it voiced" in refused.do
    assert run(short, "--no-transcript", "--baseline", *both).exit_code == 0


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("x --baseline a b --json y", "x --baseline a --baseline b --json y"),
        ("x --baseline=a b --model m b", "x --baseline=a --baseline b --model m b"),
        ("--baseline a x y", "--baseline a x y"),
        ("--model m --baseline a x", "--model m --baseline a x"),
        ("x --baseline a -- -b", "x --baseline a -- -b"),
        ("- --baseline a -", "- --baseline a --baseline -"),
    ],
)
def test_whose_name_is_whose(given: str, meant: str) -> None:
    """A file named before --baseline makes it take several, until the next option."""
    assert _spread(given.split()) == meant.split()


@pytest.mark.models
def test_a_bad_file_among_good_ones(tmp_path: Path) -> None:
    """One line each, in order; the bad one says why, and the exit code tells that there was one."""
    (tmp_path / "bad.wav").write_text("not audio")
    good = str(DATA / "LJ001-0002.flac")
    done = run(good, str(tmp_path / "bad.wav"), str(tmp_path / "missing.wav"), good, "--no-transcript")
    lines = [json.loads(line) for line in done.stdout.splitlines()]

    assert done.exit_code == 3
    assert [set(line) == KEYS for line in lines] == [True, False, False, True]
    assert "not an audio file" in lines[1]["error"]
    assert lines[2] == {"file": str(tmp_path / "missing.wav"), "error": lines[2]["error"]}
    assert lines[0] == lines[3]


def chord(*f0_hz: float) -> np.ndarray:
    """Harmonic tones at once, swelling as syllables do, which a voice-activity detector takes for speech most easily."""
    t = np.arange(6 * 16_000) / 16_000
    wave = sum(np.sin(2 * np.pi * f * k * t) / k for f in f0_hz for k in range(1, 9))
    swell = 0.55 - 0.45 * np.cos(2 * np.pi * 4 * t)
    return np.asarray(0.2 * wave * swell / np.abs(wave).max())


def mono(name: str) -> np.ndarray:
    return audiofiles.read_with_flat(DATA / f"{name}.flac")[0]


NOT_A_VOICE = {
    "a tone": testing.tone(200, 6.0) / 32768,
    "a buzz": chord(120),
    "a major chord": chord(130.8, 164.8, 196.0),
    "a melody": np.concatenate([chord(f)[:8000] for f in (220, 247, 262, 196, 220, 247, 262, 196)]),
    "white noise": testing.noise(6.0, -26.0) / 32768,
    "silence": np.zeros(48_000),
    "one sample": np.ones(1),
    "an offset": np.full(48_000, 0.3),
    "clicks": (np.arange(96_000) % 4000 == 0).astype(float),
}


@pytest.mark.models
@pytest.mark.parametrize("what", NOT_A_VOICE)
def test_what_is_no_voice_gives_no_verdict(tmp_path: Path, what: str) -> None:
    """Tones, chords, noise, nothing: a reason in words, never `ok`, never a traceback."""
    soundfile.write(tmp_path / "x.wav", NOT_A_VOICE[what], 16_000, "FLOAT")
    quality = plumbing.measure(tmp_path / "x.wav", None, None)["quality"]

    assert not quality["ok"]
    assert quality["reasons"]


@pytest.mark.models
def test_a_clipped_voice_gives_no_verdict(tmp_path: Path) -> None:
    """Speech driven into the rails is measured and flagged."""
    soundfile.write(tmp_path / "x.wav", np.clip(20 * mono("jfk"), -1, 1), 16_000)
    quality = plumbing.measure(tmp_path / "x.wav", None, None)["quality"]

    assert not quality["ok"]
    assert "clipped" in quality["reasons"][0]


@pytest.mark.parametrize(("samples", "what"), [(np.zeros(0), "holds no audio"), (np.full(9, np.nan), "not numbers")])
def test_what_is_no_audio_is_refused(tmp_path: Path, samples: np.ndarray, what: str) -> None:
    """Zero frames and NaN are a sentence that names the file."""
    soundfile.write(tmp_path / "x.wav", samples, 16_000, "FLOAT")

    with pytest.raises(BadInput, match=what):
        plumbing.measure(tmp_path / "x.wav", None, None)


@pytest.mark.models
@pytest.mark.parametrize(("rate_hz", "channels"), [(8_000, 1), (96_000, 1), (16_000, 8)])
def test_the_container_changes_no_number(tmp_path: Path, rate_hz: int, channels: int) -> None:
    """The same voice at 8 and 96 kHz and in eight channels has the same level, and a median pitch within 0.35 st."""
    import soxr

    made = soxr.resample(mono("LJ001-0002"), 16_000, rate_hz)
    soundfile.write(tmp_path / "x.wav", np.tile(made[:, None], channels), rate_hz)
    plain, other = (plumbing.measure(p, None, None) for p in (DATA / "LJ001-0002.flac", tmp_path / "x.wav"))

    assert other["f0"]["median_hz"] == pytest.approx(plain["f0"]["median_hz"], rel=0.02)
    assert other["level"]["rms_dbfs"] == pytest.approx(plain["level"]["rms_dbfs"], abs=0.5)


@pytest.mark.models
def test_two_people_at_once_are_measured_without_falling_over(tmp_path: Path) -> None:
    """A known limit (docs/delivery.md, section 8): two voices at once are measured as one, with finite numbers."""
    a, b = (voice / voice.std() * 0.05 for voice in (mono("jfk"), mono("LJ001-0008")))
    n = min(len(a), len(b))
    soundfile.write(tmp_path / "x.wav", a[:n] + b[:n], 16_000)
    found = plumbing.measure(tmp_path / "x.wav", None, None)

    assert found["f0"]["median_hz"] > 60
    assert "This sounds like a tone, not like a voice." not in found["quality"]["reasons"]


@pytest.mark.models
@pytest.mark.parametrize("slope_st_s", [-2.0, 3.0])
def test_a_rising_voice_has_the_slope_it_was_made_with(slope_st_s: float) -> None:
    """A made voice whose pitch glides is found to glide as much by the real tracker."""
    t = np.arange(3 * 16_000) / 16_000
    phase = 2 * np.pi * np.cumsum(160 * 2 ** (slope_st_s * t / 12)) / 16_000
    made = np.asarray(0.1 * sum(np.sin(k * phase) / k for k in range(1, 12)), np.float32)
    f0 = observe.observe(made, [(0, len(made))], pitch.track(observe.for_models(made))).f0

    assert f0 is not None
    assert f0.slope_st_s == pytest.approx(slope_st_s, abs=0.1)


MEMORY = """
from voicecoach import plumbing
for path in sys.argv[1:]:
    plumbing.measure(Path(path), None, None)
    print(peak())
"""


@memory.known
@pytest.mark.models
def test_a_long_file_is_held_once(tmp_path: Path) -> None:
    """Ten minutes take less than four times their own float32 samples (some 3.4 were measured) on top of what eleven seconds take."""
    soundfile.write(tmp_path / "long.wav", np.tile(mono("jfk"), 55), 16_000)
    short, long = memory.peaks(MEMORY, str(DATA / "jfk.flac"), str(tmp_path / "long.wav"))

    assert long - short < 4 * 4 * 605 * 16_000


@pytest.mark.models
def test_a_long_file_is_recognised_turn_by_turn() -> None:
    """Two turns in a recording of over a minute are heard one after the other, their words on the clock of the file."""
    voice = mono("jfk")
    samples = np.concatenate([voice, np.zeros(60 * 16_000, np.float32), voice])
    heard = calibration.hear_and_measure(samples, testing.ScriptedEars(["one two", "", "", "three"]))[1]
    short = calibration.hear_and_measure(voice, testing.ScriptedEars(["one two", "three"]))[1]

    assert heard is not None
    assert short is not None
    assert (heard.text, short.text) == ("one two three", "one two")
    assert [word.start_s > 60 for word in heard.words] == [False, False, True]


@pytest.mark.models
def test_a_turn_cut_out_measures_as_a_file_of_it(tmp_path: Path) -> None:
    """What the session measures of a turn is what `measure` finds in a 16-bit file of just that turn."""
    recording = np.asarray(np.round(mono("jfk") * 32767), np.int16)
    start, end = 3 * 16_000, 11 * 16_000
    cut = np.asarray(recording[start:end] / 32768, np.float32)
    soundfile.write(tmp_path / "turn.wav", recording[start:end], 16_000, "PCM_16")
    heard = hearing.listen(cut)
    live = observe.observe(cut, heard.speech, heard.track, offset_s=3.0)
    filed = plumbing.measure(tmp_path / "turn.wav", None, None)

    assert live.f0 is not None
    assert live.level is not None
    assert live.effort is not None
    assert filed["f0"] == pytest.approx(vars(live.f0), abs=1e-3)
    assert filed["level"] == pytest.approx(vars(live.level), abs=1e-3)
    assert filed["effort"] == pytest.approx(vars(live.effort), abs=1e-3)
    assert [pause["start"] + 3 for pause in filed["pauses"]] == pytest.approx([pause.start for pause in live.pauses])


def test_a_line_for_people_says_what_is_missing() -> None:
    """Not measured is written out."""
    result = {
        "file": "x.wav", "duration_s": 1.0, "speech_s": 0.0, "pauses": [], "f0": None, "level": {"rms_dbfs": -20.0},
        "effort": None, "rate": None, "quality": {"ok": False, "reasons": ["No speech was found."]},
    }  # fmt: skip
    said = plumbing.as_lines(result)

    assert "pitch       not measured" in said
    assert "level       -20.0 dBFS" in said
    assert "note        No speech was found." in said


# --- judge -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rules() -> Any:
    return prepare.rules()


def judged(tmp_path: Path, raw: bytes, rules: Any) -> list[dict[str, Any]]:
    (tmp_path / "turns.jsonl").write_bytes(raw)
    return list(plumbing.judge_lines(str(tmp_path / "turns.jsonl"), rules))


def test_turns_are_judged_line_by_line(tmp_path: Path, rules: Any) -> None:
    """Blank lines are skipped, a byte order mark and a missing last newline are fine, ids come back."""
    raw = '\ufeff{"id": 7, "text": "I am so sorry."}\r\n\n{"id": "b", "text": "Calm down! ☕"}'.encode()
    first, second = judged(tmp_path, raw, rules)

    assert (first["id"], second["id"]) == (7, "b")
    assert any(move["code"] == "apologise" for move in first["moves"])
    assert second["faults"]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"not json", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b"5", "not a JSON object"),
        (b'{"id": 1}', "no 'text'"),
        (b'{"id": 1, "text": 5}', "'text' must be text"),
        (b'{"id": 1, "text": null}', "'text' must be text"),
        (b'{"text": "a", "history_steps": "x"}', "must be a list of codes"),
        (b'{"text": "' + b"a" * (1 << 20) + b'"}', "over 1 MB"),
        (b"[" * 100_000, "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"text": "\xe9"}', "not JSON"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, rules: Any, line: bytes, what: str) -> None:
    """The file and the number of the line, blank lines counted, and what came before is judged."""
    (tmp_path / "t.jsonl").write_bytes(b'{"text": "I see."}\n\n' + line + b"\n")
    lines = plumbing.judge_lines(str(tmp_path / "t.jsonl"), rules)

    assert next(lines)["faults"] == []
    with pytest.raises(BadInput, match="Line 3 of") as caught:
        next(lines)
    assert what in caught.value.what
    assert "t.jsonl" in caught.value.what
    assert caught.value.do


def test_half_a_character_can_be_printed(tmp_path: Path, rules: Any) -> None:
    """A lone surrogate in a text would break the output, hours into a large file."""
    (result,) = judged(tmp_path, b'{"id": "\\ud800", "text": "I am so sorry \\ud83d that you waited."}\n', rules)

    assert json.dumps(result, ensure_ascii=False).encode("utf-8")


def test_a_source_that_cannot_be_read_is_a_sentence(
    tmp_path: Path, rules: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing, a folder, an impossible name, a closed standard input."""
    for source in (str(tmp_path / "missing"), str(tmp_path), "a\0b", "x" * 5000):
        with pytest.raises(BadInput, match="cannot be read"):
            list(plumbing.judge_lines(source, rules))
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(BadInput, match="Standard input is closed"):
        list(plumbing.judge_lines("-", rules))


def test_standard_input_is_read_and_left_open(rules: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` reads turns from a pipe."""
    buffer = io.BytesIO(b'{"id": 1, "text": "I see."}\n')
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=buffer))

    assert [line["id"] for line in plumbing.judge_lines("-", rules)] == [1]
    assert not buffer.closed


def test_no_number_is_not_a_number() -> None:
    """JSON has no NaN, and other programs would refuse the line."""
    assert plumbing._tidy({"a": [float("nan"), 1.23456], "b": float("inf")}) == {"a": [None, 1.2346], "b": None}
    assert np.isfinite(plumbing._tidy(1.0))
