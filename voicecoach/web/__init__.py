"""The page in the browser: one more Sound port, and one more reader of what a call tells. It holds no rules of its own."""
