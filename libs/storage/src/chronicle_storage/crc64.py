"""CRC-64/NVME: the checksum that S3 keeps of a whole object sent in parts.

Unlike SHA-256 it can be made of the parts' own checksums, in whatever order they were sent:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import anycrc

from chronicle_storage.file_slice import FileSlice
from chronicle_storage.ports import CHUNK

DIGITS = 16


@cache
def _model() -> anycrc.CRC:
    return anycrc.Model("CRC64-NVME")


def crc64_of_slice(path: Path, start: int, length: int) -> str:
    """Return the checksum of a stretch of a file as 16 hex digits; raises OSError."""
    value: int | None = None
    with FileSlice(path, start, length) as file:
        while chunk := file.read(CHUNK):
            value = _model().calc(chunk) if value is None else _model().calc(chunk, value)
    return _hex(0 if value is None else value)


def combined_crc64(parts: Iterable[tuple[str, int]]) -> str:
    """Return the checksum of parts put together, of each one's checksum and length."""
    value = 0
    for digits, length in parts:
        value = _model().combine(value, int(digits, 16), length)
    return _hex(value)


def as_header(digits: str) -> str:
    """Return a checksum as S3 writes it: base64 of its bytes."""
    return base64.b64encode(bytes.fromhex(digits)).decode()


def from_header(text: str | None) -> str | None:
    """Return the hex digits of what S3 writes."""
    return None if text is None else base64.b64decode(text).hex()


def _hex(value: int) -> str:
    return f"{value:0{DIGITS}x}"
