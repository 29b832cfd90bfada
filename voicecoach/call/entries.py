"""What the record says of each step of a call: the data of its events (the list of them is in `record.py`)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from voicecoach import RULES_VERSION, __version__
from voicecoach.call import Call, Outcome
from voicecoach.call.answering import Answer
from voicecoach.call.saying import Spoken
from voicecoach.errors import VoicecoachError
from voicecoach.measure import activity
from voicecoach.measure.bargein import words_played
from voicecoach.measure.turns import Patience
from voicecoach.nouns import SAMPLE_RATE_HZ, Heard, Reaction, Turn
from voicecoach.talkover import Stopped
from voicecoach.world import pitch, vad
from voicecoach.world.ears import Ears
from voicecoach.world.hearing import weights
from voicecoach.world.models import ModelFiles
from voicecoach.world.playback import FADE_MS
from voicecoach.world.sound import GIVE_UP_S, SoundInfo

Data = Mapping[str, Any]

# --- facts ---------------------------------------------------------------------------------------------


def started(
    call: Call, patience: Patience, sound: SoundInfo, echo: Data, ears: Ears, files: ModelFiles | None, voice: str
) -> Data:
    """All that the call was made of."""
    return {
        "wall": call.wall,
        "voicecoach": __version__,
        "rules": RULES_VERSION,
        "trainee": call.trainee,
        "persona": {
            "id": call.persona.id,
            "name": call.persona.name,
            "person": call.persona.person,
            "level": call.persona.level or "",
            "sha256": hashlib.sha256(call.persona_text.encode()).hexdigest(),
        },
        "procedure": call.procedure.id,
        "seed": call.seed,
        "mode": call.mode,
        "patience_s": patience.finished_s,
        "patience": asdict(patience),
        "sound": {**asdict(sound), **echo},
        "ears": {
            "model": ears.name,
            "sha256": files.sha256 if files else "",
            "source": files.source if files else "",
        },
        "voice": voice,
        "words": getattr(call.reword, "name", "as authored"),
        "vad": vad.NAME,
        "tracker": pitch.name(),
        "weights": weights(),
        "baseline": asdict(call.baseline) if call.baseline else None,
        "recent": call.recent,
        **({"moment": call.moment} if call.moment else {}),
        **call.origin,
    }


def said(spoken: Spoken, start: int) -> Data:
    """A line of the customer that begins at the sample `start`."""
    reply, line = spoken.reaction.reply, spoken.line
    return {
        "line": reply.line,
        "text": reply.text,
        "level": reply.level,
        "anger": spoken.reaction.mood.anger,
        "voice": line.engine,
        "start": start,
        "end": start + len(line.samples),
    }


def spoke(number: int, turn: Turn) -> Data:
    """A turn of the trainee."""
    return {"turn": number, "start": turn.start, "end": turn.end, "speech": turn.speech, "overlap": turn.overlap}


def heard(number: int, words: Heard) -> Data:
    """The words of a turn of the trainee."""
    told = [asdict(word) for word in words.words]
    return {"who": "trainee", "turn": number, "text": words.text, "words": told, "model": words.model}


def wordless(turn: Turn) -> Data:
    """Voice of the trainee in which no words were found."""
    return {
        "start": turn.start,
        "end": turn.end,
        "speech": turn.speech,
        "what": "No words were understood in what you just said.",
        "do": "Say it again, a little clearer or closer to the microphone.",
    }


def silent_from(silent: int, now: int) -> int:
    """The sample from which nothing is heard of a line that was told at `silent` to stand still, as far as is known `now`."""
    return min(now, silent + round(FADE_MS / 1000 * SAMPLE_RATE_HZ))


def words_heard(spoken: Spoken, heard_s: float) -> str:
    """The words of a line as far as it is made that had been spoken after `heard_s` seconds of it."""
    made = spoken.line.text or spoken.reaction.reply.text
    return words_played(made, heard_s * SAMPLE_RATE_HZ / max(1, len(spoken.line.samples)))


def interrupted(spoken: Spoken, played_s: float, words: str, stopped: Stopped, now: int, together: bool) -> Data:
    """The trainee has stopped a line: how much of it was played when the voice over it began, and the words that were heard.

    Where both had begun `together` nobody has interrupted.
    """
    reply = spoken.reaction.reply
    return {
        "by": "trainee",
        "line": reply.line,
        "start": stopped.onset,
        "end": silent_from(stopped.silent, now),
        "played_s": played_s,
        "stopped": True,
        "noticed_s": (stopped.noticed - stopped.onset) / SAMPLE_RATE_HZ,
        "of_s": len(spoken.line.samples) / SAMPLE_RATE_HZ,
        "words": words,
        "told": spoken.reaction.mood.told,
        **({"together": True} if together else {}),
    }


def timed(
    number: int,
    answer: Answer,
    turn: Turn,
    *,
    drafted: int,
    closed: int,
    first_out: int,
    line_end: int,
    withdrawn: int,
    realtime: bool,
) -> Data:
    """When each step of an answer was taken: samples of the session clock, and ms from the end of speech.

    The answer waits for the customer's own line, which ended at `line_end`: nobody waits for the customer meanwhile.
    Where the sound waits for the loop (files), the steps are added up instead.
    """
    speech_end = turn.speech[-1][1] - round(activity.USUAL_HOLD_S * SAMPLE_RATE_HZ)
    endpoint_ms, drafted_ms = ((to - speech_end) * 1000 / SAMPLE_RATE_HZ for to in (closed, drafted))
    answer_ms = (first_out - max(speech_end, line_end)) * 1000 / SAMPLE_RATE_HZ
    recognise_ms, judge_ms, voice_ms = answer.took_ms
    return {
        "turn": number,
        "speech_end": speech_end,
        "speculated": drafted,
        "committed": closed,
        "chosen": answer.chosen,
        "first_out": first_out,
        "endpoint_ms": endpoint_ms,
        "recognise_ms": recognise_ms,
        "judge_ms": judge_ms,
        "voice_ms": voice_ms,
        "answer_ms": answer_ms if realtime else max(endpoint_ms, drafted_ms + sum(answer.took_ms)),
        "withdrawn": withdrawn,
    }


# --- judgements ----------------------------------------------------------------------------------------


def reacted(reaction: Reaction, turn: int | None) -> Data:
    """What the customer made of a turn, or of something else (None)."""
    causes = [asdict(cause) for cause in reaction.causes]
    return {"turn": turn, "mood": reaction.mood, "causes": causes, "line": reaction.reply.line}


# --- faults and endings --------------------------------------------------------------------------------

STALLED: Data = {
    "what": "The sound device has stopped for a moment: the call is paused.",
    "do": f"Waiting up to {GIVE_UP_S:g} s for it to come back: look at its plug, or choose another in your system.",
    "detail": "",
}
PAUSED_BY_ZEROS: Data = {
    "what": "The microphone delivers nothing but zeros: the call is paused.",
    "do": "Is it muted or unplugged? It goes on as soon as there is sound.",
    "detail": "",
}
ZEROS: Data = {
    "what": "The microphone delivers nothing but zeros.",
    "do": "Is it muted? Unmute it or choose another.",
    "detail": "",
}
UNHEARD: Data = {
    "what": "The last turn could not be heard in time.",
    "do": "It can be played; close what else keeps this machine busy before the next call.",
    "detail": "",
}
UNSPOKEN: Data = {
    "what": "The rest of the customer's line was not spoken in time.",
    "do": "Close what else keeps this machine busy, or check the voices with: voicecoach doctor",
    "detail": "",
}
UNMEASURED: Data = {
    "what": "The second, careful look at the last turns was not ready in time.",
    "do": "What was heard first stays; close what else keeps this machine busy before the next call.",
    "detail": "",
}
ECHO_WHAT = ("Your microphone hears the customer: from now on it rests while the customer speaks.",)
"""The sentence of today, and behind it those of older records: who words it anew leaves the old one in."""
ECHO: Data = {
    "what": ECHO_WHAT[0],
    "do": "Use headphones to be able to interrupt; before the next call you can say that you do.",
    "detail": "",
}


def is_echo_fault(data: Data) -> bool:
    """Whether a `fault` of any record is that of an echo heard in mid-call."""
    return data.get("what") in ECHO_WHAT


def failed(error: Exception) -> Data:
    """An error of ours in its own words, anything else by what Python says of it."""
    if isinstance(error, VoicecoachError):
        return {"what": error.what, "do": error.do, "detail": error.detail}
    return {"what": "Something in voicecoach broke.", "do": "", "detail": repr(error)}


def not_heard_again(error: Exception) -> Data:
    """What is told where the careful pass over a turn broke."""
    return {
        "what": "The second, careful look at a turn failed.",
        "do": "What was heard first stays. Check the recogniser with: voicecoach doctor",
        "detail": failed(error)["detail"],
    }


def ended_by(reaction: Reaction, name: str) -> tuple[Outcome, str] | None:
    """How the customer's line ends the call, and why; None where it does not."""
    match reaction.reply.ends:
        case "resolved":
            return "resolved", f"{name} accepted the solution."
        case "hung up":
            return "hung up", f"{name} hung up."
        case "manager":
            return "manager", f"{name} was handed to a manager."
        case "drill over":
            return "drill over", reaction.mood.drill.result
        case "":
            return None
