"""One module for each command or group of commands, put on the command line by `cli.py`, which none of them knows.

What several of them share is in `common`, `devices`, `calm_voice` and `calls`.
"""
