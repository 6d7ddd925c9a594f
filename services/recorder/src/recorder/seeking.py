"""Where the media comes from: asking the site, again when the source refuses or is silent.

Asked in the background, because it takes seconds, in which the recording goes on. When the
site's word ends a recording is decided by `domain.testimony`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace

import structlog

from recorder.domain.ending import Ending, Failure
from recorder.domain.hindrance import SILENCE, Hindrance
from recorder.domain.problem import SourceProblem
from recorder.domain.stream import Stream
from recorder.domain.testimony import Patience, Testimony
from recorder.ports import Capture, FetchEnd, Sighting, Site

log = structlog.get_logger(__name__)

Verdict = Ending | Failure | None

FIRST_PAUSE = 1.0  # seconds between two questions to a site; doubled up to
LONGEST_PAUSE = 15.0
ASK_AFTER = 20.0  # seconds without media after which the site is asked what is the matter


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
        patience: Patience,
        began: float,
    ) -> None:
        self._site = site
        self._capture = capture
        self._has_media = has_media
        self._start_timeout = start_timeout
        self._idle_timeout = patience.idle
        self._ask_idle = min(ASK_AFTER, patience.idle / 3)
        self._began = began
        self._executor = executor
        self._answer: Future[Stream] | None = None
        self._is_fetching = False
        self._was_live = False
        self._has_fetched = False
        self._is_rest = False
        self._has_last_chance = False
        self._pause = FIRST_PAUSE
        self._ask_after = began
        self._renew_after = began  # for addresses that expire
        self._asked_at = began
        # Since when the stream is known to be there; None as long as it is not.
        self.live_since: float | None = None
        self._testimony = Testimony(patience)
        self._hindrance: Hindrance | None = None
        self._trouble = "The source was found, but sent nothing."

    def hindrance(self, sighting: Sighting) -> Hindrance:
        """Return what keeps media from coming, as far as it is known."""
        return self._testimony.hindrance or sighting.hindrance or self._hindrance or SILENCE

    def begin_anew(self, now: float) -> None:
        """Nothing is fetched any more: ask the site, and go on where the saved media ends."""
        self._answer = None
        self._is_fetching = self._has_fetched = self._was_live = False
        self._testimony.forget()
        self._began = self._ask_after = now

    def judge(self, sighting: Sighting, *, now: float, idle: float, moved: bool) -> Verdict:
        """Look at what the capture does and act on it; return an end where there is one.

        `moved` tells that this run has recorded media; `idle` for how long none has come.
        """
        if idle < 1 and moved and self._is_fetching:
            # What is still coming outweighs what the site says.
            self._testimony.forget()
            self._pause, self._has_last_chance, self._hindrance = FIRST_PAUSE, False, None
        if self._answer is not None:
            # The answer is worth waiting for even past the limits: it has one of its own.
            return self._heed(sighting, now, idle) if self._answer.done() else None
        if self._is_fetching and sighting.end is not None:
            self._is_fetching = False
            self._trouble = sighting.end.detail
            self._hindrance = sighting.hindrance or _of_end(sighting.end)
            log.info("fetch_ended", kind=sighting.end.kind, detail=sighting.end.detail)
            if sighting.end.kind == "ended" and self._has_media():
                return Ending("ended", sighting.end.detail)
            if sighting.end.kind == "unusable":
                return self._hopeless("unusable_media", sighting.end.detail)
        is_renewal = sighting.is_expiring and now >= self._renew_after
        if (now >= self._ask_after and self._is_wanting(sighting, idle)) or is_renewal:
            self._renew_after = now + LONGEST_PAUSE
            self._asked_at = now
            self._answer = self._executor.submit(self._site.look)
        return self._out_of_time(now, moved=moved)

    def _is_wanting(self, sighting: Sighting, idle: float) -> bool:
        return not self._is_fetching or idle > max(self._ask_idle, sighting.patience)

    def _heed(self, sighting: Sighting, now: float, idle: float) -> Verdict:
        assert self._answer is not None
        answer, self._answer = self._answer, None
        # A question too many would be answered by the site with a ban.
        self._ask_after = now + self._pause
        self._pause = min(LONGEST_PAUSE, self._pause * 2)
        try:
            stream = answer.result()
        except SourceProblem as problem:
            return self._without_stream(problem, sighting, idle)
        if not stream.is_there:
            begun = SourceProblem("no_stream", "It has not begun yet.")
            return self._without_stream(begun, sighting, idle)
        return self._with_stream(stream, sighting, idle)

    def _without_stream(self, problem: SourceProblem, sighting: Sighting, idle: float) -> Verdict:
        log.info("no_stream", code=problem.code, detail=problem.detail)
        self._trouble = problem.detail
        # Once it gave a stream, an odd word is no last one: a page or manifest may be half written.
        if problem.is_hopeless and not (self._has_media() or self._has_fetched):
            return Failure(problem.code, problem.detail)
        self._testimony.problem(problem)
        return self._verdict(sighting, idle)

    def _with_stream(self, stream: Stream, sighting: Sighting, idle: float) -> Verdict:
        is_over = stream.live_status == "finished"
        # Of what was over before this attempt began, only what follows on what is saved; that
        # can be told by segment numbers alone.
        is_first = not self._has_fetched or self._is_rest
        is_rest = is_over and is_first and self._has_media()
        if is_over and (self._was_live or (is_rest and stream.protocol != "hls")):
            self._testimony.over()
            return self._verdict(sighting, idle)
        if self.live_since is None and not is_over:
            self.live_since = self._asked_at
        # A film is "finished" from the first look on; there it is no sign.
        self._testimony.live()
        verdict = self._verdict(sighting, idle) if self._has_last_chance else None
        if verdict is not None:
            return verdict
        is_late = idle > self._idle_timeout and not self._has_last_chance
        if not self._is_fetching or is_late or sighting.is_expiring:
            self._has_last_chance = self._has_last_chance or is_late
            self._is_rest = is_rest
            self._fetch(replace(stream, is_rest=is_rest))
        self._was_live = self._was_live or not is_over
        return None

    def _fetch(self, stream: Stream) -> None:
        self._is_fetching = self._has_fetched = True
        self._renew_after = 0.0
        self._capture.fetch(stream)

    def _verdict(self, sighting: Sighting, idle: float) -> Verdict:
        if not self._has_media() or not self._is_wanting(sighting, idle):
            return None  # there is nothing to deliver; or media came while the site was asked
        if self._is_fetching and sighting.is_behind and idle <= self._idle_timeout:
            return None  # a stream that is over is fetched to its end all the same
        return self._testimony.verdict(idle, sighting.hindrance or self._hindrance)

    def _hopeless(self, code: str, detail: str) -> Verdict:
        return Ending("gone", detail) if self._has_media() else Failure(code, detail)

    def _out_of_time(self, now: float, *, moved: bool) -> Verdict:
        if moved or now - self._began < self._start_timeout:
            return None
        waited = f"No media came within {self._start_timeout:g} s"
        if self._has_media():
            ending = self._testimony.verdict(math.inf, self._hindrance)
            return Ending(ending.why if ending else "stalled", f"{waited}: {self._trouble}")
        return Failure("stream_never_started", f"{waited}: {self._trouble}")


def _of_end(end: FetchEnd) -> Hindrance | None:
    return Hindrance("refused", end.detail) if end.kind == "refused" else None
