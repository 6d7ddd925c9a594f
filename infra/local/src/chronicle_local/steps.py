"""Steps on the terminal: what is being done, that it was done, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape


class Step:
    """A step under way; `note` adds what is worth knowing once it is done."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.remark = ""

    def note(self, remark: str) -> None:
        """Say something about the outcome."""
        self.remark = remark


class Steps:
    """Prints each step with a spinner while it runs, a mark and its time when it is done."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Run the block as one step; an exception marks it as failed and goes on its way."""
        begun = time.monotonic()
        step = Step(title)
        try:
            with self.console.status(f"{escape(title)} ...", spinner="dots"):
                yield step
        except BaseException:
            self._line("[red]✗[/]", step, begun)
            raise
        self._line("[green]✓[/]", step, begun)

    def heading(self, text: str) -> None:
        """Begin a group of steps."""
        self.console.print(f"\n[bold]{escape(text)}[/]")

    def say(self, text: str) -> None:
        """Print a line of plain text."""
        self.console.print(escape(text), highlight=False, soft_wrap=True)

    def _line(self, mark: str, step: Step, begun: float) -> None:
        remark = f"  [dim]{escape(step.remark)}[/]" if step.remark else ""
        seconds = f"[dim]{time.monotonic() - begun:5.1f} s[/]"
        line = f"  {mark} {seconds}  {escape(step.title)}{remark}"
        self.console.print(line, highlight=False, soft_wrap=True)
