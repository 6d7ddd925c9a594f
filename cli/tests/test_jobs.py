"""Asking for recordings, and looking at them."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from cli.tests.conftest import Command
from cli.tests.fake_portal import FakePortal, completed, job, progress

URL = "https://example.org/live"


class TestRecord:
    def test_sends_only_what_was_given(self, chronicle: Command, portal: FakePortal):
        result = chronicle("record", URL)
        assert result.exit_code == 0
        assert portal.last("POST").body == {"url": URL}
        assert "job concert is PENDING" in result.stdout

    def test_sends_every_option(self, chronicle: Command, portal: FakePortal):
        chronicle(
            *("record", URL, "--id", "my-job", "--filename", "a.mkv", "--quality", "best"),
            *("--max-duration", "20m", "--start-at", "2026-01-31T19:00:00Z", "--live-from-start"),
        )
        assert portal.last("POST").body == {
            "url": URL,
            "id": "my-job",
            "filename": "a.mkv",
            "quality": "best",
            "max_duration": 1200,
            "start_at": "2026-01-31T19:00:00+00:00",
            "live_from_start": True,
        }

    def test_counts_a_start_from_now(self, chronicle: Command, portal: FakePortal):
        chronicle("record", URL, "--start-at", "+2h")
        start = datetime.fromisoformat(portal.last("POST").body["start_at"])
        assert abs(start - datetime.now(UTC) - timedelta(hours=2)) < timedelta(minutes=1)

    def test_asks_again_with_the_same_key_when_the_answer_is_lost(
        self, chronicle: Command, portal: FakePortal
    ):
        portal.answers = [(502, b"bad gateway")]
        assert chronicle("record", URL).exit_code == 0
        first, second = (one.headers["Idempotency-Key"] for one in portal.asked)
        assert first == second

    def test_chooses_another_key_for_another_recording(
        self, chronicle: Command, portal: FakePortal
    ):
        chronicle("record", URL)
        chronicle("record", URL)
        first, second = (one.headers["Idempotency-Key"] for one in portal.asked)
        assert first != second

    def test_prints_the_job_as_json(self, chronicle: Command):
        answer = json.loads(chronicle("record", URL, "--json").stdout)
        assert answer["id"] == "concert"
        assert answer["of_a_newer_portal"] == 1

    def test_follows_to_the_end(self, chronicle: Command, portal: FakePortal):
        portal.tell(job(status="RECORDING", progress=progress()), completed())
        result = chronicle("record", URL, "--follow")
        assert result.exit_code == 0
        assert "job concert is COMPLETED" in result.stdout

    def test_ends_with_3_where_the_portal_refuses_the_request(
        self, chronicle: Command, portal: FakePortal
    ):
        portal.answers = [(400, {"title": "Validation failed", "detail": "url: only http"})]
        result = chronicle("record", "file:///etc/passwd")
        assert result.exit_code == 3
        assert result.stderr == "error: Validation failed: url: only http\n"

    @pytest.mark.parametrize("bad", ["--max-duration=soon", "--start-at=tomorrow", "--loud"])
    def test_ends_with_2_on_an_option_that_cannot_be_read(
        self, bad: str, chronicle: Command, portal: FakePortal
    ):
        result = chronicle("record", URL, bad)
        assert result.exit_code == 2
        assert portal.asked == []


class TestJobs:
    def test_lists_what_is_there(self, chronicle: Command, portal: FakePortal):
        portal.tell(job("one", status="RECORDING", progress=progress(), title="A concert"))
        result = chronicle("jobs", COLUMNS="160")
        assert "RECORDING" in result.stdout
        assert "A concert" in result.stdout
        assert "0:00:12, 3.0 MiB" in result.stdout

    def test_cuts_what_people_wrote_and_not_the_id_where_a_terminal_is_narrow(
        self, chronicle: Command, portal: FakePortal
    ):
        portal.tell(job("a-job-with-a-rather-long-id", title="A title that is far too long " * 9))
        lines = chronicle("jobs", COLUMNS="80").stdout.splitlines()
        [line] = [one for one in lines if "PENDING" in one]
        assert "a-job-with-a-rather-long-id" in line
        assert "…" in line
        assert len(line) <= 80

    def test_says_when_there_are_none(self, chronicle: Command):
        assert chronicle("jobs").stdout == "no jobs\n"

    def test_goes_on_to_further_pages_but_not_past_the_limit(
        self, chronicle: Command, portal: FakePortal
    ):
        for number in range(9):
            portal.tell(job(f"job-{number}"))
        listed = json.loads(chronicle("jobs", "--limit", "5", "--json").stdout)
        assert [one["id"] for one in listed] == [f"job-{number}" for number in range(5)]
        assert len(portal.asked) == 3

    def test_hands_filters_on(self, chronicle: Command, portal: FakePortal):
        chronicle("jobs", "--status", "recording", "--status", "failed", "--search", "concert")
        assert portal.last("GET").query == {
            "page_size": "20",
            "status": "recording,failed",
            "search": "concert",
        }


class TestShow:
    def test_shows_what_came_of_a_job(self, chronicle: Command, portal: FakePortal):
        portal.tell(completed(title="A concert", max_duration=90.0))
        shown = chronicle("show", "concert").stdout
        for part in (
            "job concert is COMPLETED",
            "title     A concert",
            "limit     0:01:30",
            "length    0:01:23, 1.0 MiB",
            "media     h264, 640x360, aac",
            "gaps      1, 1.5 s in all",
            "torrent   seeding by e",
            "Asked for",
        ):
            assert part in shown

    def test_shows_how_far_a_job_is(self, chronicle: Command, portal: FakePortal):
        portal.tell(job(status="RECORDING", progress=progress(restarts=2)))
        assert "0:00:12, 3.0 MiB, 2.00 Mbit/s, 2.0 MiB safe, 2 restarts" in (
            chronicle("show", "concert").stdout
        )

    def test_shows_what_a_job_waits_for(self, chronicle: Command, portal: FakePortal):
        waiting = {"reason": "capacity", "until": None, "place": 3, "detail": "The disk is short."}
        portal.tell(job(status="SCHEDULED", waiting=waiting))
        assert "waits for a free place; place 3 in line; The disk is short." in (
            chronicle("show", "concert").stdout
        )

    def test_says_that_something_is_missing(self, chronicle: Command, portal: FakePortal):
        portal.tell(completed(losses=True))
        assert "job concert is COMPLETED with losses" in chronicle("show", "concert").stdout

    def test_shows_why_a_job_failed_with_the_end_of_its_log(
        self, chronicle: Command, portal: FakePortal
    ):
        error = {"code": "no_stream", "detail": "nothing plays there", "log_tail": "one\ntwo"}
        portal.tell(job(status="FAILED", error=error))
        shown = chronicle("show", "concert").stdout
        assert "error     no_stream: nothing plays there" in shown
        assert "  one\n  two\n" in shown

    def test_lets_no_title_command_the_terminal(self, chronicle: Command, portal: FakePortal):
        portal.tell(job(title="\x1b[2J\x07[bold]loud[/bold]\r\nerror: fake"))
        shown = chronicle("show", "concert").stdout
        assert "\x1b" not in shown
        assert "\x07" not in shown
        assert "[bold]loud[/bold]  error: fake\n" in shown

    def test_asks_for_exactly_the_id_that_was_given(self, chronicle: Command, portal: FakePortal):
        assert chronicle("show", "../users?x=1").exit_code == 7
        assert portal.last("GET").path == "/api/v1/jobs/..%2Fusers%3Fx%3D1"

    def test_prints_json(self, chronicle: Command, portal: FakePortal):
        portal.tell(completed())
        assert json.loads(chronicle("show", "concert", "--json").stdout) == completed()
