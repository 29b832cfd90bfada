"""How it was said: "quietly and slowly" (001.3), each half with its number beside its threshold.

Loudness is the gain-free vocal effort against the trainee's own calm voice, so a near or far microphone makes no
difference. Nothing here says what the trainee felt: happy speech measures much like angry speech (docs/delivery.md).
"""

from __future__ import annotations

from voicecoach.measure.validity import MIN_WORDS
from voicecoach.nouns import F0, Delivery, Loudness, Observation, Pace, Rate, Relative

RAISED_DB = 2.0
"""Effort in dB over the calm voice above which speech is raised; the rule is 001.3. On the 12 speakers of docs/validation.md
1.7 % of calm and neutral clips lie above and 86.5 % of the angry ones. Why not lower or higher: docs/delivery.md, section
5."""
SOFTER = "softer"
"""The live cue of a raised voice: one word, because nobody reads a sentence while speaking."""
SETTLED_DB = 1.0
"""At or below this the voice is quiet. Between the two the last verdict stays, so that a voice near the line does not
flicker: the same neutral sentence spoken again differs by 1.3 dB (standard deviation, docs/delivery.md section 5)."""
SHOUTING_DB = 12.0
"""Our judgement: the line for raised plus more than twice the 3.5 dB mean error of the measure (docs/delivery.md), so
that nobody is told of shouting by an error of measurement; 12 dB is four times the amplitude."""
STILL_SHOUTING_DB = 10.0
"""Once shouting, below this it is only raised: the same 2 dB of tolerance as lower down. Our judgement."""

FEW_WORDS = 6
RAISED_FEW_DB = 4.0
"""A nod of a few words ("I see. Go on, please.") carries one accent or two, and its effort scatters by up to 2.2 dB
(docs/delivery.md section 5): under FEW_WORDS words, between the usual line and this one nothing is said. Our judgement: two
such scatters."""

BRISK_SPS = 4.6
RUSHED_SPS = 5.2
"""Syllables a second, pauses left out: agents who slowed from 5.22 to 4.63 gained 7.1 % satisfaction
(Cascio Rizzo & Berger 2023, SSRN 4580994; docs/delivery.md)."""
BRISK_WPM = 150.0
RUSHED_WPM = 170.0
"""Words a minute, pauses counted: guides for phone agents put comfortable speech at 120 to 150 and hurry above 160
(docs/delivery.md; trade pages, not studies)."""
BRISK_RATIO = 1.10
"""Articulation rate over the trainee's own calm rate; the line is judgement, above the largest error of the measure
(7.1 %, mean 2.8 %; docs/delivery.md section 3)."""
TOO_SLOW_WPM = 95.0
"""Below this, slowness itself annoys: over-articulated speech is heard as anger (Morgan & Ferguson 2017;
docs/delivery.md)."""
FLAT_ST = 4.0
"""Pitch range (10th to 90th percentile, semitones) below which the voice hardly moves. Our judgement: quiet and slow is
the target only with a natural range, and a monotone is never rewarded (docs/delivery.md)."""


def judge_delivery(observation: Observation | None, previous: Delivery | None = None) -> Delivery:
    """The verdicts on one utterance; `previous` is the trainee's last one, for the tolerance bands."""
    if observation is None:
        return Delivery("unsure", "unsure", ("there is no recording of this turn",))
    if not observation.quality.ok:
        return Delivery("unsure", "unsure", observation.quality.reasons or ("the recording does not carry a verdict",))
    loudness, loud_evidence = _loudness(observation.relative, previous)
    if too_few_words(observation) and observation.relative and loudness == "raised":
        loudness, loud_evidence = (
            "unsure",
            (*loud_evidence, f"not judged in under {FEW_WORDS} words up to +{RAISED_FEW_DB:g}"),
        )
    pace, pace_evidence = _pace(observation.rate, observation.relative)
    too_slow = pace == "slow" and observation.rate is not None and observation.rate.wpm < TOO_SLOW_WPM
    flat = loudness == "quiet" and pace == "slow" and is_flat(observation)
    evidence = (*loud_evidence, *pace_evidence, *(_flat_evidence(observation.f0) if flat else ()))
    return Delivery(loudness, pace, evidence, _advice(loudness, pace, too_slow, flat))


def too_few_words(observation: Observation) -> bool:
    """Whether the words are so few that only a clear change of effort counts, and this is none."""
    rate, relative = observation.rate, observation.relative
    if rate is None or relative is None or rate.words >= FEW_WORDS:
        return False
    return SETTLED_DB < relative.effort_db <= RAISED_FEW_DB


def is_flat(observation: Observation | None) -> bool:
    """Whether the pitch hardly moved, over words enough to tell."""
    if observation is None or observation.f0 is None or observation.rate is None:
        return False
    return observation.rate.words >= MIN_WORDS and observation.f0.range_st < FLAT_ST


def _flat_evidence(f0: F0 | None) -> tuple[str, ...]:
    return (f"pitch range {f0.range_st:.1f} semitones; flat below {FLAT_ST:g}",) if f0 else ()


def _loudness(relative: Relative | None, previous: Delivery | None) -> tuple[Loudness, tuple[str, ...]]:
    if relative is None:
        return "unsure", ("loudness not judged: there is no calibration of your calm voice",)
    effort = relative.effort_db
    was = previous.loudness if previous else "unsure"
    verdict: Loudness
    if effort > SHOUTING_DB or (was == "shouting" and effort > STILL_SHOUTING_DB):
        verdict, line = "shouting", f"shouting above +{SHOUTING_DB:g}"
    elif effort > RAISED_DB:
        verdict, line = "raised", f"raised above +{RAISED_DB:g}"
    elif was in ("raised", "shouting") and effort > SETTLED_DB:
        verdict, line = "raised", f"still raised until +{SETTLED_DB:g}"
    else:
        verdict, line = "quiet", f"raised above +{RAISED_DB:g}"
    return verdict, (f"effort {effort:+.1f} dB over your calm voice; {line}",)


def _pace(rate: Rate | None, relative: Relative | None) -> tuple[Pace, tuple[str, ...]]:
    if rate is None:
        return "unsure", ("pace not judged: the rate of speech was not measured",)
    if rate.words < MIN_WORDS:
        return "unsure", (f"pace not judged: {rate.words} words, at least {MIN_WORDS} are needed",)
    ratio = relative.rate_ratio if relative else None
    evidence = [
        f"{rate.articulation_sps:.1f} syllables a second; brisk above {BRISK_SPS}, rushed above {RUSHED_SPS}",
        f"{rate.wpm:.0f} words a minute; brisk above {BRISK_WPM:g}, rushed above {RUSHED_WPM:g}",
    ]
    if ratio is not None:
        evidence.append(f"{ratio:.2f} times your calm rate; brisk above {BRISK_RATIO:.2f}")
    if rate.articulation_sps > RUSHED_SPS or rate.wpm > RUSHED_WPM:
        return "rushed", tuple(evidence)
    if rate.articulation_sps > BRISK_SPS or rate.wpm > BRISK_WPM or (ratio is not None and ratio > BRISK_RATIO):
        return "brisk", tuple(evidence)
    if rate.wpm < TOO_SLOW_WPM:
        evidence[1] = f"{rate.wpm:.0f} words a minute; very slow below {TOO_SLOW_WPM:g}"
    return "slow", tuple(evidence)


def _advice(loudness: Loudness, pace: Pace, too_slow: bool, flat: bool) -> str:
    """One sentence about what would help most, or none: calm speech needs no remark, and no praise for slowness."""
    loud, fast = loudness in ("raised", "shouting"), pace in ("brisk", "rushed")
    if loud and fast:
        return (
            "You spoke louder and faster than your calm voice: breathe out, then start the next sentence low and slow."
        )
    if loudness == "shouting":
        return "You were much louder than your calm voice: pause, breathe out, and begin again as if the customer sat beside you."
    if loud:
        return "You were louder than your calm voice: let the next sentence start lower and softer than the customer's last one."
    if pace == "rushed":
        return "You spoke fast: leave a short pause after each thought, so that the customer can take it in."
    if pace == "brisk":
        return "A little slower would do: end each sentence before you begin the next."
    if flat and too_slow:
        return "A little more pace, and a voice that moves up and down, would sound more natural: very slow, even speech can come across as impatience."
    if flat:
        return (
            "Quiet and slow is right; let your voice move naturally as well, up for what matters and down at the end."
        )
    if too_slow:
        return "A little more pace would sound more natural: very slow speech can come across as impatience."
    return ""
