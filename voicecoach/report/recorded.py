"""How a recorded call was taken in, and what may be wrong with that: channels swapped, two people on one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from voicecoach.judge import sides
from voicecoach.measure import voices
from voicecoach.measure.observe import HOP
from voicecoach.nouns import SAMPLE_RATE_HZ, Observation
from voicecoach.report.facts import Facts, text

_HOP_S = HOP / SAMPLE_RATE_HZ
MIN_TURNS = 4
"""Turns that could be measured, from which on two voices among them can be told; our judgement."""


def doubts(facts: Facts) -> tuple[str, ...]:
    """What to look at again before the debrief of a recorded call is believed; nothing of any other call."""
    if facts.started.get("mode") != "review":
        return ()
    sound = facts.started.get("sound")
    which = text(sound.get("agent")) if isinstance(sound, Mapping) else ""
    found = []
    if sides.swapped([turn.heard.text for turn in facts.turns if turn.heard], [line.text for line in facts.lines]):
        option = {"left": " --agent right", "right": " --agent left"}.get(which, " the other --agent")
        found.append(
            "The channels may be swapped: what stands here as the agent's sounds like a customer, and the other way "
            f"round. If so, review the file again with{option}."
        )
    if in_turn([turn.observation for turn in facts.turns if turn.observation]):
        where = "the recording" if which in ("only", "both") else "the agent's channel"
        found.append(
            f"Two people seem to speak in turn on {where}, a low voice and a high one. They cannot be told apart: the "
            "words of both stand here as the agent's. A recording with a channel for each can be reviewed."
        )
    return tuple(found)


def in_turn(seen: Sequence[Observation]) -> bool:
    """Whether the turns of one channel are those of a low and of a high voice, by the pitch and the centroid of each.

    As `voices.several`, with turns in the place of frames, each as long as its voice. Few false alarms, many misses: of the
    eight synthetic voices that come along, calm and hot, none by itself and none of the 12 pairs of one sex is taken for
    two; of the 16 pairs of a man and a woman 7 are.
    """
    rows = [
        (12 * float(np.log2(one.f0.median_hz)), float(np.log2(one.effort.centroid_hz)), round(one.f0.voiced_s / _HOP_S))
        for one in seen
        if one.quality.ok and one.f0 and one.effort and one.f0.median_hz > 0 and one.effort.centroid_hz > 0
    ]
    if len(rows) < MIN_TURNS:
        return False
    semitones, centroids, counts = (np.array(column) for column in zip(*rows, strict=True))
    counts = np.clip(counts, 0, _MOST_FRAMES)
    if counts.sum() < 2:
        return False
    spread, bright = np.repeat(semitones, counts), np.repeat(centroids, counts)
    return voices.several(spread, bright, np.ones(len(spread)), _HOP_S)


_MOST_FRAMES = 60 * SAMPLE_RATE_HZ // HOP
"""Of one turn, which lasts a minute at most; an edited record may say anything."""
