"""The customer's voice in the trainee's microphone while a call goes on: cancelled, gated, waited for, or found out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from voicecoach.call import Call
from voicecoach.call.tape import Tape
from voicecoach.measure.activity import Span, extended, intersect
from voicecoach.measure.observe import dbfs
from voicecoach.nouns import SAMPLE_RATE_HZ, Floats, Samples, Turn
from voicecoach.world import echo as echoes
from voicecoach.world.echo import CANCELLED, HALF_DUPLEX, HEADSET
from voicecoach.world.sound import Block, Duplex, SoundInfo

ECHO_TAIL_S = 0.3
"""In half duplex the microphone stays deaf for this long after the customer's last word."""
LATER_S = 0.2
"""An echo that came after the microphone had rested makes it rest this much longer."""
PLAYED = 50
"""Blocks: 1.6 s, all that an echo can come from (world/echo.py)."""


class EchoGuard:
    """Takes in every block, and says when the microphone is not to be believed."""

    def __init__(self, call: Call, sound: Duplex) -> None:
        self._sound, self._test, self._forced = sound, call.echo_test, call.echo_forced
        self.mode = call.echo
        self._canceller = echoes.Canceller() if self.mode == CANCELLED else None
        leak = call.echo_test if self.mode == HEADSET and call.echo_test else None
        # A test on loudspeakers says nothing about the headset that was plugged in since, and chosen by hand.
        self._gate = leak.gate_dbfs if leak and echoes.decide(leak) == HEADSET else None
        """Weaker sound (dBFS) while the customer is heard is a headset's leak."""
        self._settling = round(echoes.SETTLES_S * SAMPLE_RATE_HZ)
        """The customer's samples that the cancellation still needs before it can be trusted."""
        self.devices = (sound.info.input, sound.info.output)
        """Microphone and speaker as they were last looked at."""
        self._played: tuple[Span, ...] = ()
        """Where the customer was heard lately."""
        self._cleaned, self._out = Tape(), Tape()
        """The microphone without the customer's voice, and the customer."""
        self._late_s = 0.0
        """By how much later than expected echoes have come."""

    @property
    def resting(self) -> bool:
        """The microphone rests while the customer speaks."""
        return self.mode == HALF_DUPLEX

    @property
    def late(self) -> int:
        """Samples from the customer's voice on its way out to its echo on its way in; 0 where there is none."""
        if self.mode == HEADSET:
            return 0
        tested = self._test
        late_s = tested.delay_s if tested and tested.match >= echoes.MATCH else self._sound.info.latency_s
        return round(late_s * SAMPLE_RATE_HZ)

    def told(self) -> Mapping[str, Any]:
        """What the record keeps of the echo: the mode, and what the test of the devices found."""
        test = asdict(self._test) if self._test else None
        return {"echo": self.mode, "echo_test": test, **({"echo_forced": True} if self._forced else {})}

    def clean(self, block: Block, at: int) -> Samples:
        """Take in a block; the microphone without the customer's voice, where that is cancelled."""
        cleaned = block.mic
        if self._canceller is not None and not block.away:
            cleaned = self._canceller.clean(block.mic, block.out)
        self._cleaned.add(at, cleaned)
        self._out.add(at, block.out)
        if block.customer:
            self._played = extended(self._played, at, at + len(block.out))
        return cleaned

    def forget(self, before: int) -> None:
        """Drop what was heard before a sample."""
        self._cleaned.forget(before)
        self._out.forget(before)
        self._played = tuple(span for span in self._played if span[1] + self.late >= before)

    def spoiled(self, start: int, end: int, overlap: Sequence[Span]) -> tuple[Span, ...]:
        """Where the microphone held the customer's voice too, from a sample to another: nobody's delivery is measured there.

        On a headset only where both were heard at once; else wherever the customer was, and as long as the echo lasts.
        """
        if self.mode == HEADSET:
            return intersect([(start, end)], overlap)
        return intersect([(start, end)], [(first, last + self.late) for first, last in self._played])

    def heard_customer(self, start: int, end: int) -> tuple[Span, ...]:
        """Where the trainee heard the customer, from a sample to another."""
        return intersect([(start, end)], self._played)

    def quiet_from(self, at: int, customer_end: int) -> int:
        """Where the customer's last echo was over, if that is not after `at`; 0 where there is none, or it still lasts."""
        over = customer_end + self.late
        return over if self.mode != HEADSET and customer_end > 0 and over <= at else 0

    def cleaned_from(self, start: int) -> Floats:
        """What was heard from a sample on, without the customer's voice [shape=(n,)]."""
        return self._cleaned.between(start)

    def deaf(self, block: Block, at: int, speaking: bool, customer_end: int) -> bool:
        """Whether what the microphone hears may be the customer: always in half duplex, else while AEC settles."""
        if self._canceller is not None and self._settling > 0:
            self._settling -= len(block.out) * block.customer
            return block.customer
        if not self.resting:
            return self._gate is not None and self._leaks(block, at, customer_end) and dbfs(block.mic) < self._gate
        tail = round((ECHO_TAIL_S + self._late_s) * SAMPLE_RATE_HZ) + self.late
        return speaking or (at - customer_end < tail and customer_end > 0)

    def _leaks(self, block: Block, at: int, customer_end: int) -> bool:
        """Whether the customer is heard, or what was heard last is still on its way back."""
        late = round(self._test.delay_s * SAMPLE_RATE_HZ) + len(block.mic) if self._test else 0
        return block.customer or (customer_end > 0 and at - customer_end < late)

    def is_only_echo(self, turn: Turn) -> bool:
        """Whether most of a turn is the customer's voice, later than was expected or not cancelled."""
        if self._forced or not self._sound.realtime:
            return False
        first, mic, out = self._out.start, self._cleaned.all(), self._out.all()
        step = round(echoes.LOOK_BACK_S * SAMPLE_RATE_HZ)
        ends = [end for start, last in turn.speech for end in range(start + step, max(last, start + step) + 1, step)]
        same = [echoes.is_echo(mic[: end - first], out[: end - first]) for end in ends if first < end]
        return sum(same) > len(same) / 2

    def wait_longer(self) -> None:
        """Echoes come later than was expected."""
        self._late_s = min(self._late_s + LATER_S, echoes.MAX_DELAY_S)

    def hears_customer(self) -> bool:
        """Whether the customer's voice comes back in just now, in spite of headset or cancellation."""
        if self.resting or self._forced or not self._sound.realtime:
            return False
        return echoes.is_echo(self._cleaned.last(PLAYED), self._out.last(PLAYED))

    def rest(self) -> None:
        """From now on the microphone rests while the customer speaks."""
        self.mode, self._canceller = HALF_DUPLEX, None

    def look_at_devices(self, info: SoundInfo) -> bool:
        """Whether the sound has moved to other devices; what was found on the old ones then says nothing any more."""
        if (info.input, info.output) == self.devices:
            return False
        self.devices = (info.input, info.output)
        self._test = self._gate = None
        if not self.resting and not self._forced:
            self.rest()
        return True
