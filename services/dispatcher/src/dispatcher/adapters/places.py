"""The places for recordings: numbered rows, so that a unique key decides who gets the last."""

from __future__ import annotations

from collections.abc import Sequence

from dispatcher.adapters.database import Database

_TAKE = "INSERT INTO places (place, job_id) VALUES (%s, %s) ON CONFLICT DO NOTHING"


class SqlPlaces:
    """The port `Places` over a table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, job_id: str, most: int) -> bool:
        """Return whether the job has a place now, of `most` in all."""
        while not self._holds(job_id):
            taken = {row[0] for row in self._database.query("SELECT place FROM places")}
            # More may be held than there are now, where the number was lowered.
            if len(taken) >= most:
                return False
            place = next(number for number in range(1, most + 1) if number not in taken)
            # 1. The place may be taken in between: the next round looks for another.
            # 2. So may the job's own place, by its other dispatcher: the next round finds it.
            self._database.execute(_TAKE, (place, job_id))
        return True

    def free(self, job_id: str) -> None:
        """Give the job's place back, if it holds one."""
        self._database.execute("DELETE FROM places WHERE job_id = %s", (job_id,))

    def held(self) -> Sequence[str]:
        """Return the jobs that hold a place."""
        return [row[0] for row in self._database.query("SELECT job_id FROM places")]

    def _holds(self, job_id: str) -> bool:
        return bool(self._database.query("SELECT 1 FROM places WHERE job_id = %s", (job_id,)))
