"""The next step for a job: a pure function of all that is known about it.

Handlers take one step after the other until there is nothing to do. Whatever brings them here
(a message, its redelivery, the supervision's tick, another dispatcher's crash), the step
follows from what is stored, so a step that was lost on the way is simply taken again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chronicle_contracts import Event

from dispatcher.domain.backoff import MOST_DELIVERIES, MOST_TRIES, tries_of, wait_after
from dispatcher.domain.dispatch import LOST, Dispatch, Standing
from dispatcher.domain.failure import NOTHING_SAVED, can_pass
from dispatcher.domain.heard import Run
from dispatcher.domain.look import Look, due_at, missed_since
from dispatcher.domain.order import Order
from dispatcher.domain.silence import Patience, silence_of
from dispatcher.domain.step import Abandon, Check, Close, Kill, Lose, Start, Step, Wait

# The last words of a run may still be on the way when its process is gone.
EXIT_GRACE = timedelta(seconds=5)
# While the line is down, a recorder that ended may have failed or may have finished unheard: it
# is tried again, but not so often that none is left to pass its last words on later.
TRIES_UNHEARD = 3
# A recorder that said its last word ends by itself; one that does not is ended after this.
SEAL_GRACE = timedelta(seconds=60)


@dataclass(frozen=True)
class Process:
    """The process of the newest run, as far as it can be seen from here.

    `gone_since`: since when it is known to have ended, None while it runs;
    `listening_since`: since when it can have been heard, None while the line is down.
    """

    gone_since: datetime | None
    listening_since: datetime | None
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True)
class Situation:
    """All that is known about a job at a moment.

    `runs` are those that were heard, `look` is the last look at a URL that is waited for.
    """

    dispatch: Dispatch
    order: Order
    runs: Sequence[Run]
    process: Process
    now: datetime
    look: Look | None = None

    def next_step(self) -> Step:
        """Return what is to be done next."""
        if self.order.requested is None:
            return Wait()  # its request has not come in yet
        # An attempt may find the work done by an earlier one, and only pass on its last words.
        if any(run.delivered for run in self.runs):
            return self._when_delivered()
        if self.dispatch.is_over:
            return Check(self._retry) if self._retry else Wait()
        if self.dispatch.standing is Standing.RUNNING:
            return self._while_running()
        if self.dispatch.standing is Standing.FALLEN:
            return self._after_a_fall()
        return self._when_stopped() or self._before_a_run()

    # -- before a run --------------------------------------------------------------------

    def _before_a_run(self) -> Step:
        dispatch = self.dispatch
        if dispatch.standing is Standing.NEW:
            return Check(self._cause)
        if dispatch.standing is Standing.ACCEPTED or dispatch.waits_for_a_place:
            return self._start()
        if self._retry is None and self.now < due_at(dispatch, self.look):
            return Wait()
        return Check(self._cause)

    def _when_stopped(self) -> Abandon | None:
        if self.order.stop is None:
            return None
        first = self.dispatch.attempt == 0
        return Abandon(
            "stopped",
            "Stopped before anything was recorded." if first else "Stopped before the next try.",
            self.order.stop,
            clean=self._is_discarded,
        )

    # -- during a run --------------------------------------------------------------------

    def _while_running(self) -> Step:
        run = next((one for one in self.runs if one.run_id == self.dispatch.run_id), None)
        if run is None or not run.sealed:
            return self._unless_lost(run)
        if self.process.gone_since is None:
            # The next attempt needs the work folder to itself.
            return self._until_it_goes(run.heard_at)
        if run.discarded:
            return Check(self._retry) if self._retry else Close(for_good=False)
        return self._after_failure(run)

    def _unless_lost(self, run: Run | None) -> Step:
        launched_at = self.dispatch.launched_at
        assert launched_at is not None, "what runs was launched"
        process = self.process
        if process.gone_since is not None:
            if process.listening_since is None and self._tries >= TRIES_UNHEARD:
                return Wait()
            # Counted from when it could be heard again, too: its last words wait on the line.
            since = max(process.gone_since, process.listening_since or process.gone_since)
            if self.now - since < EXIT_GRACE:
                return Wait()
            return Lose("exited", "The recorder's process ended without a last word.")
        if process.listening_since is None:
            return Wait()  # nobody can be heard: no silence can be blamed on the run
        silence = silence_of(
            run,
            launched_at=launched_at,
            listening_since=process.listening_since,
            now=self.now,
            patience=process.patience,
        )
        return Lose("silent", silence) if silence else Wait()

    # -- after a run ---------------------------------------------------------------------

    def _when_delivered(self) -> Step:
        if self.process.gone_since is not None or self.dispatch.reference is None:
            return Close(for_good=True)
        return self._until_it_goes(max(run.heard_at for run in self.runs))

    def _until_it_goes(self, sealed_at: datetime) -> Step:
        return Kill() if self.now - sealed_at >= SEAL_GRACE else Wait()

    def _after_failure(self, run: Run) -> Step:
        code = run.code or "unknown"
        detail = run.detail or "The recorder gave no reason."
        stop = self.order.stop
        if stop is not None and (self._is_discarded or not can_pass(code)):
            said = f"Stopped; nothing was kept: {detail}"
            return Abandon("stopped", said, stop, clean=self._is_discarded)
        if not can_pass(code) and self._retry is None:
            return self._give_up(code, detail, run.heard_at)
        return self._again(code, detail, run.heard_at)

    def _after_a_fall(self) -> Step:
        trouble = self.dispatch.trouble
        assert trouble is not None, "a fall has a reason"
        if self._is_discarded or self.dispatch.attempt == 0:
            stopped = self._when_stopped()
            if stopped is not None:
                return stopped
        # The time in which its last words were waited for is part of the wait.
        waited = EXIT_GRACE if trouble.code == LOST else timedelta(0)
        return self._again(trouble.code, trouble.detail, trouble.at - waited)

    def _again(self, code: str, detail: str, since: datetime) -> Step:
        if self._retry is not None:
            return Check(self._retry)
        tries = self._tries
        if tries >= MOST_TRIES or self.dispatch.deliveries:
            return self._give_up(code, f"Given up after {tries} attempts: {detail}", since)
        # Stopped, and something may have been kept by an attempt that fell: the next one
        # delivers it, and need not wait.
        if self.order.stop is None and self.now < since + wait_after(tries):
            return Wait()
        return self._start()

    def _give_up(self, code: str, detail: str, since: datetime) -> Step:
        """Have delivered what was saved, before nothing more is tried."""
        has_saved = any(run.media_seconds for run in self.runs)
        deliveries = self.dispatch.deliveries
        if not has_saved or code == NOTHING_SAVED or deliveries >= MOST_DELIVERIES:
            # What could not be delivered waits for a retry; a folder without media for nobody.
            return Abandon(code, detail, self._cause, clean=not has_saved)
        if deliveries and self.now < since + wait_after(deliveries):
            return Wait()
        return Start(self.dispatch.attempt + 1, self._cause, deliver_only=True)

    # -- what follows from the order -----------------------------------------------------

    def _start(self) -> Start:
        order = self.order
        wanted_at = self._cause.time
        if order.request is not None and order.request.start_at is not None:
            wanted_at = max(wanted_at, order.request.start_at)
        since = missed_since(wanted_at, self.look, self.runs, self.now)
        return Start(self.dispatch.attempt + 1, self._cause, catch_up=since)

    @property
    def _tries(self) -> int:
        return tries_of(self.dispatch, self.runs)

    @property
    def _is_discarded(self) -> bool:
        return self.order.stop_mode == "discard"

    @property
    def _cause(self) -> Event:
        cause = self.order.retry or self.order.requested
        assert cause is not None, "nothing is decided before the request has come in"
        return cause

    @property
    def _retry(self) -> Event | None:
        """The wish for another try that nothing was done for yet."""
        retry = self.order.retry
        if retry is None or self.dispatch.has_answered(retry):
            return None
        # A launch after somebody asked for another try is that other try.
        launched_at = self.dispatch.launched_at
        return None if launched_at is not None and launched_at > retry.time else retry
