"""Cookies and headers of a job open its source, and are found nowhere else."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from chronicle_contracts import encode, naming
from chronicle_sources import Credentials
from chronicle_vault.folder import FolderVault

from tests.faults.origin import PLAIN


class Door:
    """Lets in who shows the right cookie and the right header."""

    def __init__(self, cookie: str, header: str) -> None:
        self._cookie = f"login={cookie}"
        self._header = header
        self.refused = 0

    def answer(self, request):
        cookies = (request.header("Cookie") or "").split("; ")
        if self._cookie in cookies and request.header("X-Key") == self._header:
            return False
        self.refused += 1
        request.send(403, PLAIN, b"")
        return True


@pytest.fixture
def secrets():
    return f"geheim-{uuid4().hex}", f"geheim-{uuid4().hex}"


@pytest.fixture
def guarded(origin, secrets):
    door = Door(*secrets)
    origin.meddlers.append(door)
    origin.encoder.start()
    return door


@pytest.fixture
def name(dispatching, secrets):
    """The name under which the vault keeps them for the job."""
    cookie, header = secrets
    given = Credentials(
        headers={"X-Key": header}, cookies=f"127.0.0.1\tFALSE\t/\tFALSE\t0\tlogin\t{cookie}\n"
    )
    chosen = naming.credentials_name("gala", uuid4().hex)
    vault = FolderVault(dispatching.home / "vault")
    vault.put(chosen, given.model_dump_json().encode())
    return chosen


def in_files(folder: Path, secrets):
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and any(one.encode() in path.read_bytes() for one in secrets)
    ]


def in_processes(secrets):
    """Processes of which anybody could read a secret: in their arguments or environment."""
    found = []
    for place in ("cmdline", "environ"):
        for path in Path("/proc").glob(f"[0-9]*/{place}"):
            try:
                content = path.read_bytes()
            except OSError:
                continue
            if any(one.encode() in content for one in secrets):
                found.append(str(path))
    return found


class TestCredentials:
    def test_open_the_source_and_are_found_nowhere_but_in_the_vault(
        self, dispatching, origin, guarded, name, secrets
    ):
        dispatching.start(CHRONICLE_LOG_LEVEL="DEBUG")
        dispatching.record(origin.url, credentials=name)
        dispatching.until_recorded(2)
        assert guarded.refused == 0
        assert len(dispatching.recorders()) >= 2, "the recorder and its remuxer"
        assert in_processes(secrets) == []
        assert in_files(dispatching.home, secrets) == [f"vault/{name}"]
        dispatching.stop()
        dispatching.until_heard("Uploaded")
        dispatching.until(lambda: not dispatching.work.exists(), "the tidying up")
        assert dispatching.recording.exists()
        # The recording, its journal, the stores, the logs, and all that was said.
        assert in_files(dispatching.home.parent, secrets) == []
        said = b"".join(encode(event) for event in dispatching.heard)
        assert not any(one.encode() in said for one in secrets)

    def test_that_are_gone_are_missed_by_name_only(self, dispatching, origin, guarded):
        dispatching.start()
        dispatching.record(origin.url, credentials="gala.0123")
        rejected = dispatching.until_heard("JobRejected")
        assert rejected.code == "credentials_missing"

    def test_that_are_wrong_are_said_to_be_refused(self, dispatching, origin, guarded):
        dispatching.start()
        dispatching.record(origin.url)
        rejected = dispatching.until_heard("JobRejected")
        assert rejected.code == "forbidden"
