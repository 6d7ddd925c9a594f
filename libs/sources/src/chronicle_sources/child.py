"""The child process: yt-dlp lives here, answers one request and gives its memory back.

`python -m chronicle_sources.child`, an `exchange.Request` on standard input, an
`exchange.Answer` on standard output, exit code 0 in either case.
"""

from __future__ import annotations

import http.client
import os
import resource
import socket
import sys
from typing import Any
from urllib.parse import urlsplit

import yt_dlp

from chronicle_sources import guard, reading
from chronicle_sources.credentials import Credentials, cookie_file
from chronicle_sources.errors import SourceError, shown
from chronicle_sources.exchange import Answer, Request
from chronicle_sources.manifests import mend_manifests
from chronicle_sources.quality import format_selection

# yt-dlp reads a page to its end, however long; with this much the child gives up. An ordinary
# look takes a tenth of it. Data only: a JavaScript runtime reserves far more than it uses.
MOST_MEMORY = 512 * 1024 * 1024


def main() -> None:
    """Answer the request on standard input."""
    request = Request.model_validate_json(sys.stdin.buffer.read())
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    if not request.allow_private:
        guard_connections()
    bring_headers(request.credentials, request.url)
    mend_manifests()
    sys.stdout.write(answer(request).model_dump_json())


def answer(request: Request) -> Answer:
    """Resolve, and say what was found or why not."""
    found = _answer(request)
    if request.live_from_start and found.resolution is None:
        # Then yt-dlp takes what has its own way to the start, and nothing else. Where it is only
        # a matter of the playlist's window, whoever fetches begins at its start.
        found = _answer(request.model_copy(update={"live_from_start": False}))
    return found


def _answer(request: Request) -> Answer:
    try:
        ydl = yt_dlp.YoutubeDL(parameters(request), auto_init="no_verbose_header")
    except (SyntaxError, ValueError):
        return Answer(
            code="unsupported",
            detail=f"The quality {request.quality!r} is not understood: say best, worst, audio, "
            "a height such as 720p, or a format selection of yt-dlp.",
        )
    bring_cookies(ydl, request.credentials)
    with ydl:
        try:
            info = ydl.extract_info(request.url, download=False, ie_key=extractor(request.url))
            found = reading.resolution(info, request)
            return Answer(resolution=found.with_cookies(cookie_file(ydl.cookiejar)))
        except SourceError as error:
            return Answer(code=error.code, detail=error.detail)
        except yt_dlp.utils.YoutubeDLError as error:
            code, detail = reading.complaint(error, request.url)
            if code == "needs_login" and request.credentials != Credentials():
                detail = f"{detail[:-1]}: the login that the job brings is not accepted)"
            return Answer(code=code, detail=detail)
        except MemoryError:
            return Answer(
                code="unsupported",
                detail=f"{shown(request.url)} sends more than a page or playlist can have.",
            )


def parameters(request: Request) -> dict[str, Any]:
    """Return yt-dlp's parameters: no configuration, cache, playlist or word of its own."""
    return {
        "ignoreconfig": True,
        "noplaylist": True,
        "playlist_items": "1",
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "logger": _Silent(),
        "cachedir": False,
        "skip_download": True,
        "format": format_selection(
            request.quality, max_height=request.max_height, audio_only=request.audio_only
        ),
        "live_from_start": request.live_from_start or None,
        # An upcoming stream has no formats yet and is not an error.
        "ignore_no_formats_error": True,
        "socket_timeout": request.socket_timeout,
        # What names its kind needs no search through the extractors of 1,800 sites.
        "enable_file_urls": False,
        # ffmpeg would connect by itself, past the guard below.
        "ffmpeg_location": os.devnull,
    }


def extractor(url: str) -> str | None:
    """Return the only extractor to be asked, None for all of them.

    A manifest needs no search through those of 1,800 sites.
    """
    return "Generic" if urlsplit(url).path.lower().endswith(reading.MANIFESTS) else None


def guard_connections(
    lookup: guard.Lookup = socket.getaddrinfo, judge: guard.Judge = guard.is_public
) -> None:
    """Let this process look up public addresses only: redirects and manifests are covered too.

    The address that was judged is the one that is connected to, so a name that resolves
    differently the next moment gains nothing.
    """

    def guarded(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        found = lookup(host, port, *args, **kwargs)
        if not all(judge(str(entry[4][0])) for entry in found):
            raise socket.gaierror(socket.EAI_FAIL, f"{guard.REFUSED}: {host}")
        return found

    socket.getaddrinfo = guarded


def bring_cookies(ydl: yt_dlp.YoutubeDL, credentials: Credentials) -> None:
    """Give yt-dlp the cookies of the job."""
    jar = credentials.jar()
    ydl.cookiejar.set_policy(jar._policy)  # type: ignore[attr-defined]
    for cookie in jar:
        ydl.cookiejar.set_cookie(cookie)


def bring_headers(credentials: Credentials, url: str) -> None:
    """Let every connection to the host of the URL say the headers of the job.

    At the connection, because a redirect would take the headers of a request to other hosts.
    """
    if not credentials.headers:
        return
    put, end = http.client.HTTPConnection.putheader, http.client.HTTPConnection.endheaders

    def own(connection: Any) -> dict[str, str]:
        scheme = "https" if connection.default_port == http.client.HTTPS_PORT else "http"
        return credentials.headers_for(f"{scheme}://{connection.host}:{connection.port}/", [url])

    def putheader(connection: Any, name: str | bytes, *values: Any) -> None:
        said = (name if isinstance(name, str) else name.decode("latin-1")).lower()
        if said not in map(str.lower, own(connection)):
            put(connection, name, *values)

    def endheaders(connection: Any, *args: Any, **options: Any) -> None:
        for name, value in own(connection).items():
            put(connection, name, value)
        end(connection, *args, **options)

    http.client.HTTPConnection.putheader = putheader  # type: ignore[method-assign, assignment]
    http.client.HTTPConnection.endheaders = endheaders  # type: ignore[method-assign, assignment]


class _Silent:
    """Swallows what yt-dlp says: answers are the only words on standard output."""

    def debug(self, _: str) -> None: ...

    info = warning = error = debug


if __name__ == "__main__":
    main()
