"""Where the media comes from: asking the site, again when the source refuses or is silent.

Asked in the background, because it takes seconds, in which the recording goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future

import structlog

from recorder.domain.ending import Ending, Failure
from recorder.domain.problem import SourceProblem
from recorder.domain.stream import Stream
from recorder.ports import Capture, Sighting, Site

log = structlog.get_logger(__name__)

Verdict = Ending | Failure | None

FIRST_PAUSE = 1.0  # seconds between two questions to a site; doubled up to
LONGEST_PAUSE = 15.0
OVER_AFTER = 20.0  # seconds without media after which a site's "nobody is live" is believed


class Seeking:
    """Keeps a capture supplied with a source; decides when there will be none any more.

    `has_media` says whether this recording has anything, of this or an earlier attempt: with
    something saved, "nobody is live there" is the end; with nothing, it is worth waiting.
    """

    def __init__(
        self,
        site: Site,
        capture: Capture,
        *,
        executor: Executor,
        has_media: Callable[[], bool],
        start_timeout: float,
        idle_timeout: float,
        began: float,
    ) -> None:
        self._site = site
        self._capture = capture
        self._has_media = has_media
        self._start_timeout = start_timeout
        self._idle_timeout = idle_timeout
        self._began = began
        self._executor = executor
        self._answer: Future[Stream] | None = None
        self._is_fetching = False
        self._was_live = False
        self._has_fetched = False
        self._pause = FIRST_PAUSE
        self._ask_after = began
        self._idle_limit = idle_timeout
        self._trouble = "the source was found, but sent nothing"

    def judge(self, sighting: Sighting, *, now: float, idle: float, moved: bool) -> Verdict:
        """Look at what the capture does and act on it; return an end where there is one.

        `moved` tells that this run has recorded media.
        """
        if idle < 1:
            self._idle_limit, self._pause = self._idle_timeout, FIRST_PAUSE
        if self._answer is not None:
            # The answer is worth waiting for even past the limits: it has one of its own.
            return self._heed(now, idle) if self._answer.done() else None
        if self._is_fetching and sighting.end is not None:
            self._is_fetching = False
            self._trouble = sighting.end.detail
            log.info("fetch_ended", kind=sighting.end.kind, detail=sighting.end.detail)
            if sighting.end.kind == "ended" and self._has_media():
                return Ending("ended", sighting.end.detail)
            if sighting.end.kind == "unusable":
                return self._hopeless("unusable_media", sighting.end.detail)
        is_wanting = not self._is_fetching or idle > self._idle_limit
        if is_wanting and now >= self._ask_after:
            self._answer = self._executor.submit(self._site.look)
        return self._out_of_time(now, moved=moved)

    def _heed(self, now: float, idle: float) -> Verdict:
        assert self._answer is not None
        answer, self._answer = self._answer, None
        # A question too many would be answered by the site with a ban.
        self._ask_after = now + self._pause
        self._pause = min(LONGEST_PAUSE, self._pause * 2)
        try:
            stream = answer.result()
        except SourceProblem as problem:
            return self._without_stream(problem, idle)
        if not stream.is_there:
            return self._without_stream(SourceProblem("no_stream", "It has not begun yet."), idle)
        return self._with_stream(stream, idle)

    def _with_stream(self, stream: Stream, idle: float) -> Verdict:
        if stream.protocol == "ytdlp":
            return self._hopeless(
                "unsupported", "This site's way to send its streams cannot be recorded yet."
            )
        # A film is "finished" from the first look on; there it is no sign.
        is_over = stream.live_status == "finished"
        if is_over and self._has_media() and (self._was_live or not self._has_fetched):
            return Ending("ended", "the site says that the stream is over")
        if idle > self._idle_limit and self._idle_limit > self._idle_timeout:
            return Ending("stalled", f"no media for {idle:.0f} s, although the site says live")
        if idle > self._idle_limit:
            # It says live: one more chance, with a fresh address, and a shorter one.
            self._idle_limit = idle + self._idle_timeout / 3
        self._was_live = self._was_live or not is_over
        self._is_fetching = True
        self._has_fetched = True
        self._capture.fetch(stream)
        return None

    def _without_stream(self, problem: SourceProblem, idle: float) -> Verdict:
        log.info("no_stream", code=problem.code, detail=problem.detail)
        self._trouble = problem.detail
        if problem.is_hopeless:
            return self._hopeless(problem.code, problem.detail)
        # An encoder that begins anew takes its playlist away for some seconds.
        is_sure = not self._has_fetched or idle > min(OVER_AFTER, self._idle_timeout)
        if self._has_media() and problem.says_over and is_sure:
            return Ending("ended", problem.detail)
        if self._has_media() and idle > self._idle_timeout:
            return Ending("stalled", problem.detail)
        return None

    def _hopeless(self, code: str, detail: str) -> Verdict:
        return Ending("ended", detail) if self._has_media() else Failure(code, detail)

    def _out_of_time(self, now: float, *, moved: bool) -> Verdict:
        if moved or now - self._began < self._start_timeout:
            return None
        waited = f"No media came within {self._start_timeout:g} s"
        if self._has_media():
            return Ending("stalled", f"{waited}: {self._trouble}")
        return Failure("stream_never_started", f"{waited}: {self._trouble}")
