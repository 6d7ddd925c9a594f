"""What the requests for a stream carry, host by host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from types import MappingProxyType
from urllib.request import Request

from chronicle_sources import Credentials

_NONE: Mapping[str, str] = MappingProxyType({})


class Access:
    """Headers that all hosts of a stream get, and credentials for those that they belong to.

    `places` are the URLs of the job and of its media: their hosts get the job's headers.
    Cookies are those of the job, those that the site gave while it was looked at (`cookies`,
    a Netscape cookie file) and those that answers bring. The threads of a stream share one.
    """

    def __init__(
        self,
        headers: Mapping[str, str] = _NONE,
        *,
        allow_private: bool,
        credentials: Credentials | None = None,
        cookies: str = "",
        places: Sequence[str] = (),
    ) -> None:
        self.headers = dict(headers)
        self.allow_private = allow_private
        self._credentials = credentials or Credentials()
        self._places = tuple(places)
        self._jar: CookieJar = self._credentials.jar(cookies)

    def headers_for(self, url: str) -> dict[str, str]:
        """Return what belongs to the host of a URL, beside the headers that all hosts get."""
        headers = self._credentials.headers_for(url, self._places)
        if next(iter(self._jar), None) is not None:
            request = Request(url)  # noqa: S310 - nothing is opened with it
            self._jar.add_cookie_header(request)
            said = request.get_header("Cookie")
            headers = {**headers, **({"Cookie": said} if said else {})}
        return headers

    def heed(self, url: str, response: HTTPResponse) -> None:
        """Keep the cookies of an answer."""
        if "Set-Cookie" in response.msg:
            self._jar.extract_cookies(response, Request(url))  # noqa: S310 - as above
