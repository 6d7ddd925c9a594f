"""What a benchmark reports: rows of figures, and bars that hold or do not."""

from __future__ import annotations

import itertools
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table

RESULTS = Path(__file__).parent / "results"

Figure = str | int | float | None


@dataclass(frozen=True)
class Bar:
    """What must hold: a value on the right side of its limit."""

    bar: str
    value: float
    limit: float
    side: Literal["at most", "at least"] = "at most"

    @property
    def holds(self) -> bool:
        """Whether the value keeps to the limit."""
        if self.side == "at most":
            return self.value <= self.limit
        return self.value >= self.limit


@dataclass
class Report:
    """The outcome of one benchmark; written to `bench/results/<name>.json` and printed."""

    name: str
    rows: list[Mapping[str, Figure]] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether every bar holds."""
        return all(bar.holds for bar in self.bars)

    def write(self) -> Path:
        """Write the results for machines; return where."""
        document = {
            "name": self.name,
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "rows": self.rows,
            "bars": [{**asdict(bar), "holds": bar.holds} for bar in self.bars],
        }
        path = RESULTS / f"{self.name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document, indent=2) + "\n")
        return path

    def show(self, console: Console) -> None:
        """Print the results for people."""
        table = _table(self.name, self.rows)
        boundless = console.options.update(width=10_000)
        if Measurement.get(console, boundless, table).minimum <= console.width:
            console.print(table)
        else:
            console.print(_listed(self.name, self.rows))
        for bar in self.bars:
            word = "[green]holds[/]" if bar.holds else "[red]DOES NOT HOLD[/]"
            console.print(f"{word}  {bar.bar}: {bar.value:g} ({bar.side} {bar.limit:g})")


def _table(title: str, rows: Sequence[Mapping[str, Figure]]) -> Table:
    table = Table(title=title, title_justify="left")
    columns = list(dict.fromkeys(name for row in rows for name in row))
    for name in columns:
        figures = all(row.get(name) is None or _is_number(row.get(name)) for row in rows)
        table.add_column(name, justify="right" if figures else "left")
    for row in rows:
        table.add_row(*(_shown(row.get(name)) for name in columns))
    return table


def _listed(title: str, rows: Sequence[Mapping[str, Figure]]) -> Group:
    """Return a paragraph for each row: a table of so many columns would be torn to pieces."""
    paragraphs: list[RenderableType] = []
    for row in rows:
        # The words that a row begins with say what it is about.
        words = list(itertools.takewhile(lambda one: isinstance(one, str), row.values()))
        figures = [f"{name} {_shown(one)}" for name, one in [*row.items()][len(words) :]]
        paragraphs.append(Padding(" / ".join(map(_shown, words)), (1, 0, 0, 0)))
        paragraphs.append(Padding(Columns(figures, padding=(0, 3)), (0, 0, 0, 2)))
    return Group(f"[italic]{title}[/]", *paragraphs)


def _is_number(figure: Figure) -> bool:
    return isinstance(figure, int | float)


def _shown(figure: Figure) -> str:
    if figure is None:
        return ""
    return f"{figure:.3g}" if isinstance(figure, float) else str(figure)


def machine() -> dict[str, Figure]:
    """Return what figures depend on: cores, memory, processor architecture, Python."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
    }
