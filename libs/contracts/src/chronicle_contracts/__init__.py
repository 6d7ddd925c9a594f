"""The published language of Chronicle.

Every event that crosses a service is defined here, once: payloads (`portal`, `dispatcher`,
`recorder`, `seeder`: one module a publisher), their envelope (CloudEvents 1.0), the codec that
turns them into bytes, and the upcasters that read old versions.
"""

from chronicle_contracts import dispatcher, portal, recorder, seeder, superseded
from chronicle_contracts.codec import (
    ContractError,
    EventTooLarge,
    MalformedEvent,
    decode,
    encode,
)
from chronicle_contracts.envelope import Event, event_id
from chronicle_contracts.fact import Fact, Unknown, known_types
from chronicle_contracts.outcomes import Ignore, Outcome, Quarantine, Retry
from chronicle_contracts.status import JobStatus
from chronicle_contracts.upcasting import UPCASTERS, UpcasterChain, current_types

__all__ = [
    "UPCASTERS",
    "ContractError",
    "Event",
    "EventTooLarge",
    "Fact",
    "Ignore",
    "JobStatus",
    "MalformedEvent",
    "Outcome",
    "Quarantine",
    "Retry",
    "Unknown",
    "UpcasterChain",
    "current_types",
    "decode",
    "dispatcher",
    "encode",
    "event_id",
    "known_types",
    "portal",
    "recorder",
    "seeder",
    "superseded",
]
