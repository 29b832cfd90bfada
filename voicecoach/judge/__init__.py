"""Numbers and words to verdicts: pure."""
