"""Fewer heaps: glibc makes one for nearly every thread that asks for memory and keeps it, and calls make new threads."""

from __future__ import annotations

import ctypes
import sys

ARENAS = 2
"""Heaps, one for each of the two cores that the product is made for. With glibc's own choice (8 for each core) the
recogniser's scratch space stayed behind in seven of them: 565 MB after the first call, 890 after the tenth
(benchmarks/endurance.py --live)."""
_M_ARENA_MAX = -8
"""Its number in glibc's malloc.h."""


def few_arenas() -> None:
    """From now on threads share ARENAS heaps. Nothing happens where malloc is another one."""
    if not sys.platform.startswith("linux"):
        return
    try:
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)
    except (OSError, AttributeError):
        return
