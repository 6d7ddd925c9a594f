"""Settings of the portal's processes: one frozen model, read from the environment."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from urllib.parse import urlsplit

from chronicle_messaging import MessagingSettings
from chronicle_runtime import load
from chronicle_runtime.settings import EX_CONFIG
from chronicle_storage import StorageSettings
from chronicle_vault import VaultSettings
from pydantic import Field, PostgresDsn, SecretStr, field_validator


class PortalSettings(StorageSettings, MessagingSettings, VaultSettings):
    """What can be set for the portal's web server, its consumers and its commands.

    The database is `portal/portal.sqlite3` in CHRONICLE_HOME unless CHRONICLE_DATABASE_URL is set.
    """

    secret_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="DJANGO_SECRET_KEY",
        description="signs sessions; required (50 random characters, the same in all processes)",
    )
    debug: bool = Field(
        default=False,
        validation_alias="DJANGO_DEBUG",
        description="development only: error pages that show the code",
    )
    database_url: PostgresDsn | None = Field(
        default=None,
        validation_alias="CHRONICLE_DATABASE_URL",
        description="postgresql://user:password@host:5432/name in place of SQLite",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        validation_alias="CHRONICLE_PUBLIC_URL",
        description="the portal's address as others see it",
    )
    webseed_secret: SecretStr | None = Field(
        default=None,
        validation_alias="CHRONICLE_WEBSEED_SECRET",
        description="opens web seed addresses; the same in portal and seeder",
    )
    allow_private_addresses: bool = Field(
        default=False,
        validation_alias="CHRONICLE_ALLOW_PRIVATE_ADDRESSES",
        description="development only: record from addresses that are not public",
    )
    log_level: str = Field(
        default="INFO",
        validation_alias="CHRONICLE_LOG_LEVEL",
        description="DEBUG, INFO, WARNING or ERROR",
    )

    @field_validator("public_url")
    @classmethod
    def _is_an_origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("expected an address such as https://chronicle.example.org")
        return value.rstrip("/")

    @property
    def folder(self) -> Path:
        """Where the portal keeps its own state."""
        return self.home / "portal"

    @property
    def sqlite_path(self) -> Path:
        """The database of the embedded form."""
        return self.folder / "portal.sqlite3"


@functools.cache
def portal_settings() -> PortalSettings:
    """Return the settings of this process; ends it with code 78 where one of them is bad."""
    # manage.py looks for --settings itself, because Django has an option of that name.
    return load(PortalSettings, argv=())


def prepare() -> None:
    """Make ready what a starting process needs; ends it with code 78 without a secret key."""
    settings = portal_settings()
    if not settings.secret_key.get_secret_value() and not settings.debug:
        sys.stderr.write(
            "bad setting: DJANGO_SECRET_KEY: is missing; set it to 50 random characters, the same "
            'for all processes: python -c "import secrets; print(secrets.token_urlsafe(50))"\n'
        )
        raise SystemExit(EX_CONFIG)
    if settings.database_url is None:
        settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
