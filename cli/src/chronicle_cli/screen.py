"""Output: words for people or JSON for programs on standard output, errors on standard error."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

from chronicle_cli.errors import CliError
from chronicle_cli.wording import printable

UNBOUNDED = 240  # columns


class Screen:
    """Where a command's answer goes. With JSON nothing but JSON is written."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        # A pipe has no width to fit into; tables then show all that they have.
        width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else UNBOUNDED
        self.console = Console(highlight=False, soft_wrap=True, width=width)
        self._errors = Console(stderr=True, highlight=False, soft_wrap=True)

    @property
    def is_live(self) -> bool:
        """True where a display that redraws itself makes sense."""
        return self.console.is_terminal and not self.console.is_dumb_terminal and not self.as_json

    def say(self, *words: str, style: str = "") -> None:
        """Print a line for people."""
        if not self.as_json:
            self.console.print(Text(printable(" ".join(words)), style=style))

    def show(self, renderable: RenderableType) -> None:
        """Print a table or the like for people."""
        if not self.as_json:
            self.console.print(renderable)

    def document(self, value: Any) -> None:
        """Print the command's answer, where JSON was asked for."""
        if self.as_json:
            _write(json.dumps(value, indent=2, ensure_ascii=False))

    def entry(self, value: Any) -> None:
        """Print one of many answers, a line each, where JSON was asked for."""
        if self.as_json:
            _write(json.dumps(value, ensure_ascii=False))

    def warn(self, text: str) -> None:
        """Say on standard error what does not end the command."""
        if not self.as_json:
            self._errors.print(Text(printable(text), style="yellow"))

    def fail(self, error: CliError) -> None:
        """Print an error: a line or two, or one JSON object."""
        if self.as_json:
            sys.stderr.write(json.dumps(error.as_json(), ensure_ascii=False) + "\n")
            return
        self._errors.print(Text("error: ", style="bold red") + Text(printable(str(error))))
        if error.remedy:
            self._errors.print(Text(f"  {printable(error.remedy)}"))


def _write(text: str) -> None:
    # At once: who reads a followed job from a pipe waits for each line.
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
