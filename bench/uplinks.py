"""Buckets behind uplinks, each a process of its own, for as long as a benchmark needs them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.bucket import MADE

NAME = "recordings"


@dataclass(frozen=True)
class Bucket:
    """A running one; `env` makes boto3 and our settings use it."""

    port: int

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """For a process that stores there."""
        return {
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "S3_BUCKET": NAME,
            "CHRONICLE_PROVISION": "true",
        }

    def made(self, key: str) -> tuple[int, float] | None:
        """Return size and time (Unix) of an object's completion; None where there is none yet."""
        found = httpx.get(self.url + MADE, trust_env=False).json().get(f"/{NAME}/{key}")
        return None if found is None else (int(found["size"]), float(found["at"]))


@contextmanager
def bucket(folder: Path, *, rate: float = 0.0) -> Iterator[Bucket]:
    """Run a bucket that takes `rate` bytes a second (0: as fast as it can)."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.bucket", str(folder), str(rate)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield Bucket(int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
