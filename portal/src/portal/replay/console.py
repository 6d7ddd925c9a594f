"""Verbs as commands: options that all share, what is printed, exit codes."""

from __future__ import annotations

import getpass
import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from portal.replay.errors import BadParameters, ReplayError
from portal.replay.records import Call, Item, Report


class VerbCommand(BaseCommand):
    """Exit code 0: done; 1: something is left or failed; 2: it was called wrongly."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer what every verb has."""
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Call the verb, print its report."""
        try:
            with _terminable(), _progress(self.verb_name, shown=not options["json"]) as call:
                report = self.run_verb(replace(call, dry_run=options["dry_run"]), options)
        except ReplayError as error:
            raise CommandError(error.detail, returncode=error.exit_code) from error
        except KeyboardInterrupt:
            raise CommandError("interrupted; the same command goes on") from None
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False, default=str))
        else:
            self.show(report)
            counts = ", ".join(f"{number} {name}" for name, number in report.counts.items())
            would = "dry run: " if report.dry_run else ""
            self.stdout.write(f"{would}{counts or 'nothing to do'}")
        if report.exit_code:
            raise CommandError(f"{report.left} left", returncode=report.exit_code)

    @property
    def verb_name(self) -> str:
        """The verb as it is typed."""
        return type(self).__module__.rpartition(".")[2]

    def run_verb(self, call: Call, options: dict[str, Any]) -> Report:
        """Call the function of the verb."""
        raise NotImplementedError

    def show(self, report: Report) -> None:
        """Print the single things."""
        for line in _table(report.items):
            self.stdout.write(line)

    @staticmethod
    def word(value: Any) -> str:
        """Return a value on one line."""
        return _word(value)

    @staticmethod
    def only(values: list[str], name: str) -> str:
        """Return the one value that is needed. Raises `BadParameters`."""
        if len(values) != 1:
            raise BadParameters(f"give {name} once, not {len(values)} times")
        return values[0]


def _table(items: list[Item]) -> Iterator[str]:
    """Yield the items as aligned columns; values on one line each."""
    columns = list(dict.fromkeys(name for item in items for name in item))
    rows = [columns, *([_word(item.get(name)) for name in columns] for item in items)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(columns))]
    for row in rows if items else ():
        yield "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()


def _word(value: Any) -> str:
    if value is None:
        return "-"
    return " ".join(value.split()) if isinstance(value, str) else str(value)


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end a verb as Ctrl-C does: with a record that says so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _progress(verb: str, *, shown: bool) -> Iterator[Call]:
    """Show a bar on a terminal; nothing where nobody looks."""
    try:
        by = f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):  # a container's user need not have a name
        by = "command line"
    console = Console(stderr=True)
    if not (shown and console.is_terminal):
        yield Call(by=by)
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as bar:
        task = bar.add_task(verb, total=None)
        yield Call(
            by=by, progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
