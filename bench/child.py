"""Work of a benchmark in a Django process of its own: the settings are those of its environment.

`python -m bench.child MODULE FUNCTION` prints what the function yields, one JSON row a line.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping

import django

from bench.databases import ROOT
from bench.report import Figure


def rows_of(module: str, function: str, env: Mapping[str, str]) -> Iterator[dict[str, Figure]]:
    """Yield the rows of a function of this package, called in a process with this environment."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.child", f"bench.{module}", function],
        env=dict(env),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            yield json.loads(line)
    finally:
        process.stdout.close()
        code = process.wait()
    if code:
        raise RuntimeError(f"{module}.{function} ended with {code}")


if __name__ == "__main__":
    django.setup()
    for row in getattr(importlib.import_module(sys.argv[1]), sys.argv[2])():
        print(json.dumps(row), flush=True)
