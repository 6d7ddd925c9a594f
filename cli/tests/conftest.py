"""A portal to talk to, and the command to talk with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chronicle_cli.app import app
from chronicle_cli.client import ApiClient
from chronicle_cli.configuration import Connection
from typer.testing import CliRunner, Result

from cli.tests.fake_portal import TOKEN, FakePortal, Serving

Command = Callable[..., Result]


@pytest.fixture
def portal() -> Iterator[FakePortal]:
    fake = FakePortal()
    with Serving(fake):
        yield fake


@pytest.fixture
def client(portal: FakePortal) -> Iterator[ApiClient]:
    client = ApiClient(Connection(portal.url, TOKEN, "a test"))
    yield client
    client.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with nothing of this machine's own settings."""
    for name in ("CHRONICLE_URL", "CHRONICLE_TOKEN", "CHRONICLE_HOME", "CHRONICLE_PORTAL_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def chronicle(portal: FakePortal, folder: Path) -> Command:
    """Runs the command against the portal: `chronicle("show", "concert")`."""
    known = {"CHRONICLE_URL": portal.url, "CHRONICLE_TOKEN": TOKEN}

    def run(*arguments: str, **environ: str) -> Result:
        result = CliRunner().invoke(app, list(arguments), env=known | environ)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run
