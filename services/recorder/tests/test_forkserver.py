"""Recorders that are forks of a loaded one, as whoever launches them sees them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.recorder.tests.process import KEY, NOWHERE

ANSWER_WITHIN = 60.0  # seconds, on a busy machine


class Server:
    def __init__(self, home, *arguments):
        self.home = home
        self.orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "recorder.forkserver", *arguments],
                stdin=theirs.fileno(),
                env={"PATH": os.environ["PATH"], "CHRONICLE_ROOM": " " * 8000},
                start_new_session=True,
            )
        self.orders.settimeout(ANSWER_WITHIN)
        self.runs = []

    def run(self, name, **environment):
        """Order a run; return its process id."""
        with (self.home / f"{name}.log").open("wb") as output:
            streams = [os.open(os.devnull, os.O_RDONLY), output.fileno(), output.fileno()]
            socket.send_fds(self.orders, [json.dumps(environment).encode()], streams)
            os.close(streams[0])
        pid, _, start_time = self.orders.recv(100).decode().partition(":")
        assert start_time == stat(pid)[19]
        self.runs.append(int(pid))
        return int(pid)

    def log(self, name):
        return (self.home / f"{name}.log").read_text()

    def close(self):
        self.orders.close()
        for pid in self.runs:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(60)


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    yield server
    server.close()


@pytest.fixture
def order(tmp_path):
    """A recorder that waits for a stream which nobody sends."""
    return {
        **NOWHERE,
        "PATH": os.environ["PATH"],
        "JOB_ID": "gala",
        "URL": "http://127.0.0.1:9/live.m3u8",
        "S3_KEY": KEY,
        "CHRONICLE_HOME": str(tmp_path),
        "CHRONICLE_WORK_DIR": str(tmp_path / "work"),
        "CHRONICLE_ALLOW_PRIVATE_ADDRESSES": "true",
    }


def stat(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def is_alive(pid):
    try:
        return stat(pid)[0] not in "ZX"
    except FileNotFoundError:
        return False


def until(condition, what):
    deadline = time.monotonic() + ANSWER_WITHIN
    while not condition():
        assert time.monotonic() < deadline, f"{what}: it did not come to that"
        time.sleep(0.02)


class TestForkServer:
    def test_makes_runs_that_look_like_recorders_of_their_own(self, server, order):
        pid = server.run("one", **order)
        until(lambda: server.log("one"), "its first words")
        process = Path(f"/proc/{pid}")
        shown = [entry for entry in (process / "environ").read_text().split("\0") if entry]
        assert shown == [f"{name}={value}" for name, value in order.items()]
        command = (process / "cmdline").read_text().strip("\0").split("\0")
        assert command == ["python", "-m", "recorder"]
        assert int(stat(pid)[3]) == pid  # the leader of a session

    def test_gives_each_run_its_own_settings(self, server, order):
        bad = server.run("bad", **{**order, "S3_KEY": "no key"})
        until(lambda: not is_alive(bad), "the end of a run with a bad setting")
        assert "bad setting: S3_KEY" in server.log("bad")
        good = server.run("good", **order)
        until(lambda: server.log("good"), "its first words")
        assert is_alive(good)

    def test_ends_with_whoever_asks_it_and_lets_runs_go_on(self, server, order):
        pid = server.run("one", **order)
        server.orders.close()
        assert server.process.wait(60) == 0
        assert is_alive(pid)

    def test_ends_when_nobody_asks_it_for_a_while_and_lets_runs_go_on(self, tmp_path, order):
        server = Server(tmp_path, "2")
        pid = server.run("one", **order)
        assert server.process.wait(60) == 0
        assert is_alive(pid)
        server.close()

    def test_leaves_nothing_of_a_run_that_ended(self, server, order):
        pid = server.run("bad", **{**order, "S3_KEY": "no key"})
        until(lambda: not Path(f"/proc/{pid}").exists(), "the burial")
