"""Cookies and headers of a job: where they go, and that nobody reads them."""

import json
import urllib.request

import pytest
from chronicle_sources.credentials import Credentials, cookie_file, jar
from pydantic import ValidationError

COOKIES = (
    "# Netscape HTTP Cookie File\n\n"
    ".site.test\tTRUE\t/\tFALSE\t0\tsession\tgeheim\n"
    "#HttpOnly_www.site.test\tFALSE\t/members\tTRUE\t4000000000\tlogin\tgeheimer\n"
)


def sent(cookies, url):
    """What a jar sends with a request."""
    request = urllib.request.Request(url)
    jar(cookies).add_cookie_header(request)
    return request.get_header("Cookie")


class TestCookies:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("http://site.test/", "session=geheim"),
            ("http://cdn.site.test/x", "session=geheim"),
            ("https://www.site.test/members/1", "login=geheimer; session=geheim"),
            ("https://www.site.test/", "session=geheim"),
            ("http://www.site.test/members/1", "session=geheim"),
            ("https://a.www.site.test/members/1", "session=geheim"),
            ("http://othersite.test/", None),
            ("http://site.test.evil/", None),
        ],
    )
    def test_go_where_they_belong(self, url, expected):
        assert sent(COOKIES, url) == expected

    def test_survive_being_written_and_read(self):
        written = cookie_file(jar(COOKIES))
        url = "https://www.site.test/members/1"
        assert sent(written, url) == sent(COOKIES, url)

    @pytest.mark.parametrize(
        "line",
        [
            "geheim=1; Path=/",
            "a.test\tTRUE\t/\tFALSE\tgeheim\tn\tv",
            "a.test\tTRUE\t/\tFALSE\t0\tn\tgeh\x1beim",
        ],
    )
    def test_that_cannot_be_read_are_refused_by_their_line_alone(self, line):
        with pytest.raises(ValidationError) as caught:
            Credentials(cookies="# first\n" + line)
        assert "line 2" in str(caught.value)
        assert "eim" not in str(caught.value)


class TestHeaders:
    GIVEN = Credentials(headers={"Authorization": "Bearer geheim"})

    @pytest.mark.parametrize(
        ("url", "goes"),
        [
            ("https://site.test/live.m3u8", True),
            ("https://site.test:8443/live.m3u8", True),
            ("http://site.test/live.m3u8", False),
            ("https://cdn.site.test/live.m3u8", False),
            ("https://evil.test/?site.test", False),
        ],
    )
    def test_go_to_the_host_of_the_job_and_never_in_the_clear(self, url, goes):
        assert bool(self.GIVEN.headers_for(url, ["https://site.test/page"])) is goes

    @pytest.mark.parametrize(
        "headers",
        [
            {"Host": "geheim.test"},
            {"Cookie": "a=geheim"},
            {"Proxy-Authorization": "geheim"},
            {"Transfer-Encoding": "geheim"},
            {"X-Token": "geheim\r\nHost: b"},
            {"X Token": "geheim"},
        ],
    )
    def test_that_belong_to_the_connection_are_refused_unquoted(self, headers):
        with pytest.raises(ValidationError) as caught:
            Credentials(headers=headers)
        assert "geheim" not in str(caught.value)


class TestCredentials:
    def test_are_read_from_a_file(self, tmp_path):
        path = tmp_path / "credentials.json"
        path.write_text(json.dumps({"headers": {"X-Token": "abc"}, "cookies": COOKIES}))
        found = Credentials.of_file(path)
        assert found.secrets == ["abc", "geheim", "geheimer"]

    def test_show_nothing_of_themselves(self):
        found = Credentials(headers={"X-Token": "geheim"}, cookies=COOKIES)
        assert "geheim" not in repr(found)
        assert "geheim" not in str(found)
