"""A record to what people read: one telling, as text and as a page."""
