"""Barge-in figures: `python benchmarks/bargein.py [--json] [--live COUNT] [--echo MINUTES]`.

Without options: seeded spoken interruptions, nods and noises laid over a bundled line of the customer, through the real
detector, the real recogniser and the decisions of a call, on a virtual clock that takes as long for each look at the words
as this machine did. Speech is synthetic (Piper). The sentences are not those that the thresholds were chosen on.

With `--live`: calls in the rig (tests/e2e), in real time, by a trainee who interrupts so many lines, nods over as many and
answers the others. `benchmarks/latency.py` does this too.

With `--echo`: the rig again. A customer speaks into a loudspeaker that comes back in the microphone
(0 dB after 80 ms, then +6 dB after 200 ms), nobody else says anything, and every interruption is a false one.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np

from voicecoach import prepare, record
from voicecoach.judge.moves import only_nods
from voicecoach.measure.activity import FRAME, THRESHOLD_END
from voicecoach.measure.observe import Floats
from voicecoach.measure.turns import SPECULATE_S
from voicecoach.nouns import SAMPLE_RATE_HZ, Style
from voicecoach.persona.style import style_for, style_name
from voicecoach.talkover import TalkOver
from voicecoach.testing import FileDuplex, PlainRecording, Samples, to_int16
from voicecoach.world import vad
from voicecoach.world.voice import Piper, whole

SEED = 20261122
NODS = (
    "I see.", "Okay.", "Right.", "Yes.", "Go on.", "Sure.", "Of course.", "I understand.", "Uh huh.", "Yeah, I see.",
    "Right, I see.", "I hear you.", "Oh no.", "Absolutely.", "Yes, go on.", "Okay, right.", "Please continue.",
    "Tell me more.", "Exactly.", "I am here.", "Understood.", "Yes, yes.", "Oh my.", "Take your time.", "Then what?",
    "I'm listening.", "Okay, go ahead.", "Alright.", "Mm hmm.", "Wow.",
)  # fmt: skip
INTERRUPTIONS = (
    "Madam, could I ask you something?", "Let me look at your account first.", "I have to ask you to slow down.",
    "We already sent somebody to you.", "Please give me your postcode.", "It was not me who did that.",
    "Did you try to switch it off and on again?", "Hang on, which invoice do you mean?", "You need to talk to the shop.",
    "There is no need to shout.", "My system says something else.", "I can offer you a refund.", "Sorry, what was that?",
    "Before you go on, who am I speaking to?", "That was two weeks ago.", "Nobody told us about it.",
    "The warranty does not cover that.", "How about a new one?", "Let's start from the beginning.", "Hold the line for me.",
    "We do not do that here.", "The driver could not find your house.", "I am only trying to help you.",
    "Can you spell your name for me?", "They should not have said so.", "But that's not what it says here.",
    "Would Thursday morning suit you?", "I'll put you through to my manager.", "Have you got the number at hand?",
    "Listen to me for a moment.",
)  # fmt: skip
LEVEL_DBFS = -26.0
ONSET_DBFS = -46.0
"""Where the voice counts as begun: 20 dB below its level."""


class Desk(Executor):
    """A worker on the virtual clock: what it has done is known as much later as doing it took."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.took_s: list[float] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        began = time.perf_counter()
        result = fn(*args, **kwargs)
        self.took_s.append(time.perf_counter() - began)
        return _Later(self, self.now_s + self.took_s[-1], result)


class _Later(Future[Any]):
    def __init__(self, desk: Desk, due_s: float, result: Any) -> None:
        super().__init__()
        self._desk, self._due_s = desk, due_s
        self.set_result(result)

    def done(self) -> bool:
        return self._desk.now_s >= self._due_s


class Port(FileDuplex):
    """A file port that is taken for a device, so that nobody waits for the worker."""

    realtime = True


def spoken(text: str, rng: np.random.Generator, voice: Piper) -> Floats:
    """One sentence at a rate and in a voice of its own, from its first sound on."""
    import soxr

    said = voice.synthesize(text, "joe", Style(wpm=float(rng.uniform(165, 235)))).samples
    shift = float(rng.choice([0.88, 1.0, 1.12]))
    said = soxr.resample(said, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ * shift) if shift != 1.0 else said
    said = said * 10 ** (LEVEL_DBFS / 20) / np.sqrt(np.mean(said[np.abs(said) > 0.01] ** 2))
    return np.asarray(said[np.flatnonzero(np.abs(said) > 10 ** (ONSET_DBFS / 20))[0] :], np.float32)


def cough(rng: np.random.Generator) -> Floats:
    """A burst or two of shaped noise."""
    bursts = []
    for _ in range(int(rng.integers(1, 3))):
        n = round(rng.uniform(0.15, 0.45) * SAMPLE_RATE_HZ)
        noise = np.convolve(rng.normal(0, 1, n), np.ones(int(rng.integers(2, 8))) / 4, "same")
        bursts += [noise * np.exp(-np.arange(n) / (n / 4)), np.zeros(round(0.1 * SAMPLE_RATE_HZ))]
    burst = np.concatenate(bursts)
    return np.asarray(0.3 * burst / np.abs(burst).max(), np.float32)


def play(said: Floats, line: Any, ears: Any, cues: Any, rng: np.random.Generator) -> dict[str, Any]:
    """Lay `said` over `line` 1.5 s into it: when the line was ducked, stood still, went on, was stopped."""
    at = round(1.5 * SAMPLE_RATE_HZ)
    mic = rng.normal(0, 10 ** (-65 / 20), at + len(said) + 4 * SAMPLE_RATE_HZ).astype(np.float32)
    mic[at : at + len(said)] += said
    port = Port(PlainRecording(np.asarray(np.clip(mic, -1, 1) * 32767, np.int16)))
    desk, detector = Desk(), vad.VoiceActivity()
    over = TalkOver(port, desk, ears.glimpse, lambda text: only_nods(text, cues))
    over.new_line()
    port.play(line)
    heard: list[Floats] = []
    ducked: float | None = None
    silent: float | None = None
    stopped, held_s, position = False, 0.0, 0
    turn: Future[Any] | None = None
    """The words of the whole turn, where no look could tell them."""
    quiet = 0
    while (block := port.read()) is not None:
        now_s = (position - at) / SAMPLE_RATE_HZ
        desk.now_s = position / SAMPLE_RATE_HZ
        samples = np.asarray(block.mic / 32768, np.float32)
        heard.append(samples)
        probability = float(detector.push(samples)[0])
        quiet = 0 if probability >= THRESHOLD_END else quiet + FRAME
        if over.undecided and quiet < SPECULATE_S * SAMPLE_RATE_HZ:
            turn = None
        elif over.undecided and turn is None:
            turn = desk.submit(ears.hear_quickly, np.concatenate(heard[-300:]))
        if over.undecided and turn is not None and turn.done():
            over.tell(turn.result().text)
        found = over.follow(
            position,
            probability,
            block.customer and not stopped,
            lambda: (np.concatenate(heard[-200:]), 0.0),
        )
        end_s = now_s + FRAME / SAMPLE_RATE_HZ
        state = over._state
        ducked = end_s if ducked is None and state.ducked and end_s > 0 else ducked
        silent = end_s if silent is None and end_s > 0 and (over.holding or found is not None) else silent
        for start, end in over.holds:
            held_s += (end - start) / SAMPLE_RATE_HZ
        over.holds.clear()
        stopped = stopped or found is not None
        position += FRAME
    return {"ducked_s": ducked, "silent_s": silent, "stopped": stopped, "held_s": held_s, "looks_s": desk.took_s}


def share(hits: list[bool]) -> float:
    return round(100 * float(np.mean(hits)), 1)


def percentiles(values: list[float]) -> dict[str, float]:
    return {"p50": round(float(np.percentile(values, 50)), 3), "p95": round(float(np.percentile(values, 95)), 3)}


def decisions() -> dict[str, Any]:
    """Interruptions found, nods mistaken, false alarms, on the virtual clock."""
    rng = np.random.default_rng(SEED)
    ears, _ = prepare.ears()
    cues = prepare.rules(cues_only=True).cues
    persona, _ = prepare.choose_persona(prepare.DEFAULT_PERSONA)
    voice = prepare.voice(persona, ready=False)
    text = next(text for _, text, levels in prepare.persona.lines(persona) if 3 in levels and len(text) > 90)
    one = whole(voice.speak(text, style_for(3, persona.voice.style), style_name(3, persona.voice.style))).samples
    line = np.concatenate([one] * 3)
    piper = Piper()
    ears.glimpse(np.zeros(SAMPLE_RATE_HZ, np.float32))  # loaded outside the clock
    cuts = [play(spoken(text, rng, piper), line, ears, cues, rng) for text in INTERRUPTIONS * 2]
    nods = [play(spoken(text, rng, piper), line, ears, cues, rng) for text in NODS * 2]
    coughs = [play(cough(rng), line, ears, cues, rng) for _ in range(40)]
    looks = [took for played in (*cuts, *nods) for took in played["looks_s"]]
    return {
        "interruptions": len(cuts),
        "noticed_within_500_ms_percent": share([(p["ducked_s"] or 9) <= 0.5 for p in cuts]),
        "noticed_s": percentiles([p["ducked_s"] for p in cuts if p["ducked_s"]]),
        "silent_within_500_ms_percent": share([(p["silent_s"] or 9) <= 0.5 for p in cuts]),
        "silent_s": percentiles([p["silent_s"] for p in cuts if p["silent_s"]]),
        "stopped_for_good_percent": share([p["stopped"] for p in cuts]),
        "nods": len(nods),
        "nods_mistaken_percent": share([p["stopped"] for p in nods]),
        "nods_over_which_the_line_never_stood_still_percent": share([p["silent_s"] is None for p in nods]),
        "nods_held_s": percentiles([p["held_s"] for p in nods]),
        "coughs": len(coughs),
        "coughs_mistaken_percent": share([p["stopped"] for p in coughs]),
        "longest_hold_for_nothing_s": round(max(p["held_s"] for p in (*nods, *coughs)), 2),
        "look_s": percentiles(looks),
    }


# --- interruptions and nods in real time ------------------------------------------------------------

INTO_S = (1.2, 2.2)
"""How far into a line the trainee speaks over it, in seconds, drawn evenly: sooner, it is a turn that goes on."""
LEFT_S = 1.0
"""A line that would have ended by itself this soon after the first sound was not there to be interrupted."""
LINE_OVER_S = 0.1
"""More silence, behind what the rig waits for, and a line is over."""
PATIENT_S = 15.0
"""A silent customer is answered after this long, whatever happened."""
ANSWER = "I understand. Please tell me what happened then."


class TalksOver:
    """A trainee who speaks over the customer's lines, one remark of `todo` (kind, sound) each, and answers the rest."""

    name = "a trainee who talks over the customer"

    def __init__(self, todo: list[tuple[str, Samples]], answer: Samples, seed: int) -> None:
        self.todo, self.done = todo, False
        self.spoken: list[tuple[str, Samples, int]] = []
        """(kind, sound, where it began in samples of this microphone)."""
        self._at = 0
        self._answer, self._rng = answer, np.random.default_rng(seed)
        self._saying = np.zeros(0, np.int16)
        self._line_s = self._quiet_s = 0.0
        self._remarked = False
        self._into_s = float(self._rng.uniform(*INTO_S))

    def hear(self, out: Samples, customer: bool) -> Samples:
        """See voicecoach.testing.Trainee."""
        mic = self._rng.normal(0.0, 12.0, len(out))
        step = len(out) / SAMPLE_RATE_HZ
        self._at += len(out)
        if self._saying.size:
            piece, self._saying = self._saying[: len(out)], self._saying[len(out) :]
            mic[: len(piece)] += piece
            return np.asarray(np.clip(mic, -32768, 32767), np.int16)
        self._line_s += step * customer
        self._quiet_s = 0.0 if customer else self._quiet_s + step
        if customer and not self._remarked and self.todo and self._line_s > self._into_s:
            kind, sound = self.todo.pop(0)
            self._say(kind, sound, remarked=kind == "nod")
        elif (self._quiet_s > LINE_OVER_S and self._line_s > 0.5) or (self.spoken and self._quiet_s > PATIENT_S):
            self.done = not self.todo
            self._say("answer", self._answer, remarked=False)
        return np.asarray(np.clip(mic, -32768, 32767), np.int16)

    def _say(self, kind: str, sound: Samples, *, remarked: bool) -> None:
        """After a nod the line goes on and gets no second remark; after an interruption another line comes."""
        self.spoken.append((kind, sound, self._at))
        self._saying, self._remarked = sound, remarked
        self._line_s, self._quiet_s = 0.5 * remarked, 0.0
        self._into_s = float(self._rng.uniform(*INTO_S))


def live(count: int) -> dict[str, Any]:
    """`count` interruptions and as many nods over the customer of real calls in the rig: what was noticed, and when."""
    from latency import rig

    rng, piper = np.random.default_rng(SEED + 1), Piper()
    texts = [("interruption", text) for text in np.resize(INTERRUPTIONS, count)]
    texts += [("nod", text) for text in np.resize(NODS, count)]
    todo = [(texts[n][0], to_int16(spoken(str(texts[n][1]), rng, piper))) for n in rng.permutation(len(texts))]
    answer = to_int16(spoken(ANSWER, rng, piper))
    noticed: list[float | None] = []
    mistaken: list[bool] = []
    with rig.sound_server() as env, tempfile.TemporaryDirectory() as folder:
        data, seed = Path(folder), 1
        while todo:
            trainee = TalksOver(todo, answer, seed)
            session = _talked_over(trainee, data, env, seed)
            for kind, after_s in _noticed(session, trainee.spoken):
                if kind == "nod":
                    mistaken.append(after_s is not None)
                else:
                    noticed.append(after_s)
            todo, seed = trainee.todo, seed + 1
            print(f"barge-in: {2 * count - len(todo)} of {2 * count} remarks", file=sys.stderr, flush=True)
    return {
        "interruptions": len(noticed),
        "noticed_within_500_ms_percent": share([after_s is not None and after_s <= 0.5 for after_s in noticed]),
        "noticed_s": percentiles([after_s for after_s in noticed if after_s is not None]),
        "nods": len(mistaken),
        "nods_mistaken_percent": share(mistaken),
    }


def _talked_over(trainee: TalksOver, data: Path, env: dict[str, str], seed: int) -> record.Record:
    """One call by the terminal's command, until it is over or everything is said."""
    from latency import rig

    before = set(record.list_sessions(data / "sessions"))
    command = [sys.executable, "-m", "voicecoach", "--data", str(data), "rehearse", "--seed", str(seed)]
    with rig.at_the_microphone(trainee, env):
        call = subprocess.Popen(
            [*command, "--level", "mild", "--echo", "headset", "--no-cues"],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        while call.poll() is None and not trainee.done:
            time.sleep(0.1)
        if call.poll() is None:
            call.send_signal(signal.SIGINT)
        printed, _ = call.communicate(timeout=120)
    made = set(record.list_sessions(data / "sessions")) - before
    if not made:
        raise RuntimeError(printed)
    return record.read(made.pop())


def _noticed(session: record.Record, said: Sequence[tuple[str, Samples, int]]) -> Iterator[tuple[str, float | None]]:
    """(kind, seconds from its first sound until the line was ducked for an interruption, or None) of each fair remark."""
    from latency import ALIKE, alike, place

    mic = record.read_audio(session)
    lines = [(event.data["start"], event.data["end"]) for event in session.of("said")]
    stops = [event.data for event in session.of("interrupted") if event.data["by"] == "trainee"]
    first, last = 0, len(mic)
    for (kind, sound, began), (_, _, following) in zip(said, [*said[1:], said[-1]], strict=True):
        start = place(mic[:, 0], sound, max(0, first), max(0, min(last, len(mic) - len(sound))))
        if alike(mic[start:, 0], sound) < ALIKE:
            return  # the call was over before
        # The next one is as much later as the trainee began it later, give or take what a loaded sound server loses.
        first, last = (start + following - began + slip * SAMPLE_RATE_HZ for slip in (-2, 2))
        needed = start + (len(sound) if kind == "nod" else round(LEFT_S * SAMPLE_RATE_HZ))
        if kind == "answer" or not any(begins < start and needed < ends for begins, ends in lines):
            continue
        until = max(start + len(sound), needed)
        found = [one for one in stops if start - FRAME * 8 <= one["start"] <= until]
        yield kind, (found[0]["start"] - start) / SAMPLE_RATE_HZ + found[0]["noticed_s"] if found else None


# --- the echo, in real time --------------------------------------------------------------------------

ECHOES = {"0 dB, 80 ms": (100, 80), "+6 dB, 200 ms": (200, 200)}
"""Loudness of the loopback in percent of PulseAudio's linear amplitude, and its latency (ms)."""


def echo(minutes: float) -> dict[str, Any]:
    """Both echoes, `minutes` in all: the mode that the start-up test chose, and what it took for an interruption."""
    from latency import rig

    found = {}
    for name, (percent, delay_ms) in ECHOES.items():
        with rig.sound_server() as env, tempfile.TemporaryDirectory() as folder:
            quiet = PlainRecording(
                np.asarray(np.random.default_rng(SEED).normal(0, 12, 16_000 * 60 * 30), np.int16), "nobody"
            )
            with rig.at_the_microphone(quiet, env):
                _loop_back(env, percent, delay_ms)
                found[name] = _silent_calls(Path(folder), env, 60 * minutes / len(ECHOES))
    return found


def _loop_back(env: dict[str, str], percent: int, delay_ms: int) -> None:
    """Let the loudspeaker come back in the microphone, and wait until it comes after `delay_ms` and not after seconds.

    A null device that nobody has used yet begins with 2 s in its buffer, which PulseAudio's loopback takes for its own.
    """

    def pactl(*arguments: str) -> str:
        done = subprocess.run(["pactl", *arguments], env=env, check=True, capture_output=True, text=True)
        return done.stdout

    module = pactl(
        "load-module", "module-loopback", "source=speaker.monitor", "sink=micfeed", f"latency_msec={delay_ms}"
    ).strip()
    settled = 0
    for _ in range(60):
        time.sleep(0.5)
        about = next(
            text for text in pactl("list", "sink-inputs").split("Sink Input #") if f"Owner Module: {module}\n" in text
        )
        latency_ms = sum(map(int, re.findall(r"(?:Buffer|Sink) Latency: (\d+) usec", about))) / 1000
        settled = settled + 1 if latency_ms < delay_ms + 150 else 0
        if settled == 6:
            break
    else:
        raise RuntimeError(f"The loopback of {delay_ms} ms takes {latency_ms:.0f} ms.")
    volume = str(round(65536 * (percent / 100) ** (1 / 3)))  # PulseAudio's scale is cubic
    pactl("set-sink-input-volume", about.split()[0], volume)


def _echoes_s(session: record.Record) -> Iterator[float]:
    """Of each line, how much later it was in the microphone than in the loudspeaker, in seconds."""
    from latency import place

    mic, out = record.read_audio(session).T
    for event in session.of("said"):
        start = event.data["start"]
        line = out[start : min(event.data["end"], start + 3 * SAMPLE_RATE_HZ)]
        until = min(start + 8 * SAMPLE_RATE_HZ, len(mic) - len(line))
        if line.any() and until > start:
            yield (place(mic, line, start, until) - start) / SAMPLE_RATE_HZ


def _silent_calls(data: Path, env: dict[str, str], seconds: float) -> dict[str, Any]:
    """Calls in which nobody answers, one after the other."""
    until = time.monotonic() + seconds
    command = [sys.executable, "-m", "voicecoach", "--data", str(data), "rehearse", "--seed", "1", "--time-limit", "5"]
    while time.monotonic() < until:
        call = subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            call.communicate(timeout=max(1.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            call.send_signal(signal.SIGINT)
            call.communicate(timeout=120)
    sessions = [record.read(folder) for folder in record.list_sessions(data / "sessions")]
    sounds = [session.events[0].data["sound"] for session in sessions]
    spoken_s = sum(event.data["end"] - event.data["start"] for one in sessions for event in one.of("said"))
    return {
        "modes": sorted({sound["echo"] for sound in sounds}),
        "test": sounds[0]["echo_test"],
        "calls": len(sessions),
        "minutes": round(sum(one.events[-1].at for one in sessions) / SAMPLE_RATE_HZ / 60, 2),
        "echo_came_after_s": _ends([late_s for one in sessions for late_s in _echoes_s(one)]),
        "customer_spoke_s": round(spoken_s / SAMPLE_RATE_HZ, 1),
        "false_interruptions": sum(
            event.data["by"] == "trainee" for one in sessions for event in one.of("interrupted")
        ),
        "false_turns": sum(1 for one in sessions for _ in one.of("spoke")),
        "holds": sum(1 for one in sessions for _ in one.of("held")),
    }


def _ends(values: list[float]) -> list[float]:
    return [round(min(values), 3), round(max(values), 3)] if values else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    parser.add_argument("--echo", type=float, metavar="MINUTES", help="the echo check in the rig, in real time")
    parser.add_argument(
        "--live", type=int, metavar="COUNT", help="interruptions, and as many nods, in the rig, in real time"
    )
    options = parser.parse_args()
    found = live(options.live) if options.live else echo(options.echo) if options.echo else decisions()
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name.replace('_', ' '):<55} {value}")


if __name__ == "__main__":
    main()
