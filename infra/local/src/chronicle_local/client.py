"""What the demo asks of the portal: the API for reading, the `chronicle` command for the rest."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from chronicle_local.errors import StepFailed
from chronicle_local.stack import Stack


class Client:
    """A client of one stack, with the token that was generated for its command line."""

    def __init__(self, stack: Stack) -> None:
        self._home = stack.home
        self._http = httpx.Client(
            base_url=stack.settings.portal_url,
            headers={"Authorization": f"Bearer {stack.secrets['CHRONICLE_API_TOKEN']}"},
            timeout=10,
            trust_env=False,  # a proxy of the environment has no business on loopback
        )

    def job(self, job_id: str) -> dict[str, Any]:
        """Return the job with its timeline."""
        answer = self._http.get(f"/api/v1/jobs/{job_id}").raise_for_status().json()
        assert isinstance(answer, dict)
        return answer

    def knows(self, job_id: str) -> bool:
        """Return whether the job has reached the portal."""
        return self._http.get(f"/api/v1/jobs/{job_id}").status_code == httpx.codes.OK

    def torrent(self, job_id: str) -> bytes:
        """Return the job's .torrent file."""
        path = f"/api/v1/jobs/{job_id}/torrent"
        return self._http.get(path, follow_redirects=True).raise_for_status().content

    def status_code(self, address: str) -> int:
        """Return what an address answers to somebody who is not logged in."""
        return httpx.get(address, follow_redirects=True, timeout=10, trust_env=False).status_code

    def until(
        self,
        job_id: str,
        holds: Callable[[dict[str, Any]], bool],
        *,
        timeout: float,
        what: str,
    ) -> dict[str, Any]:
        """Return the job once a condition holds; `StepFailed` says `what` did not come in time."""
        deadline = time.monotonic() + timeout
        while True:
            job = self.job(job_id)
            if holds(job):
                return job
            if job["status"] in {"FAILED", "REJECTED", "CANCELLED"}:
                error = job.get("error") or {}
                raise StepFailed(
                    f"{what}: job {job_id} is {job['status']}: {error.get('code')}: "
                    f"{error.get('detail')}"
                )
            if time.monotonic() > deadline:
                raise StepFailed(
                    f"{what}: not within {timeout:g} s; job {job_id} is {job['status']}, "
                    f"progress {job.get('progress')}"
                )
            time.sleep(0.25)

    def command(self, *arguments: str, quiet: bool = False) -> subprocess.Popen[str]:
        """Start the `chronicle` command on our terminal, as a user of this home would.

        With `quiet` its output is kept for whoever waits for it.
        """
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in {"CHRONICLE_URL", "CHRONICLE_TOKEN"}
        }
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("chronicle")), *arguments],
            env={**kept, "CHRONICLE_HOME": str(self._home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
            text=True,
        )
