"""Every error a user can meet, as a sentence: what happened, where, and what to do next.

Exit codes (documented in docs/commands.md): 1 unexpected, 2 usage, 3 a file or input cannot be used,
4 sound device, 5 model or voice missing, 6 disk, 130 stopped with Ctrl-C.
"""

from __future__ import annotations


class VoicecoachError(Exception):
    """`what` happened, and what to `do` about it; `detail` keeps the host's own words."""

    exit_code = 1

    def __init__(self, what: str, do: str = "", detail: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.do = do
        self.detail = detail

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.do) if part)


class BadInput(VoicecoachError):
    """A file or an argument that cannot be used as it is."""

    exit_code = 3


class DeviceError(VoicecoachError):
    """A microphone or a speaker that is missing, refused or lost."""

    exit_code = 4


class NoDevice(DeviceError):
    """There is no microphone or no speaker at all."""


class MissingModel(VoicecoachError):
    """A model or a voice that is not on this machine, or whose bytes are not the pinned ones."""

    exit_code = 5


class DiskError(VoicecoachError):
    """The disk is full, read-only or failing."""

    exit_code = 6


def install(extra: str) -> str:
    """The command that installs an extra of pyproject.toml: from the checkout, since there is no release."""
    return f'pip install ".[{extra}]" in the folder of voicecoach'
