"""A running stack as the end-to-end tests see it: the API, its processes, its files."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
from chronicle_local import leftovers, probe, proc
from chronicle_local.stack import Stack

T = TypeVar("T")
FINAL = {"COMPLETED", "FAILED", "REJECTED", "CANCELLED"}


def until(look: Callable[[], T | None], what: str | Callable[[], str], *, timeout: float) -> T:
    """Return the first truthy thing that is seen; fail with `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(what if isinstance(what, str) else what())
        time.sleep(0.1)
    return seen


class RunningStack:
    """What a test does with a stack."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.home = stack.home
        self.api = httpx.Client(
            base_url=f"{stack.settings.portal_url}/api/v1",
            headers={"Authorization": f"Bearer {stack.secrets['CHRONICLE_API_TOKEN']}"},
            timeout=30,
            trust_env=False,
            # A portal that was just killed is back within seconds; clients try again.
            transport=httpx.HTTPTransport(retries=5),
        )

    def submit(self, url: str, **fields: Any) -> str:
        """Ask for a recording and return the job's id."""
        body = {"url": url, "id": f"e2e-{uuid4().hex[:10]}", **fields}
        answer = self.api.post("/jobs", json=body)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """Return the job as it is now."""
        job: dict[str, Any] = self.api.get(f"/jobs/{job_id}").raise_for_status().json()
        return job

    def ends(self, job_id: str, *, timeout: float = 120) -> dict[str, Any]:
        """Return the job once it is final."""
        return self.reaches(job_id, FINAL, timeout=timeout)

    def reaches(self, job_id: str, statuses: Iterable[str], *, timeout: float) -> dict[str, Any]:
        """Return the job once it has one of the statuses."""
        wanted = set(statuses)
        return until(
            lambda: job if (job := self.job(job_id))["status"] in wanted else None,
            lambda: f"{job_id} has not become {wanted} in {timeout} s: {self.story(job_id)}",
            timeout=timeout,
        )

    def records(self, job_id: str, media: float = 0.1, *, timeout: float = 90) -> dict[str, Any]:
        """Return the job once it has so many seconds of media."""
        return until(
            lambda: job if self.media(job := self.job(job_id)) >= media else self._not_over(job),
            lambda: f"{job_id} has no {media} s of media in {timeout} s: {self.story(job_id)}",
            timeout=timeout,
        )

    def media(self, job: dict[str, Any]) -> float:
        """Return the seconds of media of a job's progress."""
        return float((job["progress"] or {}).get("media_seconds") or 0)

    def _not_over(self, job: dict[str, Any]) -> dict[str, Any]:
        assert job["status"] not in FINAL, self.story(job["id"])
        return {}

    def stop(self, job_id: str, mode: str = "keep") -> None:
        """Ask for a job's end."""
        answer = self.api.post(f"/jobs/{job_id}/stop", json={"mode": mode})
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text

    def events(self, job_id: str) -> list[dict[str, Any]]:
        """Return all envelopes of a job, in the order of the log."""
        found: list[dict[str, Any]] = []
        position: int | None = 0
        while position is not None:
            page = self.api.get(f"/jobs/{job_id}/events", params={"after": position})
            results = page.raise_for_status().json()["results"]
            found += [entry["event"] for entry in results]
            position = results[-1]["position"] if results else None
        return found

    def count(self, job_id: str, name: str) -> int:
        """Return how many events of a name (say `Uploaded`) the log has for the job."""
        return sum(event["type"].split(".")[2] == name for event in self.events(job_id))

    def story(self, job_id: str) -> str:
        """Return what a person needs who looks at a failed test."""
        job = self.job(job_id)
        lines = [f"{entry['at']} {entry['what']} {entry['detail']}" for entry in job["timeline"]]
        logs = sorted((self.home / "work" / job_id).glob("run-*.log"))
        lines += [f"{log.name}: {log.read_text()[-3000:]}" for log in logs]
        return f"{job['status']} {job['error']} {job['progress']}\n" + "\n".join(lines)

    def recording(self, job: dict[str, Any]) -> Path:
        """Return where a job's recording lies."""
        return self.stack.settings.recordings_folder / str(job["recording"]["key"])

    def playable(self, job: dict[str, Any]) -> probe.Playable:
        """Return what ffmpeg decodes of a job's recording."""
        assert self.recording(job).stat().st_size == job["recording"]["size"]
        return probe.decode(self.recording(job))

    def recorders(self, job_id: str | None = None) -> list[proc.Seen]:
        """Return the running recorders, or those of one job."""
        found = leftovers.recorders(self.home)
        return [one for one in found if job_id in {None, one.environment["JOB_ID"]}]

    def pid(self, name: str) -> int:
        """Return the pid of a process of the stack, 0 while it is down."""
        return int(self.stack.supervisor.state(name)["pid"])

    def kill(self, name: str) -> None:
        """Kill a process of the stack with SIGKILL and return once it runs again."""
        victim = self.pid(name)
        os.kill(victim, signal.SIGKILL)
        state = self.stack.supervisor.state
        until(
            lambda: state(name)["statename"] == "RUNNING" and self.pid(name) not in {0, victim},
            f"{name} was not started again",
            timeout=60,
        )

    def leaves_no_trace(self, job_id: str) -> None:
        """Hold that nothing runs for the job and that nothing of it lies on the disk."""
        work = self.home / "work" / job_id
        until(
            lambda: not self.recorders(job_id) and not work.exists(),
            lambda: f"left of {job_id}: {self.recorders(job_id)}, {list(work.rglob('*'))}",
            timeout=60,
        )
