"""voicecoach: a flight simulator for difficult calls."""

__version__ = "0.1.0"
RULES_VERSION = "2026.11.1"
"""Version of the rules by which reports judge; it changes when a verdict could."""
