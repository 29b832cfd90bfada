"""`python -m voicecoach` is the command `voicecoach`."""

from voicecoach.cli import main

main()
