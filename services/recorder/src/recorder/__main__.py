"""Wiring of `python -m recorder`.

Exit codes: 0 delivered or discarded · 1 failed, and said so · 69 events are unsaid, or the vault
gives no credentials (endpoint down) · 73 the work folder cannot be written · 74 saved, but not
delivered (store down) · 75 another recorder of this job runs · 77 a later attempt
has taken over · 78 bad settings.
"""

from __future__ import annotations

import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import structlog
from chronicle_eventstore import StoreUnwritable
from chronicle_messaging import Bus, Relay
from chronicle_runtime import configure_logging, give_memory_back, load, on_termination
from chronicle_sources import Credentials
from chronicle_storage import open_store
from chronicle_vault import VaultError, open_vault
from eventsourcing.persistence import ProcessRecorder

from recorder.adapters.capture import FetchedCapture
from recorder.adapters.clock import SystemClock
from recorder.adapters.control import FileControl
from recorder.adapters.credentials import LockedSite, fetch_credentials, keep_quiet_about
from recorder.adapters.feeding.feed import Feed
from recorder.adapters.feeding.remuxer import FINALISE_WITHIN, Remuxer
from recorder.adapters.feeding.remuxer_lock import RemuxerLock
from recorder.adapters.fetching.choosing import Fetchers
from recorder.adapters.fetching.position import Positions
from recorder.adapters.job_lock import JobIsTaken, job_lock
from recorder.adapters.journal import StoredJournal, open_events
from recorder.adapters.keeping.manifest import StoredManifest
from recorder.adapters.keeping.marks import Marks
from recorder.adapters.keeping.notes import StoreNotes
from recorder.adapters.keeping.segments import SegmentLog
from recorder.adapters.keeping.shelf import StoreShelf
from recorder.adapters.log_tail import MemoryLogTail
from recorder.adapters.media.ffmpeg import Ffmpeg
from recorder.adapters.site import ResolvedSite, read_handover
from recorder.delivering import Desk
from recorder.domain.ending import Outcome
from recorder.domain.problem import SourceProblem
from recorder.record import Order, Recording
from recorder.settings import RecorderSettings

log = structlog.get_logger(__name__)

POLL = 15.0  # seconds; nobody else saves events here, and whoever does wakes the relay
STILL_THERE = 60.0  # seconds
POSITION_EVERY = 30.0  # seconds; what was said since the last one, a next attempt says again

EX_UNAVAILABLE, EX_CANTCREAT, EX_IOERR, EX_TEMPFAIL, EX_NOPERM = 69, 73, 74, 75, 77

CODES = {
    Outcome.DELIVERED: 0,
    Outcome.DISCARDED: 0,
    Outcome.FAILED: 1,
    Outcome.UNDELIVERED: EX_IOERR,
    Outcome.SUPERSEDED: EX_NOPERM,
}


def main() -> int:
    """Record what the settings say; return the exit code."""
    give_memory_back()
    settings = load(RecorderSettings)
    configure_logging("recorder", level=settings.log_level)
    structlog.contextvars.bind_contextvars(job_id=settings.job_id, run_id=settings.run_id)
    news = Event()
    terminated = on_termination(waking=news)
    try:
        settings.work_dir.mkdir(parents=True, exist_ok=True)
        with job_lock(settings.work_dir):
            return record(settings, terminated, news)
    except JobIsTaken as error:
        log.warning("job_is_taken", detail=str(error))
        return EX_TEMPFAIL
    except PermissionError as error:
        log.error("work_dir_unwritable", path=str(settings.work_dir), error=str(error))  # noqa: TRY400
        return EX_CANTCREAT
    except StoreUnwritable as error:
        # Nothing can be said, not even that; whoever launched it sees the code, and tries again.
        log.error("events_unwritable", error=str(error))  # noqa: TRY400
        return EX_CANTCREAT


def record(settings: RecorderSettings, terminated: Event, news: Event) -> int:
    """Wire one recording and run it; `news` is set when there is something to look at."""
    log_tail = _log_tail()
    try:
        credentials, locked = _credentials(settings)
    except VaultError as error:
        log.error("vault_unreachable", reason=str(error))  # noqa: TRY400
        return EX_UNAVAILABLE  # no last word: it is tried again
    ffmpeg, clock = Ffmpeg(settings.ffmpeg), SystemClock()
    remuxers = RemuxerLock(settings.work_dir)
    if not remuxers.wait_until_free(FINALISE_WITHIN):
        log.warning("remuxer_of_an_earlier_attempt_lives")
    events = open_events(settings.work_dir)
    assert isinstance(events.recorder, ProcessRecorder)
    store = open_store(settings)
    segments = SegmentLog(settings.work_dir)
    notes = StoreNotes(
        store,
        settings.key,
        attempt=settings.attempt,
        segments=segments.path,
        every=3 * settings.flush_interval,
    )
    journal = StoredJournal(
        events,
        Relay(
            events.recorder,
            Bus.connect(settings),
            poll=POLL,
            still_there=STILL_THERE,
            save_every=POSITION_EVERY,
        ),
        clock,
        notes,
        job_id=settings.job_id,
        attempt=settings.attempt,
    )
    earlier = journal.earlier()  # fetches what a lost attempt had noted, before more is noted
    notes.start()
    is_folder = store.local_path(settings.key) is not None
    marks = Marks(segments.mark, notes.leave_segments, is_folder=is_folder)
    shelf = StoreShelf(
        store,
        ffmpeg,
        key=settings.key,
        work_dir=settings.work_dir,
        attempt=settings.attempt,
        flush_interval=settings.flush_interval,
        evidence=marks,
    )
    media_before = max(run.media_seconds for run in [*earlier, journal.run()])
    # What an attempt was given and what is saved of it differ by what its fall took along.
    reach = segments.recover(shelf.saved_bytes) if shelf.knows_saved else None
    if reach is not None:
        media_before = reach.media_seconds or media_before
    elif shelf.knows_saved and shelf.saved_bytes == 0 and settings.attempt > 1:
        media_before = 0.0  # what was kept is in no file
    positions = Positions(reach.positions if reach else segments.positions(), moved=marks.keep)
    marks.count_from(shelf.saved_bytes, media_before)
    capture = FetchedCapture(
        Fetchers(
            positions,
            segments,
            url=settings.url,
            since=settings.since,
            credentials=credentials,
            allow_private=settings.allow_private,
        ),
        lambda tracks: Feed(
            tracks,
            lambda formats: Remuxer(
                ffmpeg,
                shelf.begin(),
                formats,
                remuxers,
                with_pictures=not settings.audio_only,
            ),
        ),
        marking=marks,
        is_over=news.set,
    )
    executor = ThreadPoolExecutor(max_workers=2, thread_name_prefix="background")
    outcome = Recording(
        Order(
            key=settings.key,
            start_timeout=settings.start_timeout,
            idle_timeout=settings.idle_timeout,
            offline_timeout=settings.offline_timeout,
            deliver_timeout=settings.deliver_timeout,
            heartbeat=settings.heartbeat,
            min_free_disk=settings.min_free_disk,
            deliver_only=settings.deliver_only,
            media_before=media_before,
        ),
        Desk(
            shelf=shelf,
            accounts=segments,
            manifest=StoredManifest(store, segments, ffmpeg, work_dir=settings.work_dir),
            journal=journal,
            control=FileControl(
                settings.work_dir, terminated, news, max_duration=settings.max_duration
            ),
            clock=clock,
            executor=executor,
        ),
        site=locked
        or ResolvedSite(
            settings.url,
            timeout=settings.resolve_timeout,
            quality=settings.quality,
            max_height=settings.max_height,
            audio_only=settings.audio_only,
            credentials=credentials,
            live_from_start=settings.live_from_start,
            allow_private=settings.allow_private,
            given=read_handover(sys.stdin.buffer) if settings.look_given else None,
        ),
        capture=capture,
        log_tail=log_tail,
    ).run()
    executor.shutdown(wait=False, cancel_futures=True)
    notes.stop()
    if outcome is Outcome.SUPERSEDED:
        # What lies here and in the store is the later attempt's; so is the next word.
        return CODES[outcome]
    is_said = journal.drain(settings.drain_timeout)
    if outcome is not Outcome.UNDELIVERED:
        shelf.clear()
        notes.clear()
        segments.clear()
    log.info("run_over", outcome=outcome.value, is_said=is_said)
    return CODES[outcome] if is_said or CODES[outcome] else EX_UNAVAILABLE


def _credentials(settings: RecorderSettings) -> tuple[Credentials, LockedSite | None]:
    """Return what the job may show, and the site that never opens where that is gone."""
    try:
        credentials = fetch_credentials(open_vault(settings), settings.credentials)
    except SourceProblem as problem:
        return Credentials(), LockedSite(problem)
    keep_quiet_about(credentials.secrets)
    return credentials, None


def _log_tail() -> MemoryLogTail:
    tail = MemoryLogTail([os.environ.get("AWS_SECRET_ACCESS_KEY", "")])
    root = logging.getLogger()
    tail.setFormatter(root.handlers[0].formatter)
    root.addHandler(tail)
    return tail


if __name__ == "__main__":
    sys.exit(main())
