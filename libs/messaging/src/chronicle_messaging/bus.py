"""The bus: a connected topology, found or made when it is first needed."""

from __future__ import annotations

import math
import threading
import time

import structlog
from botocore.exceptions import ClientError

from chronicle_messaging.clients import Clients
from chronicle_messaging.errors import MissingResource, is_denied, is_missing
from chronicle_messaging.provisioning import UNTAGGED, Provisioner, Topic, incarnation_of
from chronicle_messaging.publisher import SnsPublisher
from chronicle_messaging.queue import Queue
from chronicle_messaging.settings import MessagingSettings
from chronicle_messaging.topology import Topology, load_topology

log = structlog.get_logger(__name__)

# On AWS a topic does not vanish by a restart, and ListTagsForResource is rationed.
_LASTING_CHECK = 300.0


class Bus:
    """Topic and queues of one stack; threads may share it.

    Nothing is asked of the endpoint before it is needed. What the endpoint has lost is made
    again where this process may do that (`CHRONICLE_PROVISION`); else every use raises
    `MissingResource` until somebody has made it.
    """

    def __init__(
        self, clients: Clients, topology: Topology, *, prefix: str, provision: bool
    ) -> None:
        self.clients = clients
        self.topology = topology
        self.prefix = prefix
        self.provision = provision
        self._lock = threading.RLock()
        self._topic: Topic | None = None
        self._urls: dict[str, str] = {}
        self._provisioned = False
        self._checked = 0.0

    @classmethod
    def connect(cls, settings: MessagingSettings) -> Bus:
        """Return the bus that the settings name; raises `TopologyError` on a bad file."""
        return cls(
            Clients(region=settings.region, endpoint_url=settings.aws_endpoint_url),
            load_topology(settings.topology),
            prefix=settings.prefix,
            provision=settings.may_provision,
        )

    def publisher(self) -> SnsPublisher:
        """Return what publishes to the topic."""
        return SnsPublisher(self)

    def queue(self, name: str) -> Queue:
        """Return a queue by its short name ("portal"). Raises `TopologyError`."""
        self.topology.queue(name)
        return Queue(self, name)

    def incarnation(self) -> str:
        """Return the id that the topic got when it was made; a topic made anew has another."""
        return self.topic().incarnation

    def topic(self) -> Topic:
        """Return the topic, found or made. Raises `MissingResource`, or as botocore does."""
        with self._lock:
            self._ensure()
            if self._topic is None:
                self._topic = self._find_topic()
            return self._topic

    def url(self, queue: str) -> str:
        """Return the address of a queue by its full name, as `topic` does."""
        with self._lock:
            self._ensure()
            if queue not in self._urls:
                self._urls[queue] = self._find_queue(queue)
            return self._urls[queue]

    def forget(self) -> None:
        """Find or make everything anew at the next use: something turned out to be missing."""
        with self._lock:
            self._topic = None
            self._urls.clear()
            self._provisioned = False

    def doubt(self) -> None:
        """Take no earlier answer for good when `is_current` is asked next."""
        with self._lock:
            self._checked = -math.inf

    def is_current(self, topic: Topic, *, max_age: float = 0.0) -> bool:
        """Return whether the endpoint still has this incarnation of the topic.

        False also makes the bus forget it. An answer of the last `max_age` seconds is good
        enough; on AWS one of the last five minutes is.
        """
        if topic.incarnation == UNTAGGED:
            return True
        lasting = self.clients.endpoint_url is None
        with self._lock:
            if self._topic is None or self._topic.incarnation != topic.incarnation:
                return False
            age = time.monotonic() - self._checked
            if age < (_LASTING_CHECK if lasting else max_age):
                return True
            try:
                now = incarnation_of(self.clients, topic.arn)
            except ClientError as error:
                if not is_missing(error):
                    raise
                now = None
            self._checked = time.monotonic()
            if now != topic.incarnation:
                log.warning("topic_lost", topic=topic.name, was=topic.incarnation, now=now)
                self.forget()
                return False
            return True

    def _ensure(self) -> None:
        if self.provision and not self._provisioned:
            self._topic = Provisioner(self.clients, self.topology, self.prefix).run()
            self._checked = time.monotonic()
            self._provisioned = True

    def _find_topic(self) -> Topic:
        name = self.topology.topic_name(self.prefix)
        arn = self.clients.arn("sns", name)
        try:
            incarnation = incarnation_of(self.clients, arn)
        except ClientError as error:
            if is_missing(error):
                raise MissingResource(
                    f"there is no topic {name} in {self.clients.region}; create it with "
                    "Terraform, or set CHRONICLE_PROVISION=true"
                ) from error
            if not is_denied(error):
                raise
            # A recorder may publish and nothing else: it cannot tell one life of the topic
            # from another, and on AWS there is only one.
            incarnation = UNTAGGED
        self._checked = time.monotonic()
        return Topic(name, arn, incarnation)

    def _find_queue(self, name: str) -> str:
        try:
            return str(self.clients.sqs.get_queue_url(QueueName=name)["QueueUrl"])
        except ClientError as error:
            if not is_missing(error):
                raise
            raise MissingResource(
                f"there is no queue {name} in {self.clients.region}; create it with Terraform, "
                "or set CHRONICLE_PROVISION=true"
            ) from error
