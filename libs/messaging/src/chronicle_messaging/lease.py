"""Keeping messages hidden from others for as long as they are in hand."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import structlog

from chronicle_messaging.errors import ENDPOINT_TROUBLE
from chronicle_messaging.message import Message
from chronicle_messaging.queue import Queue

log = structlog.get_logger(__name__)


class Lease:
    """A context in which a thread extends the visibility of all messages in hand.

    It asks three times in a visibility timeout, so that one lost call does no harm.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._held: dict[str, Message] = {}
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"lease-{queue.name}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def take(self, messages: Iterable[Message]) -> None:
        """Keep messages hidden from now on."""
        with self._lock:
            self._held.update((one.receipt, one) for one in messages)

    def drop(self, messages: Iterable[Message]) -> None:
        """Keep them no longer. When this returns, no extension of them is under way.

        So a message that is given back afterwards stays given back.
        """
        with self._lock:
            for one in messages:
                self._held.pop(one.receipt, None)

    def _run(self) -> None:
        while not self._done.wait(self._queue.visibility_timeout / 3):
            with self._lock:
                if not self._held:
                    continue
                try:
                    self._queue.change_visibility(
                        list(self._held.values()), self._queue.visibility_timeout
                    )
                except ENDPOINT_TROUBLE as error:
                    log.warning("lease_not_extended", queue=self._queue.name, error=str(error))
