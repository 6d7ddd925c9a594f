"""The boto3 clients of one process: made when first needed, shared by its threads."""

from __future__ import annotations

import ipaddress
import os
import threading
from functools import cache, cached_property
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader, create_loader

# Longer than any long poll; an endpoint that says nothing for so long is down.
READ_TIMEOUT = 30.0
CONNECT_TIMEOUT = 3.0
USER_AGENT = f"Chronicle Boto3/{boto3.__version__} Botocore/{botocore.__version__}"


class Clients:
    """SNS, SQS and STS of one region, on AWS or on a local endpoint."""

    def __init__(self, *, region: str, endpoint_url: str | None) -> None:
        self.region = region
        self.endpoint_url = endpoint_url
        # boto3's clients may be shared by threads; making them may not.
        self._lock = threading.RLock()

    @cached_property
    def _session(self) -> boto3.Session:
        # What there is of regions and services is 8 MB: of that one copy is enough.
        session = botocore.session.get_session()
        session.register_component("data_loader", _loader())
        return boto3.Session(botocore_session=session)

    def load(self) -> None:
        """Have in memory what clients are made of: for whoever is forked from this process."""
        for service in ("sns", "sqs", "sts"):
            self._client(service)

    @cached_property
    def sns(self) -> Any:
        """The SNS client."""
        return self._client("sns")

    @cached_property
    def sqs(self) -> Any:
        """The SQS client."""
        return self._client("sqs")

    @cached_property
    def _identity(self) -> tuple[str, str]:
        # GetCallerIdentity needs no permission, so a recorder that may only publish can
        # still name the topic's ARN.
        answer = self._client("sts").get_caller_identity()
        return answer["Arn"].split(":")[1], answer["Account"]

    @property
    def account(self) -> str:
        """The account's number."""
        with self._lock:
            return self._identity[1]

    def arn(self, service: str, name: str) -> str:
        """Return the ARN of a topic or queue of this account and region."""
        with self._lock:
            partition, account = self._identity
        return f"arn:{partition}:{service}:{self.region}:{account}:{name}"

    def _client(self, service: str) -> Any:
        with self._lock:
            return self._session.client(
                service,
                region_name=self.region,
                endpoint_url=self.endpoint_url,
                config=Config(
                    connect_timeout=CONNECT_TIMEOUT,
                    read_timeout=READ_TIMEOUT,
                    # The loops wait and try again themselves, and they do it for ever.
                    retries={"mode": "standard", "total_max_attempts": 2},
                    max_pool_connections=32,
                    # Each call would put together and check these anew, which takes a fifth of
                    # its time; what is sent is made by this library from validated events.
                    user_agent=USER_AGENT,
                    parameter_validation=False,
                ),
                **self._credentials(),
            )

    def _credentials(self) -> dict[str, str]:
        """Return placeholders for an endpoint on this machine, where nobody checks them.

        Without them boto3 would look for an instance role on the network first.
        """
        local = self.endpoint_url is not None and _is_loopback(self.endpoint_url)
        if not local or {"AWS_ACCESS_KEY_ID", "AWS_PROFILE"} & os.environ.keys():
            return {}
        return {"aws_access_key_id": "local", "aws_secret_access_key": "local"}


@cache
def _loader() -> Loader:
    return create_loader()


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
