"""What botocore raises, in the words of this package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)
from urllib3.exceptions import HTTPError

from chronicle_storage.errors import StoreError, StoreRefused, StoreUnreachable

PASSING = frozenset(
    # BadDigest: bytes were damaged on the way, or the head was written anew as they were sent.
    {"BadDigest", "SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable"}
)


class S3Answer(StoreError):
    """An answer that the caller knows what to do about; never leaves this package."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@contextmanager
def s3_errors(what: str, *, expected: frozenset[str] = frozenset()) -> Iterator[None]:
    """Turn botocore's errors into `StoreRefused`, `StoreUnreachable` or an expected `S3Answer`."""
    try:
        yield
    except ClientError as error:
        answer = error.response.get("Error", {})
        code = str(answer.get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code in expected:
            raise S3Answer(code) from error
        sentence = f"{what}: S3 answered {status} {code}: {answer.get('Message', '')}"
        if code in PASSING or status >= 500 or status == 429:
            raise StoreUnreachable(f"{sentence}; try again") from error
        raise StoreRefused(f"{sentence}; check bucket, rights and credentials") from error
    except (NoCredentialsError, PartialCredentialsError, ParamValidationError) as error:
        raise StoreRefused(f"{what}: {error}") from error
    except (HTTPClientError, BotoCoreError, HTTPError) as error:
        raise StoreUnreachable(f"{what}: {error}; try again") from error
