"""Events as bytes: CloudEvents structured JSON, the same in a store, on the wire and in a log.

Errors::

    ContractError
    ├── MalformedEvent    the bytes are not an event of ours
    └── EventTooLarge     an event must stay under 64 KB; blobs belong into the recording store
"""

from __future__ import annotations

import json

from pydantic import ValidationError

from chronicle_contracts.envelope import Event

MAX_BYTES = 64 * 1024


class ContractError(Exception):
    """The language of Chronicle was not kept."""


class MalformedEvent(ContractError):
    """The bytes cannot be read as an event; the message says what is wrong with them."""


class EventTooLarge(ContractError):
    """The event has more than `MAX_BYTES`."""


def encode(event: Event) -> bytes:
    """Return the event as UTF-8 JSON; absent optional attributes are left out.

    Raises `EventTooLarge`.
    """
    # CloudEvents has no null attributes: what is absent is not written. Inside data, None
    # is a value like any other and stays.
    attributes = event.model_dump(mode="json", exclude={"data"}, exclude_none=True)
    attributes["data"] = event.data.model_dump(mode="json")
    raw = json.dumps(attributes, ensure_ascii=False, separators=(",", ":")).encode()
    if len(raw) > MAX_BYTES:
        raise EventTooLarge(
            f"event {event.type} {event.id} has {len(raw)} bytes, the limit is {MAX_BYTES}; "
            "put large values into the recording store and their key into the event"
        )
    return raw


def decode(raw: bytes | str) -> Event:
    """Read an event as it came, in the version that it was written in.

    Unknown types and unknown fields are kept. Raises `MalformedEvent`.
    """
    try:
        return Event.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "body"
        raise MalformedEvent(f"not a Chronicle event: {place}: {first['msg']}") from error
