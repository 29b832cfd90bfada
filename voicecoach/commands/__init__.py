"""Commands in modules of their own; each is added to the command line by a line in `cli.py`."""
