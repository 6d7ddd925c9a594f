"""How a growing file is cut into the parts of an S3 multipart upload.

Limits: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html (10,000 parts; 5 MiB to
5 GiB each, the last may be smaller; 5 TiB in total). Part sizes double every 1,000 parts, from
8 MiB to 4 GiB: the first 8 GB of a recording cost little memory and time per part, and 10,000
parts still reach 5 TiB.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MIB = 1024 * 1024
FIRST_PART = 8 * MIB
PARTS_OF_A_SIZE = 1000
MOST_PARTS = 10_000


@dataclass(frozen=True)
class Span:
    """Part `number` (from 1) is `length` bytes from `start`; the last may be short of full."""

    number: int
    start: int
    length: int
    full: bool


def part_size(number: int) -> int:
    """Return the bytes of a full part."""
    return FIRST_PART << ((number - 1) // PARTS_OF_A_SIZE)


def spans(size: int) -> Iterator[Span]:
    """Yield the parts of a file of `size` bytes; only the last can be short."""
    start, number = 0, 1
    while start < size and number <= MOST_PARTS:
        length = min(part_size(number), size - start)
        yield Span(number, start, length, full=length == part_size(number))
        start += length
        number += 1
