"""A folder of this machine that only our own user may open."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from chronicle_vault.errors import SecretMissing, VaultUnreachable
from chronicle_vault.ports import KeptSecret, check

FOLDER_MODE, FILE_MODE = 0o700, 0o600

# No secret is named so: names begin with a letter or digit.
_DRAFT = "."


class FolderVault:
    """Implements `Vault`: a file a secret, mode 0600, in a folder of mode 0700."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()

    def put(self, name: str, secret: bytes) -> None:
        """Write a file beside its place and move it there."""
        check(name, secret)
        with _disk_errors(name):
            self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            self._folder.chmod(FOLDER_MODE)  # it may have been made by hand
            draft = self._folder / f"{_DRAFT}{name}.{secrets.token_hex(4)}"
            try:
                _write_whole(draft, secret)
                draft.replace(self._folder / name)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise
            _sync(self._folder)

    def get(self, name: str) -> bytes:
        """Read the file."""
        check(name)
        with _disk_errors(name):
            try:
                return (self._folder / name).read_bytes()
            except FileNotFoundError:
                raise SecretMissing(name) from None

    def delete(self, name: str) -> bool:
        """Remove the file."""
        check(name)
        with _disk_errors(name):
            try:
                (self._folder / name).unlink()
            except FileNotFoundError:
                return False
            _sync(self._folder)
            return True

    def kept(self) -> Iterator[KeptSecret]:
        """List the folder, with drafts that a crash left: they are as secret as the rest."""
        with _disk_errors("listing"):
            if not self._folder.is_dir():
                return
            for path in self._folder.iterdir():
                if path.name.startswith(_DRAFT):
                    self._drop_old_draft(path)
                    continue
                try:
                    kept_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                except FileNotFoundError:
                    continue  # deleted in between
                yield KeptSecret(path.name, kept_at)

    def _drop_old_draft(self, path: Path) -> None:
        """Remove what a writer that died left behind; one that lives takes milliseconds."""
        age = datetime.now(UTC).timestamp() - path.stat().st_mtime
        if age > 60:
            path.unlink(missing_ok=True)


def _write_whole(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk_errors(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise VaultUnreachable(
            f"{what}: {error.strerror or type(error).__name__}; look at the vault's folder, "
            "its rights and the disk's free space"
        ) from error
