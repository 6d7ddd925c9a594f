"""What was left behind, and what may become of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

Kind = Literal["process", "folder", "upload", "aside", "note"]


class Fate(StrEnum):
    """What a round does about it."""

    REMOVE = "remove"  # its job is over, and nothing is in it that anybody could want
    MEDIA = "media"  # its job was given up: it may hold the only copy of what was recorded
    UNKNOWN = "unknown"  # of a job that this dispatcher has never heard of: never removed


@dataclass(frozen=True)
class Leftover:
    """Something that nobody has touched for long and whose job does not go on.

    `name` is a process reference, a path, a key or the id of an upload; `size` is in bytes, None
    where it takes none; `since` is when it was touched last.
    """

    kind: Kind
    name: str
    job_id: str | None
    fate: Fate
    since: datetime
    size: int | None = None
