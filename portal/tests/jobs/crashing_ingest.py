"""An ingest process that kills itself with SIGKILL at a boundary, the second time it gets there.

`python crashing_ingest.py BOUNDARY` with the environment of a portal.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading

import django

django.setup()

from chronicle_messaging import BatchConsumer, Bus, Message, Queue  # noqa: E402
from portal.configuration import PortalSettings  # noqa: E402
from portal.eventlog import appending  # noqa: E402
from portal.eventlog.inbox import Inbox  # noqa: E402
from portal.jobs.ingestion import Ingestion  # noqa: E402
from portal.jobs.readmodel import refold  # noqa: E402

_times = itertools.count(1)


def reach(boundary: str) -> None:
    """Die where it was asked for."""
    if boundary == sys.argv[1] and next(_times) == 2:
        os.kill(os.getpid(), signal.SIGKILL)


class _Queue(Queue):
    def delete(self, messages: list[Message]) -> list[Message]:  # type: ignore[override]
        reach("deleting")
        left = super().delete(messages)
        reach("deleted")
        return left


def main() -> None:
    """Ingest until it dies."""
    move = appending.move
    from portal.eventlog import cursors  # noqa: PLC0415

    def moved(rows: object) -> None:
        reach("appended")
        move(rows)  # type: ignore[arg-type]

    cursors.move = moved  # type: ignore[attr-defined]

    def project(jobs: object) -> None:
        refold(jobs)  # type: ignore[arg-type]
        reach("projected")

    ingestion = Ingestion(Inbox(project), threading.Event())

    def handle(messages: object) -> None:
        reach("received")
        ingestion.handle(messages)  # type: ignore[arg-type]
        reach("committed")

    bus = Bus.connect(PortalSettings())
    BatchConsumer(_Queue(bus, "portal"), handle, most=20).run(threading.Event())  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
