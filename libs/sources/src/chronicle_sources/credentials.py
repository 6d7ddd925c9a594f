"""What a job may show at its site: cookies and headers, each only where it belongs.

Nothing here appears in a representation, an error or a log; in a file they are as JSON,
`{"headers": {"name": "value"}, "cookies": "<Netscape cookie file>"}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MOST_HEADERS = 50  # sites ask for three or four
LONGEST_VALUE = 16 * 1024  # characters of a header
MOST_COOKIES = 1024 * 1024  # characters; browsers' exports of everything have some 100 KB

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2: token
# They steer the connection; who could set them could smuggle requests.
_NOT_FOR_PEOPLE = frozenset(
    [
        "accept-encoding",
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "range",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
_HTTP_ONLY = "#HttpOnly_"


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise ValueError("a header's name has letters, digits and hyphens only")
        if name.lower() == "cookie":
            raise ValueError("give cookies as a Netscape cookie file, not as a header")
        if name.lower() in _NOT_FOR_PEOPLE or name.lower().startswith("proxy-"):
            raise ValueError(f"the header {name} cannot be set: it belongs to the connection")
        if len(value) > LONGEST_VALUE or not value.isprintable() or not value.isascii():
            raise ValueError(f"the value of the header {name} must be one line of ASCII text")
    return headers


def _cookies(text: str) -> str:
    list(_parsed(text))
    return text


class Credentials(BaseModel):
    """Cookies and headers of a job; empty where it has none.

    `cookies` is a Netscape cookie file, as browsers' add-ons and curl write it. Errors name
    lines and headers, never what is in them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    headers: Annotated[dict[str, str], AfterValidator(_headers)] = Field(
        default_factory=dict, max_length=MOST_HEADERS, repr=False
    )
    cookies: Annotated[str, AfterValidator(_cookies)] = Field(
        default="", max_length=MOST_COOKIES, repr=False
    )

    @classmethod
    def of_file(cls, path: Path) -> Credentials:
        """Read them. Raises `OSError`; `ValidationError`, which quotes nothing of it."""
        return cls.model_validate_json(path.read_bytes())

    @property
    def secrets(self) -> list[str]:
        """What must never be read in a log."""
        values = [cookie.value or "" for cookie in _parsed(self.cookies)]
        return [*self.headers.values(), *(value for value in values if value)]

    def jar(self, *more: str) -> CookieJar:
        """Return the cookies (and those of more cookie files) as a jar that keeps their rules."""
        return jar(self.cookies, *more)

    def headers_for(self, url: str, places: Iterable[str]) -> dict[str, str]:
        """Return the headers for a request, if its host is one of those of `places` (URLs)."""
        is_meant = self.headers and any(_is_at(url, place) for place in places)
        return self.headers if is_meant else {}


def jar(*files: str) -> CookieJar:
    """Return the cookies of Netscape cookie files; what a later one says holds.

    A cookie that names no domain goes to its very host only, as in browsers.
    """
    policy = DefaultCookiePolicy(strict_ns_domain=DefaultCookiePolicy.DomainStrictNonDomain)
    made = CookieJar(policy)
    for text in files:
        for cookie in _parsed(text):
            made.set_cookie(cookie)
    return made


def cookie_file(cookies: Iterable[Cookie]) -> str:
    """Return cookies as a Netscape cookie file, without those that cannot be written in one."""
    lines = map(_line, cookies)
    return "".join(f"{line}\n" for line in lines if _is_plain(line) and line.count("\t") == 6)


def _line(cookie: Cookie) -> str:
    fields = (
        cookie.domain,
        _flag(cookie.domain_specified or cookie.domain.startswith(".")),
        cookie.path,
        _flag(cookie.secure),
        str(int(cookie.expires or 0)),
        cookie.name if cookie.value is not None else "",
        cookie.name if cookie.value is None else cookie.value,
    )
    return "\t".join(fields)


def _is_plain(line: str) -> bool:
    return line.isascii() and line.replace("\t", " ").isprintable()


def _parsed(text: str) -> Iterable[Cookie]:
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.removeprefix(_HTTP_ONLY)
        if not entry.strip() or entry.startswith("#"):
            continue
        fields = entry.split("\t")
        if len(fields) != 7:
            raise ValueError(
                f"line {number} of the cookies has {len(fields)} fields in place of 7; "
                "export them in the Netscape format (tabs between the fields)"
            )
        domain, with_subdomains, path, is_secure, expires, name, value = fields
        if not re.fullmatch(r"\d*(\.\d+)?", expires):
            raise ValueError(f"line {number} of the cookies expires at no time in seconds")
        if not _is_plain(entry):
            raise ValueError(f"line {number} of the cookies holds more than printable ASCII")
        yield _cookie(
            domain, path, name, value, with_subdomains == "TRUE", is_secure == "TRUE", expires
        )


def _cookie(  # noqa: PLR0917 - the fields of the format
    domain: str,
    path: str,
    name: str,
    value: str,
    with_subdomains: bool,
    is_secure: bool,
    expires: str,
) -> Cookie:
    until = int(float(expires or 0)) or None  # 0 and nothing: as long as the session
    return Cookie(
        version=0,
        name=name or value,
        value=value if name else None,
        port=None,
        port_specified=False,
        domain=domain.lower(),
        domain_specified=with_subdomains,
        domain_initial_dot=domain.startswith("."),
        path=path or "/",
        path_specified=True,
        secure=is_secure,
        expires=until,
        discard=until is None,
        comment=None,
        comment_url=None,
        rest={},
    )


def _flag(is_set: bool) -> str:
    return "TRUE" if is_set else "FALSE"


def _is_at(url: str, place: str) -> bool:
    """Return whether a request goes to the host of a URL, and by no less safe a way."""
    asked, known = urlsplit(url), urlsplit(place)
    if asked.hostname is None or asked.hostname != known.hostname:
        return False
    return asked.scheme == "https" or (asked.scheme, asked.port) == (known.scheme, known.port)
