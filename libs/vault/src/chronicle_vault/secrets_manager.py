"""AWS Secrets Manager: for portals, dispatchers and recorders on several machines.

IAM: the portal needs secretsmanager:CreateSecret, PutSecretValue and DeleteSecret, the
dispatcher GetSecretValue, DeleteSecret and ListSecrets, a recorder GetSecretValue; all of them
on `<prefix>/credentials/*` only (ListSecrets knows no resource).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chronicle_vault.errors import SecretMissing, VaultRefused, VaultUnreachable
from chronicle_vault.ports import KeptSecret, check

# What is scheduled for deletion answers InvalidRequestException to a read.
_MISSING = frozenset({"ResourceNotFoundException", "InvalidRequestException"})
_PASSING = frozenset(
    {"InternalServiceError", "InternalServiceErrorException", "ThrottlingException"}
)


class SecretsManagerVault:
    """Implements `Vault`: secrets are called `<prefix>/credentials/<name>`."""

    def __init__(self, *, prefix: str, region: str, endpoint: str | None = None) -> None:
        self._path = f"{prefix}/credentials/"
        self._client: Any = boto3.client(
            "secretsmanager",
            region_name=region,
            endpoint_url=endpoint,
            config=Config(
                connect_timeout=5,
                read_timeout=10,
                retries={"mode": "standard", "max_attempts": 3},
            ),
        )

    def put(self, name: str, secret: bytes) -> None:
        """Create the secret, or give it another value where it exists."""
        check(name, secret)
        with _aws_errors(name):
            try:
                self._client.create_secret(
                    Name=self._path + name,
                    SecretBinary=secret,
                    Description="Cookies and headers of a Chronicle job; deleted after it",
                )
            except ClientError as error:
                if _code(error) != "ResourceExistsException":
                    raise
                self._client.put_secret_value(SecretId=self._path + name, SecretBinary=secret)

    def get(self, name: str) -> bytes:
        """Return the secret's current value."""
        check(name)
        with _aws_errors(name):
            answer = self._client.get_secret_value(SecretId=self._path + name)
        return bytes(answer["SecretBinary"])

    def delete(self, name: str) -> bool:
        """Delete at once: nobody will want it back, and a name is used once."""
        check(name)
        try:
            with _aws_errors(name):
                # It answers alike where there is none, so it is asked first.
                self._client.describe_secret(SecretId=self._path + name)
                self._client.delete_secret(
                    SecretId=self._path + name, ForceDeleteWithoutRecovery=True
                )
        except SecretMissing:
            return False
        return True

    def kept(self) -> Iterator[KeptSecret]:
        """List the secrets under our prefix."""
        pages = self._client.get_paginator("list_secrets").paginate(
            Filters=[{"Key": "name", "Values": [self._path]}]
        )
        with _aws_errors("listing"):
            for page in pages:
                for one in page["SecretList"]:
                    if one["Name"].startswith(self._path):
                        kept_at = one.get("LastChangedDate") or one["CreatedDate"]
                        yield KeptSecret(one["Name"].removeprefix(self._path), kept_at)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def _aws_errors(name: str) -> Iterator[None]:
    """Turn botocore's errors into ours; theirs may quote the request, and are not chained."""
    try:
        yield
    except ClientError as error:
        code = _code(error)
        if code in _MISSING:
            raise SecretMissing(name) from None
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
        kind = VaultUnreachable if code in _PASSING or status >= 500 else VaultRefused
        raise kind(f"{name}: Secrets Manager answers {code or status}") from None
    except BotoCoreError as error:
        raise VaultUnreachable(f"{name}: {type(error).__name__}") from None
