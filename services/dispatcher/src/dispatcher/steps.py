"""What each step does: act outside first where that is safe to repeat, then record it."""

from __future__ import annotations

import threading

import structlog
from chronicle_contracts import Ignore, naming
from chronicle_contracts.dispatcher import (
    JobAbandoned,
    JobAccepted,
    JobDeferred,
    LaunchFailed,
    RecorderLaunched,
    RecorderLost,
)
from chronicle_eventstore import EventStore, StreamConflict

from dispatcher.domain import admission
from dispatcher.domain.dispatch import Dispatch, Standing
from dispatcher.domain.order import Order
from dispatcher.domain.step import Abandon, Check, Lose, Start
from dispatcher.ports import Launch, LaunchError, Ports, Refused
from dispatcher.roster import Roster

log = structlog.get_logger(__name__)


class Steps:
    """Each method returns whether another step may follow at once.

    All raise `StreamConflict` where another dispatcher has decided something meanwhile.
    """

    def __init__(
        self, store: EventStore, ports: Ports, roster: Roster, *, most_recordings: int
    ) -> None:
        self._store = store
        self._roster = roster
        self._most_recordings = most_recordings
        self._places = ports.places
        self._preflight = ports.preflight
        self._launcher = ports.launcher
        self._clock = ports.clock
        self._at_the_door = threading.Lock()

    def check(self, dispatch: Dispatch, order: Order, step: Check) -> bool:
        """Look at the URL and record the verdict; the first one recorded is the claim.

        Raises `Ignore` where another dispatcher claimed the job.
        """
        claims = dispatch.version == 0
        verdict = self._verdict(order)
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
        return True

    def _verdict(self, order: Order) -> admission.Verdict:
        request, requested = order.request, order.requested
        assert request is not None
        assert requested is not None
        try:
            deferred = admission.scheduled(request.start_at, self._clock.now())
            if deferred is not None:
                self._preflight.check(request.url)
                return deferred
            sight = self._preflight.look(request)
        except Refused as refusal:
            return admission.refused(
                refusal.code, refusal.detail, start_at=request.start_at, now=self._clock.now()
            )
        return admission.accepted(
            title=sight.title,
            site=sight.site,
            live_status=sight.live_status,
            protocol=sight.protocol,
            release_at=sight.release_at,
            requested_at=requested.time,
            now=self._clock.now(),
        )

    def start(self, dispatch: Dispatch, order: Order, step: Start) -> bool:
        """Launch a run where there is a place; else let the job wait in line."""
        if not self._has_place(dispatch):
            if dispatch.standing is not Standing.DEFERRED:
                dispatch.record(
                    JobDeferred(reason="capacity"), at=self._clock.now(), cause=step.cause
                )
                self._store.append(dispatch)
            return False
        assert order.request is not None
        launch = Launch(
            job_id=dispatch.job_id,
            attempt=step.attempt,
            request=order.request,
            max_duration=order.max_duration,
            stop=order.stop_mode,
        )
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

    def _has_place(self, dispatch: Dispatch) -> bool:
        with self._at_the_door:
            if dispatch.job_id not in self._places.held():
                self._roster.catch_up()
                line = self._roster.line()
                if line and line[0] != dispatch.job_id:
                    return False  # nobody overtakes those who wait
            return self._places.take(dispatch.job_id, self._most_recordings)

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
        log.info("job_abandoned", job_id=dispatch.job_id, code=step.code)
        return True

    def lose(self, dispatch: Dispatch, step: Lose) -> bool:
        """End what is left of a run and record that it is lost."""
        assert dispatch.run_id is not None
        assert dispatch.reference is not None
        # Of a process that is gone, too, children may be left that hold the work folder.
        self._launcher.kill(dispatch.reference)
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
        self._launcher.kill(dispatch.reference)

    def close(self, dispatch: Dispatch) -> None:
        """Tidy up after a job that came to its end."""
        self._launcher.clean(dispatch.job_id)
        self._places.free(dispatch.job_id)
        self._roster.drop(dispatch.job_id)
