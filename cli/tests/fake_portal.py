"""A portal of a few lines that speaks the API over real HTTP, and keeps what it was asked."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "chr_a-token-for-tests"
BEGAN = "2026-01-31T12:00:00Z"
CONTENT = bytes(range(256)) * 4096  # 1 MiB
KEY = "recordings/2026/01/31/concert-0123abcd.mkv"


def job(job_id: str = "concert", status: str = "PENDING", **fields: Any) -> dict[str, Any]:
    """A job as the API sends it, with a field that no client knows yet."""
    milestone = {"at": BEGAN, "type": "x", "what": "Asked for", "detail": None, "position": 1}
    return {
        "id": job_id,
        "url": "https://example.org/live",
        "status": status,
        "title": None,
        "site": None,
        "filename": "concert.mkv",
        "key": KEY,
        "max_duration": None,
        "start_at": None,
        "requested_at": BEGAN,
        "progress": None,
        "recording": None,
        "torrent": None,
        "error": None,
        "timeline": [milestone],
        "of_a_newer_portal": 1,
    } | fields


def recording(content: bytes = CONTENT, **fields: Any) -> dict[str, Any]:
    return {
        "key": KEY,
        "size": len(content),
        "checksum": {"algorithm": "sha256", "value": hashlib.sha256(content).hexdigest()},
        "duration": 83.5,
        "media": {"video_codec": "h264", "audio_codec": "aac", "width": 640, "height": 360},
        "gaps": [{"cause": "stall", "seconds": 1.5, "at_media_seconds": 10.0}],
    } | fields


def completed(**fields: Any) -> dict[str, Any]:
    torrent = {"state": "seeding", "info_hash": "0" * 40, "magnet": "magnet:?xt=x", "engine": "e"}
    return job(status="COMPLETED", recording=recording(), torrent=torrent, **fields)


def progress(**fields: Any) -> dict[str, Any]:
    return {
        "phase": "RECORDING",
        "bytes_recorded": 3 << 20,
        "bytes_durable": 2 << 20,
        "media_seconds": 12.0,
        "bitrate": 2_000_000.0,
        "restarts": 0,
    } | fields


def event(position: int, name: str = "Heartbeat") -> dict[str, Any]:
    envelope = {"type": f"chronicle.recorder.{name}.v1", "time": BEGAN, "data": {"phase": "x"}}
    return {"position": position, "received_at": BEGAN, "event": envelope}


@dataclass
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class FakePortal:
    """`story` is what a job becomes: each look at it moves one state on, the last one stays."""

    stories: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    content: bytes = CONTENT
    honours_ranges: bool = True
    breaks_after: list[int] = field(default_factory=list)  # bytes, for each download in turn
    answers: list[tuple[int, Any]] = field(default_factory=list)  # said before all else
    asked: list[Asked] = field(default_factory=list)
    page: int = 2
    url: str = ""

    def tell(self, *states: dict[str, Any]) -> None:
        self.stories[states[0]["id"]] = list(states)

    def last(self, method: str) -> Asked:
        return next(one for one in reversed(self.asked) if one.method == method)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    portal: FakePortal

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        asked = Asked(self.command, parts.path, query, dict(self.headers), body)
        self.portal.asked.append(asked)
        if self.portal.answers:
            self._send(*self.portal.answers.pop(0))
        elif parts.path == "/health/ready":
            self._send(200, {"status": "ready"})
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._problem(401, "Unauthorized", "this token is not known")
        elif self.command == "POST":
            self._post(asked)
        else:
            self._get(asked)

    def _get(self, asked: Asked) -> None:
        if asked.path == "/api/v1/jobs":
            self._list(asked)
            return
        job_id, what = self._split(asked.path)
        story = self.portal.stories.get(job_id)
        if story is None:
            self._problem(404, "Not Found", f"there is no job {job_id!r}")
        elif what == "":
            self._send(200, story.pop(0) if len(story) > 1 else story[0])
        elif what == "events":
            self._events(int(asked.query.get("after", 0)))
        else:
            self._file(b"d8:announce0:e" if what == "torrent" else self.portal.content)

    def _list(self, asked: Asked) -> None:
        jobs = [story[0] for story in self.portal.stories.values()]
        if "status" in asked.query:
            jobs = [one for one in jobs if one["status"].lower() in asked.query["status"].lower()]
        start = int(asked.query.get("cursor", 0))
        end = start + self.portal.page
        # As behind a proxy that hides the address that clients use.
        more = f"http://inside.invalid/api/v1/jobs?cursor={end}" if end < len(jobs) else None
        self._send(200, {"next": more, "previous": None, "results": jobs[start:end]})

    def _events(self, after: int) -> None:
        known = [one for one in self.portal.log if one["position"] > after]
        some = known[: self.portal.page]
        self._send(200, {"results": some, "next": "..." if len(known) > len(some) else None})

    def _post(self, asked: Asked) -> None:
        if asked.path == "/api/v1/jobs":
            made = job(asked.body.get("id", "concert"), url=asked.body["url"])
            self.portal.stories.setdefault(made["id"], [made])
            self._send(201, made)
            return
        job_id, order = self._split(asked.path)
        story = self.portal.stories.get(job_id)
        if story is None:
            self._problem(404, "Not Found", f"there is no job {job_id!r}")
        elif order == "stop" and story[0]["status"] == "COMPLETED":
            self._problem(409, "Conflict", "the job is COMPLETED; there is nothing to stop")
        else:
            self._send(202, story[0] | {"status": "STOPPING" if order == "stop" else "PENDING"})

    def _split(self, path: str) -> tuple[str, str]:
        job_id, _, what = path.removeprefix("/api/v1/jobs/").partition("/")
        return job_id, what

    def _file(self, content: bytes) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        start = int(wanted.group(1)) if wanted and self.portal.honours_ranges else 0
        if start >= len(content):
            self._problem(416, "Range not satisfiable", "no byte lies there")
            return
        rest = content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if self.portal.breaks_after:
            self.wfile.write(rest[: self.portal.breaks_after.pop(0)])
            self.close_connection = True
            return
        self.wfile.write(rest)

    def _problem(self, status: int, title: str, detail: str) -> None:
        self._send(status, {"type": "urn:x", "title": title, "status": status, "detail": detail})

    def _send(self, status: int, body: Any) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


class Serving:
    """The portal on a free port of 127.0.0.1, in threads of its own."""

    def __init__(self, portal: FakePortal) -> None:
        handler = type("Handler", (_Handler,), {"portal": portal})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        portal.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
