"""The timeline: what a person reads of each event that is worth a line."""

from __future__ import annotations

from collections.abc import Callable

from chronicle_contracts import Event, Fact
from chronicle_contracts import dispatcher as d
from chronicle_contracts import portal as p
from chronicle_contracts import recorder as r
from chronicle_contracts import seeder as s

from portal.eventlog.entry import Skipped
from portal.eventlog.progress import PROGRESS_TYPES
from portal.jobs.state import Milestone


def milestone(event: Event, position: int) -> Milestone | None:
    """Return the line of an event, or None for progress; a type not known here gets its name."""
    if event.type in PROGRESS_TYPES:
        return None
    words = _WORDS.get(type(event.data))
    what, detail = words(event.data) if words else (event.type, None)
    return Milestone(
        at=event.time, type=event.type, what=what, detail=detail or None, position=position
    )


def passed_over(mark: Skipped) -> Milestone:
    """Return the line of an event that is passed over."""
    name = mark.type.removeprefix("chronicle.")
    by = f" by {', '.join(mark.projections)}" if mark.projections else ""
    return Milestone(
        at=mark.at,
        type=mark.type,
        what=f"Event {name} passed over{by}",
        detail=mark.reason or None,
        position=mark.position,
    )


def _seconds(value: float | None) -> str:
    return "without limit" if value is None else f"{value:g} s"


def _waits(fact: d.JobDeferred) -> str | None:
    said = (
        f"until {fact.until:%Y-%m-%d %H:%M:%S} UTC" if fact.until else None,
        f"place {fact.place} in line" if fact.place else None,
        fact.detail,
    )
    return "; ".join(one for one in said if one) or None


def _requested_by(who: str | None) -> str | None:
    return f"by {who}" if who else None


def _media(media: r.MediaInfo) -> str:
    size = f"{media.width}x{media.height}" if media.width and media.height else None
    rate = f"{media.fps:g} fps" if media.fps else None
    picture = " ".join(part for part in (media.video_codec, size, rate) if part)
    return ", ".join(part for part in (picture, media.audio_codec) if part)


_WORDS: dict[type[Fact], Callable[..., tuple[str, str | None]]] = {
    p.JobRequested: lambda f: ("Recording requested", _requested_by(f.requested_by)),
    p.StopRequested: lambda f: (
        f"Asked to stop and {f.mode} the recording",
        _requested_by(f.requested_by),
    ),
    p.JobExtended: lambda f: (
        f"Longest duration set to {_seconds(f.max_duration)}",
        _requested_by(f.requested_by),
    ),
    p.RetryRequested: lambda f: ("Asked to try again", _requested_by(f.requested_by)),
    p.RecordingDeleted: lambda f: ("Recording deleted", f.reason),
    p.RepeatRequested: lambda f: (
        "Asked to say missing events again",
        f"{f.stream} from {f.from_sequence}" + (f" to {f.to_sequence}" if f.to_sequence else ""),
    ),
    d.JobAccepted: lambda f: ("URL checked", f.title),
    d.JobRejected: lambda f: ("Rejected", f.detail),
    d.JobDeferred: lambda f: (
        {
            "upcoming": "Waiting for the stream to begin",
            "scheduled": "Waiting for the start time",
            "capacity": "Waiting for a free place",
        }[f.reason],
        _waits(f),
    ),
    d.RecorderLaunched: lambda f: (
        f"Recorder launched{' to deliver' if f.deliver_only else ''}, attempt {f.attempt}",
        f.reference,
    ),
    d.LaunchFailed: lambda f: (f"Launch failed, attempt {f.attempt}", f.detail),
    d.RecorderLost: lambda f: (f"Recorder lost, attempt {f.attempt}", f.detail),
    d.JobAbandoned: lambda f: (
        "Cancelled" if f.code == "stopped" else "Given up",
        f.detail,
    ),
    r.RecordingStarted: lambda f: ("Recording started", _media(f.media)),
    r.CaptureInterrupted: lambda f: (f"Interrupted: {f.cause}", f.detail),
    r.CaptureResumed: lambda f: (f"Resumed after {f.after:.1f} s", None),
    r.GapFound: lambda f: (f"Gap of {f.gap.seconds:.1f} s", f.gap.cause),
    r.RecordingEnded: lambda f: (f"Recording ended: {f.why.replace('_', ' ')}", f.detail),
    r.Uploaded: lambda f: ("Uploaded and verified", f"{f.size} bytes, {f.duration:.1f} s"),
    r.RecordingFailed: lambda f: ("Recording failed", f.detail),
    s.TorrentCreated: lambda f: ("Torrent created", f.info_hash),
    s.SeedingStarted: lambda f: (f"Seeding started by {f.engine}", None),
    s.SeedingStopped: lambda f: (f"Seeding stopped: {f.why}", f.detail),
    s.TorrentFailed: lambda f: ("No torrent could be made", f.detail),
}
