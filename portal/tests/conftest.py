"""What all tests of the portal need: a key, and a database that several threads can use."""

from __future__ import annotations

import secrets

import pytest
from django.conf import settings


@pytest.fixture(autouse=True, scope="session")
def _secret_key():
    """Settings are read before any test could set DJANGO_SECRET_KEY, so it is set in them."""
    settings.SECRET_KEY = secrets.token_urlsafe(50)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, tmp_path_factory):
    """A file, as in production: in memory, SQLite has other locks."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(
            tmp_path_factory.mktemp("database") / "portal.sqlite3"
        )
