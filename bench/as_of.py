"""A job of 5,000 events as it was: at positions of the log, and at times.

As-of reads the milestones before the moment, and of progress the newest before it. The peers
decode and fold every event before the moment: with the portal's fold from its log, and from
eventsourcing's event store up to a version, as its repository does.
"""

from __future__ import annotations

from rich.console import Console

from bench.child import rows_of
from bench.databases import KINDS, portal_database
from bench.report import Bar, Report

MOST = 50.0  # milliseconds: a page that feels immediate
TIMES_FOLDING = 5


def run(console: Console) -> Report:
    """Measure on SQLite, then on PostgreSQL."""
    report = Report("as-of")
    for kind in KINDS:
        console.print(f"{kind} ...")
        found: dict[str, float] = {}
        with portal_database(kind) as env:
            for row in rows_of("as_of_run", "moments", env):
                report.rows.append({"database": kind, **row})
                found[str(row["what"])] = float(row["median ms"] or 0)
        slowest = max(found["as known at a position"], found["as it truly was at a time"])
        report.bars += [
            Bar(f"{kind}: as-of, milliseconds, median", slowest, MOST),
            Bar(
                f"{kind}: folding every event takes so many times as long",
                round(found["peer: fold every event before it"] / slowest, 1),
                TIMES_FOLDING,
                "at least",
            ),
        ]
    return report
