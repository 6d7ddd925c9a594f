"""What the attempts at one object leave in its folder: growing files, whole ones, whose turn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from chronicle_storage.durably import disk_errors, rename_durably, sync_file, write_atomically
from chronicle_storage.errors import Superseded
from chronicle_storage.keys import GROWING, aside_key, is_key
from chronicle_storage.local_file import stat_file
from chronicle_storage.ports import StoredObject, Unfinished

TURN = "turn"
DERIVED = "+"  # begins the name of a growing file that is a copy of others
DRAFT = re.compile(r"[0-9a-f]{8}")  # what `write_atomically` puts into the names of its files


class LocalAttempts:
    """The files `<object>.<name>.part`, `<object>.<name>.mkv` and `<object>.turn.part`."""

    def __init__(self, key: str, place: Path) -> None:
        self._key = key
        self._place = place

    def growing(self, name: str, *, derived: bool = False) -> Path:
        """Return where an object grows."""
        return self._place.with_name(
            f"{self._place.name}.{DERIVED if derived else ''}{name}{GROWING}"
        )

    def take_over(self, turn: int) -> None:
        """Write down whose turn it is."""
        with disk_errors(f"taking over {self._key}"):
            if self._turn() < turn:
                write_atomically(self.growing(TURN), [str(turn).encode()])

    def check(self, turn: int) -> None:
        """Raise `Superseded` where it is a later attempt's turn."""
        with disk_errors(f"looking whose turn {self._key} is"):
            if (by := self._turn()) > turn:
                raise Superseded(self._key, turn=turn, by=by)

    def unfinished(self) -> list[Unfinished]:
        """Return the files that still grow, the one first that was begun first."""
        found = []
        with disk_errors(f"looking for what is unfinished of {self._key}"):
            for path in self._place.parent.glob(f"{self._place.name}.*{GROWING}"):
                name = path.name[len(self._place.name) + 1 : -len(GROWING)]
                if name == TURN or "." in name or DRAFT.fullmatch(name):
                    continue
                stat = path.stat()
                found.append(
                    Unfinished(
                        key=self._key,
                        id=path.name,
                        name=name.removeprefix(DERIVED),
                        # When it was begun is not known; what ended first began first.
                        begun_at=datetime.fromtimestamp(stat.st_mtime, UTC),
                        size=stat.st_size,
                        derived=name.startswith(DERIVED),
                    )
                )
        return sorted(found, key=lambda one: (one.begun_at, one.name))

    def set_aside(self, path: Path, name: str) -> StoredObject | None:
        """Rename a growing file, of which nobody may have any more than this name."""
        key = aside_key(self._key, name)
        target = self._place.with_name(key.rpartition("/")[2])
        with disk_errors(f"setting {path.name} aside"):
            if path.is_file() and path.stat().st_size > 0:
                sync_file(path)
                rename_durably(path, target)
            path.unlink(missing_ok=True)
        return stat_file(key, target)

    def abort(self, one: Unfinished) -> None:
        """Delete a growing file."""
        with disk_errors(f"deleting {one.id}"):
            self._place.with_name(one.id).unlink(missing_ok=True)

    def aside(self) -> list[StoredObject]:
        """Return the files that were set aside."""
        folder, suffix = self._key.rpartition("/")[0], self._place.suffix
        with disk_errors(f"looking for what is set aside of {self._key}"):
            paths = sorted(self._place.parent.glob(f"{self._place.name}.*{suffix}"))
        keys = [(f"{folder}/{path.name}" if folder else path.name, path) for path in paths]
        return [one for key, path in keys if (one := stat_file(key, path)) is not None]

    def forget(self) -> None:
        """Delete what was set aside, and whose turn it was."""
        for one in self.aside():
            with disk_errors(f"deleting {one.key}"):
                self._place.with_name(one.key.rpartition("/")[2]).unlink(missing_ok=True)
        with disk_errors(f"forgetting whose turn {self._key} is"):
            self.growing(TURN).unlink(missing_ok=True)

    def _turn(self) -> int:
        try:
            return int(self.growing(TURN).read_text())
        except FileNotFoundError:
            return 0


def leftovers(root: Path, prefix: str, before: datetime) -> Iterator[Unfinished]:
    """Yield the files of a store that still grow or are drafts, idle since `before`."""
    with disk_errors(f"looking for leftovers below {prefix or 'the root'}"):
        paths = sorted((root / prefix.rpartition("/")[0]).rglob(f"*{GROWING}"))
        for path in paths:
            key, _, name = path.relative_to(root).as_posix()[: -len(GROWING)].rpartition(".")
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue  # delivered or discarded while we walk
            touched_at = datetime.fromtimestamp(stat.st_mtime, UTC)
            if key.startswith(prefix) and touched_at < before and is_key(key):
                yield Unfinished(
                    key=key,
                    id=path.name,
                    name=name.removeprefix(DERIVED),
                    begun_at=touched_at,
                    size=stat.st_size,
                    derived=name.startswith(DERIVED),
                )
