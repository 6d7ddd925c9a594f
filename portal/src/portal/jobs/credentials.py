"""Cookies and headers of a job on their way into the vault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from uuid import uuid4

import structlog
from chronicle_contracts import naming
from chronicle_sources import Credentials
from chronicle_vault import SecretTooLarge, Vault, VaultError, open_vault

from portal.configuration import portal_settings
from portal.jobs.errors import BadRequest, VaultAway

log = structlog.get_logger(__name__)


@dataclass
class Kept:
    """The name under which credentials are kept; `is_named` once an event names it."""

    name: str | None = None
    is_named: bool = False


@cache
def vault() -> Vault:
    """Return the vault of this process."""
    return open_vault(portal_settings())


@contextmanager
def put_away(job_id: str, credentials: Credentials | None) -> Iterator[Kept]:
    """Keep credentials before an event names them; delete them where none does after all.

    Raises `BadRequest`, `VaultAway`.
    """
    kept = Kept()
    if credentials is not None and (credentials.headers or credentials.cookies):
        kept.name = naming.credentials_name(job_id, uuid4().hex)
        _put(kept.name, credentials)
    saved = False
    try:
        yield kept
        saved = kept.is_named
    finally:
        # Should this process die here, nobody knows the name: the dispatcher sweeps it up.
        if kept.name is not None and not saved:
            _delete(kept.name)


def renew(name: str | None, credentials: Credentials) -> None:
    """Keep credentials in place of those that a job was requested with.

    Raises `BadRequest`, `VaultAway`.
    """
    if name is None:
        raise BadRequest(
            "no_credentials",
            "This job was requested without cookies and headers; request it anew with them.",
            field="credentials",
        )
    _put(name, credentials)


def _put(name: str, credentials: Credentials) -> None:
    try:
        vault().put(name, credentials.model_dump_json().encode())
    except SecretTooLarge:
        raise BadRequest(
            "credentials_too_large",
            "These are more cookies and headers than the vault keeps (64 KiB); "
            "export the cookies of this site only.",
            field="credentials",
        ) from None
    except VaultError as error:
        log.warning("credentials_not_kept", secret=name, reason=str(error))
        raise VaultAway from None


def _delete(name: str) -> None:
    try:
        vault().delete(name)
    except VaultError as error:
        log.warning("secret_not_deleted", secret=name, reason=str(error))
