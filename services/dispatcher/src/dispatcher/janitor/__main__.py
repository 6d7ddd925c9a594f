"""`python -m dispatcher.janitor`: a round now, as an operator asks for it.

Without `--remove` it is a dry run. Exit codes: 0 nothing is left, 1 something is, 2 called wrongly,
78 bad settings.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import timedelta

from chronicle_runtime import configure_logging, load

from dispatcher.assembly import open_janitor
from dispatcher.janitor.rounds import Found, media_too, what_is_over
from dispatcher.settings import DispatcherSettings


def main() -> int:
    """Find what was left behind, remove what may be; return the exit code."""
    arguments = _arguments()
    settings = load(DispatcherSettings)
    configure_logging("janitor", level="ERROR")
    grace = timedelta(seconds=settings.leftover_grace)
    if arguments.older_than is not None:
        grace = timedelta(hours=arguments.older_than)
    allowed = media_too if arguments.media else what_is_over
    with open_janitor(settings, os.environ, grace=grace) as janitor:
        found = janitor.round(may_remove=lambda one: arguments.remove and allowed(one))
    if arguments.json:
        sys.stdout.write(json.dumps([_as_json(one) for one in found], indent=2) + "\n")
    else:
        _tell(found)
    return 1 if any(not one.is_removed for one in found) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m dispatcher.janitor",
        description="Find what crashes left behind; without --remove nothing is changed.",
    )
    parser.add_argument("--remove", action="store_true", help="remove what belongs to jobs over")
    parser.add_argument(
        "--media",
        action="store_true",
        help="with --remove: also what was recorded for jobs that were given up",
    )
    parser.add_argument(
        "--older-than", type=float, metavar="HOURS", help="in place of CHRONICLE_LEFTOVER_GRACE"
    )
    parser.add_argument("--json", action="store_true", help="one list of objects")
    return parser.parse_args()


def _as_json(found: Found) -> dict[str, object]:
    one = found.leftover
    return {
        "kind": one.kind,
        "name": one.name,
        "job": one.job_id,
        "fate": one.fate.value,
        "since": one.since.isoformat(),
        "bytes": one.size,
        "removed": found.is_removed,
    }


def _tell(found: list[Found]) -> None:
    for one in found:
        left = one.leftover
        word = "removed" if one.is_removed else {"remove": "found"}.get(left.fate, left.fate.value)
        sys.stdout.write(
            f"{word:<8} {left.kind:<8} {left.job_id or '-':<24} {left.since:%Y-%m-%d %H:%M} "
            f"{'' if left.size is None else left.size:>12} {left.name}\n"
        )
    removed = sum(one.is_removed for one in found)
    sys.stdout.write(f"{len(found)} found, {removed} removed, {len(found) - removed} left\n")


if __name__ == "__main__":
    sys.exit(main())
