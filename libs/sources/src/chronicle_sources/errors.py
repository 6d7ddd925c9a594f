"""Why a URL cannot be recorded.

::

    SourceError    with `code` (one of `SourceCode`) and `detail` (a sentence for people)

One class and a code in place of a tree: the code travels in events and is compared there.
"""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

SourceCode = Literal[
    "bad_url",  # it cannot be read as a URL, or holds a user name or password
    "forbidden_scheme",  # neither http nor https
    "forbidden_address",  # it leads to an address that is not public
    "unreachable",  # no such host, nobody listens, or the server fails
    "not_found",  # the server answers, but there is no such thing
    "forbidden",  # the server refuses it
    "needs_login",  # only for people with an account
    "blocked",  # the site refuses this machine, country or rate
    "unsupported",  # DRM, or a kind of stream that cannot be recorded
    "no_stream",  # a page without a stream, or nobody is live there
    "timeout",  # no answer within the time limit
]


class SourceError(Exception):
    """Nothing can be recorded from this URL; `detail` holds no secret of the URL."""

    def __init__(self, code: SourceCode, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code: SourceCode = code
        self.detail = detail


def shown(url: str) -> str:
    """Return a URL as it may be shown: without user name, password, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the given URL"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if host else f"{parts.scheme}:..."


# Bounded, so that a megabyte of letters is read once and not once for each of them.
_URL_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s'\"<>]+")
# HTTP libraries speak of "url: /live.m3u8?token=abc", without the host.
_QUERY_IN_TEXT = re.compile(r"\?[^\s'\"<>()=?]*=[^\s'\"<>()]*")


def without_secrets(text: str) -> str:
    """Return a text with every URL in it cut down to what may be shown."""
    return _QUERY_IN_TEXT.sub("", _URL_IN_TEXT.sub(lambda found: shown(found.group()), text))
