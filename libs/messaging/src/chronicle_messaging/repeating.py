"""Saying a range of a stream again: the log lacks it, and only its publisher has it."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from chronicle_contracts import Event, Ignore, Retry
from chronicle_contracts.portal import RepeatRequested
from eventsourcing.persistence import AggregateRecorder

from chronicle_messaging.bus import Bus

log = structlog.get_logger(__name__)

WINDOW = 200  # events read from the store at a time


def repeating(
    handle: Callable[[Event], None], recorder: AggregateRecorder, bus: Bus
) -> Callable[[Event], None]:
    """Let a handler of events also answer `RepeatRequested` for the streams of this store.

    What is asked for goes through the topic once more, under the ids that it always had: who
    heard it before knows it. The relay's position has no part in it. A stream that is not in
    this store is somebody else's.
    """

    def repeat_or_handle(event: Event) -> None:
        if isinstance(event.data, RepeatRequested):
            _repeat(event, event.data, recorder, bus)
        else:
            handle(event)

    return repeat_or_handle


def _repeat(event: Event, request: RepeatRequested, recorder: AggregateRecorder, bus: Bus) -> None:
    """Raises `Ignore` where the store has nothing of it, `Retry` where not all was confirmed."""
    if event.is_replayed:
        raise Ignore("a wish of the past that a replay brings is not granted twice")
    publisher = bus.publisher()
    # The same occasion if this message comes again; another one if it is asked for anew.
    occasion = (event.forced_by or event.id.hex)[:16]
    said, after = 0, request.from_sequence - 1
    while stored := recorder.select_events(
        request.stream, gt=after, lte=request.to_sequence, limit=WINDOW
    ):
        confirmed = publisher.publish([one.state for one in stored], again=occasion)
        said += confirmed
        if confirmed < len(stored):
            raise Retry(f"{said} events of {request.stream} were said again, then it failed")
        after = stored[-1].originator_version
    if not said:
        raise Ignore(f"nothing of {request.stream} from {request.from_sequence} on is kept here")
    log.info("events_repeated", stream=request.stream, events=said)
