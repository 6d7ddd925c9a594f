"""The quality that people ask for, as a format selection of yt-dlp."""

from __future__ import annotations

import re

BEST = "bv*+ba/b"
SOUND = "ba/b"  # where sound does not come apart, the recorder leaves the picture out


def format_selection(
    quality: str | None, *, max_height: int | None = None, audio_only: bool = False
) -> str:
    """Return the selection for "best", "worst", "audio", "720p", or what is one already.

    A height means that or the next lower one, and the lowest there is where none is that low;
    `max_height` limits any selection in the same way. `audio_only` goes before all of them.
    """
    if audio_only:
        return SOUND
    wanted = (quality or "best").strip()
    if height := re.fullmatch(r"(\d{2,4})p?\d{0,3}", wanted.lower()):
        limit = int(height.group(1))
        max_height, wanted = min(limit, max_height or limit), "best"
    known = {"": BEST, "best": BEST, "worst": "wv*+wa/w", "audio": SOUND}
    selection = known.get(wanted.lower(), wanted)
    return f"({selection})[height<=?{max_height}]/wv*+ba/w" if max_height else selection
