"""Byte ranges of HTTP, one at a time.

Source: RFC 9110, sections 13.1.5 (If-Range) and 14 (Range requests).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes\s*=\s*([0-9]{0,19})\s*-\s*([0-9]{0,19})\s*", re.IGNORECASE)


class Unsatisfiable(Exception):
    """No byte of the object lies in the range; answered with 416."""


@dataclass(frozen=True)
class ByteRange:
    """A stretch of an object: bytes `start` to `start + length - 1`."""

    start: int
    length: int

    def content_range(self, size: int) -> str:
        """Return the Content-Range header within an object of `size` bytes."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{size}"


def parse(header: str | None, size: int) -> ByteRange | None:
    """Return the range that a Range header asks for, None where the whole is to be sent.

    A header that is not understood counts as absent, and so do several ranges at once: the
    RFC allows both, and no client of ours needs them. Raises `Unsatisfiable`.
    """
    match = _ONE_RANGE.fullmatch(header.strip()) if header else None
    if match is None:
        return None
    first, last = match.groups()
    if not first and not last:
        return None
    if not first:  # the last n bytes
        length = min(int(last), size)
        if length == 0:
            raise Unsatisfiable
        return ByteRange(size - length, length)
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise Unsatisfiable
    end = min(int(last), size - 1) if last else size - 1
    return ByteRange(start, end - start + 1)
