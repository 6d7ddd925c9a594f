"""The child that fetches by yt-dlp's own downloaders, for what only they can fetch.

`python -m chronicle_sources.downloading`: one line of JSON (`exchange.DownloadRequest`) on
standard input, frames on standard output, the last one an `exchange.Answer`. It ends when its
standard input does: so it outlives nobody. Fragments pass through files in the working folder.
"""

from __future__ import annotations

import collections
import os
import re
import resource
import sys
import threading
from collections.abc import Iterator
from typing import Any, cast

import yt_dlp
from yt_dlp.downloader import get_suitable_downloader
from yt_dlp.downloader.external import ExternalFD
from yt_dlp.downloader.fragment import FragmentFD

from chronicle_sources import child, reading
from chronicle_sources.errors import SourceCode, SourceError, shown
from chronicle_sources.exchange import Answer, DownloadRequest
from chronicle_sources.frames import ANSWER, MISSED, MOST_OF_FRAME, FrameWriter

FRAGMENT_ATTEMPTS = 6
_NUMBER = re.compile(r"/sq/(\d{1,12})(?:/|$)")  # googlevideo numbers its segments in the path


def main() -> None:
    """Fetch what standard input says."""
    wanted = DownloadRequest.model_validate_json(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    resource.setrlimit(resource.RLIMIT_DATA, (child.MOST_MEMORY, child.MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_OF_FRAME, MOST_OF_FRAME))
    if not wanted.request.allow_private:
        child.guard_connections()
    child.bring_headers(wanted.request.credentials, wanted.request.url)
    out = FrameWriter(sys.stdout.buffer)
    # Downloaders write to what they take for standard output.
    sys.stdout = cast("Any", _Output(out))
    out.put(ANSWER, download(wanted, out).model_dump_json().encode())


def download(wanted: DownloadRequest, out: FrameWriter) -> Answer:
    """Fetch a track to its end; say what it was, or why there is no more."""
    request = wanted.request
    parameters = {
        **child.parameters(request),
        "fragment_retries": FRAGMENT_ATTEMPTS,
        "retries": FRAGMENT_ATTEMPTS,
        # One after the other: side by side yt-dlp would first wait for the end of a live list.
        "concurrent_fragment_downloads": 1,
        "nopart": True,
        "outtmpl": {"default": "-"},
        "skip_download": False,
    }
    with yt_dlp.YoutubeDL(parameters, auto_init="no_verbose_header") as ydl:
        child.bring_cookies(ydl, request.credentials)
        try:
            only = child.extractor(request.url)
            info = ydl.extract_info(request.url, download=False, ie_key=only)
            found = reading.resolution(info, request)
            one = reading.chosen_formats(info, request)[wanted.track]
            kind = get_suitable_downloader(one, ydl.params, to_stdout=True)
            if kind is None or issubclass(kind, ExternalFD):
                # Another program would connect by itself, past the guard.
                return _no("unsupported", f"{shown(request.url)} needs another program.")
            if issubclass(kind, FragmentFD):
                kind = _framing(kind, out, wanted.after)
            is_done, _ = kind(ydl, ydl.params).download("-", one)
        except SourceError as error:
            return _no(error.code, error.detail)
        except (yt_dlp.utils.YoutubeDLError, OSError) as error:
            code, detail = reading.complaint(error, request.url)
            return _no(code, detail)
        except MemoryError:
            return _no("unsupported", f"{shown(request.url)} sends more than media can have.")
        if not is_done:
            return _no("unreachable", f"{shown(request.url)} could not be fetched to its end.")
        return Answer(resolution=found)


def _framing(kind: Any, out: FrameWriter, after: int | None) -> Any:
    """Return a downloader that says which fragment it brings, and leaves out known ones."""

    class Framing(kind):  # type: ignore[misc]
        # Numbers of the fragments that are on their way; its own count is off after a missed one.
        _coming: collections.deque[int] | None = None

        def download_and_append_fragments(
            self, ctx: Any, fragments: Any, *args: Any, **options: Any
        ) -> Any:
            self._coming = collections.deque()
            wanted = self._wanted(fragments)
            return super().download_and_append_fragments(ctx, wanted, *args, **options)

        def _wanted(self, fragments: Any) -> Iterator[Any]:
            assert self._coming is not None
            for fragment in fragments:
                index = fragment["frag_index"]
                known = _NUMBER.search(str(fragment.get("url")))
                number = int(known.group(1)) if known else index
                # The first may be the head of all others.
                if after is None or number > after or index == 1:
                    self._coming.append(number)
                    yield fragment

        def _append_fragment(self, ctx: Any, content: bytes) -> None:
            out.put(self._number(ctx["fragment_index"]), content)
            to, ctx["dest_stream"] = ctx["dest_stream"], _Nowhere()
            try:
                super()._append_fragment(ctx, b"")
            finally:
                ctx["dest_stream"] = to

        def report_skip_fragment(self, frag_index: int, *_: Any) -> None:
            out.put(MISSED, str(self._number(frag_index)).encode())

        def _number(self, index: int) -> int:
            return self._coming.popleft() if self._coming else index

    return Framing


class _Nowhere:
    def write(self, data: bytes) -> int:
        return len(data)

    def flush(self) -> None: ...


class _Output:
    """Standard output, as far as downloaders use it."""

    def __init__(self, buffer: FrameWriter) -> None:
        self.buffer = buffer

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None: ...


def _no(code: SourceCode, detail: str) -> Answer:
    return Answer(code=code, detail=detail)


def _end_with_parent() -> None:
    # Not by its buffer: who waits there holds a lock that the interpreter's end wants.
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
