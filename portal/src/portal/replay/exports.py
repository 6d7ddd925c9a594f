"""Exports by their names, for API and admin: files of one folder, beside the portal's database."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from chronicle_storage import StoredObject, write_atomically
from chronicle_storage.local import LocalStore
from django.conf import settings

from portal.replay.errors import BadParameters, NotNow, NotThere, Unavailable

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.jsonl")
CHUNK = 1 << 20


def store() -> LocalStore:
    """Return the folder as a store, for those who send its files."""
    return LocalStore(_folder())


def listed() -> list[StoredObject]:
    """Return the exports that are whole, by name."""
    return [one for one in store().list("") if NAME.fullmatch(one.key)]


def to_write(name: str) -> Path:
    """Return where an export of this name is written. Raises `BadParameters`, `NotNow`."""
    path = _path(name)
    if path.exists():
        raise NotNow(f"there is an export {name}; choose another name")
    return path


def to_read(name: str) -> Path:
    """Return where an export lies. Raises `BadParameters`, `NotThere`."""
    path = _path(name)
    if not path.is_file():
        raise NotThere(f"there is no export {name}", field="file")
    return path


def keep(name: str, read: Callable[[int], bytes]) -> None:
    """Keep what somebody sends as an export; `read` gives so many bytes, none at the end.

    Raises `BadParameters`, `NotNow`, `Unavailable`.
    """
    path = to_write(name)
    try:
        write_atomically(path, iter(partial(read, CHUNK), b""))
    except OSError as error:
        raise Unavailable(
            f"{name} could not be kept: {error.strerror or error}; look at the disk's free space"
        ) from error


def remove(name: str) -> None:
    """Delete an export for good. Raises `BadParameters`, `NotThere`."""
    to_read(name).unlink(missing_ok=True)


def _path(name: str) -> Path:
    if not NAME.fullmatch(name):
        raise BadParameters(
            f"{name!r} is no name of an export; use letters, digits and . _ -, and end in .jsonl",
            field="file",
        )
    return _folder() / name


def _folder() -> Path:
    folder = Path(settings.EXPORTS)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
