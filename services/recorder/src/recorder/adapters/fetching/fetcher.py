"""What fetchers have in common: a thread, a sink, losses, an end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

import structlog
from chronicle_sources.errors import without_secrets
from chronicle_sources.plain_text import plain

from recorder.adapters.media.section import Section
from recorder.domain.gaps import Loss
from recorder.domain.hindrance import Hindrance
from recorder.ports import FetchEnd

log = structlog.get_logger(__name__)

LONGEST_DETAIL = 500  # characters; servers put whole pages where a reason belongs
# Seconds. A playlist may number and time its segments as it likes; a claim beyond this says
# nothing, and no number could be written for an infinite one.
LONGEST_LOSS = 7 * 24 * 3600.0


class SinkClosed(Exception):
    """Nobody takes media any more."""


class Sink(Protocol):
    """Where a fetcher puts the bytes of its track."""

    def write(self, data: bytes) -> None:
        """Take media; waits where it is slower. Raises `SinkClosed`."""

    def begin_section(self, section: Section | None, *, is_break: bool) -> None:
        """What follows stands on this (None: on what it stood on before).

        `is_break`: its clock is another one. Raises `SinkClosed`.
        """

    def begin_anew(self) -> None:
        """What follows is a new connection's media, which may have headers of its own."""

    def finish(self) -> None:
        """The track is whole; returns when the file is final, if no other track goes on."""


class Fetcher:
    """One track's way from its source to a sink, in a thread of its own.

    A subclass implements `_fetch`, looks at `_stop` and returns why it ended.
    """

    def __init__(self, sink: Sink, name: str) -> None:
        self._sink = sink
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._losses: list[Loss] = []
        self._end: FetchEnd | None = None
        self._told_over: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def end(self) -> FetchEnd | None:
        """Why it ended; None while it runs."""
        return self._end

    @property
    def patience(self) -> float:
        """Seconds without media that are normal for this source."""
        return 0.0

    @property
    def continues(self) -> bool:
        """Whether the first media followed on what an earlier fetcher left."""
        return False

    @property
    def is_numbered(self) -> bool:
        """Whether the source numbers its segments, so that losses are all that is missing."""
        return False

    @property
    def is_behind(self) -> bool:
        """Whether the source has offered more than was fetched yet."""
        return False

    @property
    def hindrance(self) -> Hindrance | None:
        """What keeps media from coming right now; None while it comes, or nobody knows."""
        return None

    def start(self, is_over: Callable[[], None] = lambda: None) -> None:
        """Begin; `is_over` is called when it has ended."""
        self._told_over = is_over
        self._thread.start()

    def lose(self, loss: Loss) -> None:
        """Note media that cannot be had."""
        # The other way round a NaN would win.
        seconds = min(LONGEST_LOSS, loss.seconds)
        loss = replace(loss, seconds=seconds, at=datetime.now(UTC))
        log.warning("media_lost", cause=loss.cause, seconds=loss.seconds)
        with self._lock:
            self._losses.append(loss)

    def take_losses(self) -> tuple[Loss, ...]:
        """Return what was lost since the last call."""
        with self._lock:
            taken, self._losses = tuple(self._losses), []
        return taken

    def close(self) -> None:
        """Stop; returns within seconds, whatever the source does."""
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(5)

    def _fetch(self) -> FetchEnd:
        raise NotImplementedError

    def _run(self) -> None:
        try:
            end = self._fetch()
            if end.kind == "ended":
                self._sink.finish()
        except SinkClosed:
            end = FetchEnd("broken", "The recorder takes no more media.")
        except Exception as error:  # noqa: BLE001 - any bug of a library ends as a broken fetch
            log.warning("fetcher_failed", error=without_secrets(repr(error)))
            end = FetchEnd("broken", without_secrets(str(error)) or type(error).__name__)
        self._end = replace(end, detail=plain(end.detail, LONGEST_DETAIL))
        self._told_over()
