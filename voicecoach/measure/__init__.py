"""Audio and words to numbers: pure numpy."""
