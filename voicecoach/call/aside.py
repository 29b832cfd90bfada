"""What the worker does while nobody waits for it: the numbers of what was said, and the careful pass over turns."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from typing import Any

from voicecoach.call import answering
from voicecoach.call.answering import Again, Answered
from voicecoach.nouns import Observation
from voicecoach.world.ears import Ears

WITHIN_S = 20.0
"""The longest that the end of a call waits for one of them: a turn of a minute takes some 6 s."""


class Aside:
    """Work in the making, and what came of it, in order."""

    def __init__(self, ears: Ears, worker: Executor, realtime: bool) -> None:
        self._ears, self._worker = ears, worker
        self._within_s = WITHIN_S if realtime else None
        self._measuring: deque[tuple[Future[Observation], str, Mapping[str, Any]]] = deque()
        """Each with the kind and the data of its event."""
        self._later: deque[Answered] = deque()
        self._again: Future[Again] | None = None

    def measure(self, kind: str, data: Mapping[str, Any], work: Callable[..., Observation], *given: object) -> None:
        """Have something measured, for an event."""
        self._measuring.append((self._worker.submit(work, *given), kind, data))

    def measured(self, wait: bool) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The events of what has been measured; raises TimeoutError where that takes longer than WITHIN_S.

        Files wait for as long as it takes.
        """
        while self._measuring and (wait or self._measuring[0][0].done()):
            work, kind, data = self._measuring.popleft()
            yield kind, {**data, "observation": work.result(self._within_s)}

    def hear_again(self, answered: Answered) -> None:
        """Have a turn heard with care, once there is time."""
        self._later.append(answered)

    def heard_again(self, wait: bool, idle: bool, latency: int) -> Iterator[Again | Exception]:
        """The turns that have been, and what broke in others; raises TimeoutError as `measured` does.

        The next one is begun where the worker is `idle`, all of them where it may `wait`.
        """
        while True:
            if self._again is not None and (wait or self._again.done()):
                careful, self._again = self._again, None
                try:
                    again = careful.result(self._within_s)
                except TimeoutError:
                    raise
                except Exception as error:  # noqa: BLE001 - nobody waits for it: what was heard first stays
                    yield error
                    continue
                if again.heard.text:  # what the quick pass heard stays where the careful one hears nothing
                    yield again
            if self._again is not None or not self._later or not (wait or idle):
                return
            self._again = self._worker.submit(answering.hear_again, self._ears, self._later.popleft(), latency)
