"""How often a job is tried, and how long is waited in between.

The schedule, without chance in it: 2, 4, 8, 16, 32, 60, 60 seconds between eight attempts that
bring nothing. An attempt that recorded `PROGRESS` is a new beginning: the count and the waits
start anew after it, so a stream of days that loses its machine again and again goes on, while a
URL that ends every recorder within seconds is given up after three minutes. What was saved by
then is delivered by up to three attempts that record nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from chronicle_contracts import naming

from dispatcher.domain.dispatch import Dispatch
from dispatcher.domain.heard import Run

MOST_TRIES = 8
MOST_DELIVERIES = 3
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(seconds=60)
PROGRESS = 60.0  # seconds of media


def wait_after(tries: int) -> timedelta:
    """Return the wait after that many launches in vain: 2 s, 4 s, 8 s, ... 60 s."""
    factor: int = 2 ** min(max(0, tries - 1), 10)
    return min(FIRST_WAIT * factor, LONGEST_WAIT)


def tries_of(dispatch: Dispatch, runs: Iterable[Run]) -> int:
    """Return the launches, good and bad, since the job last got on; that one is counted."""
    got_on = {run.run_id for run in runs if run.gained >= PROGRESS}
    since = 0
    for index, attempt in enumerate(dispatch.tried):
        if naming.run_id(dispatch.job_id, attempt) in got_on:
            since = index
    return len(dispatch.tried) - since
