"""Keys of the store: relative paths of plain segments, the same in S3 and in a folder."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from chronicle_storage.errors import BadKey

# 220 leaves room for ".attempt-1.part" in the 255 bytes that a file system gives a name.
SEGMENT = re.compile(r"[A-Za-z0-9._-]{1,220}")
LONGEST = 1024  # bytes, the limit of S3
GROWING = ".part"  # what is not whole yet; never a key


def aside_key(key: str, name: str) -> str:
    """Return where a part of a recording is put that is not the recording itself."""
    return f"{key}.{name}{PurePosixPath(key).suffix}"


def check_key(key: str) -> str:
    """Return the key if it may name an object.

    Raises `BadKey`: no absolute paths, no `.` or `..`, segments of `[A-Za-z0-9._-]`, not
    ending in `.part`, at most 1,024 bytes.
    """
    if len(key) > LONGEST:
        raise BadKey(f"key {key[:80]!r}... has {len(key)} characters; the limit is {LONGEST}")
    for segment in key.split("/"):
        if segment in {".", ".."} or SEGMENT.fullmatch(segment) is None:
            raise BadKey(
                f"key {key!r}: segment {segment!r} is not allowed; use [A-Za-z0-9._-], "
                "no empty segments, no '.' or '..'"
            )
    if key.endswith(GROWING):
        raise BadKey(f"key {key!r} ends in {GROWING!r}, which marks files that still grow")
    return key


def is_key(text: str) -> bool:
    """Return whether a text may name an object."""
    try:
        check_key(text)
    except BadKey:
        return False
    return True


def check_prefix(prefix: str) -> str:
    """Return the prefix if keys can begin with it; raises `BadKey`."""
    folder, _, rest = prefix.rpartition("/")
    if folder:
        check_key(folder)
    if rest and (rest == ".." or SEGMENT.fullmatch(rest) is None):
        raise BadKey(f"prefix {prefix!r}: {rest!r} cannot begin a segment of a key")
    return prefix


def check_name(name: str) -> str:
    """Return the name of a growing object if it may be part of a file name; raises `BadKey`."""
    if re.fullmatch(r"[A-Za-z0-9_-]{1,24}", name) is None:
        raise BadKey(f"name {name!r} of a growing object must be 1 to 24 of [A-Za-z0-9_-]")
    return name
