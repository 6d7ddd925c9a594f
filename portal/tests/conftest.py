"""What all tests of the portal need: a key, and a database that several threads can use."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

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
            tmp_path_factory.mktemp("home") / "portal" / "portal.sqlite3"
        )
        Path(database["TEST"]["NAME"]).parent.mkdir()


@pytest.fixture
def process_env(transactional_db):
    """The environment in which a process of the portal uses the test's database."""
    env = {**os.environ, "DJANGO_SECRET_KEY": settings.SECRET_KEY}
    name = settings.DATABASES["default"]["NAME"]
    if "CHRONICLE_DATABASE_URL" in env:
        env["CHRONICLE_DATABASE_URL"] = (
            env["CHRONICLE_DATABASE_URL"].rpartition("/")[0] + "/" + name
        )
    else:
        env["CHRONICLE_HOME"] = str(Path(name).parents[1])
    return env
