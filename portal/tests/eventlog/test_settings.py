from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from portal.configuration import PortalSettings
from pydantic import PostgresDsn

from portal import database

MANAGE = Path(__file__).parents[2] / "manage.py"


def manage(*arguments, **environment):
    ours = ("DJANGO_", "CHRONICLE_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        [sys.executable, str(MANAGE), *arguments],
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class TestStart:
    def test_is_refused_without_a_secret_key(self, tmp_path):
        ended = manage("check", CHRONICLE_HOME=str(tmp_path))
        assert ended.returncode == 78
        assert "DJANGO_SECRET_KEY" in ended.stderr

    def test_names_a_bad_setting_its_value_and_what_is_expected(self):
        ended = manage("check", DJANGO_SECRET_KEY="k", CHRONICLE_PUBLIC_URL="chronicle")
        assert ended.returncode == 78
        assert "CHRONICLE_PUBLIC_URL" in ended.stderr
        assert "'chronicle'" in ended.stderr

    def test_lists_all_settings(self):
        ended = manage("--settings")
        assert ended.returncode == 0
        assert "CHRONICLE_DATABASE_URL" in ended.stdout

    def test_makes_its_database_in_a_folder_of_its_own(self, tmp_path):
        home = tmp_path / "state"
        ended = manage("migrate", "-v0", DJANGO_SECRET_KEY="k", CHRONICLE_HOME=str(home))
        assert ended.returncode == 0, ended.stderr
        assert (home / "portal" / "portal.sqlite3").exists()
        assert (home / "portal").stat().st_mode & 0o077 == 0


class TestSettings:
    @pytest.fixture(autouse=True)
    def _nothing_set(self, monkeypatch):
        for name in ("CHRONICLE_HOME", "CHRONICLE_PUBLIC_URL"):
            monkeypatch.delenv(name, raising=False)

    def test_keep_the_public_url_without_a_slash(self):
        assert PortalSettings(public_url="https://c.example.org/").public_url == (
            "https://c.example.org"
        )

    def test_show_no_secret(self):
        assert "hush" not in repr(PortalSettings(secret_key="hush"))

    def test_turn_an_address_into_a_database(self):
        url = PostgresDsn(
            "postgresql://us%40er:p%2Fw@db.example.org:6543/chronicle?sslmode=require"
        )
        made = database.postgresql(url)
        assert made["USER"] == "us@er"
        assert made["PASSWORD"] == "p/w"
        assert (made["HOST"], made["PORT"], made["NAME"]) == ("db.example.org", "6543", "chronicle")
        assert made["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.django_db
class TestMigrations:
    def test_say_what_the_models_say(self):
        call_command("makemigrations", "eventlog", "jobs", check=True, dry_run=True, verbosity=0)
