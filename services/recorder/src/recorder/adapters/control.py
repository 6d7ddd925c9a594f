"""Wishes from outside: `control.json` in the work folder, and SIGTERM.

The file is written atomically by the dispatcher: `{"stop": null|"keep"|"discard",
"max_duration": seconds|null}`. It wins over the signal, which is only a nudge to look.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Literal

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recorder.ports import Wish

log = structlog.get_logger(__name__)

LOOK_EVERY = 1.0  # seconds


class ControlFile(BaseModel):
    """What the file may say."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    stop: Literal["keep", "discard"] | None = None
    max_duration: float | None = Field(default=None, gt=0)


class FileControl:
    """Implements `ports.Control`; `max_duration` holds until the file says another.

    `news` is set by whatever is worth a look before the time of the next one has come.
    """

    def __init__(
        self,
        folder: Path,
        terminated: threading.Event,
        news: threading.Event,
        *,
        max_duration: float | None,
    ) -> None:
        self._path = folder / "control.json"
        self._terminated = terminated
        self._news = news
        self._max_duration = max_duration
        self._looked_at = 0.0
        self._said = ControlFile()
        self._has_spoken = False
        self._was_nudged = False

    def wish(self) -> Wish:
        """Read the file, at most once a second; at once after the signal."""
        nudged = self._terminated.is_set() and not self._was_nudged
        if nudged or time.monotonic() - self._looked_at > LOOK_EVERY:
            self._was_nudged = self._was_nudged or nudged
            self._looked_at = time.monotonic()
            self._read()
        longest = self._said.max_duration if self._has_spoken else self._max_duration
        if self._said.stop is not None:
            return Wish(self._said.stop, longest)
        return Wish("terminated" if self._terminated.is_set() else None, longest)

    def wait(self, seconds: float) -> None:
        """Sleep until there is news; what was news before is none any more."""
        self._news.wait(seconds)
        self._news.clear()

    def _read(self) -> None:
        try:
            said = ControlFile.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return
        except (OSError, ValidationError) as error:
            log.warning("control_unreadable", error=str(error))
            return
        # A stop alone does not lift the limit that the run was launched with.
        self._has_spoken = self._has_spoken or "max_duration" in said.model_fields_set
        self._said = said
