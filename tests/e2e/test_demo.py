import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from chronicle_local import leftovers
from chronicle_local.stack import owner

from tests.e2e.conftest import free_ports
from tests.e2e.running import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


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
        timeout=240,
        check=False,
    )


class TestDemo:
    def test_holds_in_every_step(self, demo):
        assert demo.returncode == 0, demo.stdout

    def test_prints_what_came_of_it(self, demo, environment):
        home = environment["CHRONICLE_HOME"]
        for pattern in (
            r"Timeline of demo-\d{8}-\d{6}",
            rf"file +{re.escape(home)}/recordings/recordings/\d{{4}}/\d\d/\d\d/\S+\.mkv\n",
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


class TestSecondStart:
    def test_goes_on_with_the_data_of_the_first_and_ends_at_sigterm(self, demo, environment):
        home = Path(environment["CHRONICLE_HOME"])
        info_hash = re.search(r"info-hash +([0-9a-f]{40})", demo.stdout)
        assert info_hash is not None, demo.stdout
        token = dict(
            line.split("=", 1) for line in (home / "secrets.env").read_text().splitlines()
        )["CHRONICLE_API_TOKEN"]
        jobs = f"http://127.0.0.1:{environment['CHRONICLE_PORTAL_PORT']}/api/v1/jobs"
        with subprocess.Popen(
            [sys.executable, "-m", "chronicle_local", "up"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as again:
            assert again.stdout is not None
            said = ""
            for line in again.stdout:
                said += line
                if "Ctrl-C stops it" in line:
                    break
            else:
                pytest.fail(said)
            answer = httpx.get(jobs, headers={"Authorization": f"Bearer {token}"}, trust_env=False)
            (job,) = answer.json()["results"]
            assert job["status"] == "COMPLETED"
            assert job["torrent"]["info_hash"] == info_hash.group(1)
            status = subprocess.run(
                [sys.executable, "-m", "chronicle_local", "status"],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert status.returncode == 0, status.stdout
            assert "dispatcher" in status.stdout
            again.send_signal(signal.SIGTERM)
            rest = again.stdout.read()
            assert again.wait(60) == 0, said + rest
        until(lambda: leftovers.find(home) == [], "processes were left running", timeout=1)
