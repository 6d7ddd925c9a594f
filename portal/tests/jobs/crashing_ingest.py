"""An ingest process that kills itself with SIGKILL at a boundary, the second time it gets there.

`python crashing_ingest.py BOUNDARY` with the environment of a portal.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from collections.abc import Collection, Sequence

import django

django.setup()

from chronicle_messaging import BatchConsumer, Bus, Message, Queue  # noqa: E402
from portal.configuration import PortalSettings  # noqa: E402
from portal.eventlog import appending, cursors  # noqa: E402
from portal.eventlog.inbox import Inbox  # noqa: E402
from portal.eventlog.models import StreamCursor  # noqa: E402
from portal.jobs.ingestion import Ingestion  # noqa: E402
from portal.jobs.readmodel import refold  # noqa: E402

_times = itertools.count(1)


def reach(boundary: str) -> None:
    """Die where it was asked for."""
    if boundary == sys.argv[1] and next(_times) == 2:
        os.kill(os.getpid(), signal.SIGKILL)


class _Queue(Queue):
    def delete(self, messages: Sequence[Message]) -> list[Message]:
        reach("deleting")
        left = super().delete(messages)
        reach("deleted")
        return left


def main() -> None:
    """Ingest until it dies."""

    def moved(rows: Collection[StreamCursor]) -> None:
        reach("appended")
        appending.move(rows)

    setattr(cursors, "move", moved)  # noqa: B010 (mypy knows no names that a module imported)

    def project(jobs: Collection[str]) -> None:
        refold(jobs)
        reach("projected")

    ingestion = Ingestion(Inbox(project), threading.Event())

    def handle(messages: Sequence[Message]) -> None:
        reach("received")
        ingestion.handle(messages)
        reach("committed")

    bus = Bus.connect(PortalSettings())
    BatchConsumer(_Queue(bus, "portal"), handle, most=20).run(threading.Event())


if __name__ == "__main__":
    main()
