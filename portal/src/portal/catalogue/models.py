"""How often each kind of event is in the log, up to a position."""

from __future__ import annotations

from django.db import models


class Tally(models.Model):
    """One row: a count that is taken up again where it was left.

    The log only grows, so what was counted once need not be counted again. Counts of all types
    and the position that they reach are one value: whoever writes last, they fit together.
    """

    upto = models.BigIntegerField(default=0)
    counts = models.JSONField(default=dict)
    """By type: how many there are, and the position of the newest."""

    class Meta:
        verbose_name = "tally"

    def __str__(self) -> str:
        """Say how far it reaches."""
        return f"up to {self.upto}"
