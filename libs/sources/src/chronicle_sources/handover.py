"""A look that was just taken, for whoever would look next.

It holds what a look brings, addresses and cookies too: it goes from process to process through a
descriptor, and never into a file, an environment, an event or a log.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chronicle_sources.resolution import Resolution

FRESH = timedelta(seconds=60)  # sites give addresses that work for hours; what is live may change


class Handover(BaseModel):
    """What was found behind a URL, and when."""

    model_config = ConfigDict(frozen=True)

    at: AwareDatetime
    found: Resolution = Field(repr=False)

    def is_fresh(self, now: datetime) -> bool:
        """Whether another look would find the same."""
        return abs(now - self.at) <= FRESH
