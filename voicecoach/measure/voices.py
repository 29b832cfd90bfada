"""More than one voice in a recording: two at once, or two in turns. Simple signs, with few false alarms and many misses.

Figures are our measurements (docs/delivery.md, section 8): mixtures of FDA, RAVDESS, LJ and Kennedy, against 296 clips of
one voice. Nothing here says who spoke.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

AT_ONCE = "This sounds like more than one voice at once."
IN_TURN = "This sounds like two people in turn, a low voice and a high one."
REASONS = frozenset({AT_ONCE, IN_TURN})

JUMP_ST = 3.0
MAX_JUMPS_PER_S = 3.0
"""With two voices the tracker leaps between them: 2.0 to 6.4 leaps of over 3 semitones from one frame to the next in a
second of voiced speech (medians of ten kinds of mixture). One calm voice: none in the middle, 0.9 in one clip of 20. At
3, one of 296 clips of one voice is taken for two; at 2, six, all of them angry."""
MIXED = (0.65, 0.85)
"""Median confidence of the tracker in loud frames: 0.70 to 0.85 for two voices at once, 0.85 to 0.97 for one. Rough
shouts leap too, but then it is lower still."""
LOUD_DB = 15.0
SHOUT_HZ = 300.0
"""A median above is a shout, in which the tracker leaps by itself: not judged."""
MIN_VOICED_S = 0.7

APART_ST = 7.0
APART_SD = 3.3
"""A man and a woman lie 9 to 15 semitones apart, and each stays close to its own middle: their middles are this many
standard deviations apart."""
MIN_SHARE = 0.2
MIN_EACH_S = 0.6
STRETCH_S = 0.4
IN_STRETCHES = 0.7
"""Each voice keeps the word: this share of its voiced speech is in stretches of at least STRETCH_S."""
BRIGHTER_PER_ST = 0.03
"""Octaves of centroid for a semitone. One voice that goes up by 7 semitones or more is louder, hence brighter, by 0.031 or
more (35 recordings with calm and angry clips of one actor); a woman after a man is so by 0.02 in the middle."""


def several(semitones: Doubles, log_centroid: Doubles, weights: Doubles, hop_s: float) -> bool:
    """Whether two voices speak in turn, from the voiced frames: pitch, log2 centroid and weights [shape=(n,)].

    `hop_s` is the time that one frame stands for.
    """
    high = _upper(semitones)
    share = float(high.mean())
    if min(share, 1 - share) < MIN_SHARE or min(share, 1 - share) * len(semitones) * hop_s < MIN_EACH_S:
        return False
    upper, lower = semitones[high], semitones[~high]
    apart = float(np.median(upper) - np.median(lower))
    spread = float(np.sqrt((upper.var() + lower.var()) / 2))
    if apart < APART_ST or float(upper.mean() - lower.mean()) < APART_SD * spread:
        return False
    if min(_in_stretches(high, hop_s), _in_stretches(~high, hop_s)) < IN_STRETCHES:
        return False
    brighter = np.average(log_centroid[high], weights=weights[high]) - np.average(
        log_centroid[~high], weights=weights[~high]
    )
    return bool(brighter < BRIGHTER_PER_ST * apart)


def _upper(values: Doubles) -> npt.NDArray[np.bool_]:
    """Which values belong to the upper of two groups: the split with the least variance inside them (Otsu 1979)."""
    ordered = np.sort(values)
    n = len(ordered)
    below = np.arange(1, n)
    sums = np.cumsum(ordered)
    means = sums[:-1] / below, (sums[-1] - sums[:-1]) / (n - below)
    best = int(np.argmax(below * (n - below) * (means[1] - means[0]) ** 2)) if n > 1 else 0
    return values > ordered[best] if n else np.zeros(0, bool)


def _in_stretches(mine: npt.NDArray[np.bool_], hop_s: float) -> float:
    """Share of the marked frames that lie in runs of at least STRETCH_S; frames without voice do not end a run."""
    edges = np.flatnonzero(np.diff(mine, prepend=False, append=False)).reshape(-1, 2)
    lengths = edges[:, 1] - edges[:, 0]
    return float(lengths[lengths * hop_s >= STRETCH_S].sum() / max(lengths.sum(), 1))


def at_once(frames: npt.NDArray[np.intp], semitones: Doubles, confidence: float, hop_s: float) -> bool:
    """Whether two voices speak at once, from the voiced frames and the median confidence of the loud ones."""
    voiced_s = len(frames) * hop_s
    shout_st = 12 * float(np.log2(SHOUT_HZ))
    if voiced_s < MIN_VOICED_S or not MIXED[0] <= confidence < MIXED[1] or float(np.median(semitones)) > shout_st:
        return False
    leaps = (np.abs(np.diff(semitones)) > JUMP_ST) & (np.diff(frames) == 1)
    return bool(leaps.sum() / voiced_s > MAX_JUMPS_PER_S)
