"""Events a second into log and read models, at 10, 100 and 500 a commit, on both databases.

Once the inbox alone with prepared messages, once from the portal's queue at the local endpoint,
whose own limit (messages taken and deleted, nothing done with them) is measured beside it. The
peers make the rows of jobs alone, by eventsourcing's ProjectionRunner and by `update_or_create`.
The endpoint runs on the same cores: beside the work on its messages it gives less than alone.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from rich.console import Console

from bench.child import rows_of
from bench.databases import KINDS, portal_database
from bench.report import Bar, Figure, Report
from tests.fixtures.aws import AwsEndpoint

LEAST = 3_000


def run(console: Console) -> Report:
    """Measure all of it on SQLite, then on PostgreSQL."""
    report = Report("ingest")
    for kind in KINDS:
        console.print(f"{kind} ...")
        figures: dict[str, Figure] = {}
        with portal_database(kind) as env, tempfile.TemporaryDirectory() as folder:
            endpoint = AwsEndpoint(Path(folder))
            endpoint.start()
            try:
                for module, function in (
                    ("ingest_run", "inbox"),
                    ("ingest_run", "queue"),
                    ("ingest_peers", "peers"),
                ):
                    for row in rows_of(module, function, {**env, **endpoint.env}):
                        report.rows.append({"database": kind, **row})
                        figures[str(row["what"])] = row["a second"]
            finally:
                endpoint.stop()
        report.bars.append(
            Bar(
                f"{kind}: events a second, 500 a commit",
                float(figures["inbox alone, 500 a commit"] or 0),
                LEAST,
                "at least",
            )
        )
        alone = float(figures["limit: the queue alone, nothing done"] or 0)
        report.bars.append(
            Bar(
                f"{kind}: from SQS, 500 a commit (or half of what the endpoint itself gives)",
                float(figures["from SQS, 500 a commit"] or 0),
                min(LEAST, round(0.5 * alone)),
                "at least",
            )
        )
    return report
