"""What keeps media from coming, as far as anybody knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "unreachable",  # the media's server does not answer
    "failing",  # it answers that it failed (5xx)
    "refused",  # it refuses us (401, 403, 410)
    "missing",  # it does not know the playlist or file (404)
    "frozen",  # the playlist is served, and nothing is added to it
    "silent",  # connected, and nothing comes; or nobody knows why
    "over",  # the site says that the stream has ended
    "offline",  # the site says that nobody is live
    "gone",  # the site knows no such page or stream any more
    "needs_login",  # the site asks for a login now
    "blocked",  # the site refuses this machine now
    "disk_full",  # there is no room for media here
]

# With these it is not known whether the source went on without us.
_OURS = frozenset(
    {"unreachable", "failing", "refused", "missing", "needs_login", "blocked", "disk_full"}
)


@dataclass(frozen=True)
class Hindrance:
    """The cause, in one word, and a sentence for people."""

    kind: Kind
    detail: str

    @property
    def may_hide_media(self) -> bool:
        """Whether the source may have gone on where we could not follow."""
        return self.kind in _OURS


SILENCE = Hindrance("silent", "Nothing comes, and nobody says why.")
