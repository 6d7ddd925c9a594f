"""Both stores: a folder, and a bucket at a real S3 endpoint."""

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from chronicle_storage import RecordingStore, StorageSettings, open_store
from chronicle_storage.s3_bucket import Bucket


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of an S3 endpoint of these tests alone: large bodies stall its queues."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-m", "ministack"],
        env=os.environ | {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "the S3 endpoint did not start"
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        server.terminate()


@pytest.fixture
def credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.fixture
def bucket(s3_endpoint: str, credentials: None) -> Bucket:
    """A bucket that is made at the first write."""
    return Bucket(
        f"test-{uuid.uuid4().hex[:12]}", region="us-east-1", endpoint=s3_endpoint, provision=True
    )


@pytest.fixture(params=["local", "s3"])
def store(request, tmp_path: Path) -> RecordingStore:
    """Each store in turn, opened as a process opens it."""
    if request.param == "local":
        return open_store(StorageSettings(recordings=tmp_path / "recordings"))
    bucket = request.getfixturevalue("bucket")
    endpoint = request.getfixturevalue("s3_endpoint")
    return open_store(StorageSettings(bucket=bucket.name, aws_endpoint_url=endpoint))
