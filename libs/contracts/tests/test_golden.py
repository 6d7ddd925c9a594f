from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import jsonschema
import pytest
from chronicle_contracts import decode, encode, known_types
from chronicle_contracts.schema import breaking_changes, schema_of

from libs.contracts.tests.cast import FACTS, message

GOLDEN = Path(__file__).parent / "golden"
TYPES = sorted(known_types())


def golden(type_: str, kind: str):
    return json.loads((GOLDEN / f"{type_}.{kind}.json").read_text())


class TestGoldenFiles:
    def test_exist_for_every_type_and_for_no_other(self):
        files = {path.name for path in GOLDEN.iterdir()}
        assert files == {f"{t}.{kind}.json" for t in TYPES for kind in ("schema", "message")}

    def test_the_cast_has_one_example_of_every_type(self):
        assert sorted(fact.TYPE for fact in FACTS) == TYPES


@pytest.mark.parametrize("type_", TYPES)
class TestBackward:
    """Today's reader and yesterday's messages."""

    def test_reads_the_golden_message_and_writes_it_back_unchanged(self, type_):
        old = golden(type_, "message")
        event = decode(json.dumps(old))
        assert type(event.data) is known_types()[type_]
        again = json.loads(encode(event))
        assert {**again["data"], **old["data"]} == again["data"]
        assert {k: v for k, v in again.items() if k != "data"} == {
            k: v for k, v in old.items() if k != "data"
        }

    def test_the_schema_did_not_break(self, type_):
        assert breaking_changes(golden(type_, "schema"), schema_of(known_types()[type_])) == []


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.TYPE)
class TestForward:
    """Yesterday's reader and today's messages."""

    def test_what_is_written_today_satisfies_the_golden_schema(self, fact):
        written = json.loads(encode(message(fact)))["data"]
        jsonschema.validate(written, golden(fact.TYPE, "schema"))


class TestBreakingChanges:
    OLD: ClassVar[dict[str, Any]] = {
        "properties": {"a": {"type": "string"}, "b": {"type": "integer", "default": 1}},
        "required": ["a"],
    }

    def test_finds_a_removed_field(self):
        new = {"properties": {"a": {"type": "string"}}, "required": ["a"]}
        assert breaking_changes(self.OLD, new) == ["b was removed"]

    def test_finds_a_changed_type(self):
        new = {**self.OLD, "properties": {**self.OLD["properties"], "a": {"type": "number"}}}
        assert breaking_changes(self.OLD, new) == ["a changed its type"]

    def test_finds_a_field_that_became_required(self):
        new = {**self.OLD, "required": ["a", "b"]}
        assert breaking_changes(self.OLD, new) == ["b became required"]

    def test_finds_a_new_field_without_a_default(self):
        new = {**self.OLD, "properties": {**self.OLD["properties"], "c": {"type": "string"}}}
        assert breaking_changes(self.OLD, new) == ["c is new and has no default"]

    def test_lets_a_new_optional_field_pass(self):
        new = {
            **self.OLD,
            "properties": {**self.OLD["properties"], "c": {"type": "string", "default": None}},
        }
        assert breaking_changes(self.OLD, new) == []

    def test_follows_references(self):
        def of(kind: str):
            return {
                "properties": {"m": {"$ref": "#/$defs/Media"}},
                "$defs": {"Media": {"properties": {"w": {"type": kind}}}},
            }

        assert breaking_changes(of("integer"), of("string")) == ["m changed its type"]
