"""A job's progress as it moves: redrawn on a terminal, as lines in a log, as JSON for programs."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.text import Text

from chronicle_cli import wording
from chronicle_cli.answers import Job
from chronicle_cli.screen import Screen
from chronicle_cli.summary import print_end

LINE_EVERY = 10.0  # seconds between two lines of progress in a log
BAR_WIDTH = 40


class View(Protocol):
    """Shows one state of a job after the other."""

    def show(self, job: Job) -> None:
        """Show what is new; the last call has the job in its final status."""


def view_for(screen: Screen) -> AbstractContextManager[View]:
    """Return the view that suits the place where our output goes."""
    if screen.as_json:
        return JsonView(screen)
    return LiveView(screen) if screen.is_live else PlainView(screen)


class _View:
    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self._told: set[tuple[int, str, str]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing is left to be done."""

    def tell_milestones(self, job: Job) -> None:
        """Print the lines of the timeline that were not printed yet."""
        for one in job.timeline:
            # A position alone may be missing, or be shared by what came before the log knew it.
            mark = (one.position, one.at, one.what)
            if mark not in self._told:
                self._told.add(mark)
                detail = f": {one.detail}" if one.detail else ""
                self.screen.say(f"{wording.clock(one.at)}  {one.what}{detail}")


class JsonView(_View):
    """One JSON object a line whenever the job has changed."""

    def __init__(self, screen: Screen) -> None:
        super().__init__(screen)
        self._last: Job | None = None

    def show(self, job: Job) -> None:
        """Print the job if something is new."""
        if job != self._last:
            self._last = job
            self.screen.entry(job.as_json())


class PlainView(_View):
    """Milestones, and every ten seconds how far it is."""

    def __init__(self, screen: Screen) -> None:
        super().__init__(screen)
        self._said_at = 0.0
        self._said = ""

    def show(self, job: Job) -> None:
        """Print what is new."""
        self.tell_milestones(job)
        if job.recording is None and job.progress is not None and job.progress.bytes_recorded:
            words = wording.progress(job.progress, limit=job.max_duration)
            now = time.monotonic()
            if words != self._said and now - self._said_at >= LINE_EVERY:
                self._said, self._said_at = words, now
                self.screen.say(f"          {job.status.lower()}: {words}")
        print_end(self.screen, job)


class LiveView(_View):
    """Milestones, and below them a line that is drawn anew."""

    def __init__(self, screen: Screen) -> None:
        super().__init__(screen)
        self._spinner = Spinner("dots")
        self._live = Live(
            console=screen.console, auto_refresh=True, refresh_per_second=8, transient=True
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, job: Job) -> None:
        """Print what is new and draw the line."""
        self.tell_milestones(job)
        self._live.update(self._drawn(job))
        print_end(self.screen, job)

    def _drawn(self, job: Job) -> Group:
        words = Text(job.status, style="bold")
        now = job.progress
        if now is not None:
            phase = f" ({now.phase.lower()})" if now.phase != job.status else ""
            words += Text(f"{phase}  {wording.progress(now, limit=job.max_duration)}")
        self._spinner.update(text=words)
        if now is None or not job.max_duration:
            return Group(self._spinner)
        bar = ProgressBar(
            total=job.max_duration,
            completed=min(now.media_seconds, job.max_duration),
            width=BAR_WIDTH,
        )
        return Group(self._spinner, bar)
