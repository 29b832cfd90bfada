"""Waiting in tests: for the thing itself, and for no longer than a busy machine may need."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(there: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for something that another thread or process does."""
    limit = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < limit, "it never came"
        time.sleep(0.01)
