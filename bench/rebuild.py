"""Rebuild of all read models over logs of 200,000 and 1,000,000 events, on both databases.

What is measured is the whole verb, as an operator calls it: fold the jobs into new tables, catch
up, compare with what is read. "Events a second" are events of the log that the rebuilt tables
then cover. Not each of them is read: of heartbeats and other progress only the newest of each
stream counts for any state, and an index finds it; "folded" says how many events were decoded and
folded, by each of the five projections. What the same code does where nothing can be passed over
is measured too: a log without any progress. The peers fold one of the projections, that of jobs,
with the same fold, an event a transaction.
"""

from __future__ import annotations

from rich.console import Console

from bench.child import rows_of
from bench.databases import KINDS, portal_database
from bench.report import Bar, Figure, Report

LEAST = 50_000
TIMES_RUNNER = 50
MOST_MEMORY = 300
NO_SLOWER = 0.85  # of the smaller log's rate; the rest is noise of a shared machine


def run(console: Console) -> Report:
    """Measure all of it on SQLite, then on PostgreSQL."""
    report = Report("rebuild")
    for kind in KINDS:
        found: dict[str, dict[str, Figure]] = {}
        with portal_database(kind) as env:
            for function in ("milestones", "small", "measured", "large", "measured", "peers"):
                console.print(f"{kind}: {function} ...")
                for row in rows_of("rebuild_run", function, env):
                    if "what" in row:
                        report.rows.append({"database": kind, **row})
                        found[str(row["what"])] = row
        report.bars += _bars(kind, found)
    return report


def _bars(kind: str, found: dict[str, dict[str, Figure]]) -> list[Bar]:
    def figure(what: str, name: str = "events a second") -> float:
        return float(found[what][name] or 0)

    small, large = "200,000 events", "1,000,000 events"
    runner = figure("peer: ProjectionRunner, jobs alone")
    return [
        *(
            Bar(f"{kind}: events a second, {size}", figure(size), LEAST, "at least")
            for size in (small, large)
        ),
        Bar(
            f"{kind}: rate at 1,000,000 in that at 200,000",
            round(figure(large) / figure(small), 2),
            NO_SLOWER,
            "at least",
        ),
        Bar(f"{kind}: memory of the process, MiB", figure(large, "MiB"), MOST_MEMORY),
        Bar(
            f"{kind}: in the rate of eventsourcing's ProjectionRunner",
            round(min(figure(small), figure(large)) / runner, 1),
            TIMES_RUNNER,
            "at least",
        ),
        Bar(
            f"{kind}: in that rate where every event is read",
            round(figure("no progress in the log: every event read") / runner, 1),
            TIMES_RUNNER,
            "at least",
        ),
    ]
