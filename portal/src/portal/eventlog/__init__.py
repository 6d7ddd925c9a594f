"""The event log: everything that was said, in the order in which it was heard."""
