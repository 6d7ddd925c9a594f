"""Projections: everything that is shown, folded from the log."""
