"""An existing recording as a session: the same record, the same debrief. Turns are found, nothing is simulated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from voicecoach import RULES_VERSION, __version__, judge
from voicecoach.errors import BadInput
from voicecoach.judge.context import next_context, talked_over_s
from voicecoach.measure import activity, observe
from voicecoach.measure.observe import Floats
from voicecoach.measure.turns import turns_of
from voicecoach.nouns import SAMPLE_RATE_HZ, Assessment, Baseline, Heard, Observation, Turn, TurnContext
from voicecoach.record import Writer
from voicecoach.world import pitch, vad
from voicecoach.world.ears import Ears
from voicecoach.world.hearing import listen, weights
from voicecoach.world.models import ModelFiles


@dataclass(frozen=True)
class _Said:
    """One utterance of either side, with its words."""

    who: str
    turn: Turn
    heard: Heard


def review(
    agent: Floats,
    customer: Floats | None,
    *,
    name: str,
    ears: Ears,
    ears_files: ModelFiles,
    rules: judge.Rules,
    procedure: str,
    baseline: Baseline | None,
    writer: Writer,
    wall: str,
    progress: Callable[[float], None] = lambda _: None,
) -> None:
    """Write the record of a recording: `agent` and `customer` [shape=(n,)], float32, 16 kHz (None: the agent alone).

    `progress` is told the share done, 0 to 1. Raises BadInput where nobody speaks.
    """
    n = len(agent) if customer is None else max(len(agent), len(customer))
    agent = np.pad(agent, (0, n - len(agent)))
    other = np.zeros(n, np.float32) if customer is None else np.pad(customer, (0, n - len(customer)))
    spans = [listen(side).speech for side in (agent, other)]
    if not spans[0]:
        where = f"on the agent's channel of {name}" if customer is not None else f"in {name}"
        hint = (
            "Is the agent on the other channel? Try --agent right (or left)."
            if customer is not None
            else "Is it the right file?"
        )
        raise BadInput(f"Nobody speaks {where}.", hint)
    said = _recognised(agent, other, spans, ears, progress)
    measured = [_measure(one, agent if one.who == "trainee" else other, spans[1]) for one in said]
    if baseline is None:
        own = [o for one, o in zip(said, measured, strict=True) if one.who == "trainee" and o.quality.ok]
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
        sound={"port": "a recording", "input": name, "output": "", "device_rate_hz": SAMPLE_RATE_HZ, "latency_s": 0.0},
        ears={"model": ears.name, "sha256": ears_files.sha256, "source": ears_files.source},
        voice="",
        vad=vad.NAME,
        tracker=pitch.name(),
        weights=weights(),
        baseline=asdict(baseline) if baseline else None,
    )
    _write_audio(writer, agent, other)
    _write_turns(writer, said, measured, rules, baseline)
    writer.event("ended", outcome="reviewed", why=f"The recording {name} was reviewed.")


def _recognised(
    agent: Floats,
    other: Floats,
    spans: Sequence[Sequence[activity.Span]],
    ears: Ears,
    progress: Callable[[float], None],
) -> list[_Said]:
    """Every utterance of both sides in order, with its words; voice without words is left out."""
    found = [("trainee", turn, agent) for turn in turns_of(spans[0], spans[1], len(agent))]
    found += [("customer", turn, other) for turn in turns_of(spans[1], spans[0], len(other))]
    found.sort(key=lambda one: one[1].start)
    said = []
    for index, (who, turn, samples) in enumerate(found):
        heard = ears.hear(samples[turn.start : turn.end], turn.start / SAMPLE_RATE_HZ)
        if heard.text:
            said.append(_Said(who, turn, heard))
        progress((index + 1) / len(found))
    return said


def _measure(said: _Said, samples: Floats, customer: Sequence[activity.Span]) -> Observation:
    turn = said.turn
    piece = samples[turn.start : turn.end]
    hearing = listen(piece)
    gap = None
    if said.who == "trainee":
        ends = [end for _, end in customer if end <= turn.speech[0][0]]
        gap = (turn.speech[0][0] - ends[-1]) / SAMPLE_RATE_HZ if ends else None
    return observe.observe(
        piece,
        hearing.speech,
        hearing.track,
        said.heard,
        offset_s=turn.start / SAMPLE_RATE_HZ,
        response_gap_s=gap,
        overlap=[(start - turn.start, end - turn.start) for start, end in turn.overlap],
    )


def _write_audio(writer: Writer, agent: Floats, other: Floats) -> None:
    step = SAMPLE_RATE_HZ * 10
    for start in range(0, len(agent), step):
        both = np.stack([agent[start : start + step], other[start : start + step]], axis=1)
        writer.audio(np.asarray(np.clip(both, -1, 1) * 32767, np.int16))


def _write_turns(
    writer: Writer,
    said: Sequence[_Said],
    measured: Sequence[Observation],
    rules: judge.Rules,
    baseline: Baseline | None,
) -> None:
    context, previous = TurnContext(), None
    customer_said: list[str] = []
    line_starts = [one.turn.speech[0][0] / SAMPLE_RATE_HZ for one in said if one.who == "customer"]
    number = line = 0
    for one, seen in zip(said, measured, strict=True):
        turn, text = one.turn, one.heard.text
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


def channels_of(channels: Sequence[Floats], agent: str, path: Path) -> tuple[Floats, Floats | None]:
    """Agent and customer out of a file's channels; one channel, or two that are the same, is the agent alone.

    Raises BadInput for three and more.
    """
    if len(channels) == 1:
        return channels[0], None
    if len(channels) > 2:
        raise BadInput(
            f"{path} has {len(channels)} channels.",
            "A call has two, agent and customer; or mix it down to one speaker.",
        )
    left, right = channels
    if same(left, right):
        return left, None
    return (left, right) if agent == "left" else (right, left)


def same(left: Floats, right: Floats) -> bool:
    """Whether two channels are one recording twice: what differs is 30 dB below what they share."""
    difference = float(np.mean((left.astype(np.float64) - right) ** 2))
    return difference <= 1e-3 * float(np.mean(left.astype(np.float64) ** 2))
