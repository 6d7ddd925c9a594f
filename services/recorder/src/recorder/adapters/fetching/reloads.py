"""When a playlist or manifest that is read again and again is given up."""

from __future__ import annotations

import time

from chronicle_sources.errors import without_secrets

from recorder.domain.hindrance import Hindrance, Kind

# Seconds of failing reloads after which the site is asked anew. A server that is down comes back
# at the same address, and asking the site takes longer than trying that: every second counts
# once the playlist has rolled on.
ANSWERED_LIMIT = 30.0
UNANSWERED_LIMIT = 120.0

NOT_FOUND = 404
REFUSALS = frozenset({401, 403, 410})  # the same address will not do; a new one may


class Reloads:
    """How reading one address went; `what` is what lies there, for people."""

    def __init__(self, what: str) -> None:
        self._what = what
        self.refusal: str | None = None
        self.trouble = ""
        self._status: int | None = None
        self._failing_since: float | None = None

    def worked(self) -> None:
        """Note that it was read."""
        self._failing_since = None

    def failed(self, status: int | None, said: str) -> None:
        """Note that it could not be read; `status` is of HTTP, None without an answer."""
        said = without_secrets(said).rstrip(".")
        self.trouble = f"The {self._what} cannot be read: {said}."
        self._status = status
        if self._failing_since is None:
            self._failing_since = time.monotonic()
        if status in REFUSALS:
            self.refusal = self.trouble

    @property
    def failing_for(self) -> float:
        """Seconds since it could be read the last time; 0 while it can."""
        return 0.0 if self._failing_since is None else time.monotonic() - self._failing_since

    @property
    def is_given_up(self) -> bool:
        """Whether it failed for so long that the site is to be asked for another address."""
        is_answered = self._status is not None and self._status < 500
        return self.failing_for > (ANSWERED_LIMIT if is_answered else UNANSWERED_LIMIT)

    @property
    def hindrance(self) -> Hindrance | None:
        """What keeps it from being read; None while it is."""
        if self._failing_since is None:
            return None
        return Hindrance(kind_of(self._status), self.trouble)


def kind_of(status: int | None) -> Kind:
    """Return what an HTTP status says of a server; None: there was no answer."""
    if status is None:
        return "unreachable"
    if status in REFUSALS:
        return "refused"
    return "missing" if status == NOT_FOUND else "failing"
