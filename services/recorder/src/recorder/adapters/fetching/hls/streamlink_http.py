"""HTTP as streamlink asks for it, done by our own client."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from typing import Any

from requests import Response
from streamlink.exceptions import StreamError

from recorder.adapters.fetching.http_client import TIMEOUT, Answer, HttpClient, HttpTrouble, check

# Of playlists, keys and initialization sections; how large media may be, the writer says.
MOST_OF_PLAYLIST = 8 * 1024 * 1024  # bytes: a day of segments of two seconds
PLAYLIST_PATIENCE = 20.0  # seconds
FIRST_PAUSE = 0.3  # seconds between two requests; doubled each time


class StreamlinkHttp:
    """Takes the place of a session's `http`; answers with a status of failure are errors."""

    def __init__(self, client: HttpClient) -> None:
        self.client = client

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        exception: type[Exception] = StreamError,
        timeout: float = TIMEOUT,
        most: int | None = None,
        within: float | None = None,
        retries: int = 0,
        **_: Any,
    ) -> Response:
        """Return an answer, asking up to `retries` times again where there is none.

        Raises `exception`, whose `err` is the `HttpTrouble`.
        """
        for attempt in itertools.count():
            try:
                answer = self.client.get(
                    url,
                    most=MOST_OF_PLAYLIST if most is None else most,
                    within=PLAYLIST_PATIENCE if within is None else within,
                    headers=headers or {},
                    timeout=timeout,
                )
                check(answer.status)
            except HttpTrouble as trouble:
                if attempt >= retries:
                    failure = exception(str(trouble))
                    failure.err = trouble  # type: ignore[attr-defined]
                    raise failure from trouble
                time.sleep(FIRST_PAUSE * 2**attempt)
            else:
                return _Read(answer)
        raise AssertionError("a count has no end")


class _Read(Response):
    """An answer that is read already."""

    def __init__(self, answer: Answer) -> None:
        # Not the library's own, which prepares for all that is not wanted of it.
        self.url = answer.url
        self.status_code = answer.status
        self.encoding = None
        self._content = answer.content
        self._content_consumed = True
