"""The projection of daily totals: what each job adds to which day.

A day is one of UTC: of a recording the day on which it was uploaded, of a failure the day on
which the job ended without a recording. A failure of an attempt that the next attempt made up
for counts nowhere; one that somebody answered with a retry stays where it was. The sums are
made by who reads.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import date

from chronicle_contracts import Event, Fact
from chronicle_contracts import dispatcher as d
from chronicle_contracts import portal as p
from chronicle_contracts import recorder as r

from portal.projections.projection import Part, Row

# An abandonment with this code is a wish, not a failure.
_STOPPED = "stopped"


class Delivered(Part):
    """A recording of a day; one that is uploaded again replaces what was said before."""

    day: date
    seconds: float
    bytes: int


class Failed(Part):
    """The end of a job without a recording."""

    day: date
    code: str


class Share(Part):
    """What a job adds to the totals; `failing` is taken back if a later attempt goes on."""

    delivered: Delivered | None = None
    failed: tuple[Failed, ...] = ()
    failing: Failed | None = None


def fold(
    state: Share | None,
    event: Event,
    *,
    position: int = 0,  # noqa: ARG001 (a fold is called so)
) -> Share | None:
    """Return the share after one more event."""
    return _after(event.data, state or Share(), event)


@functools.singledispatch
def _after(_fact: Fact, state: Share, _event: Event) -> Share:
    return state


@_after.register
def _(fact: r.Uploaded, state: Share, event: Event) -> Share:
    delivered = Delivered(day=event.time.date(), seconds=fact.duration, bytes=fact.size)
    return Share(delivered=delivered, failed=state.failed)


@_after.register(r.RecordingFailed)
@_after.register(d.JobRejected)
def _(fact: r.RecordingFailed | d.JobRejected, state: Share, event: Event) -> Share:
    return _failing(state, event, fact.code)


@_after.register
def _(fact: d.JobAbandoned, state: Share, event: Event) -> Share:
    if fact.code == _STOPPED:
        return state.having(failing=None)
    # The recorder's own last words tell more than that it was given up.
    return _failing(state, event, state.failing.code if state.failing else fact.code)


@_after.register
def _(_fact: d.RecorderLaunched, state: Share, _event: Event) -> Share:
    return state.having(failing=None) if state.failing else state


@_after.register
def _(_fact: p.RetryRequested, state: Share, _event: Event) -> Share:
    if state.failing is None:
        return state
    return state.having(failed=(*state.failed, state.failing), failing=None)


def _failing(state: Share, event: Event, code: str) -> Share:
    if state.delivered is not None:
        return state
    return state.having(failing=Failed(day=event.time.date(), code=code))


def rows(job_id: str, state: Share) -> Sequence[Row]:
    """Return what the job adds, a row for each end that it came to."""
    failures = (*state.failed, state.failing) if state.failing else state.failed
    shares: list[Row] = [
        {
            "id": f"{job_id}/{number}",
            "job_id": job_id,
            "day": failure.day,
            "code": failure.code,
            "recordings": 0,
            "failures": 1,
            "seconds": 0.0,
            "bytes": 0,
        }
        for number, failure in enumerate(failures, start=1)
    ]
    if (done := state.delivered) is not None:
        shares.append(
            {
                "id": f"{job_id}/0",
                "job_id": job_id,
                "day": done.day,
                "code": "",
                "recordings": 1,
                "failures": 0,
                "seconds": done.seconds,
                "bytes": done.bytes,
            }
        )
    return shares
