"""One bucket over boto3: every request that the store makes, with our errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import boto3
from botocore.config import Config

from chronicle_storage.s3_errors import S3Answer, s3_errors

R = TypeVar("R")

MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
NO_BUCKET = "NoSuchBucket"


class Bucket:
    """A bucket and the client that reaches it; safe to share between threads.

    With `provision` the bucket is created when a write finds it missing, also when the
    endpoint has lost it. With `crc64` it keeps CRC64NVME of whole objects; by default AWS does,
    other endpoints do not all know it (they get botocore's CRC32 of each part).
    """

    def __init__(
        self,
        name: str,
        *,
        region: str,
        endpoint: str | None = None,
        provision: bool = False,
        crc64: bool | None = None,
    ) -> None:
        self.name = name
        self.crc64 = endpoint is None if crc64 is None else crc64
        self._region = region
        self._provision = provision
        # Answers to a GET that say no more than that the object is not there.
        self.missing = MISSING | ({NO_BUCKET} if provision else frozenset())
        self.client: Any = boto3.client(
            "s3",
            region_name=region,
            endpoint_url=endpoint,
            config=Config(
                connect_timeout=5,
                read_timeout=60,
                retries={"mode": "standard", "max_attempts": 3},
                signature_version="s3v4",
                # An endpoint on an address has no names for buckets below it.
                s3={"addressing_style": "path" if endpoint else "auto"},
            ),
        )

    def write(self, what: str, request: Callable[[], R]) -> R:
        """Make a request that needs the bucket; create it first where it is missing."""
        try:
            with s3_errors(what, expected=frozenset({NO_BUCKET} if self._provision else ())):
                return request()
        except S3Answer:
            self._create()
            with s3_errors(what):
                return request()

    def _create(self) -> None:
        place = {"LocationConstraint": self._region}
        more = {} if self._region == "us-east-1" else {"CreateBucketConfiguration": place}
        exists = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})
        try:
            with s3_errors(f"creating bucket {self.name}", expected=exists):
                self.client.create_bucket(Bucket=self.name, **more)
        except S3Answer:
            return  # another process was quicker

    def head(self, key: str) -> dict[str, Any] | None:
        """Return the headers of an object, None where there is none."""
        try:
            with s3_errors(f"looking at {key}", expected=self.missing):
                found: dict[str, Any] = self.client.head_object(Bucket=self.name, Key=key)
        except S3Answer:
            return None
        return found

    def objects(self, prefix: str) -> Iterator[dict[str, Any]]:
        """Yield what ListObjectsV2 tells of each object; nothing where there is no bucket yet."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=prefix
        )
        try:
            with s3_errors(f"listing {prefix}", expected=frozenset({NO_BUCKET})):
                for page in pages:
                    yield from page.get("Contents", [])
        except S3Answer:
            return

    def delete(self, key: str) -> None:
        """Delete an object; none is fine."""
        with s3_errors(f"deleting {key}"):
            self.client.delete_object(Bucket=self.name, Key=key)
