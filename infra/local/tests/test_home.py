import os
import shutil
import socket
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from chronicle_local.credentials import ensure_secrets, write_client_file
from chronicle_local.environment import stack_environment
from chronicle_local.errors import AlreadyRunning, NotRunning, PortTaken
from chronicle_local.leftovers import MARK
from chronicle_local.ports import listened_by, require_free
from chronicle_local.settings import StackSettings
from chronicle_local.shell import shell_environment
from chronicle_local.stack import REPOSITORY as ROOT
from chronicle_local.stack import Stack, owner
from chronicle_local.steps import Steps
from chronicle_local.tracker import Tracker
from pydantic import ValidationError
from rich.console import Console


class TestSecrets:
    def test_are_made_once_and_for_their_owner_only(self, tmp_path):
        first = ensure_secrets(tmp_path)
        assert ensure_secrets(tmp_path) == first
        assert all(len(value) >= 20 for value in first.values())
        assert stat.S_IMODE((tmp_path / "secrets.env").stat().st_mode) == 0o600

    def test_differ_between_homes(self, tmp_path):
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        both = [ensure_secrets(tmp_path / name).values() for name in "ab"]
        assert set(both[0]).isdisjoint(both[1])

    def test_that_are_missing_are_added_and_the_others_stay(self, tmp_path):
        first = ensure_secrets(tmp_path)
        kept = (tmp_path / "secrets.env").read_text().splitlines()[:-1]
        (tmp_path / "secrets.env").write_text("\n".join(kept) + "\n")
        again = ensure_secrets(tmp_path)
        assert set(again) == set(first)
        assert [name for name in first if first[name] != again[name]] == list(first)[-1:]

    def test_tell_the_command_line_in_a_private_file(self, tmp_path):
        path = write_client_file(tmp_path, url="http://127.0.0.1:8000", token="t")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


class TestSettings:
    def test_refuse_one_port_for_two(self, monkeypatch):
        monkeypatch.setenv("CHRONICLE_AWS_PORT", "8000")
        with pytest.raises(ValidationError, match="must differ"):
            StackSettings()


class TestEnvironment:
    def test_lets_nothing_of_a_real_account_in(self, tmp_path):
        settings = StackSettings(home=tmp_path)
        outside = {
            "PATH": "/bin",
            "AWS_PROFILE": "production",
            "AWS_SECRET_ACCESS_KEY": "real",
            "AWS_ENDPOINT_URL_S3": "https://s3.example.org",
            "S3_BUCKET": "production",
            "CHRONICLE_LOG_LEVEL": "DEBUG",
        }
        inside = stack_environment(
            settings, secrets={}, tracker=None, root=tmp_path, outside=outside
        )
        assert "AWS_PROFILE" not in inside
        assert "S3_BUCKET" not in inside
        assert "AWS_ENDPOINT_URL_S3" not in inside
        assert inside["AWS_SECRET_ACCESS_KEY"] == "local"
        assert inside["CHRONICLE_LOG_LEVEL"] == "DEBUG"

    def test_tells_the_seeder_of_the_tracker_and_of_those_that_were_asked_for(self, tmp_path):
        tracker = Tracker(tmp_path, 6969, "/usr/bin/opentracker")
        inside = stack_environment(
            StackSettings(home=tmp_path),
            secrets={},
            tracker=tracker,
            root=tmp_path,
            outside={"TRACKERS": "udp://tracker.example.org:1/announce"},
        )
        assert inside["TRACKERS"].split(",") == [
            "udp://127.0.0.1:6969/announce",
            "http://127.0.0.1:6969/announce",
            "udp://tracker.example.org:1/announce",
        ]


class TestShell:
    def test_is_in_the_environment_of_the_stack_and_not_of_it(self, tmp_path):
        secrets = ensure_secrets(tmp_path)
        inside = shell_environment(StackSettings(home=tmp_path), root=tmp_path)
        assert secrets.items() <= inside.items()
        assert inside["CHRONICLE_HOME"] == str(tmp_path)
        # It would be taken for what a killed stack left behind.
        assert MARK not in inside

    def test_knows_the_commands_of_the_guides(self, tmp_path):
        ensure_secrets(tmp_path)
        outside = {"PATH": "/usr/bin"}
        inside = shell_environment(StackSettings(home=tmp_path), root=ROOT, outside=outside)
        for command, folder in (
            ("manage.py", ROOT / "portal"),
            ("chronicle", Path(sys.executable).parent),
            ("python", Path(sys.executable).parent),
        ):
            assert shutil.which(command, path=inside["PATH"]) == str(folder / command)

    def test_makes_no_home_where_there_is_none(self, tmp_path):
        home = tmp_path / "none"
        with pytest.raises(NotRunning, match="make up"):
            shell_environment(StackSettings(home=home), root=tmp_path)
        assert not home.exists()


class TestPorts:
    def test_that_are_taken_are_named_with_setting_and_holder(self):
        script = (
            "import socket; s = socket.create_server(('127.0.0.1', 0));"
            "print(s.getsockname()[1], flush=True); input()"
        )
        holder = subprocess.Popen(
            [sys.executable, "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with holder:
            assert holder.stdout is not None
            port = int(holder.stdout.readline())
            with pytest.raises(PortTaken) as refused:
                require_free(port, setting="CHRONICLE_AWS_PORT", purpose="the AWS endpoint")
            holder.kill()
        for word in (str(port), "CHRONICLE_AWS_PORT=", "the AWS endpoint", str(holder.pid)):
            assert word in str(refused.value)

    def test_of_a_process_are_found(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            assert listener.getsockname()[1] in listened_by(os.getpid())

    def test_are_looked_at_for_udp_too(self):
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as holder:
            holder.bind(("127.0.0.1", 0))
            port = holder.getsockname()[1]
            require_free(port, setting="X", purpose="TCP alone")
            with pytest.raises(PortTaken):
                require_free(port, setting="X", purpose="the tracker", udp=True)


class TestTracker:
    def test_serves_a_whitelist_and_tells_whom_to_signal(self, tmp_path):
        tracker = Tracker(tmp_path / "tracker", 7001, "/usr/bin/opentracker")
        configuration = tracker.prepare().read_text()
        assert "listen.tcp_udp 127.0.0.1:7001\n" in configuration
        assert f"tracker.rootdir {tracker.whitelist.parent}\n" in configuration
        assert tracker.whitelist.read_text() == ""

    def test_keeps_its_whitelist_over_a_restart(self, tmp_path):
        tracker = Tracker(tmp_path, 7001, "/usr/bin/opentracker")
        tracker.prepare()
        tracker.whitelist.write_text("a" * 40 + "\n")
        tracker.prepare()
        assert tracker.whitelist.read_text() == "a" * 40 + "\n"


class TestLock:
    def test_says_that_a_stack_of_this_home_runs_already(self, tmp_path: Path):
        quiet = Steps(Console(quiet=True))
        first = Stack(StackSettings(home=tmp_path), quiet)
        first._take_lock()
        assert owner(tmp_path) is not None
        with pytest.raises(AlreadyRunning, match="already runs"):
            Stack(StackSettings(home=tmp_path), quiet).start()
        first._release_lock()
        assert owner(tmp_path) is None
