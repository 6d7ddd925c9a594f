"""Where jobs wait for a place: who is next, and whether there is room for anybody."""

from __future__ import annotations

import threading

from chronicle_contracts.dispatcher import JobDeferred

from dispatcher.domain.dispatch import Dispatch
from dispatcher.domain.fairness import Claim, in_turn, is_news
from dispatcher.domain.order import Order
from dispatcher.ports import Ports
from dispatcher.roster import Roster

_MIB = 1024 * 1024


class WaitingRoom:
    """Gives out the places of `Ports.places`; `least_disk` bytes must be free for another."""

    def __init__(
        self, ports: Ports, roster: Roster, *, most_recordings: int, least_disk: int
    ) -> None:
        self._orders = ports.orders
        self._places = ports.places
        self._launcher = ports.launcher
        self._roster = roster
        self._most_recordings = most_recordings
        self._least_disk = least_disk
        self._door = threading.Lock()
        self._requesters: dict[str, str | None] = {}  # it never changes: a job is asked for once

    def enter(self, dispatch: Dispatch) -> JobDeferred | None:
        """Give the job a place (None), or say why it waits; who holds one already keeps it."""
        job_id = dispatch.job_id
        with self._door:
            if job_id in self._places.held():
                return None
            self._roster.catch_up()
            turns = self._turns(newcomer=job_id)
            refusal = JobDeferred(
                reason="capacity",
                place=turns.index(job_id) + 1,
                detail=self._too_little_disk(),
            )
            if turns[0] != job_id or refusal.detail is not None:
                return refusal  # nobody overtakes those whose turn it is
            return None if self._places.take(job_id, self._most_recordings) else refusal

    def turns(self) -> list[str]:
        """Return the jobs that wait, in the order in which they get places."""
        return self._turns()

    def news(self) -> list[str]:
        """Return the jobs that have come nearer to a place than was said of them."""
        return [
            job_id
            for place, job_id in enumerate(self._turns(), 1)
            if (said := self._roster.deferral_of(job_id)) is not None
            and is_news(said, said.model_copy(update={"place": place}))
        ]

    def _turns(self, newcomer: str | None = None) -> list[str]:
        line = list(self._roster.line())
        if newcomer is not None and newcomer not in line:
            line.append(newcomer)
        held = self._places.held()
        turns = in_turn(
            [Claim(job_id, self._requester(job_id)) for job_id in line],
            [self._requester(job_id) for job_id in held],
        )
        self._requesters = {
            job_id: self._requesters[job_id]
            for job_id in (*line, *held)
            if job_id in self._requesters
        }
        return turns

    def _requester(self, job_id: str) -> str | None:
        if job_id not in self._requesters:
            request = Order.of(self._orders.of(job_id)).request
            if request is None:
                return None  # it may still come in
            self._requesters[job_id] = request.requested_by
        return self._requesters[job_id]

    def _too_little_disk(self) -> str | None:
        free = self._launcher.free_disk()
        if free is None or free >= self._least_disk:
            return None
        return (
            f"The disk has {free // _MIB} MiB left; "
            f"a recording is begun with {self._least_disk // _MIB} MiB or more."
        )
