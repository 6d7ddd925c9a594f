"""`python -m chronicle_contracts.contract_check OLD [NEW]`: does a change break somebody?

Exit code 0: no; 1: yes, and the lines that begin with BREAKS say what, where and what to do
instead; 2: there is nothing to compare. `manage.py events contract-check` is the same.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any, Protocol

from chronicle_contracts.compatibility import Change, compare
from chronicle_contracts.schema_sets import CODE, UnreadableSchemas, load

SOURCE = (
    "an AsyncAPI document of ours (JSON), a folder of TYPE.schema.json files, one such file, "
    f"`-` for the standard input, or `{CODE}` for what is installed"
)


class _Parser(Protocol):
    def add_argument(self, *names: str, **options: Any) -> Any: ...


def add_arguments(parser: _Parser) -> None:
    """Ask what is to be compared."""
    parser.add_argument("old", metavar="OLD", help=SOURCE)
    parser.add_argument("new", metavar="NEW", nargs="?", default=CODE, help=f"the same; {CODE}")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def check(old: str, new: str, *, as_json: bool = False) -> tuple[str, bool]:
    """Return what is to be printed, and whether nothing breaks. Raises `UnreadableSchemas`."""
    changes = compare(load(old), load(new))
    broken = sum(1 for change in changes if change.breaking)
    if as_json:
        return json.dumps({"breaking": broken, "changes": _plain(changes)}), not broken
    lines = [
        f"{'BREAKS' if change.breaking else 'adds  '}  {change}"
        for change in sorted(changes, key=lambda change: not change.breaking)
    ]
    return "\n".join([*lines, f"{broken} breaking, {len(changes) - broken} additive"]), not broken


def _plain(changes: Sequence[Change]) -> list[dict[str, Any]]:
    return [
        {
            "event": change.event,
            "field": change.field or None,
            "change": change.what,
            "breaking": change.breaking,
            "remedy": change.remedy or None,
        }
        for change in changes
    ]


def main(arguments: list[str] | None = None) -> int:
    """Compare, print, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m chronicle_contracts.contract_check")
    add_arguments(parser)
    asked = parser.parse_args(arguments)
    try:
        told, fine = check(asked.old, asked.new, as_json=asked.json)
    except UnreadableSchemas as error:
        parser.error(str(error))
    sys.stdout.write(told + "\n")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
