"""An existing recording as a session: the same record, the same debrief. Turns are found, nothing is simulated."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Literal, Protocol

import numpy as np

from voicecoach import RULES_VERSION, __version__, judge
from voicecoach.errors import BadInput
from voicecoach.judge.context import next_context, talked_over_s
from voicecoach.measure import activity, observe
from voicecoach.measure.crosstalk import come_through, left
from voicecoach.measure.turns import MAX_TURN_S, turns_of
from voicecoach.nouns import SAMPLE_RATE_HZ, Assessment, Baseline, Floats, Heard, Observation, Turn, TurnContext
from voicecoach.record import Writer
from voicecoach.report.words import clock
from voicecoach.world import pitch, vad
from voicecoach.world.audiofiles import Spool
from voicecoach.world.ears import Ears
from voicecoach.world.hearing import listen, speech_in, weights
from voicecoach.world.memory import give_back
from voicecoach.world.models import ModelFiles


@dataclass(frozen=True)
class Utterance:
    """One utterance of either side, with its words and its numbers; without words it is nobody's turn, but no silence."""

    who: Literal["trainee", "customer"]
    turn: Turn
    heard: Heard
    observation: Observation


class Side(Protocol):
    """One channel of a recording, 16 kHz, wherever it lies."""

    def read(self, start: int, end: int) -> Floats:
        """Samples from `start` to `end` [shape=(n,)], float32; fewer at the end of the recording."""
        ...

    def flat(self, start: int, end: int) -> float:
        """Share of the samples there that had been cut flat before they came to 16 kHz; 0 where that is not known."""
        ...

    def __len__(self) -> int: ...


class OnDisk:
    """A channel of a spooled file."""

    def __init__(self, spool: Spool, channel: int) -> None:
        self._spool, self._channel = spool, channel

    def read(self, start: int, end: int) -> Floats:
        """See Side."""
        return self._spool.read(self._channel, start, end)

    def flat(self, start: int, end: int) -> float:
        """See Side."""
        return self._spool.flat(self._channel, start, end)

    def __len__(self) -> int:
        return self._spool.samples


class Muted:
    """A channel with silence in the place of `through`, the other side's voice that came through."""

    def __init__(self, side: Side, through: Sequence[activity.Span]) -> None:
        self._side, self._through = side, through
        self._ends = [end for _, end in through]

    def read(self, start: int, end: int) -> Floats:
        """See Side."""
        samples = self._side.read(start, end).copy()
        for first, last in self._through[bisect_right(self._ends, start) :]:
            if first >= end:
                break
            samples[max(0, first - start) : last - start] = 0
        return samples

    def flat(self, start: int, end: int) -> float:
        """See Side."""
        return self._side.flat(start, end)

    def __len__(self) -> int:
        return len(self._side)


def hear(
    agent: Side,
    customer: Side | None,
    *,
    name: str,
    ears: Ears,
    progress: Callable[[float], None] = lambda _: None,
    fault: Callable[[str, str], None] = lambda _what, _do: None,
) -> tuple[Utterance, ...]:
    """What is said in a recording: `agent` and `customer` (None: the agent alone), read piece by piece.

    Nothing is written. `progress` is told the share done, 0 to 1, and `fault` what was wrong with the sound and what to
    do. Raises BadInput where nobody speaks.
    """
    n = max(len(agent), len(customer) if customer is not None else 0)
    sides = [agent] if customer is None else [agent, customer]
    spans = _listen_to(sides, progress)
    if not spans[0]:
        raise _nobody(name, n, stereo=customer is not None, other=any(spans[1:]))
    if customer is not None:
        both = ((spans[0], spans[1], agent, customer), (spans[1], spans[0], customer, agent))
        through = [come_through(own, others, side.read, other.read) for own, others, side, other in both]
        spans = [left(own, leaks) for own, leaks in zip(spans, through, strict=True)]
        agent, customer = Muted(agent, through[0]), Muted(customer, through[1])
        for said_so in _came_through(through):
            fault(*said_so)
        if not spans[0]:
            raise _nobody(name, n, stereo=True, other=True)
    theirs = spans[1] if customer is not None else ()
    found: list[tuple[Literal["trainee", "customer"], Turn, Side]]
    found = [("trainee", turn, agent) for turn in turns_of(spans[0], theirs, n)]
    if customer is not None:
        found += [("customer", turn, customer) for turn in turns_of(theirs, spans[0], n)]
    found.sort(key=lambda one: one[1].start)
    said: list[Utterance] = []
    with ThreadPoolExecutor(getattr(ears, "at_once", 1)) as hearing:
        utterances = hearing.map(lambda one: _utterance(one[0], one[1], one[2], ears), found)
        for index, one in enumerate(utterances):
            said.append(one)
            progress(LISTENING + (1 - LISTENING) * (index + 1) / len(found))
    return tuple(_related(said))


def _related(said: Sequence[Utterance]) -> Iterator[Utterance]:
    """The utterances with the waits before them, and with what was said over the customer: over words, not over a cough."""
    wordless = [span for one in said if one.who == "customer" and not one.heard.text for span in one.turn.speech]
    before: dict[str, int] = {}
    for one in said:
        if one.who == "trainee":
            turn = replace(one.turn, overlap=activity.without(one.turn.overlap, _near(wordless, one.turn)))
            gap_s = _gap_s(turn, before.get("customer"), before.get("trainee"))
            over_s = activity.total(turn.overlap) / SAMPLE_RATE_HZ
            if turn.overlap == one.turn.overlap:
                over_s = one.observation.overlap_s
            one = replace(one, turn=turn, observation=replace(one.observation, response_gap_s=gap_s, overlap_s=over_s))
        yield one
        before[one.who] = max(before.get(one.who, 0), one.turn.speech[-1][1])


def _near(spans: Sequence[activity.Span], turn: Turn) -> list[activity.Span]:
    """Those of the spans that touch a turn."""
    return [span for span in spans if span[0] < turn.end and turn.start < span[1]]


def _came_through(through: Sequence[Sequence[activity.Span]]) -> Iterator[tuple[str, str]]:
    """That one side's voice is on the other's channel too, and what to do."""
    for channel, voice, spans in zip(("agent", "customer"), ("customer", "agent"), through, strict=True):
        if spans:
            heard_s = activity.total(spans) / SAMPLE_RATE_HZ
            yield (
                f"The {voice}'s voice is on the {channel}'s channel too, fainter: {max(heard_s, 1):.0f} s of it are left out there.",
                "What was said at the same moment may be missed; a recorder that keeps the two apart is safer.",
            )


def write(
    said: Sequence[Utterance],
    agent: Side,
    customer: Side | None,
    *,
    name: str,
    which: str,
    ears: Ears,
    ears_files: ModelFiles,
    rules: judge.Rules,
    procedure: str,
    baseline: Baseline | None,
    writer: Writer,
    wall: str,
    faults: Sequence[tuple[str, str]] = (),
) -> None:
    """Write the record of a recording in which this was `said`; `which` channel was taken as the agent's.

    `faults` of the file, each with what to do, go into the record as such. Without a `baseline` the first good turns
    are one.
    """
    if baseline is None:
        own = [
            one.observation for one in said if one.who == "trainee" and one.heard.text and one.observation.quality.ok
        ]
        baseline = observe.baseline_from(own[: observe.PROVISIONAL_TURNS], "this recording", provisional=True)
    writer.event(
        "started",
        wall=wall,
        voicecoach=__version__,
        rules=RULES_VERSION,
        trainee="agent",
        persona={"id": "", "name": "Customer"},
        procedure=procedure,
        seed=0,
        mode="review",
        sound={
            "port": "a recording",
            "input": name,
            "output": "",
            "agent": which,
            "device_rate_hz": SAMPLE_RATE_HZ,
            "latency_s": 0.0,
        },
        ears={"model": ears.name, "sha256": ears_files.sha256, "source": ears_files.source},
        voice="",
        vad=vad.NAME,
        tracker=pitch.name(),
        weights=weights(),
        baseline=asdict(baseline) if baseline else None,
    )
    _write_audio(writer, agent, customer)
    for what, do in faults:
        writer.event("fault", what=what, do=do, detail="")
    _write_turns(writer, said, rules, baseline)
    writer.event("ended", outcome="reviewed", why=sides_line(said, which))


def _nobody(name: str, n: int, *, stereo: bool, other: bool) -> BadInput:
    """Why there is nothing to review, and what may help."""
    if other:
        hint = "Is the agent on the other channel? Try --agent right (or left)."
        return BadInput(f"Nobody speaks on the agent's channel of {name}.", hint)
    both = "on either channel of" if stereo else "in"
    return BadInput(f"Nobody speaks {both} {name} ({n / SAMPLE_RATE_HZ:.1f} s).", "Is it the right file?")


def _listen_to(sides: Sequence[Side], progress: Callable[[float], None]) -> list[tuple[activity.Span, ...]]:
    """Where somebody speaks, side by side: the models run on one core. Who stops it does not wait for the end."""
    stopped = Event()

    def told(share: float, tell: Callable[[float], None]) -> None:
        if stopped.is_set():
            raise _StoppedError
        tell(share)

    with ThreadPoolExecutor(len(sides)) as both:
        try:
            shares = [partial(told, tell=tell) for tell in _shares(progress, len(sides))]
            return list(both.map(_listen, sides, shares))
        except BaseException:
            stopped.set()
            raise


class _StoppedError(Exception):
    """Nobody wants to know any more."""


LISTENING = 0.15
"""Share of the progress that finding the voices takes; the rest is recognising and measuring."""


def _shares(progress: Callable[[float], None], sides: int) -> list[Callable[[float], None]]:
    """For each side, what takes its own progress, 0 to 1, in listening."""
    done = [0.0] * sides

    def of(side: int, share: float) -> None:
        done[side] = share
        progress(LISTENING * sum(done) / sides)

    return [partial(of, side) for side in range(sides)]


def _listen(side: Side, progress: Callable[[float], None]) -> tuple[activity.Span, ...]:
    """Where somebody speaks in a channel; a voice without a breath for longer than a turn can be is cut."""
    n = len(side)
    total, low, high = 0.0, 0.0, 0.0
    for at in range(0, n, observe.PIECE):
        piece = side.read(at, at + observe.PIECE)
        total += float(piece.sum(dtype=np.float64))
        low, high = min(low if at else float(piece.min()), float(piece.min())), max(high, float(piece.max()))
    offset, gain = observe.offset_and_gain(total / max(n, 1), low, high)
    last = max(1, -(-n // observe.PIECE))
    furthest = 0

    def read(number: int) -> Floats:
        nonlocal furthest
        furthest = max(furthest, number + 1)
        progress(furthest / last)
        at = number * observe.PIECE
        return (side.read(at, at + observe.PIECE) - offset) * gain

    longest = round(MAX_TURN_S * SAMPLE_RATE_HZ)
    return tuple((at, min(at + longest, end)) for start, end in speech_in(read, n) for at in range(start, end, longest))


def _gap_s(turn: Turn, customer_end: int | None, own_end: int | None) -> float | None:
    """The wait before a turn: since the customer's last words, negative where it began over them.

    None where the trainee has spoken since: then the customer was not waiting for an answer any more.
    """
    onset = turn.speech[0][0]
    if turn.overlap and turn.overlap[0][0] <= onset:
        return -activity.total(turn.overlap) / SAMPLE_RATE_HZ
    if customer_end is None or customer_end > onset or (own_end is not None and own_end > customer_end):
        return None
    return (onset - customer_end) / SAMPLE_RATE_HZ


def _utterance(who: Literal["trainee", "customer"], turn: Turn, side: Side, ears: Ears) -> Utterance:
    """The words and the numbers of a turn. The wait before it is not known here."""
    piece = side.read(turn.start, turn.end)
    piece = np.pad(piece, (0, turn.end - turn.start - len(piece)))  # two recorders rarely stop together
    heard = ears.hear(piece, turn.start / SAMPLE_RATE_HZ)
    give_back()
    hearing = listen(piece)
    observation = observe.observe(
        piece,
        hearing.speech,
        hearing.track,
        heard,
        offset_s=turn.start / SAMPLE_RATE_HZ,
        overlap=[(start - turn.start, end - turn.start) for start, end in turn.overlap],
        flat=side.flat(turn.start, turn.end),
    )
    return Utterance(who, turn, heard, observation)


def _write_audio(writer: Writer, agent: Side, customer: Side | None) -> None:
    n, step = max(len(agent), len(customer) if customer is not None else 0), SAMPLE_RATE_HZ * 10
    for start in range(0, n, step):
        both = np.zeros((min(step, n - start), 2), np.float32)
        for channel, side in enumerate((agent, customer)):
            if side is not None:
                samples = side.read(start, min(start + step, n))
                both[: len(samples), channel] = samples
        writer.audio(np.asarray(np.clip(both, -1, 1) * 32767, np.int16))


def _write_turns(
    writer: Writer,
    said: Sequence[Utterance],
    rules: judge.Rules,
    baseline: Baseline | None,
) -> None:
    context, previous = TurnContext(), None
    customer_said: list[str] = []
    line_starts = [one.turn.speech[0][0] / SAMPLE_RATE_HZ for one in said if one.who == "customer" and one.heard.text]
    number = line = 0
    for one in said:
        turn, text, seen = one.turn, one.heard.text, one.observation
        if not text:
            writer.event("wordless", at=turn.end, who=one.who, start=turn.start, end=turn.end, speech=turn.speech)
            continue
        if one.who == "customer":
            line += 1
            customer_said.append(text)
            writer.event(
                "said",
                at=turn.end,
                line=f"customer.{line}",
                text=text,
                start=turn.speech[0][0],
                end=turn.speech[-1][1],
                voice="recorded",
            )
            writer.event("measured", at=turn.end, who="customer", line=f"customer.{line}", observation=seen)
            continue
        number += 1
        observation = observe.relate(seen, baseline)
        context = next_context(
            context,
            previous,
            customer_said=" ".join(customer_said),
            customer_finished=True,
            overlap_s=talked_over_s(
                [(start / SAMPLE_RATE_HZ, end / SAMPLE_RATE_HZ) for start, end in turn.overlap], line_starts
            ),
        )
        assessment: Assessment = judge.assess(
            text, one.heard.words, observation, context, rules, previous.delivery if previous else None
        )
        previous = assessment
        customer_said.clear()
        writer.event(
            "spoke", at=turn.end, turn=number, start=turn.start, end=turn.end, speech=turn.speech, overlap=turn.overlap
        )
        words = [asdict(word) for word in one.heard.words]
        writer.event("heard", at=turn.end, who="trainee", turn=number, text=text, words=words, model=one.heard.model)
        writer.event("measured", at=turn.end, who="trainee", turn=number, observation=observation)
        writer.event("assessed", at=turn.end, turn=number, assessment=assessment)


def faults_of(spool: Spool, path: Path) -> tuple[tuple[str, str], ...]:
    """What is wrong with a file that can be reviewed all the same, each with what to do."""
    if not spool.missing_s:
        return ()
    there_s = spool.samples / SAMPLE_RATE_HZ
    there, told = clock(there_s), clock(there_s + spool.missing_s)
    what = f"{path.name} breaks off after {there}: it says that it is {told} long."
    return ((what, "Copy it again from where it was recorded; what is there was reviewed."),)


def sides_line(said: Sequence[Utterance], which: str) -> str:
    """Who was taken for whom, and what to do where that is wrong; `which` as in `write`."""
    said = [one for one in said if one.heard.text]
    turns = sum(one.who == "trainee" for one in said)
    if which == "only":
        return f"One channel: all {turns} turns in it are taken as the agent's. Two people on one channel are not told apart."
    if which == "both":
        return f"Both channels hold the same, so all {turns} turns are taken as the agent's. Two people are not told apart."
    other = "left" if which == "right" else "right"
    return (
        f"Agent: {which} channel, {turns} turns. Customer: {other} channel, {len(said) - turns} turns. "
        f"If it is the other way round: --agent {other}."
    )


def sides_of(spool: Spool, agent: str, path: Path) -> tuple[Side, Side | None]:
    """Agent and customer out of a file's channels; one channel, or two that are the same, is the agent alone.

    Raises BadInput for three and more.
    """
    sides = [OnDisk(spool, channel) for channel in range(spool.channels)]
    order = _order(sides, agent, path)
    return sides[order[0]], sides[order[1]] if len(order) > 1 else None


def _order(sides: Sequence[Side], agent: str, path: Path) -> tuple[int, ...]:
    """The numbers of the agent's channel and, if there is one, of the customer's."""
    if len(sides) == 1:
        return (0,)
    if len(sides) > 2:
        raise BadInput(
            f"{path} has {len(sides)} channels.",
            "A call has two, agent and customer; or mix it down to one speaker.",
        )
    if _same(*sides):
        return (0,)
    return (0, 1) if agent == "left" else (1, 0)


SAME = 1e-3
"""Share of a channel's power that the other one, at whatever level and polarity, may leave unexplained: 30 dB below it. Two
microphones in a room, and two voices, differ by far more; a balance that is a little off leaves nothing. Our judgement."""


def _same(left: Side, right: Side) -> bool:
    """Whether two channels are one recording twice, the one perhaps louder or turned round."""
    lefts = rights = both = 0.0
    for at in range(0, len(left), observe.PIECE):
        a, b = (side.read(at, at + observe.PIECE).astype(np.float64) for side in (left, right))
        lefts, rights, both = lefts + float(a @ a), rights + float(b @ b), both + float(a @ b)
    if not (lefts and rights):
        return lefts == rights
    return rights - both**2 / lefts <= SAME * rights
