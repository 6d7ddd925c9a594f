"""An object of the store as an HTTP response: conditional, in ranges, streamed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from chronicle_contracts import naming
from chronicle_storage import RecordingStore, StoredObject
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import (
    content_disposition_header,
    http_date,
    parse_etags,
    parse_http_date_safe,
)

from portal.api.problems import Problem
from portal.downloads import ranges
from portal.downloads.streaming import in_threads

MATROSKA = "video/matroska"
TORRENT = "application/x-bittorrent"


@dataclass(frozen=True)
class Offer:
    """What is sent, and what the client is to call and to think of it."""

    stored: StoredObject
    content_type: str
    filename: str
    cache: str = "private, no-cache"


class RangeNotSatisfiable(Problem):
    """No byte of the object lies in the range."""

    status_code = 416
    slug = "range-not-satisfiable"

    def __init__(self, wanted: str | None, stored: StoredObject) -> None:
        super().__init__(
            f"Range is {wanted!r}, but the object has {stored.size} bytes; ask for less"
        )
        self.headers = {"Content-Range": f"bytes */{stored.size}", "Accept-Ranges": "bytes"}


def serve(request: HttpRequest, store: RecordingStore, offer: Offer) -> HttpResponseBase:
    """Answer GET or HEAD for an object: 200, 206 or 304.

    Raises `RangeNotSatisfiable`, and what the store raises if the object has just gone away.
    """
    stored = offer.stored
    if _is_known_to_client(request, stored):
        return _described(HttpResponse(status=304), offer)
    wanted = request.headers.get("Range") if _range_applies(request, stored) else None
    try:
        part = ranges.parse(wanted, stored.size)
    except ranges.Unsatisfiable:
        raise RangeNotSatisfiable(wanted, stored) from None
    whole = part or ranges.ByteRange(0, stored.size)
    status = 200 if part is None else 206
    response: HttpResponseBase
    if request.method == "HEAD" or whole.length == 0:
        response = HttpResponse(status=status)
    else:
        chunks = store.read(stored.key, whole.start, whole.length)
        response = StreamingHttpResponse(_for(request, chunks), status=status)
    response["Content-Length"] = str(whole.length)
    if part is not None:
        response["Content-Range"] = part.content_range(stored.size)
    return _described(response, offer)


def _for(request: HttpRequest, chunks: Iterator[bytes]) -> Iterator[bytes] | AsyncIterator[bytes]:
    # Under WSGI an async iterator would be read into memory as a whole.
    return in_threads(chunks) if isinstance(request, ASGIRequest) else chunks


def _described(response: HttpResponseBase, offer: Offer) -> HttpResponseBase:
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = _etag(offer.stored)
    response["Last-Modified"] = http_date(offer.stored.modified_at.timestamp())
    response["Content-Type"] = offer.content_type
    disposition = content_disposition_header(True, naming.slug(offer.filename, longest=200))
    response["Content-Disposition"] = disposition or "attachment"
    # Whatever a recording holds, a browser must not take it for a page of ours.
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = offer.cache
    return response


def _etag(stored: StoredObject) -> str:
    return '"' + stored.etag.strip('"') + '"'


def _is_known_to_client(request: HttpRequest, stored: StoredObject) -> bool:
    known = request.headers.get("If-None-Match")
    if known is not None:
        tags = {tag.removeprefix("W/") for tag in parse_etags(known)}
        return bool(tags & {"*", _etag(stored)})
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    return since is not None and int(stored.modified_at.timestamp()) <= since


def _range_applies(request: HttpRequest, stored: StoredObject) -> bool:
    condition = request.headers.get("If-Range", "").strip()
    if not condition:
        return True
    if condition.startswith('"'):
        return condition == _etag(stored)
    if condition.startswith("W/"):
        return False  # a weak tag says nothing about bytes
    return parse_http_date_safe(condition) == int(stored.modified_at.timestamp())
