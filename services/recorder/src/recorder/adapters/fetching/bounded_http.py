"""HTTP answers that end: bounded in size and in time, whatever the other side sends.

`requests` alone would read an endless body until the memory is full and a dripping one for
hours, because its time limit is one between two bytes. Compressed bodies are unpacked step by
step, so that a bomb meets the same limit.
"""

from __future__ import annotations

import time
from typing import Any

from requests import RequestException, Response
from urllib3.exceptions import HTTPError

_CHUNK = 64 * 1024


class Unbounded(Exception):
    """An answer is larger or slower than can be right."""


def bounded(*, most: int, within: float) -> dict[str, Any]:
    """Return hooks for a request: a body may have `most` bytes and take `within` seconds.

    Else the request raises `RequestException`, as where the connection breaks.
    """

    def read(response: Response, **_: Any) -> Response:
        try:
            body = _body(response, most, within)
        except (HTTPError, Unbounded) as error:
            response.close()
            raise RequestException(str(error)) from error
        response._content, response._content_consumed = body, True  # type: ignore[attr-defined]
        return response

    return {"response": read}


def _body(response: Response, most: int, within: float) -> bytes:
    body, deadline = bytearray(), time.monotonic() + within
    # Not iter_content: it waits for whole chunks, and a drip would hold it for hours.
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > most:
            raise Unbounded(f"the answer has more than {most} bytes")
        if time.monotonic() > deadline:
            raise Unbounded(f"the answer takes more than {within:.0f} s")
    return bytes(body)
