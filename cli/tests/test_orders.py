"""Stopping, extending and trying again."""

import json

import pytest

from cli.tests.conftest import Command
from cli.tests.fake_portal import FakePortal, completed, job


class TestStop:
    def test_keeps_what_was_recorded(self, chronicle: Command, portal: FakePortal):
        portal.tell(job(status="RECORDING"))
        result = chronicle("stop", "concert")
        assert result.exit_code == 0
        assert portal.last("POST").path == "/api/v1/jobs/concert/stop"
        assert portal.last("POST").body == {"mode": "keep"}
        assert "job concert is STOPPING; what was recorded is kept" in result.stdout

    def test_discards_when_told_so(self, chronicle: Command, portal: FakePortal):
        portal.tell(job(status="RECORDING"))
        assert "thrown away" in chronicle("stop", "concert", "--discard").stdout
        assert portal.last("POST").body == {"mode": "discard"}

    def test_ends_with_8_where_there_is_nothing_to_stop(
        self, chronicle: Command, portal: FakePortal
    ):
        portal.tell(completed())
        result = chronicle("stop", "concert")
        assert result.exit_code == 8
        assert result.stdout == ""
        assert result.stderr == "error: Conflict: the job is COMPLETED; there is nothing to stop\n"

    def test_says_errors_in_json_too(self, chronicle: Command, portal: FakePortal):
        portal.tell(completed())
        result = chronicle("stop", "concert", "--json")
        assert result.stdout == ""
        assert json.loads(result.stderr)["error"]["exit_code"] == 8


class TestExtend:
    @pytest.mark.parametrize(
        ("typed", "sent", "said"),
        [("1h30m", 5400, "at most 1:30:00"), ("none", None, "without limit")],
    )
    def test_sets_the_total(
        self, typed: str, sent: float | None, said: str, chronicle: Command, portal: FakePortal
    ):
        portal.tell(job(status="RECORDING"))
        assert said in chronicle("extend", "concert", typed).stdout
        assert portal.last("POST").path == "/api/v1/jobs/concert/extend"
        assert portal.last("POST").body == {"max_duration": sent}

    def test_ends_with_2_on_what_is_no_duration(self, chronicle: Command):
        assert chronicle("extend", "concert", "longer").exit_code == 2


class TestRetry:
    def test_asks_for_another_try(self, chronicle: Command, portal: FakePortal):
        portal.tell(job(status="FAILED"))
        result = chronicle("retry", "concert", "--json")
        assert json.loads(result.stdout)["status"] == "PENDING"
        assert portal.last("POST").path == "/api/v1/jobs/concert/retry"
