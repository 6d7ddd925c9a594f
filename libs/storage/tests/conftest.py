"""Both stores: a folder, and a bucket at a real S3 endpoint."""

import uuid
from pathlib import Path

import pytest
from chronicle_storage import RecordingStore, StorageSettings, open_store
from chronicle_storage.s3_bucket import Bucket


@pytest.fixture
def credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.fixture
def bucket(aws, credentials) -> Bucket:
    """A bucket that is made at the first write."""
    return Bucket(
        f"test-{uuid.uuid4().hex[:12]}", region="us-east-1", endpoint=aws.url, provision=True
    )


@pytest.fixture(params=["local", "s3"])
def store(request, tmp_path: Path) -> RecordingStore:
    """Each store in turn, opened as a process opens it."""
    if request.param == "local":
        return open_store(StorageSettings(recordings=tmp_path / "recordings"))
    bucket = request.getfixturevalue("bucket")
    aws = request.getfixturevalue("aws")
    return open_store(StorageSettings(bucket=bucket.name, aws_endpoint_url=aws.url))
