"""S3 notifications: an object has appeared in a bucket.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from chronicle_contracts import Quarantine

from chronicle_messaging.message import Message


@dataclass(frozen=True)
class ObjectCreated:
    """An object that came into a bucket; `size` in bytes, `etag` without quotes."""

    bucket: str
    key: str
    size: int
    etag: str


def read_objects(message: Message) -> tuple[ObjectCreated, ...]:
    """Return the objects of a notification; none for S3's test message.

    Raises `Quarantine` when the body is no S3 notification.
    """
    try:
        body = json.loads(message.body)
        if body.get("Event") == "s3:TestEvent":
            return ()
        return tuple(
            _object(record["s3"])
            for record in body["Records"]
            if record["eventName"].removeprefix("s3:").startswith("ObjectCreated:")
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Quarantine(f"not an S3 notification: {type(error).__name__} {error}") from error


def _object(s3: dict[str, Any]) -> ObjectCreated:
    return ObjectCreated(
        bucket=s3["bucket"]["name"],
        key=unquote_plus(s3["object"]["key"]),
        size=int(s3["object"].get("size", 0)),
        etag=str(s3["object"].get("eTag", "")).strip('"'),
    )
