"""A job's cookies and headers reach the hosts they belong to, and no others."""

from __future__ import annotations

import functools
import http.server
import threading

import pytest
from chronicle_sources import Credentials, resolve
from recorder.adapters.fetching.access import Access
from recorder.adapters.fetching.http_client import HttpClient

NAMES = {"site.test": "127.0.0.1", "www.site.test": "127.0.0.1", "evil.test": "127.0.0.1"}
COOKIES = "site.test\tFALSE\t/\tFALSE\t0\tlogin\tgeheim\n"
GIVEN = Credentials(headers={"X-Token": "geheim", "User-Agent": "Mine"}, cookies=COOKIES)
HLS = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n"


class Hosts:
    """One server of many names; `seen` are host, cookie and token of each request."""

    def __init__(self):
        self.seen: list[tuple[str, str | None, str | None]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                host = self.headers["Host"].partition(":")[0]
                outer.seen.append((host, self.headers["Cookie"], self.headers["X-Token"]))
                _, _, target = self.path.partition("?to=")
                self.send_response(302 if target else 200)
                if target:
                    self.send_header("Location", target)
                if "set" in self.path:
                    self.send_header("Set-Cookie", "given=1; Path=/")
                self.end_headers()
                self.wfile.write(HLS)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def url(self, host, path="/"):
        return f"http://{host}:{self._server.server_port}{path}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hosts():
    opened = Hosts()
    yield opened
    opened.close()


@pytest.fixture
def get(hosts):
    access = Access(allow_private=True, credentials=GIVEN, places=[hosts.url("site.test", "/page")])
    made = HttpClient(access)
    made.connections.vet = lambda host, _: [NAMES[host]]
    return functools.partial(made.get, most=1000, within=10)


class TestCredentials:
    @pytest.mark.parametrize(
        ("host", "cookie", "token"),
        [("site.test", "login=geheim", "geheim"), ("www.site.test", None, None)],
    )
    def test_reach_their_host_and_no_other(self, hosts, get, host, cookie, token):
        get(hosts.url(host))
        assert hosts.seen == [(host, cookie, token)]

    def test_are_left_behind_by_a_redirect(self, hosts, get):
        get(hosts.url("site.test", f"/?to={hosts.url('evil.test')}"))
        assert hosts.seen == [("site.test", "login=geheim", "geheim"), ("evil.test", None, None)]

    def test_are_found_again_after_a_redirect(self, hosts, get):
        get(hosts.url("evil.test", f"/?to={hosts.url('site.test')}"))
        assert hosts.seen == [("evil.test", None, None), ("site.test", "login=geheim", "geheim")]

    def test_grow_by_what_a_host_gives(self, hosts, get):
        get(hosts.url("evil.test", "/set"))
        get(hosts.url("evil.test"))
        get(hosts.url("www.site.test"))
        assert [cookie for _, cookie, _ in hosts.seen] == [None, "given=1", None]


class TestResolving:
    """With the addresses themselves for names: the child has a resolver of its own."""

    def look(self, url):
        cookies = COOKIES.replace("site.test", "127.0.0.1")
        given = Credentials(headers=GIVEN.headers, cookies=cookies)
        return functools.partial(resolve, timeout=20, allow_private=True, credentials=given)(url)

    def test_brings_them_to_the_site_and_hands_the_cookies_on(self, hosts):
        found = self.look(hosts.url("127.0.0.1", "/live.m3u8"))
        assert set(hosts.seen) == {("127.0.0.1", "login=geheim", "geheim")}
        assert "geheim" in found.cookies
        assert "geheim" not in repr(found)
        assert "X-Token" not in found.headers

    def test_leaves_them_behind_at_a_redirect(self, hosts):
        target = hosts.url("127.0.0.2", "/live.m3u8").replace("127.0.0.2", "localhost")
        self.look(hosts.url("127.0.0.1", f"/live.m3u8?to={target}"))
        others = [seen for seen in hosts.seen if seen[0] != "127.0.0.1"]
        assert others
        assert {(cookie, token) for _, cookie, token in others} == {(None, None)}
