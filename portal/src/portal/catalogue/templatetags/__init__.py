"""Template tags of the event catalogue."""
