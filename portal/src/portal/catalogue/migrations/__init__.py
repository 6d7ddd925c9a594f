"""Tables of the event catalogue."""
