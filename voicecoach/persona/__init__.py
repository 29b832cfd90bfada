"""The customer: (mood, assessment) to (mood, reply), pure."""
