"""A rebuild and swaps of all read models while 100 events a second arrive and readers read.

The log has 200,000 events. Measured is how long a swap or rollback holds the log's lock (ingest
waits that long; readers do not wait for it), and what readers see meanwhile; ingest and
readers are processes of their own, as they are in production. At the end every row is
compared with what its job's history folds to, and with a rebuild from nothing.
"""

from __future__ import annotations

from rich.console import Console

from bench.child import rows_of
from bench.databases import KINDS, portal_database
from bench.report import Bar, Report

MOST = 50  # milliseconds


def run(console: Console) -> Report:
    """Measure on SQLite, then on PostgreSQL."""
    report = Report("swap")
    for kind in KINDS:
        console.print(f"{kind} ...")
        with portal_database(kind) as env:
            (row,) = rows_of("swap_run", "swaps", env)
        report.rows.append({"database": kind, **row})
        report.bars += [
            Bar(f"{kind}: milliseconds under the lock, median", _n(row["lock ms, median"]), MOST),
            Bar(f"{kind}: reads that failed or saw an empty page", _n(row["bad reads"]), 0),
            Bar(f"{kind}: rows that are not what the log says", _n(row["rows that differ"]), 0),
        ]
    return report


def _n(figure: object) -> float:
    assert isinstance(figure, int | float)
    return float(figure)
