"""The journal that a recorder leaves beside its recording: all events of all its runs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import structlog
from chronicle_contracts import Event, MalformedEvent, decode, naming
from chronicle_storage import ObjectMissing, RecordingStore, StoreError

from portal.jobs.models import Job
from portal.replay.errors import NotThere, Unavailable

log = structlog.get_logger(__name__)

SUFFIX = ".journal.jsonl"


@dataclass(frozen=True)
class Journal:
    """Events by stream and sequence, each with the line that it was read from."""

    job_id: str
    streams: dict[str, dict[int, tuple[Event, str]]]

    def ends(self) -> dict[str, int]:
        """Return the last sequence of each earlier run's stream; nothing comes after it.

        The last run read the store of those before it while it held their lock, so what is
        not in its journal was never said. Where runs shared no folder it knows itself alone,
        and nothing of the others.
        """
        attempts = {
            number: naming.recorder_stream(naming.run_id(self.job_id, number))
            for number in range(1, self._last_attempt() + 1)
        }
        earlier = [stream for number, stream in attempts.items() if number < len(attempts)]
        if not any(stream in self.streams for stream in earlier):
            return {}
        return {stream: max(self.streams.get(stream, {0: None})) for stream in earlier}

    def lines(self, stream: str) -> list[str]:
        """Return the lines of a stream, in order."""
        events = self.streams.get(stream, {})
        return [events[sequence][1] for sequence in sorted(events)]

    def _last_attempt(self) -> int:
        numbers = (stream.rpartition(".")[2] for stream in self.streams)
        return max((int(number) for number in numbers if number.isdecimal()), default=0)


def read_journal(job_id: str, store: RecordingStore) -> Journal:
    """Return the journal of a job. Raises `NotThere`, `Unavailable`."""
    key = Job.objects.filter(id=job_id).values_list("key", flat=True).first()
    if not key:
        raise NotThere(f"nobody knows where the recording of job {job_id!r} is")
    try:
        raw = b"".join(store.read(key + SUFFIX))
    except ObjectMissing as error:
        raise NotThere(f"there is no journal {key}{SUFFIX}") from error
    except StoreError as error:
        raise Unavailable(f"the recording store does not give {key}{SUFFIX}: {error}") from error
    streams: dict[str, dict[int, tuple[Event, str]]] = defaultdict(dict)
    for number, line in enumerate(raw.decode(errors="replace").splitlines(), start=1):
        try:
            event = decode(line)
        except MalformedEvent as error:
            log.warning("journal_line_unreadable", key=key, line=number, error=str(error))
            continue
        if event.subject == job_id and event.stream.startswith(naming.recorder_stream(job_id)):
            streams[event.stream][event.sequence] = (event, line)
    return Journal(job_id, dict(streams))
