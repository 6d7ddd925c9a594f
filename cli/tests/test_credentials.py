"""Cookies and headers for sites that want a login."""

from pathlib import Path

import pytest

from cli.tests.conftest import Command
from cli.tests.fake_portal import FakePortal, job

URL = "https://example.org/live"
COOKIES = "# Netscape HTTP Cookie File\nexample.org\tFALSE\t/\tTRUE\t0\tlogin\tgeheim-1\n"


@pytest.fixture
def cookies(tmp_path: Path):
    path = tmp_path / "cookies.txt"
    path.write_text(COOKIES)
    return str(path)


class TestCredentials:
    def test_are_sent_and_not_printed(self, chronicle: Command, portal: FakePortal, cookies: str):
        result = chronicle("record", URL, "--cookies", cookies, "--header", "X-Key: geheim-2")
        assert result.exit_code == 0
        assert portal.last("POST").body == {
            "url": URL,
            "credentials": {"cookies": COOKIES, "headers": {"X-Key": "geheim-2"}},
        }
        assert "geheim" not in result.stdout + result.stderr

    def test_come_from_a_file_so_that_nobody_sees_them(
        self, chronicle: Command, portal: FakePortal, tmp_path: Path
    ):
        file = tmp_path / "headers"
        file.write_text("# of my account\nAuthorization: Bearer a:b\n\nX-Key:geheim\n")
        chronicle("record", URL, "--header-file", str(file))
        assert portal.last("POST").body["credentials"] == {
            "headers": {"Authorization": "Bearer a:b", "X-Key": "geheim"}
        }

    @pytest.mark.parametrize(
        ("option", "value"),
        [("--cookies", "nowhere.txt"), ("--header-file", "nowhere"), ("--header", "geheim")],
    )
    def test_that_cannot_be_read_are_refused_without_a_word_of_them(
        self, chronicle: Command, portal: FakePortal, option: str, value: str
    ):
        result = chronicle("record", URL, option, value)
        assert result.exit_code == 2
        assert not portal.asked
        assert "geheim" not in result.stderr


class TestChoice:
    def test_of_sound_and_height_is_sent(self, chronicle: Command, portal: FakePortal):
        chronicle("record", URL, "--audio-only", "--max-height", "720")
        assert portal.last("POST").body == {"url": URL, "audio_only": True, "max_height": 720}


class TestRetry:
    def test_sends_fresh_ones(self, chronicle: Command, portal: FakePortal, cookies: str):
        portal.tell(job(status="REJECTED"))
        assert chronicle("retry", "concert", "--cookies", cookies).exit_code == 0
        assert portal.last("POST").body == {"credentials": {"cookies": COOKIES}}
