"""The whitelist of a real opentracker."""

import os
import signal
import subprocess
from urllib.parse import quote_from_bytes
from urllib.request import urlopen

import pytest
from seeder.adapters.trackers import NoTracker, WhitelistTracker

from tests.fixtures.p2p import wait_until

ONE, OTHER = "1" * 40, "2" * 40


def is_served(opentracker, info_hash: str) -> bool:
    http = opentracker.announce[1]
    query = f"info_hash={quote_from_bytes(bytes.fromhex(info_hash))}"
    more = "peer_id=-XX0000-000000000000&port=7000&uploaded=0&downloaded=0&left=1&compact=1"
    with urlopen(f"{http}?{query}&{more}") as answer:
        return b"failure reason" not in answer.read()


@pytest.fixture
def tracker(opentracker):
    files = opentracker.tracker
    return WhitelistTracker(
        files.whitelist, pid_file=files.pid_file, announce=opentracker.announce[1]
    )


class TestWhitelistTracker:
    def test_serves_what_is_allowed_and_nothing_else(self, tracker, opentracker):
        assert not is_served(opentracker, ONE)
        tracker.allow(ONE)
        wait_until(lambda: is_served(opentracker, ONE), "the tracker serves it")
        assert not is_served(opentracker, OTHER)
        tracker.allow(OTHER)
        wait_until(lambda: is_served(opentracker, OTHER), "the tracker serves the other")
        assert is_served(opentracker, ONE)

    def test_serves_no_longer_what_is_forbidden(self, tracker, opentracker):
        tracker.allow(ONE)
        tracker.forbid(ONE)
        tracker.forbid(ONE)
        wait_until(lambda: not is_served(opentracker, ONE), "the tracker refuses")

    def test_writes_each_info_hash_once(self, tracker, opentracker):
        tracker.allow(ONE)
        tracker.forbid(ONE)
        for info_hash in (OTHER, ONE, OTHER):
            tracker.allow(info_hash)
        assert opentracker.tracker.whitelist.read_text() == f"{ONE}\n{OTHER}\n"

    def test_is_known_to_a_tracker_that_was_down(self, tracker, opentracker):
        opentracker.stop()
        tracker.allow(ONE)
        opentracker.start()
        # It answers before it has read its whitelist.
        wait_until(lambda: is_served(opentracker, ONE), "the tracker serves it")

    def test_signals_nobody_who_is_not_the_tracker(self, tmp_path):
        with subprocess.Popen(["sleep", "60"]) as somebody:
            pid_file = tmp_path / "pid"
            pid_file.write_text(f"{somebody.pid}\n")
            WhitelistTracker(tmp_path / "whitelist", pid_file=pid_file).allow(ONE)
            os.kill(somebody.pid, signal.SIGTERM)
            assert somebody.wait() == -signal.SIGTERM

    def test_does_without_a_process_to_tell(self, tmp_path):
        tracker = WhitelistTracker(tmp_path / "new" / "whitelist", pid_file=tmp_path / "absent")
        tracker.allow(ONE)
        assert (tmp_path / "new" / "whitelist").read_text() == f"{ONE}\n"


class TestNoTracker:
    def test_needs_to_be_told_nothing(self):
        NoTracker().allow(ONE)
        NoTracker().forbid(ONE)
