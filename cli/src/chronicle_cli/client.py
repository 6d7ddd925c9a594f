"""The API over HTTP: one method for each thing that can be asked, errors as `CliError`."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import parse_qs, quote, urlsplit

import httpx
from pydantic import ValidationError

from chronicle_cli import __version__
from chronicle_cli.answers import Answer, EventPage, Job, JobPage
from chronicle_cli.configuration import Connection
from chronicle_cli.errors import CliError, Unreachable, from_problem

API = "/api/v1"
LARGEST_PAGE = 200
TRIES = 3  # for a submission whose answer was lost; its key makes one job of all of them
TIMEOUT = httpx.Timeout(30.0, connect=10.0)

A = TypeVar("A", bound=Answer)


class ApiClient:
    """Talks to one portal."""

    def __init__(
        self, connection: Connection, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        headers = {"User-Agent": f"chronicle-cli/{__version__}"}
        if connection.token:
            headers["Authorization"] = f"Bearer {connection.token}"
        self.url = connection.url
        self._http = httpx.Client(
            base_url=connection.url,
            headers=headers,
            timeout=TIMEOUT,
            transport=transport,
            # A proxy of the environment has no business on loopback.
            trust_env=not _is_loopback(connection.url),
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def is_ready(self) -> bool:
        """Return whether the portal can do its work; raises `Unreachable` where nothing answers."""
        with self._speaking():
            return self._http.get("/health/ready").status_code == httpx.codes.OK

    def submit(self, request: Mapping[str, Any], *, key: str) -> Job:
        """Ask for a recording; sent again with the same key it is still one job."""
        for tries_left in reversed(range(TRIES)):
            try:
                answer = self._ask("POST", "/jobs", json=request, headers={"Idempotency-Key": key})
            except Unreachable:
                if not tries_left:
                    raise
            else:
                return self._read(Job, answer)
        raise AssertionError("unreachable: the last try returns or raises")

    def jobs(self, *, status: list[str], search: str | None, limit: int) -> Iterator[Job]:
        """Yield jobs, newest first, at most `limit`."""
        parameters: dict[str, Any] = {"page_size": min(limit, LARGEST_PAGE)}
        if status:
            parameters["status"] = ",".join(status)
        if search:
            parameters["search"] = search
        while limit > 0:
            page = self._read(JobPage, self._ask("GET", "/jobs", params=parameters))
            yield from page.results[:limit]
            limit -= len(page.results)
            if not page.next or not page.results:
                return
            # Only the query counts: behind a proxy the portal may not know its own address.
            parameters |= {name: v[-1] for name, v in parse_qs(urlsplit(page.next).query).items()}

    def job(self, job_id: str) -> Job:
        """Return a job with its timeline."""
        return self._read(Job, self._ask("GET", _path(job_id)))

    def order(self, job_id: str, order: str, body: Mapping[str, Any] | None = None) -> Job:
        """Stop, extend or retry a job."""
        return self._read(Job, self._ask("POST", f"{_path(job_id)}/{order}", json=body or {}))

    def events(self, job_id: str, *, after: int = 0) -> EventPage:
        """Return a page of a job's history: what comes after a position of the log."""
        answer = self._ask("GET", f"{_path(job_id)}/events", params={"after": after})
        return self._read(EventPage, answer)

    @contextmanager
    def file(self, job_id: str, what: str, *, start: int = 0) -> Iterator[httpx.Response]:
        """Open a job's "recording" or "torrent" from a byte on: 200 (all of it), 206 or 416.

        A redirect to a signed address is followed; our token does not go there.
        """
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with (
            self._speaking(),
            self._http.stream(
                "GET", f"{API}{_path(job_id)}/{what}", headers=headers, follow_redirects=True
            ) as answer,
        ):
            if (
                answer.is_error
                and answer.status_code != httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE
            ):
                answer.read()
                raise self._error(answer)
            yield answer

    def _ask(self, method: str, path: str, **rest: Any) -> httpx.Response:
        with self._speaking():
            answer = self._http.request(method, API + path, **rest)
        if not answer.is_success:
            raise self._error(answer)
        return answer

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise Unreachable(f"the portal at {self.url} does not answer in time") from error
        except httpx.HTTPError as error:
            raise Unreachable(
                f"cannot reach the portal at {self.url}",
                str(error),
                remedy="start it with `make up`, or set CHRONICLE_URL",
            ) from error

    def _error(self, answer: httpx.Response) -> CliError:
        try:
            problem = answer.json()
        except ValueError:
            problem = None
        if isinstance(problem, dict) and ("title" in problem or "detail" in problem):
            return from_problem(answer.status_code, problem)
        return self._stranger(answer)

    def _read(self, model: type[A], answer: httpx.Response) -> A:
        try:
            return model.model_validate_json(answer.content)
        except ValidationError as error:
            raise self._stranger(answer) from error

    def _stranger(self, answer: httpx.Response) -> CliError:
        if answer.status_code >= 500:
            return Unreachable(f"the portal at {self.url} answered {answer.status_code}")
        return Unreachable(
            f"what answers at {self.url} does not speak Chronicle's API",
            f"{answer.request.url.path} answered {answer.status_code}",
            remedy="set CHRONICLE_URL to the address of a portal",
        )


def _path(job_id: str) -> str:
    return f"/jobs/{quote(job_id, safe='')}"


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
