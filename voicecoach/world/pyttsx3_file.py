"""Render one text to a WAV file by pyttsx3, in a process of its own: `python -m voicecoach.world.pyttsx3_file OUT RATE`.

The text comes on standard input. See `voice.Pyttsx3` for why this is a process.
"""

from __future__ import annotations

import sys
import threading

FINISHED_S = 25.0


def main() -> None:
    """Render standard input to argv[1] at pyttsx3's rate argv[2]."""
    import pyttsx3

    finished = threading.Event()
    engine = pyttsx3.init()
    engine.connect("finished-utterance", lambda **_: finished.set())
    engine.setProperty("rate", int(sys.argv[2]))
    engine.setProperty("volume", 1.0)
    engine.save_to_file(sys.stdin.read(), sys.argv[1])
    engine.runAndWait()
    if sys.platform.startswith("linux"):  # with eSpeak it returns while eSpeak's own thread still speaks into the file
        finished.wait(FINISHED_S)


if __name__ == "__main__":
    main()
