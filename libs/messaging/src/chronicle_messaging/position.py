"""How far an outbox has been said, kept as tracking records beside its events."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from chronicle_contracts import decode
from eventsourcing.persistence import IntegrityError, ProcessRecorder, Tracking

from chronicle_messaging.provisioning import Topic

# As long as the queues keep what nobody fetched: what is older, a lost topic had delivered or
# would have dropped.
SAID_AGAIN = timedelta(days=14)


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


class Positions:
    """The outbox's position, one for each incarnation of a topic.

    Two records are kept: `<topic>#<incarnation>` for this life of the topic and `<topic>` for
    all its lives. Recorders keep the highest id of each, so that several relays over one store
    cannot move it back.

    `save_every`: seconds for which a position may be known here alone. Whoever begins before it
    is saved says again what was confirmed meanwhile; 0 saves every move.
    """

    def __init__(
        self,
        recorder: ProcessRecorder,
        *,
        save_every: float = 0.0,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._recorder = recorder
        self._save_every = save_every
        self._clock = clock
        self._known: tuple[Topic, int] | None = None  # how far a life of the topic is by now
        self._is_saved = True
        self._saved_at = 0.0  # monotonic; also when it was read

    def of(self, topic: Topic) -> int:
        """Return the id of the last notification that need not be said (0 = say everything).

        To a new incarnation, everything of the last 14 days is said again; and what no
        incarnation ever confirmed is said however old it is.
        """
        known = self._known[1] if self._known is not None and self._known[0] == topic else None
        if known is not None and not self._is_due:
            return known
        here = self._recorder.max_tracking_id(_life(topic))
        if known is not None and not self._is_saved:
            return max(here or 0, known)
        if here is not None:
            return here
        ever = self._recorder.max_tracking_id(topic.name) or 0
        return min(ever, self._before(self._clock() - SAID_AGAIN)) if ever else 0

    def move(self, topic: Topic, notification_id: int) -> None:
        """Remember that everything up to this notification is confirmed."""
        self._known, self._is_saved = (topic, notification_id), False
        if self._is_due:
            self.save()

    def save(self) -> None:
        """Write down what is known here alone."""
        if self._known is None or self._is_saved:
            return
        topic, notification_id = self._known
        # A crash between the two leaves one behind: some events are said twice then.
        for name in (topic.name, _life(topic)):
            # Another relay over this store is further already.
            with contextlib.suppress(IntegrityError):
                self._recorder.insert_tracking(Tracking(name, notification_id))
        self._is_saved, self._saved_at = True, time.monotonic()

    @property
    def _is_due(self) -> bool:
        return time.monotonic() - self._saved_at >= self._save_every

    def _before(self, moment: datetime) -> int:
        """Return an id before the first event that happened at a moment or later.

        By bisection: ids are given in the order of saving, which is that of time but for
        seconds; an hour is allowed for clocks that disagree.
        """
        moment -= timedelta(hours=1)
        low, high = 0, self._recorder.max_notification_id() or 0
        while low < high:
            middle = (low + high) // 2 + 1
            # The first one at `middle` or after it: ids may have holes.
            found = self._recorder.select_notifications(start=middle, limit=1)
            if found and decode(found[0].state).time < moment:
                low = middle
            else:
                high = middle - 1
        return low


def _life(topic: Topic) -> str:
    return f"{topic.name}#{topic.incarnation}"
