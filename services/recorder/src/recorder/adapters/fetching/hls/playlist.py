"""Reading HLS playlists, up to a number of lines."""

from __future__ import annotations

from typing import Any

from requests import Response
from streamlink.stream.hls.m3u8 import M3U8Parser

# A day of segments of one second, each with its date and a line more. What is bounded here is
# time: the largest playlist that is taken could hold lines for ten seconds of parsing.
MOST_LINES = 350_000


class BoundedParser(M3U8Parser[Any, Any, Any]):
    """Raises `ValueError` for a playlist with more lines, which is a failed reload."""

    _lines = 0

    def parse(self, data: str | Response) -> Any:
        """Read a playlist, whole: line by line from an answer, a long line takes minutes."""
        text = data if isinstance(data, str) else data.content.decode("utf-8", "replace")
        return super().parse(text)

    def parse_line(self, line: str) -> None:
        """Read a line."""
        self._lines += 1
        if self._lines > MOST_LINES:
            raise ValueError(f"the playlist has more than {MOST_LINES} lines")
        super().parse_line(line)
