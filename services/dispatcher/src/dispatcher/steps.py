"""What each step does: act outside first where that is safe to repeat, then record it."""

from __future__ import annotations

from dataclasses import replace

import structlog
from chronicle_contracts import Ignore, naming
from chronicle_contracts.dispatcher import (
    JobAbandoned,
    JobAccepted,
    JobDeferred,
    JobRejected,
    LaunchFailed,
    RecorderLaunched,
    RecorderLost,
)
from chronicle_eventstore import EventStore, StreamConflict

from dispatcher.domain import admission
from dispatcher.domain.dispatch import Dispatch
from dispatcher.domain.fairness import is_news
from dispatcher.domain.look import Look
from dispatcher.domain.order import Order
from dispatcher.domain.step import Abandon, Check, Close, Lose, Start
from dispatcher.ports import Launch, LaunchError, Ports, Refused
from dispatcher.roster import Roster
from dispatcher.waiting_room import WaitingRoom

log = structlog.get_logger(__name__)


class Steps:
    """Each method returns whether another step may follow at once.

    All raise `StreamConflict` where another dispatcher has decided something meanwhile.
    """

    def __init__(
        self, store: EventStore, ports: Ports, roster: Roster, waiting_room: WaitingRoom
    ) -> None:
        self._store = store
        self._roster = roster
        self._waiting_room = waiting_room
        self._places = ports.places
        self._looks = ports.looks
        self._secrets = ports.secrets
        self._preflight = ports.preflight
        self._launcher = ports.launcher
        self._clock = ports.clock

    def check(
        self, dispatch: Dispatch, order: Order, step: Check, before: Look | None = None
    ) -> bool:
        """Look at the URL and record the verdict; the first one recorded is the claim.

        `before` is the look before this one. Raises `Ignore` where another dispatcher claimed
        the job.
        """
        claims = dispatch.version == 0
        waits = dispatch.deferral if dispatch.waits_for_its_stream else None
        look = replace(before or Look(dispatch.job_id, self._clock.now()), at=self._clock.now())
        if waits is not None:
            # First of all: others that share the work need not look at the same time.
            self._looks.note(look)
        verdict, look = self._verdict(order, waits, look)
        if isinstance(verdict, JobDeferred) or look.not_yet_at is not None:
            self._looks.note(look)
        if admission.is_said(waits, verdict) and dispatch.has_answered(step.cause):
            return False  # it waits on, as was said
        dispatch.record(verdict, at=self._clock.now(), cause=step.cause)
        try:
            self._store.append(dispatch)
        except StreamConflict:
            if claims:
                raise Ignore(f"job {dispatch.job_id} is another dispatcher's") from None
            raise
        log.info("job_checked", job_id=dispatch.job_id, verdict=type(verdict).__name__)
        if not isinstance(verdict, JobAccepted):
            self._places.free(dispatch.job_id)
        if isinstance(verdict, JobRejected):
            self._looks.forget(dispatch.job_id)
        return True

    def _verdict(
        self, order: Order, waits: JobDeferred | None, look: Look
    ) -> tuple[admission.Verdict, Look]:
        """Return what becomes of the job, and what this look has brought."""
        request = order.request
        assert request is not None
        try:
            deferred = admission.scheduled(request.start_at, look.at)
            if deferred is not None:
                self._preflight.check(request.url)
                return deferred, look
            sight = self._preflight.look(request)
        except Refused as refusal:
            troubled_since = look.troubled_since or look.at
            verdict = admission.refused(
                refusal.code,
                refusal.detail,
                start_at=request.start_at,
                waits=waits,
                troubled_since=troubled_since,
                now=look.at,
            )
            not_yet_at = look.at if refusal.code in admission.GONE else look.not_yet_at
            return verdict, replace(look, not_yet_at=not_yet_at, troubled_since=troubled_since)
        verdict = admission.accepted(
            title=sight.title,
            site=sight.site,
            live_status=sight.live_status,
            protocol=sight.protocol,
            release_at=sight.release_at,
        )
        is_deferred = isinstance(verdict, JobDeferred)
        not_yet_at = look.at if is_deferred else look.not_yet_at
        return verdict, replace(look, not_yet_at=not_yet_at, troubled_since=None)

    def start(self, dispatch: Dispatch, order: Order, step: Start) -> bool:
        """Launch a run where there is a place; else let the job wait in line."""
        refusal = self._waiting_room.enter(dispatch)
        if refusal is not None:
            said = dispatch.deferral if dispatch.waits_for_a_place else None
            if is_news(said, refusal):
                dispatch.record(refusal, at=self._clock.now(), cause=step.cause)
                self._store.append(dispatch)
            return False
        launch = self._launch(dispatch, order, step)
        # 1. Launching is idempotent by run id, so two of us start one recorder.
        # 2. Only one of us records it. The other sees, after its conflict, what was recorded.
        # 3. Was the job given up meanwhile, the recorder that nobody knows of has to go.
        try:
            reference = self._launcher.launch(launch)
        except LaunchError as error:
            self._record_failure(dispatch, step, launch.run_id, error)
            return True
        dispatch.record(
            RecorderLaunched(
                run_id=launch.run_id,
                attempt=step.attempt,
                launcher=self._launcher.name,
                reference=reference,
                deliver_only=step.deliver_only,
            ),
            at=self._clock.now(),
            cause=step.cause,
        )
        try:
            self._store.append(dispatch)
        except StreamConflict:
            again = self._store.find(Dispatch, naming.dispatcher_stream(dispatch.job_id))
            if again is not None and again.is_over and again.run_id != launch.run_id:
                self._launcher.control(
                    dispatch.job_id, reference, stop="discard", max_duration=None
                )
            raise
        log.info("recorder_launched", job_id=dispatch.job_id, run_id=launch.run_id)
        return False

    def _launch(self, dispatch: Dispatch, order: Order, step: Start) -> Launch:
        assert order.request is not None
        return Launch(
            job_id=dispatch.job_id,
            attempt=step.attempt,
            request=order.request,
            max_duration=order.max_duration,
            stop=order.stop_mode,
            catch_up=step.catch_up,
            deliver_only=step.deliver_only,
        )

    def _record_failure(
        self, dispatch: Dispatch, step: Start, run_id: str, error: LaunchError
    ) -> None:
        log.warning("launch_failed", job_id=dispatch.job_id, run_id=run_id, code=error.code)
        dispatch.record(
            LaunchFailed(
                run_id=run_id,
                attempt=step.attempt,
                launcher=self._launcher.name,
                code=error.code,
                detail=error.detail,
            ),
            at=self._clock.now(),
            cause=step.cause,
        )
        self._store.append(dispatch)

    def abandon(self, dispatch: Dispatch, step: Abandon) -> bool:
        """Record that nothing more is tried."""
        if step.clean:
            self._launcher.clean(dispatch.job_id)
        dispatch.record(
            JobAbandoned(code=step.code, detail=step.detail, attempts=dispatch.attempt),
            at=self._clock.now(),
            cause=step.cause,
        )
        self._store.append(dispatch)
        self._places.free(dispatch.job_id)
        self._looks.forget(dispatch.job_id)
        log.info("job_abandoned", job_id=dispatch.job_id, code=step.code)
        return True

    def lose(self, dispatch: Dispatch, step: Lose) -> bool:
        """End what is left of a run and record that it is lost."""
        assert dispatch.run_id is not None
        assert dispatch.reference is not None
        # Of a process that is gone, too, children may be left that hold the work folder.
        self._launcher.kill(dispatch.job_id, dispatch.reference)
        dispatch.record(
            RecorderLost(
                run_id=dispatch.run_id,
                attempt=dispatch.attempt,
                reason=step.reason,
                detail=step.detail,
            ),
            at=self._clock.now(),
        )
        self._store.append(dispatch)
        log.warning("recorder_lost", job_id=dispatch.job_id, reason=step.reason)
        return True

    def kill(self, dispatch: Dispatch) -> None:
        """End a process that has said its last word and does not go."""
        assert dispatch.reference is not None
        log.warning("recorder_lingers", job_id=dispatch.job_id, run_id=dispatch.run_id)
        self._launcher.kill(dispatch.job_id, dispatch.reference)

    def close(self, dispatch: Dispatch, order: Order, step: Close) -> None:
        """Tidy up after a job that came to its end."""
        if step.for_good and order.request is not None and order.request.credentials:
            self._secrets.delete(order.request.credentials)
        self._launcher.clean(dispatch.job_id)
        self._places.free(dispatch.job_id)
        self._looks.forget(dispatch.job_id)
        self._roster.drop(dispatch.job_id)
