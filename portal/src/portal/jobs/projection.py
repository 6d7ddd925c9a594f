"""The projection of jobs: a pure fold of contract facts, no clock, no I/O.

Rules that keep a late or repeated word from moving a job back:

- heartbeats never change the status;
- once the recording is whole (`Uploaded`), only the seeder's facts and a deletion go on;
- what an attempt says after a later one was launched changes the status no more, except
  `Uploaded`;
- a job that was asked to stop shows STOPPING until it has ended.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from chronicle_contracts import Event, Fact, JobStatus
from chronicle_contracts import dispatcher as d
from chronicle_contracts import portal as p
from chronicle_contracts import recorder as r
from chronicle_contracts import seeder as s

from portal.eventlog.entry import Entry, Skipped
from portal.jobs.milestones import milestone, passed_over
from portal.jobs.order import canonical, newest_progress
from portal.jobs.state import (
    JobError,
    JobState,
    Progress,
    Recording,
    Torrent,
    TorrentError,
    Waiting,
)
from portal.projections.losses import has_losses

NAME = "jobs"


def fold(state: JobState | None, event: Event, *, position: int = 0) -> JobState:
    """Return the state after one more event; None is the state before the first."""
    if state is None:
        state = JobState(id=event.subject, requested_at=event.time, updated_at=event.time)
    changed = _after(event.data, state, event)
    if changed.waiting is not None and changed.status is not JobStatus.SCHEDULED:
        changed = changed.having(waiting=None)
    line = milestone(event, position)
    return changed.having(
        updated_at=max(changed.updated_at, event.time),
        position=max(changed.position, position),
        timeline=(*changed.timeline, line) if line else changed.timeline,
    )


def fold_history(entries: Iterable[Entry], skipped: Sequence[Skipped] = ()) -> JobState | None:
    """Return the state after a job's events, in whatever order they are given; None for none.

    Heartbeats and other progress count by their newest one alone (`newest_progress`), so that
    a history read without the older ones gives the same state. What was `skipped` leaves a
    line on the timeline and nothing else.
    """
    state: JobState | None = None
    for entry in canonical(newest_progress(entries)):
        state = fold(state, entry.event, position=entry.position)
    for mark in skipped:
        state = with_mark(state, mark)
    return state


def with_mark(state: JobState | None, mark: Skipped) -> JobState:
    """Return the state with a line that says that an event was passed over."""
    if state is None:
        state = JobState(id=mark.job_id, requested_at=mark.at, updated_at=mark.at)
    before = next(
        (index for index, line in enumerate(state.timeline) if line.at > mark.at),
        len(state.timeline),
    )
    return state.having(
        position=max(state.position, mark.position),
        timeline=(*state.timeline[:before], passed_over(mark), *state.timeline[before:]),
    )


def _moved(state: JobState, status: JobStatus) -> JobStatus:
    """Return the status on the way to the recording, unless stopping or delivered hides it."""
    if state.recording is not None:
        return state.status
    return JobStatus.STOPPING if state.stop_mode else status


def _is_past(state: JobState, fact: r.RunFact) -> bool:
    return state.recording is not None or fact.attempt < state.attempt


@functools.singledispatch
def _after(_fact: Fact, state: JobState, _event: Event) -> JobState:
    return state  # a line of the timeline at most


@_after.register
def _(fact: p.JobRequested, state: JobState, event: Event) -> JobState:
    return state.having(
        url=fact.url,
        key=fact.key,
        filename=fact.filename,
        quality=fact.quality,
        live_from_start=fact.live_from_start,
        audio_only=fact.audio_only,
        max_height=fact.max_height,
        max_duration=fact.max_duration,
        start_at=fact.start_at,
        requested_by=fact.requested_by,
        requested_at=event.time,
    )


@_after.register
def _(fact: p.StopRequested, state: JobState, _event: Event) -> JobState:
    if state.status.is_final or state.recording is not None:
        return state
    # What is being delivered has stopped already.
    delivering = state.status is JobStatus.UPLOADING
    return state.having(
        status=state.status if delivering else JobStatus.STOPPING, stop_mode=fact.mode
    )


@_after.register
def _(fact: p.JobExtended, state: JobState, _event: Event) -> JobState:
    return state.having(max_duration=fact.max_duration)


@_after.register
def _(_fact: p.RetryRequested, state: JobState, _event: Event) -> JobState:
    if state.recording is not None:
        return state
    return state.having(
        status=JobStatus.PENDING,
        stop_mode=None,
        error=None,
        progress=None,
        launched_at=None,
        started_at=None,
        ended_at=None,
        completed_at=None,
    )


@_after.register
def _(_fact: p.RecordingDeleted, state: JobState, event: Event) -> JobState:
    if state.recording is None:
        return state
    return state.having(recording=state.recording.having(deleted_at=event.time))


@_after.register
def _(fact: d.JobAccepted, state: JobState, _event: Event) -> JobState:
    return state.having(
        status=_moved(state, JobStatus.PENDING),
        title=fact.title or state.title,
        site=fact.site or state.site,
    )


@_after.register
def _(fact: d.JobRejected, state: JobState, event: Event) -> JobState:
    return _ended(state, event, JobStatus.REJECTED, JobError(code=fact.code, detail=fact.detail))


@_after.register
def _(fact: d.JobDeferred, state: JobState, _event: Event) -> JobState:
    return state.having(
        status=_moved(state, JobStatus.SCHEDULED),
        title=fact.title or state.title,
        waiting=Waiting(reason=fact.reason, until=fact.until, place=fact.place, detail=fact.detail),
    )


@_after.register
def _(fact: d.RecorderLaunched, state: JobState, event: Event) -> JobState:
    if state.recording is not None:
        return state.having(attempt=max(state.attempt, fact.attempt))
    return state.having(
        status=_moved(state, JobStatus.STARTED),
        attempt=max(state.attempt, fact.attempt),
        launched_at=state.launched_at or event.time,
        ended_at=None,
        completed_at=None,
        error=None,
    )


@_after.register
def _(fact: d.JobAbandoned, state: JobState, event: Event) -> JobState:
    if fact.code == "stopped":
        return _ended(state, event, JobStatus.CANCELLED, None)
    return _ended(
        state,
        event,
        JobStatus.FAILED,
        # The recorder's own last words tell more than that it was given up.
        state.error or JobError(code=fact.code, detail=fact.detail),
    )


@_after.register
def _(fact: r.RecordingStarted, state: JobState, event: Event) -> JobState:
    if _is_past(state, fact):
        return state
    return state.having(
        status=_moved(state, JobStatus.RECORDING),
        attempt=max(state.attempt, fact.attempt),
        started_at=state.started_at or event.time,
        key=state.key or fact.key,
        title=fact.title or state.title,
        media=fact.media,
    )


@_after.register
def _(fact: r.Heartbeat, state: JobState, event: Event) -> JobState:
    if fact.attempt < state.attempt:
        return state
    return state.having(
        progress=Progress(at=event.time, **{name: getattr(fact, name) for name in _FROM_HEARTBEAT})
    )


_FROM_HEARTBEAT = tuple(name for name in Progress.model_fields if name != "at")


@_after.register
def _(fact: r.GapFound, state: JobState, _event: Event) -> JobState:
    return state.having(gaps=(*state.gaps, fact.gap))


@_after.register
def _(fact: r.RecordingEnded, state: JobState, event: Event) -> JobState:
    if _is_past(state, fact):
        return state
    if fact.why == "discarded":
        return _ended(state, event, JobStatus.CANCELLED, None)
    return state.having(status=JobStatus.UPLOADING, ended_at=event.time)


@_after.register
def _(fact: r.Uploaded, state: JobState, event: Event) -> JobState:
    return state.having(
        status=JobStatus.CREATING_TORRENT,
        key=fact.key,
        media=fact.media,
        gaps=fact.gaps,
        ended_at=state.ended_at or event.time,
        completed_at=None,
        error=None,
        recording=Recording(
            key=fact.key,
            size=fact.size,
            checksum=fact.checksum,
            duration=fact.duration,
            media=fact.media,
            gaps=fact.gaps,
            completeness=fact.completeness,
            manifest_key=fact.manifest_key,
        ),
        losses=has_losses(fact.gaps, fact.completeness),
    )


@_after.register
def _(fact: r.RecordingFailed, state: JobState, event: Event) -> JobState:
    if _is_past(state, fact):
        return state
    error = JobError(code=fact.code, detail=fact.detail, log_tail=fact.log_tail)
    return _ended(state, event, JobStatus.FAILED, error)


@_after.register
def _(fact: s.TorrentCreated, state: JobState, _event: Event) -> JobState:
    return state.having(
        status=JobStatus.SEEDING,
        key=state.key or fact.recording_key,
        filename=state.filename or fact.name,
        torrent=Torrent(
            state="created",
            info_hash=fact.info_hash,
            magnet=fact.magnet,
            key=fact.key,
            piece_length=fact.piece_length,
            trackers=fact.trackers,
            web_seeds=fact.web_seeds,
        ),
    )


@_after.register
def _(fact: s.SeedingStarted, state: JobState, event: Event) -> JobState:
    return state.having(
        status=JobStatus.COMPLETED,
        completed_at=state.completed_at or event.time,
        torrent=_torrent(state, fact.info_hash, state="seeding", engine=fact.engine, error=None),
    )


@_after.register
def _(fact: s.SeedingProgress, state: JobState, _event: Event) -> JobState:
    return state.having(
        torrent=_torrent(
            state, fact.info_hash, uploaded=fact.uploaded, ratio=fact.ratio, peers=fact.peers
        )
    )


@_after.register
def _(fact: s.SeedingStopped, state: JobState, event: Event) -> JobState:
    return state.having(
        status=JobStatus.COMPLETED,
        completed_at=state.completed_at or event.time,
        torrent=_torrent(state, fact.info_hash, state="stopped"),
    )


@_after.register
def _(fact: s.TorrentFailed, state: JobState, event: Event) -> JobState:
    return state.having(
        status=JobStatus.COMPLETED,
        completed_at=state.completed_at or event.time,
        torrent=Torrent(state="failed", error=TorrentError(code=fact.code, detail=fact.detail)),
    )


def _torrent(state: JobState, info_hash: str, /, **changes: object) -> Torrent:
    torrent = state.torrent or Torrent(state="created", info_hash=info_hash)
    return torrent.having(**changes)


def _ended(state: JobState, event: Event, status: JobStatus, error: JobError | None) -> JobState:
    """Return the state at an end without a recording."""
    if state.recording is not None:
        return state
    return state.having(
        status=status,
        error=error,
        stop_mode=None if status is not JobStatus.CANCELLED else state.stop_mode,
        ended_at=state.ended_at or event.time,
        completed_at=event.time,
    )
