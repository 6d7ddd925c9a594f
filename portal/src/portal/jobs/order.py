"""The canonical order of a job's events: the same however they arrived.

What decides, in this order:

1. within a stream, the sequence;
2. across streams, what is known to come before: the event named as cause, a run's launch
   before the run, the request before the dispatcher's decisions, the upload before its torrent
   (clocks of machines differ, and a launch may be noted after the recorder began to speak);
3. among what is free to come next, the time, then the publisher's rank, then the stream's name.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from chronicle_contracts import naming
from chronicle_contracts.dispatcher import RecorderLaunched
from chronicle_contracts.recorder import Uploaded
from chronicle_contracts.seeder import TorrentCreated, TorrentFailed

from portal.eventlog.entry import Entry
from portal.eventlog.progress import PROGRESS_TYPES

_RANK = {"portal": 0, "dispatcher": 1, "recorder": 2, "seeder": 3}


_Key = tuple[datetime, int, str, int]


def canonical(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries of one job in canonical order; a repeated event is there once."""
    unique = {(entry.event.stream, entry.event.sequence): entry for entry in entries}
    known = sorted(unique.values(), key=_key)
    ordered = list(_merged(known))
    if len(ordered) < len(known):
        # A circle of causes: somebody wrote nonsense. Time is the order that is left.
        placed = {id(entry) for entry in ordered}
        ordered += [entry for entry in known if id(entry) not in placed]
    return ordered


def newest_progress(entries: Iterable[Entry]) -> Sequence[Entry]:
    """Leave out progress that a later one of its stream and type has replaced."""
    kept: list[Entry] = []
    newest: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        event = entry.event
        if event.type not in PROGRESS_TYPES:
            kept.append(entry)
            continue
        place = (event.stream, event.type)
        if place not in newest or newest[place].event.sequence < event.sequence:
            newest[place] = entry
    return [*kept, *newest.values()]


def _key(entry: Entry) -> _Key:
    event = entry.event
    rank = _RANK.get(event.stream.partition("/")[0], len(_RANK))
    return (event.time, rank, event.stream, event.sequence)


def _merged(known: Sequence[Entry]) -> Iterator[Entry]:
    """Yield in topological order, the smallest key first (Kahn's algorithm over a heap)."""
    followers: dict[int, list[int]] = defaultdict(list)
    waits_for = [0] * len(known)
    for before, after in set(_edges(known)):
        followers[before].append(after)
        waits_for[after] += 1
    # The entries are sorted, so that an index compares as its key does.
    free = [index for index, count in enumerate(waits_for) if count == 0]
    while free:
        index = heapq.heappop(free)
        yield known[index]
        for after in followers[index]:
            waits_for[after] -= 1
            if waits_for[after] == 0:
                heapq.heappush(free, after)


def _edges(known: Sequence[Entry]) -> Iterator[tuple[int, int]]:
    streams: dict[str, list[int]] = defaultdict(list)
    by_id: dict[str, int] = {}
    uploads: dict[str, int] = {}
    for index, entry in enumerate(known):
        streams[entry.event.stream].append(index)
        by_id[str(entry.event.id)] = index
        if isinstance(entry.event.data, Uploaded):
            uploads.setdefault(entry.event.data.key, index)
    for indexes in streams.values():
        indexes.sort(key=lambda index: known[index].event.sequence)
        yield from pairwise(indexes)
    launched: set[str] = set()
    for index, entry in enumerate(known):
        event = entry.event
        cause = by_id.get(event.causationid or "")
        if cause is not None and cause != index:
            yield cause, index
        fact = event.data
        if isinstance(fact, RecorderLaunched) and fact.run_id not in launched:
            launched.add(fact.run_id)
            for first in streams.get(naming.recorder_stream(fact.run_id), ())[:1]:
                yield index, first
        if isinstance(fact, TorrentCreated | TorrentFailed) and fact.recording_key in uploads:
            yield uploads[fact.recording_key], index
    yield from _decisions_after_request(known, streams)


def _decisions_after_request(
    known: Sequence[Entry], streams: dict[str, list[int]]
) -> Iterator[tuple[int, int]]:
    for stream, indexes in streams.items():
        job_id = known[indexes[0]].event.subject
        request = streams.get(naming.portal_stream(job_id), ())
        if request and stream == naming.dispatcher_stream(job_id):
            yield request[0], indexes[0]
