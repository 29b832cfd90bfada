"""What glibc does with memory, for a process that holds one call after the other. Elsewhere nothing happens."""

from __future__ import annotations

import contextlib
import ctypes
import sys

ARENAS = 2
"""Heaps, one for each of the two cores that the product is made for. glibc makes one for nearly every thread that asks
for memory (up to 8 for each core) and keeps it, and calls make new threads: the recogniser's scratch space stayed behind
in seven of them, 565 MB after the first call, 890 after the tenth (benchmarks/endurance.py --live)."""
_M_ARENA_MAX = -8
"""Its number in glibc's malloc.h."""


def few_arenas() -> None:
    """From now on threads share ARENAS heaps."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)


def give_back() -> None:
    """Let the system have what was freed: glibc keeps it, tens of MB after a model has run."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
