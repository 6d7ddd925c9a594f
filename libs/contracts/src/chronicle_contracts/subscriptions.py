"""Who hears what: SNS filter policies over the attributes that every message bears.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html, scope
`MessageAttributes`. The policies are in `infra/topology.json`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Policy = Mapping[str, Sequence[Any]]


def passes(policy: Policy | None, attributes: Mapping[str, str]) -> bool:
    """Return whether a message passes a subscription's filter; without one, all do.

    Patterns other than an exact text or a prefix are taken to match: a consumer ignores what
    is not for it.
    """
    return all(
        any(_matches(pattern, attributes.get(name, "")) for pattern in patterns)
        for name, patterns in (policy or {}).items()
    )


def _matches(pattern: Any, value: str) -> bool:
    if isinstance(pattern, str):
        return value == pattern
    if isinstance(pattern, dict) and isinstance(pattern.get("prefix"), str):
        return value.startswith(pattern["prefix"])
    return True


def consumers(type_: str, topology: Mapping[str, Any]) -> list[str]:
    """Return the queues of a topology (as its file says) that hear an event type."""
    publisher = type_.split(".")[1]
    attributes = {"type": type_, "source": f"/{publisher}"}
    return [
        name
        for name, queue in topology["queues"].items()
        if queue.get("subscribed", True) and passes(queue.get("filter"), attributes)
    ]
