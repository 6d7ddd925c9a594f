"""Files that are whole on disk or not there at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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


def write_atomically(target: Path, chunks: Iterable[bytes]) -> int:
    """Write a file as a whole, replacing what was there; return its size.

    Whoever reads it sees all of it or what was there before, also after a power cut. Raises
    OSError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.{secrets.token_hex(4)}{GROWING}")
    try:
        with draft.open("xb") as file:
            size = sum(file.write(chunk) for chunk in chunks)
            file.flush()
            os.fsync(file.fileno())
        rename_durably(draft, target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return size
