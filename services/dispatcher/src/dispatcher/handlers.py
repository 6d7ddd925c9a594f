"""The dispatcher's flow: message in, facts out. The table of handled events is at its foot.

Whatever comes in is kept first (what is asked for in `orders`, what runs say in `heard`); then
the job is advanced, one step after the other, each following from what is stored alone. So a
message that comes twice, or again after a crash, finds its work done or goes on with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from chronicle_contracts import Event, Fact, Ignore, Quarantine, naming, portal, recorder
from chronicle_eventstore import EventStore, StreamConflict

from dispatcher.domain.decision import Process, Situation
from dispatcher.domain.dispatch import Dispatch, Standing
from dispatcher.domain.heard import Run, Word
from dispatcher.domain.order import Order
from dispatcher.domain.silence import Patience
from dispatcher.domain.step import Abandon, Check, Close, Kill, Lose, Start, Wait
from dispatcher.ports import Ports
from dispatcher.roster import Roster
from dispatcher.steps import Steps
from dispatcher.sweeping import SecretSweep
from dispatcher.turns import Turns
from dispatcher.waiting_room import WaitingRoom

log = structlog.get_logger(__name__)

# More steps than any job takes at once (check, launch, give up); beyond it something loops.
MOST_STEPS = 12


@dataclass(frozen=True)
class Limits:
    """What the settings allow.

    Recordings at once, bytes that must be free for another one, how long what a job was given
    is kept after its end for another try, and how long runs may stand still.
    """

    most_recordings: int = 20
    least_disk: int = 0
    keep_credentials: timedelta = timedelta(days=1)
    patience: Patience = field(default_factory=Patience)


class Dispatcher:
    """Claims jobs, launches their recorders, and sees them to their end.

    What takes seconds is given to `background` by the supervision, so that it goes on meanwhile.
    """

    def __init__(
        self,
        store: EventStore,
        ports: Ports,
        *,
        background: Executor,
        limits: Limits = Limits(),
    ) -> None:
        self._store = store
        self._ports = ports
        self._background = background
        self._limits = limits
        self._roster = Roster(store)
        self._waiting_room = WaitingRoom(
            ports,
            self._roster,
            most_recordings=limits.most_recordings,
            least_disk=limits.least_disk,
        )
        self._steps = Steps(store, ports, self._roster, self._waiting_room)
        self._sweep = SecretSweep(store, ports, self._roster, keep=limits.keep_credentials)
        self._turns = Turns()
        self._gone: dict[str, datetime] = {}  # since when a run's process is known to be gone
        self._looked_at: set[str] = set()  # jobs that are in the background's hands

    # -- messages in ---------------------------------------------------------------------

    def handle(self, event: Event) -> None:
        """Handle one event; raises an `Outcome` where it does not simply return."""
        if not naming.is_job_id(event.subject):
            # It names folders and groups; nothing good was ever called "../x".
            raise Quarantine(f"the subject {event.subject!r} is no job id")
        handler = HANDLED.get(type(event.data))
        if handler is None:
            raise Ignore(f"{event.type} is not for the dispatcher")
        handler(self, event)

    def asked(self, event: Event) -> None:
        """Take a job on, or try it again, unless another dispatcher did."""
        self._ports.orders.add(event)
        self._advance(event.subject)

    def steered(self, event: Event) -> None:
        """Stop or extend a job: whether it runs by now or is still to be launched."""
        job_id = event.subject
        self._ports.orders.add(event)
        self._advance(job_id)
        dispatch = self._store.find(Dispatch, naming.dispatcher_stream(job_id))
        if dispatch is None or dispatch.standing is not Standing.RUNNING:
            return
        assert dispatch.reference is not None
        if not any(run.run_id == dispatch.run_id and run.sealed for run in self._runs(job_id)):
            order = self._order(job_id)
            self._ports.launcher.control(
                job_id,
                dispatch.reference,
                stop=order.stop_mode,
                max_duration=order.max_duration,
            )

    def spoken(self, event: Event) -> None:
        """Keep a run's word; its last one decides what becomes of the job."""
        word = Word.of(event)
        if word is None:
            raise Ignore(f"{event.type} is no word of a run")
        self._ports.heard.note(word, self._ports.clock.now())
        if word.sealed:
            self._advance(event.subject)

    # -- supervision ---------------------------------------------------------------------

    def tick(self) -> None:
        """Look after every job that is not over; safe beside other dispatchers' ticks."""
        held = self._ports.places.held()
        self._roster.catch_up()
        for job_id in held:
            # Whoever holds a place was accepted before, so who is not in the roster is over.
            if job_id not in self._roster:
                self._ports.places.free(job_id)
        now = self._ports.clock.now()
        for job_id in self._roster.attended(now):
            self._attend(job_id)
        for job_id in self._roster.due(now, self._ports.looks.all()):
            # Looking at a URL takes seconds, in which the others are not left alone.
            if job_id not in self._looked_at:
                self._looked_at.add(job_id)
                self._background.submit(self._look, job_id)
        self._seat()
        self._sweep.run_if_due(now)

    def _seat(self) -> None:
        """Launch those whose turn it is; tell the others where they stand."""
        for job_id in self._waiting_room.turns():
            self._attend(job_id)
            self._roster.catch_up()
            if job_id in self._roster.line():
                break  # still no place: nobody behind it gets one either
        for job_id in self._waiting_room.news():
            self._attend(job_id)

    def _look(self, job_id: str) -> None:
        try:
            self._attend(job_id)
        finally:
            self._looked_at.discard(job_id)

    def _attend(self, job_id: str) -> None:
        try:
            self._advance(job_id, wait=False)
        except Ignore:
            pass
        except Exception:
            # One job's trouble must not end the care for the others.
            log.exception("job_not_advanced", job_id=job_id)

    # -- one step after the other --------------------------------------------------------

    def _advance(self, job_id: str, *, wait: bool = True) -> None:
        with self._turns.of(job_id, wait=wait) as mine:
            if not mine:
                return  # somebody is at it
            for _ in range(MOST_STEPS):
                with suppress(StreamConflict):
                    # After a conflict the next round sees what the other dispatcher decided.
                    if not self._step(job_id):
                        return
            log.warning("job_not_settled", job_id=job_id, steps=MOST_STEPS)

    def _step(self, job_id: str) -> bool:
        """Take the next step; return whether another may follow at once."""
        now = self._ports.clock.now()
        stream = naming.dispatcher_stream(job_id)
        dispatch = self._store.get(Dispatch, stream, job_id=job_id, at=now)
        situation = Situation(
            dispatch=dispatch,
            order=self._order(job_id),
            runs=self._runs(job_id),
            process=self._process(dispatch, now),
            now=now,
            look=self._ports.looks.of(job_id),
        )
        goes_on = False
        match situation.next_step():
            case Wait():
                pass
            case Check() as step:
                goes_on = self._steps.check(dispatch, situation.order, step, situation.look)
            case Start() as step:
                goes_on = self._steps.start(dispatch, situation.order, step)
            case Abandon() as step:
                goes_on = self._steps.abandon(dispatch, step)
            case Lose() as step:
                goes_on = self._steps.lose(dispatch, step)
                self._gone.pop(dispatch.run_id or "", None)
            case Kill():
                self._steps.kill(dispatch)
            case Close() as step:
                self._steps.close(dispatch, situation.order, step)
                self._gone.pop(dispatch.run_id or "", None)
        return goes_on

    def _order(self, job_id: str) -> Order:
        return Order.of(self._ports.orders.of(job_id))

    def _runs(self, job_id: str) -> tuple[Run, ...]:
        return tuple(self._ports.heard.of(job_id))

    def _process(self, dispatch: Dispatch, now: datetime) -> Process:
        gone_since = None
        if dispatch.reference is not None and dispatch.run_id is not None:
            if self._ports.launcher.is_alive(dispatch.reference):
                self._gone.pop(dispatch.run_id, None)
            else:
                gone_since = self._gone.setdefault(dispatch.run_id, now)
        return Process(
            gone_since=gone_since,
            listening_since=self._ports.link.up_since(),
            patience=self._limits.patience,
        )


Handler = Callable[[Dispatcher, Event], None]

HANDLED: Mapping[type[Fact], Handler] = {
    portal.JobRequested: Dispatcher.asked,
    portal.RetryRequested: Dispatcher.asked,
    portal.StopRequested: Dispatcher.steered,
    portal.JobExtended: Dispatcher.steered,
    recorder.RecordingStarted: Dispatcher.spoken,
    recorder.Heartbeat: Dispatcher.spoken,
    recorder.CaptureInterrupted: Dispatcher.spoken,
    recorder.CaptureResumed: Dispatcher.spoken,
    recorder.GapFound: Dispatcher.spoken,
    recorder.RecordingEnded: Dispatcher.spoken,
    recorder.Uploaded: Dispatcher.spoken,
    recorder.RecordingFailed: Dispatcher.spoken,
}
