"""The quality that people ask for, as a format selection of yt-dlp."""

from __future__ import annotations

import re

BEST = "bv*+ba/b"


def format_selection(quality: str | None) -> str:
    """Return the selection for "best", "worst", "audio", "720p", or what is one already.

    A height means that or the next lower one, and the best there is where none is that low.
    """
    wanted = (quality or "best").strip().lower()
    if wanted in {"", "best"}:
        return BEST
    if wanted == "worst":
        return "wv*+wa/w"
    if wanted == "audio":
        return "ba/b"
    if height := re.fullmatch(r"(\d{2,4})p?\d{0,3}", wanted):
        lines = height.group(1)
        return f"bv*[height<={lines}]+ba/b[height<={lines}]/{BEST}"
    return (quality or BEST).strip()
