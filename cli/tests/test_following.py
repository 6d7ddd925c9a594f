"""Watching jobs and their events to the end."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest
from chronicle_cli.client import ApiClient
from chronicle_cli.errors import Unreachable
from chronicle_cli.following import Patience, follow
from chronicle_cli.screen import Screen

from cli.tests.conftest import Command
from cli.tests.fake_portal import TOKEN, FakePortal, completed, event, job, progress


class TestWatch:
    @pytest.mark.parametrize(
        ("status", "code"), [("COMPLETED", 0), ("FAILED", 1), ("REJECTED", 3), ("CANCELLED", 4)]
    )
    def test_ends_with_the_code_of_the_final_status(
        self, status: str, code: int, chronicle: Command, portal: FakePortal
    ):
        portal.tell(job(status=status))
        assert chronicle("watch", "concert").exit_code == code

    def test_says_why_a_job_was_rejected(self, chronicle: Command, portal: FakePortal):
        portal.tell(job(status="REJECTED", error={"code": "no_stream", "detail": "nothing plays"}))
        assert "no_stream: nothing plays" in chronicle("watch", "concert").stdout

    def test_ends_with_7_where_there_is_no_such_job(self, chronicle: Command):
        assert chronicle("watch", "nobody").exit_code == 7

    def test_prints_a_json_object_a_line_whenever_the_job_has_changed(
        self, client: ApiClient, portal: FakePortal, capsys: pytest.CaptureFixture[str]
    ):
        recording = job(status="RECORDING", progress=progress())
        portal.tell(recording, recording, completed())
        follow(client, Screen(as_json=True), "concert", poll=0.01)
        printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [one["status"] for one in printed] == ["RECORDING", "COMPLETED"]

    def test_prints_each_milestone_once_though_one_comes_late(
        self, client: ApiClient, portal: FakePortal, capsys: pytest.CaptureFixture[str]
    ):
        begun, late, ended = (
            {"at": "2026-01-31T12:00:00Z", "what": what, "detail": None, "position": position}
            for position, what in enumerate(["Asked for", "Accepted", "Complete"], start=1)
        )
        portal.tell(
            job(timeline=[begun]),
            job(timeline=[begun, ended]),
            completed(timeline=[begun, late, ended]),
        )
        follow(client, Screen(), "concert", poll=0.01)
        printed = capsys.readouterr().out
        assert [printed.count(f"  {one['what']}\n") for one in (begun, late, ended)] == [1, 1, 1]

    def test_goes_on_when_the_portal_was_away(
        self, client: ApiClient, portal: FakePortal, capsys: pytest.CaptureFixture[str]
    ):
        portal.tell(completed())
        portal.answers = [(200, job()), (503, b"starting"), (503, b"starting")]
        assert follow(client, Screen(), "concert", poll=0.01).status == "COMPLETED"
        assert "the portal answers again" in capsys.readouterr().err

    def test_draws_a_moving_line_on_a_terminal(self, portal: FakePortal):
        portal.tell(
            job(status="RECORDING", progress=progress(), max_duration=60.0),
            job(status="RECORDING", progress=progress(), max_duration=60.0),
            completed(),
        )
        shown = _on_a_terminal(portal, "watch", "concert")
        assert "0:00:12 of 0:01:00, 3.0 MiB, 2.00 Mbit/s, 2.0 MiB safe" in shown
        assert "job concert is COMPLETED" in shown


class TestPatience:
    def test_gives_up_at_once_where_nothing_ever_answered(self):
        asked: list[int] = []
        with pytest.raises(Unreachable):
            Patience(Screen(), poll=0.01).ask(_refusal(asked))
        assert len(asked) == 1

    def test_gives_up_in_the_end(self):
        patience = Patience(Screen(), longest=0.05, poll=0.01)
        patience.ask(lambda: "an answer")
        with pytest.raises(Unreachable):
            patience.ask(_refusal([]))


class TestInterruption:
    def test_ends_with_130_and_says_that_the_recording_goes_on(self, portal: FakePortal):
        portal.tell(job(status="RECORDING"))
        watching = _start(portal, "watch", "concert")
        _until(lambda: any(one.path.endswith("/concert") for one in portal.asked))
        watching.send_signal(signal.SIGINT)
        _, said = watching.communicate(timeout=60)
        assert watching.returncode == 130
        assert "job concert goes on" in said
        assert "Traceback" not in said
        assert all(one.method == "GET" for one in portal.asked)


class TestEvents:
    def test_prints_all_pages(self, chronicle: Command, portal: FakePortal):
        portal.tell(job())
        portal.log = [event(position) for position in (3, 4, 8, 9, 12)]
        lines = chronicle("events", "concert").stdout.splitlines()
        assert [line.split()[0] for line in lines] == ["3", "4", "8", "9", "12"]
        assert "recorder.Heartbeat.v1" in lines[0]
        assert "phase=x" in lines[0]

    def test_prints_envelopes_as_json_lines(self, chronicle: Command, portal: FakePortal):
        portal.tell(job())
        portal.log = [event(3), event(4)]
        lines = chronicle("events", "concert", "--json").stdout.splitlines()
        assert [json.loads(line) for line in lines] == portal.log

    def test_stays_until_the_job_is_over(self, portal: FakePortal):
        portal.tell(job(status="RECORDING"))
        portal.log = [event(1, "RecordingStarted")]
        watching = _start(portal, "events", "concert", "--follow", "--json")
        _until(lambda: any(one.query.get("after") == "1" for one in portal.asked))
        portal.log.append(event(2, "Uploaded"))
        portal.tell(completed())
        printed, _ = watching.communicate(timeout=60)
        assert watching.returncode == 0
        assert [json.loads(line)["position"] for line in printed.splitlines()] == [1, 2]


def _refusal(asked: list[int]) -> Callable[[], str]:
    def ask() -> str:
        asked.append(1)
        raise Unreachable("nobody is there")

    return ask


def _environ(portal: FakePortal) -> dict[str, str]:
    return {
        **os.environ,
        "CHRONICLE_URL": portal.url,
        "CHRONICLE_TOKEN": TOKEN,
        "TERM": "xterm",
        "COLUMNS": "120",
    }


def _start(portal: FakePortal, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "chronicle_cli", *arguments],
        env=_environ(portal),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _on_a_terminal(portal: FakePortal, *arguments: str) -> str:
    """Return what a terminal was sent."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "chronicle_cli", *arguments]
    process = subprocess.Popen(command, env=_environ(portal), stdout=theirs, stderr=theirs)
    os.close(theirs)
    sent: list[bytes] = []

    def read() -> None:
        try:
            while chunk := os.read(ours, 65536):
                sent.append(chunk)
        except OSError:
            pass  # Linux says so when the other end is closed

    reader = threading.Thread(target=read)
    reader.start()
    assert process.wait(60) == 0
    reader.join()
    os.close(ours)
    return b"".join(sent).decode()


def _until(holds: Callable[[], bool], *, timeout: float = 20.0) -> None:
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, "it did not come to be in time"
        time.sleep(0.02)
