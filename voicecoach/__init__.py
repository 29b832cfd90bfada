"""voicecoach: a flight simulator for difficult calls."""

import os as _os

# Nothing leaves the machine: some libraries report their use unless they are told not to, before they are imported.
_os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
_os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
RULES_VERSION = "2026.11.10"
"""Version of the rules by which reports judge; it changes when a verdict could."""
