"""Files that are whole on disk or not there at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

from chronicle_storage.errors import StoreUnreachable
from chronicle_storage.keys import GROWING


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Turn the errors of the operating system into `StoreUnreachable`."""
    try:
        yield
    except OSError as error:
        raise StoreUnreachable(
            f"{what}: {error.strerror or error}; look at the disk's free space and rights"
        ) from error


def sync_file(path: Path) -> None:
    """Bring a file's bytes to the disk, whoever wrote them."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename_durably(source: Path, target: Path) -> None:
    """Rename within a file system; after it returns, a power cut does not undo it."""
    source.replace(target)
    sync_file(target.parent)


def write_atomically(target: Path, chunks: Iterable[bytes], *, lasting: bool = True) -> int:
    """Write a file as a whole, replacing what was there; return its size.

    Whoever reads it sees all of it or what was there before, if it is `lasting` also after a
    power cut. Raises OSError.
    """
    # This is done for every segment of a recording: no call of the system without need.
    folder = target.parent
    draft = folder / f"{target.name}.{secrets.token_hex(4)}{GROWING}"
    try:
        try:
            size = _write_new(draft, chunks, lasting=lasting)
        except FileNotFoundError:  # before anything was taken of the chunks
            folder.mkdir(parents=True, exist_ok=True)
            size = _write_new(draft, chunks, lasting=lasting)
        draft.replace(target)
        if lasting:
            sync_file(folder)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return size


def drafts_of(target: Path) -> list[Path]:
    """Return what is written, or was when its writer was killed, to become this file."""
    return [*target.parent.glob(f"{escape(target.name)}.{'[0-9a-f]' * 8}{GROWING}")]


def _write_new(path: Path, chunks: Iterable[bytes], *, lasting: bool) -> int:
    size = 0
    with path.open("xb", buffering=0) as file:
        for chunk in chunks:
            left = memoryview(chunk)
            while left:
                written = file.write(left)
                size, left = size + written, left[written:]
        if lasting:
            os.fsync(file.fileno())
    return size
