"""The customer: (mood, assessment) to (mood, reply), pure."""

from voicecoach.persona.engine import (
    begin,
    cut_in,
    cuts_in_after_s,
    has_more_to_tell,
    react,
    react_to_silence,
    say_goodbye,
)
from voicecoach.persona.model import (
    LEVELS,
    LevelName,
    Line,
    Person,
    Persona,
    Scenario,
    as_text,
    at_level,
    cast,
    fill,
    lines,
    load_persona,
    parse_persona,
)
from voicecoach.persona.offers import is_wanted
from voicecoach.persona.style import style_for, style_name

__all__ = [
    "LEVELS",
    "LevelName",
    "Line",
    "Person",
    "Persona",
    "Scenario",
    "as_text",
    "at_level",
    "begin",
    "cast",
    "cut_in",
    "cuts_in_after_s",
    "fill",
    "has_more_to_tell",
    "is_wanted",
    "lines",
    "load_persona",
    "parse_persona",
    "react",
    "react_to_silence",
    "say_goodbye",
    "style_for",
    "style_name",
]
