"""Long verbs for the API and the admin: they go on in a thread, the record shows how far."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

import structlog
from django.db import connection

from portal.replay.models import Replay
from portal.replay.records import Call, Report

log = structlog.get_logger(__name__)


def start(verb: Callable[[Call], Report], call: Call) -> tuple[Replay, threading.Thread]:
    """Begin a verb; return its record once it is open, and the thread that goes on.

    What the verb refuses is raised here. A web server that is stopped takes the thread with it:
    the record stays `running` and stands still, and the verb can be begun again.
    """
    opened: Future[Replay] = Future()

    def work() -> None:
        try:
            verb(replace(call, opened=opened.set_result))
        except Exception as error:
            if not opened.done():
                opened.set_exception(error)
            else:
                log.exception("replay_failed", verb=str(verb))
        finally:
            connection.close()

    thread = threading.Thread(target=work, name="replay", daemon=True)
    thread.start()
    return opened.result(), thread
