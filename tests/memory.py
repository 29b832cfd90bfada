"""What a program of its own holds at most."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STATUS = Path("/proc/self/status")
PEAK = f"""
import re, sys
from pathlib import Path

def peak():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("{STATUS}").read_text())[1])
"""
known = pytest.mark.skipif(
    not (STATUS.is_file() and "VmHWM" in STATUS.read_text()), reason="this system does not tell what a program held"
)


def peaks(code: str, *arguments: str, given: str = "", timeout_s: float = 240.0) -> list[int]:
    """The numbers that `code` prints, in a process of its own. Its peak() tells the bytes that it has held at most so far.

    That is VmHWM: on Linux, ru_maxrss begins with what the parent held, and tests hold much.
    """
    done = subprocess.run(
        [sys.executable, "-c", PEAK + code, *arguments],
        input=given, capture_output=True, text=True, check=False, timeout=timeout_s, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

    return [int(number) for number in done.stdout.split()]
