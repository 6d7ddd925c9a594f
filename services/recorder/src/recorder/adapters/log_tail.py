"""The end of this process's log, kept in memory for the day it is needed in an event."""

from __future__ import annotations

import logging
from collections import deque

from chronicle_contracts.recorder import LOG_TAIL_BYTES
from chronicle_sources.errors import without_secrets


class MemoryLogTail(logging.Handler):
    """Implements `ports.LogTail`; `secrets` are never in it, nor are queries of URLs."""

    def __init__(self, secrets: list[str]) -> None:
        super().__init__()
        self._secrets = [secret for secret in secrets if secret]
        self._lines: deque[str] = deque(maxlen=200)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        try:
            line = without_secrets(self.format(record))
        except Exception:  # noqa: BLE001 - logging must not end a recording
            self.handleError(record)
            return
        for secret in self._secrets:
            line = line.replace(secret, "***")
        self._lines.append(line)

    def text(self) -> str:
        """Return whole lines, the newest last, of at most `LOG_TAIL_BYTES` bytes."""
        kept: list[str] = []
        size = 0
        for line in reversed(list(self._lines)):
            size += len(line.encode()) + 1
            if size > LOG_TAIL_BYTES and kept:
                break
            kept.append(line)
        return "\n".join(reversed(kept))
