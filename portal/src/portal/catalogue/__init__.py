"""The event catalogue: what is said in this system, by whom, to whom, and how often."""
