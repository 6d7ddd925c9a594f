"""What came of a job, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator

from chronicle_cli import wording
from chronicle_cli.answers import Job, Recording, Waiting
from chronicle_cli.exits import is_final
from chronicle_cli.screen import Screen

_STYLES = {
    "COMPLETED": "green",
    "RECORDING": "bold green",
    "FAILED": "red",
    "REJECTED": "red",
    "CANCELLED": "yellow",
}


def style_of(status: str) -> str:
    """Return the colour of a status."""
    return _STYLES.get(status, "cyan")


def print_end(screen: Screen, job: Job) -> None:
    """Print what came of a job that is over; nothing before that."""
    if not is_final(job.status):
        return
    losses = " with losses" if job.losses else ""
    screen.say(f"job {job.id} is {job.status}{losses}", style=style_of(job.status))
    print_facts(screen, job)


def print_facts(screen: Screen, job: Job) -> None:
    """Print recording, torrent and error of a job, a line each."""
    for name, value in facts(job):
        screen.say(f"  {name:<10}{value}")


def facts(job: Job) -> Iterator[tuple[str, str]]:
    """Yield name and value of what is there."""
    if job.waiting:
        yield "waits for", _waiting(job.waiting)
    if job.recording:
        yield from _recording(job.recording)
    torrent = job.torrent
    if torrent:
        yield "torrent", torrent.state + (f" by {torrent.engine}" if torrent.engine else "")
        if torrent.magnet:
            yield "magnet", torrent.magnet
        if torrent.error:
            yield "", f"{torrent.error.get('code')}: {torrent.error.get('detail')}"
    if job.error:
        yield "error", f"{job.error.code}: {job.error.detail}"


def _waiting(waiting: Waiting) -> str:
    words = {
        "upcoming": "the stream to begin",
        "scheduled": "its start time",
        "capacity": "a free place",
    }
    said = [words.get(waiting.reason, waiting.reason)]
    if waiting.until:
        said.append(f"until {wording.day_and_time(waiting.until)}")
    if waiting.place:
        said.append(f"place {waiting.place} in line")
    if waiting.detail:
        said.append(waiting.detail)
    return "; ".join(said)


def _recording(recording: Recording) -> Iterator[tuple[str, str]]:
    yield "recording", recording.key + (" (deleted)" if recording.deleted_at else "")
    yield "length", f"{wording.duration(recording.duration)}, {wording.size(recording.size)}"
    media = recording.media
    codecs = [str(media[name]) for name in ("video_codec", "audio_codec") if media.get(name)]
    if media.get("width") and media.get("height"):
        codecs.insert(1 if media.get("video_codec") else 0, f"{media['width']}x{media['height']}")
    if codecs:
        yield "media", ", ".join(codecs)
    yield "checksum", f"{recording.checksum.algorithm} {recording.checksum.value}"
    missing = sum(float(gap.get("seconds") or 0) for gap in recording.gaps)
    if recording.gaps:
        yield "gaps", f"{len(recording.gaps)}, {missing:.1f} s in all"
