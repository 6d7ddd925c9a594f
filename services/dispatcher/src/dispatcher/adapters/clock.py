"""The machine's clock."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """The port `Clock`: the wall clock, in UTC."""

    def now(self) -> datetime:
        """Return the time with its zone."""
        return datetime.now(UTC)
