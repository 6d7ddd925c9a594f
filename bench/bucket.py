"""A bucket behind an uplink of so many bytes a second, for benchmarks of many bytes.

The local AWS endpoint reads an object into memory to complete it (36 s for 1 GB). This one does
as S3 does: parts stay where they were put, and an object is a list of them. Only what uploading
takes is there; whatever else is asked for is answered with 501.

`python -m bench.bucket FOLDER RATE` prints its port; RATE is in bytes a second, 0 = no limit.
"""

from __future__ import annotations

import hashlib
import http.server
import itertools
import json
import secrets
import sys
import threading
import time
from email.utils import formatdate
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree import ElementTree as ET

CHUNK = 64 * 1024
BURST = 0.2  # seconds of the rate that an uplink's buffers hold
MADE = "/made"
XML = '<?xml version="1.0" encoding="UTF-8"?>'


class Uplink:
    """So many bytes a second, whatever the number of connections."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._lock = threading.Lock()
        self._free_at = time.monotonic()

    def carry(self, size: int) -> None:
        """Return when so many bytes have passed."""
        if not self._rate:
            return
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now - BURST) + size / self._rate
            wait = self._free_at - now
        if wait > 0:
            time.sleep(wait)


class Objects:
    """What was put: parts by upload, and objects as lists of files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uploads: dict[str, dict[int, tuple[Path, str]]] = {}
        self.objects: dict[str, tuple[list[Path], str, float]] = {}
        self._numbers = itertools.count()
        folder.mkdir(parents=True, exist_ok=True)

    def place(self) -> Path:
        """Return where the next body goes."""
        return self.folder / f"{next(self._numbers)}.bin"

    def made(self) -> dict[str, dict[str, float]]:
        """Return size and time of completion of each object."""
        return {
            key: {"size": sum(path.stat().st_size for path in paths), "at": at}
            for key, (paths, _, at) in list(self.objects.items())  # more come meanwhile
        }


class Handler(http.server.BaseHTTPRequestHandler):
    """The requests of an uploading boto3; keys are `/bucket/key`."""

    protocol_version = "HTTP/1.1"
    objects: Objects
    uplink: Uplink

    def setup(self) -> None:
        """Begin a connection."""
        super().setup()
        self.path_of_key = ""
        self.query: dict[str, str] = {}

    def do_PUT(self) -> None:
        """A bucket, an object, or a part."""
        self._read_address()
        path, etag = self._receive()
        if "uploadId" in self.query:
            upload = self.objects.uploads.get(self.query["uploadId"])
            if upload is None:
                return self._fail(404, "NoSuchUpload")
            upload[int(self.query["partNumber"])] = (path, etag)
        else:
            self.objects.objects[self.path_of_key] = ([path], etag, time.time())
        return self._answer(200, b"", ETag=f'"{etag}"')

    def do_POST(self) -> None:
        """Begin an upload, or complete one."""
        self._read_address()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "uploads" in self.query:
            upload_id = secrets.token_hex(8)
            self.objects.uploads[upload_id] = {}
            return self._answer(
                200,
                f"{XML}<InitiateMultipartUploadResult><UploadId>{upload_id}</UploadId>"
                "</InitiateMultipartUploadResult>".encode(),
            )
        parts = self.objects.uploads.pop(self.query.get("uploadId", ""), None)
        if parts is None:
            return self._fail(404, "NoSuchUpload")
        wanted = [
            int(one.text or 0)
            for one in ET.fromstring(body).iter()
            if one.tag.endswith("PartNumber")
        ]
        digests = b"".join(bytes.fromhex(parts[number][1]) for number in wanted)
        etag = f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(wanted)}"
        files = [parts[number][0] for number in wanted]
        self.objects.objects[self.path_of_key] = (files, etag, time.time())
        return self._answer(
            200,
            f"{XML}<CompleteMultipartUploadResult><ETag>&quot;{etag}&quot;</ETag>"
            "</CompleteMultipartUploadResult>".encode(),
        )

    def do_HEAD(self) -> None:
        """What there is of an object."""
        self._read_address()
        found = self.objects.made().get(self.path_of_key)
        if found is None:
            return self._answer(404, b"")
        _, etag, at = self.objects.objects[self.path_of_key]
        return self._answer(
            200,
            b"",
            length=int(found["size"]),
            ETag=f'"{etag}"',
            **{"Last-Modified": formatdate(at, usegmt=True)},
        )

    def do_GET(self) -> None:
        """A small object; of all, when they were made."""
        self._read_address()
        if self.path_of_key == MADE:
            return self._answer(200, json.dumps(self.objects.made()).encode())
        found = self.objects.objects.get(self.path_of_key)
        if self.query or found is None:
            return self._fail(404, "NoSuchKey") if not self.query else self._fail(501, "No")
        body = b"".join(path.read_bytes() for path in found[0])
        return self._answer(200, body, ETag=f'"{found[1]}"')

    def do_DELETE(self) -> None:
        """Abort an upload, or delete an object."""
        self._read_address()
        if "uploadId" in self.query:
            self.objects.uploads.pop(self.query["uploadId"], None)
        else:
            self.objects.objects.pop(self.path_of_key, None)
        self._answer(204, b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _read_address(self) -> None:
        parts = urlsplit(self.path)
        self.path_of_key = unquote(parts.path)
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.query.pop("x-id", None)

    def _receive(self) -> tuple[Path, str]:
        left = int(self.headers.get("Content-Length", 0))
        digest = hashlib.md5(usedforsecurity=False)
        path = self.objects.place()
        with path.open("wb") as file:
            while left and (chunk := self.rfile.read(min(CHUNK, left))):
                self.uplink.carry(len(chunk))
                digest.update(chunk)
                file.write(chunk)
                left -= len(chunk)
        return path, digest.hexdigest()

    def _fail(self, status: int, code: str) -> None:
        self._answer(status, f"{XML}<Error><Code>{code}</Code></Error>".encode())

    def _answer(self, status: int, body: bytes, *, length: int | None = None, **more: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in more.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    """Connections of recorders that are killed end as they end."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Nothing to say."""


def main(folder: str, rate: str) -> None:
    """Serve until killed."""
    Handler.objects = Objects(Path(folder))
    Handler.uplink = Uplink(float(rate))
    server = Server(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
