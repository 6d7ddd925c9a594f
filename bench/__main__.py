"""Run benchmarks: `python -m bench` lists them, `python -m bench NAME` runs one.

Exit codes: 0 every bar holds, 1 a bar does not hold, 2 there is no such benchmark.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from rich.console import Console

from bench.report import Report

# What makes a module of this folder a benchmark; all others are machinery.
_RUNS = "\ndef run(console: Console) -> Report:"


def names() -> list[str]:
    """Return the benchmarks."""
    modules = [path for path in Path(__file__).parent.glob("*.py") if _RUNS in path.read_text()]
    return sorted(path.stem.replace("_", "-") for path in modules)


def main(argv: list[str]) -> int:
    """Run the named benchmark, print its table, write its results."""
    console = Console()
    if not argv:
        for name in names():
            module = importlib.import_module(f"bench.{name.replace('-', '_')}")
            console.print(f"{name:<16} {(module.__doc__ or '').splitlines()[0]}")
        console.print("\nmake bench NAME=... runs one and writes bench/results/NAME.json")
        return 0
    [name] = argv
    if name not in names():
        console.print(f"there is no benchmark {name!r}; there are: {', '.join(names())}")
        return 2
    report: Report = importlib.import_module(f"bench.{name.replace('-', '_')}").run(console)
    report.show(console)
    console.print(f"wrote {report.write().relative_to(Path.cwd())}")
    return 0 if report.holds else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
