"""What the requests for a stream carry, host by host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http.cookiejar import CookieJar
from types import MappingProxyType

from chronicle_sources import Credentials
from requests import PreparedRequest, Response
from requests.cookies import extract_cookies_to_jar, get_cookie_header

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

    def equip(self, request: PreparedRequest) -> PreparedRequest:
        """Return the request with what belongs to its host.

        A copy: redirects are made of the first one, and must not take that along.
        """
        equipped = request.copy()
        equipped.headers.pop("Cookie", None)
        equipped.headers.update(self._credentials.headers_for(str(request.url), self._places))
        said: str | None = get_cookie_header(self._jar, equipped)  # type: ignore[no-untyped-call]
        if said:
            equipped.headers["Cookie"] = said
        return equipped

    def heed(self, request: PreparedRequest, response: Response) -> None:
        """Keep the cookies of an answer."""
        extract_cookies_to_jar(self._jar, request, response.raw)  # type: ignore[no-untyped-call]
