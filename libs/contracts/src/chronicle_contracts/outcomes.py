"""What becomes of a message whose handler did not succeed.

::

    Outcome
    ├── Retry        a passing trouble: leave the message, it comes again
    ├── Ignore       nothing to do (already done, not ours): delete it
    └── Quarantine   it will never succeed: keep it aside for people, delete it from the queue

Any other exception counts as `Retry`, so that a bug loses nothing: after three receives the
message is in the dead-letter queue.
"""

from __future__ import annotations


class Outcome(Exception):
    """A typed end of a handler that did not simply return."""


class Retry(Outcome):
    """The message is to come again, after `delay` seconds where the queue allows it."""

    def __init__(self, reason: str, *, delay: float | None = None) -> None:
        super().__init__(reason)
        self.delay = delay


class Ignore(Outcome):
    """The message needs nothing done."""


class Quarantine(Outcome):
    """The message can never be handled; the reason is kept with it."""
