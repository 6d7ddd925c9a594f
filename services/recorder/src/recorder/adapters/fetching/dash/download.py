"""Getting one segment of DASH, with the patience that it is worth."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass

from chronicle_sources.errors import without_secrets

from recorder.adapters.fetching.dash.model import Part
from recorder.adapters.fetching.dash.segments import DashSegment
from recorder.adapters.fetching.dash.source import DashSource
from recorder.adapters.fetching.http_client import HttpTrouble
from recorder.adapters.fetching.reloads import NOT_FOUND, REFUSALS

# More attempts on a segment that is gone for good would hold up everything behind it.
SEGMENT_ATTEMPTS = 4
SEGMENT_PATIENCE = 35.0  # seconds for all of them; or four times the segment's length
MOST_OF_SEGMENT = 64 * 1024 * 1024  # bytes: ten seconds of 50 Mbit/s


@dataclass(frozen=True)
class Body:
    """What came of asking for a segment; without `content` the status that came in its place."""

    content: bytes | None
    status: int | None = None


class DashDownload:
    """Gets parts from a source, from several threads; gives up when `stop` is set."""

    def __init__(self, source: DashSource, stop: threading.Event) -> None:
        self._source = source
        self._stop = stop
        self.trouble = ""  # what went wrong last, for people

    def get(self, part: Part, segment: DashSegment) -> Body:
        """Return a part of a segment, or of what it stands on."""
        patience = max(SEGMENT_PATIENCE, 4 * min(segment.seconds, 600.0))
        give_up_at = time.monotonic() + patience
        status: int | None = None
        for attempt in itertools.count():
            if attempt and self._stop.wait(min(2.0, 0.3 * 2 ** (attempt - 1))):
                break
            # The half of it, so that what drips from one server is tried at another.
            within = min(patience / 2, give_up_at - time.monotonic())
            # The source's clock may be behind ours: what it promises may come a little later.
            is_early = segment.is_promised and self._source.now() < segment.ends + segment.seconds
            is_worth_it = attempt < SEGMENT_ATTEMPTS or (status == NOT_FOUND and is_early)
            # Insisting on what left the window would let the next ones go, too.
            is_gone = status == NOT_FOUND and not self._source.offers(segment.begins)
            if within <= 0 or is_gone or not is_worth_it:
                break
            found = self._answer(part, within)
            if found.content is not None or found.status in REFUSALS:
                return found
            status = found.status
        return Body(None, status)

    def _answer(self, part: Part, within: float) -> Body:
        headers, first, last = {}, 0, None
        if part.byte_range is not None:
            first, last = part.byte_range
            headers["Range"] = f"bytes={first}-{'' if last is None else last}"
        try:
            answer = self._source.http.get(
                part.url, most=MOST_OF_SEGMENT, within=within, headers=headers
            )
        except HttpTrouble as error:
            self.trouble = without_secrets(str(error))
            return Body(None)
        if answer.status not in {200, 206}:
            self.trouble = f"The server answers with status {answer.status}."
            return Body(None, answer.status)
        content = answer.content
        if headers and answer.status == 200:
            content = content[first : None if last is None else last + 1]
        return Body(content, answer.status)
