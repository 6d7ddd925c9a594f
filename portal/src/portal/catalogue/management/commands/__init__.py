"""Commands of the event catalogue."""
