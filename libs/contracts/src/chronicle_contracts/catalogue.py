"""The catalogue: every version of every event, with what people and tools want to know of it."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from chronicle_contracts.fact import Fact, known_types
from chronicle_contracts.fielddocs import FieldDoc, fields_of
from chronicle_contracts.schema import JsonSchema, schema_of
from chronicle_contracts.superseded import LIFTS

GOLDEN = Path(__file__).with_name("golden")
"""Schema and message of every version as they were first published, and of each form since.

`TYPE.schema.json`, `TYPE.message.json`; after optional fields were added `TYPE.2.schema.json`
and so on.
"""

_TYPE = re.compile(r"[a-z]+\.(?P<publisher>[a-z]+)\.(?P<name>[A-Za-z]+)\.v(?P<version>\d+)")


@dataclass(frozen=True)
class EventType:
    """One version of an event."""

    model: type[Fact]

    @property
    def type(self) -> str:
        """The type string, e.g. `chronicle.recorder.Uploaded.v2`."""
        return self.model.TYPE

    @property
    def name(self) -> str:
        """The event's name without publisher and version, e.g. `Uploaded`."""
        return self._part("name")

    @property
    def version(self) -> int:
        """1, 2, 3 ..."""
        return int(self._part("version"))

    @property
    def publisher(self) -> str:
        """The service that says it."""
        return self._part("publisher")

    def _part(self, part: str) -> str:
        match = _TYPE.fullmatch(self.type)
        assert match, self.type
        return match[part]

    @property
    def is_superseded(self) -> bool:
        """Whether nobody writes this version any more; it is still read."""
        return self.type in LIFTS

    @property
    def description(self) -> str:
        """What it says, in sentences; the first line is a summary."""
        return inspect.getdoc(self.model) or ""

    @property
    def summary(self) -> str:
        """What it says, in one sentence."""
        return self.description.partition("\n")[0]

    @cached_property
    def schema(self) -> JsonSchema:
        """JSON Schema of `data`."""
        return schema_of(self.model)

    @cached_property
    def fields(self) -> tuple[FieldDoc, ...]:
        """The fields of `data`, nested ones behind their parents."""
        return tuple(fields_of(self.schema))

    @cached_property
    def example(self) -> dict[str, Any]:
        """A whole message, envelope and all: the newest golden one."""
        message: dict[str, Any] = json.loads(golden_files(self.type, "message")[-1].read_bytes())
        return message


def golden_files(type_: str, kind: str) -> list[Path]:
    """Return the golden schemas or messages of a version of an event, the newest form last."""
    later = {form_of(path): path for path in GOLDEN.glob(f"{type_}.[0-9]*.{kind}.json")}
    return [GOLDEN / f"{type_}.{kind}.json", *(later[form] for form in sorted(later))]


def form_of(golden: Path) -> int:
    """Return which form of its version a golden file shows: 1, 2, 3 ..."""
    number = golden.name.split(".")[-3]
    return int(number) if number.isdecimal() else 1


@cache
def event_types() -> tuple[EventType, ...]:
    """Return every version of every event, by publisher, name and version."""
    return tuple(EventType(model) for model in known_types().values())
