"""Who gets the next place, where more is asked for than can be recorded at once.

The next place goes to whoever holds the fewest; of those who hold as many, to the one who asked
first; and everybody's own jobs keep their order. So one who asks for a hundred recordings has
them one after the other as places become free, and somebody else who asks for one waits for one
place, not for a hundred.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chronicle_contracts.dispatcher import JobDeferred

# Near the front every step is said, further back each halving of the line: a job in a long line
# does not fill the log with its steps.
NEAR = 3


@dataclass(frozen=True)
class Claim:
    """A job that waits for a place, and who asked for it (None: nobody knows)."""

    job_id: str
    requester: str | None


def in_turn(waiting: Sequence[Claim], holding: Iterable[str | None]) -> list[str]:
    """Return the jobs in the order in which they get places.

    `waiting` is in order of arrival; `holding` names, for each place that is taken, who asked.
    """
    shares = Counter(holding)
    turns = []
    for arrival, claim in enumerate(waiting):
        turns.append((shares[claim.requester], arrival, claim.job_id))
        shares[claim.requester] += 1
    return [job_id for _, _, job_id in sorted(turns)]


def is_news(said: JobDeferred | None, now: JobDeferred) -> bool:
    """Return whether a job's place in line is worth saying after what was said of it last."""
    if said is None or said.reason != now.reason or said.place is None or now.place is None:
        return said is None or said.place != now.place
    if (said.detail is None) != (now.detail is None):
        return True
    return now.place < said.place and (now.place <= NEAR or now.place <= said.place // 2)
