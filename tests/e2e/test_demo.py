import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from chronicle_local import leftovers
from chronicle_local.stack import owner

from tests.e2e.conftest import free_ports

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(500)]


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    home = Path(tempfile.mkdtemp(prefix="chronicle-demo-"))
    aws, portal, tracker = free_ports(3)
    yield {
        **os.environ,
        "CHRONICLE_HOME": str(home),
        "CHRONICLE_AWS_PORT": str(aws),
        "CHRONICLE_PORTAL_PORT": str(portal),
        "CHRONICLE_TRACKER_PORT": str(tracker),
    }
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def demo(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A demo that ran to its end."""
    return subprocess.run(
        [sys.executable, "-m", "chronicle_local", "demo", "--once"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=400,
        check=False,
    )


class TestDemo:
    def test_holds_in_every_step(self, demo):
        assert demo.returncode == 0, demo.stdout

    def test_prints_what_came_of_it(self, demo, environment):
        home = environment["CHRONICLE_HOME"]
        for pattern in (
            r"Timeline of demo-\d{8}-\d{6}",
            rf"file +{re.escape(home)}/store/recordings/\d{{4}}/\d\d/\d\d/\S+\.mkv\n",
            r"size +[\d,]{6,} bytes",
            r"duration +2\d\.\d\d s",
            r"codecs +h264 640x360, aac",
            r"info-hash +[0-9a-f]{40}\n",
            r"magnet +magnet:\?xt=urn:btih:[0-9a-f]{40}\S*\n",
            r"fetched by +(aria2|libtorrent) fetched [\d,]+ bytes, sha256 [0-9a-f]{64} = ours",
            rf"portal +http://127.0.0.1:{environment['CHRONICLE_PORTAL_PORT']}/\n",
            r"admin +http://\S+/admin/\n",
            r"API docs +http://\S+/api/v1/docs\n",
            r"log in as +admin\n",
            r"password +\S{16,}\n",
        ):
            assert re.search(pattern, demo.stdout), f"{pattern} is not in:\n{demo.stdout}"

    def test_leaves_nothing_running(self, demo, environment):
        home = Path(environment["CHRONICLE_HOME"])
        assert owner(home) is None
        assert leftovers.find(home) == []
        assert leftovers.recorders(home) == []

    def test_leaves_no_secret_where_others_can_read_it(self, demo, environment):
        home = Path(environment["CHRONICLE_HOME"])
        secrets = dict(
            line.split("=", 1) for line in (home / "secrets.env").read_text().splitlines()
        )
        for path in (*home.glob("logs/*"), *home.glob("run/*.conf"), *home.rglob("*.jsonl")):
            text = path.read_text(errors="replace")
            found = [name for name, value in secrets.items() if value in text]
            assert found == [], f"{path} holds {found}"


def local(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    """Run a short command of the stack."""
    return subprocess.run(
        [sys.executable, "-m", "chronicle_local", *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@contextmanager
def stack_up(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run the stack, up; it is stopped by whoever uses it."""
    with subprocess.Popen(
        [sys.executable, "-m", "chronicle_local", "up"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as stack:
        assert stack.stdout is not None
        said = ""
        while "Ctrl-C stops it" not in said:
            line = stack.stdout.readline()
            assert line, said
            said += line
        yield stack


class TestSecondStart:
    def test_goes_on_with_the_data_of_the_first_and_ends_at_sigterm(self, demo, environment):
        home = Path(environment["CHRONICLE_HOME"])
        info_hash = re.search(r"info-hash +([0-9a-f]{40})", demo.stdout)
        assert info_hash is not None, demo.stdout
        known = json.loads((home / "cli.json").read_text())
        with stack_up(environment) as stack:
            answer = httpx.get(
                f"{known['url']}/api/v1/jobs",
                headers={"Authorization": f"Bearer {known['token']}"},
                trust_env=False,
            )
            (job,) = answer.json()["results"]
            assert job["status"] == "COMPLETED"
            assert job["torrent"]["info_hash"] == info_hash.group(1)
            status = local(environment, "status")
            assert (status.returncode, "dispatcher" in status.stdout) == (0, True), status.stdout
            verified = local(environment, "shell", "manage.py", "verify", "--json")
            assert verified.returncode == 0, verified.stderr
            assert json.loads(verified.stdout)["counts"] == {"compared": 1, "differing": 0}
            stack.send_signal(signal.SIGTERM)
            assert stack.wait(120) == 0, stack.stdout
        assert leftovers.find(home) == []

    def test_is_refused_while_the_first_runs_and_what_a_killed_one_left_is_stopped(
        self, demo, environment
    ):
        home = Path(environment["CHRONICLE_HOME"])
        with stack_up(environment) as stack:
            second = local(environment, "up")
            assert second.returncode == 1
            assert f"already runs in {home} (process {stack.pid})" in second.stdout
            stack.kill()
        assert leftovers.find(home) != []
        down = local(environment, "down")
        assert down.returncode == 0, down.stdout + down.stderr
        assert leftovers.find(home) == []
