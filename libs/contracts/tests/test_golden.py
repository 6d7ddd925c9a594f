from __future__ import annotations

import json

import jsonschema
import pytest
from chronicle_contracts import UPCASTERS, current_types, decode, encode, known_types
from chronicle_contracts.catalogue import GOLDEN, event_types
from chronicle_contracts.compatibility import changes_of
from chronicle_contracts.schema import schema_of

from libs.contracts.tests.cast import FACTS, message

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

    def test_reads_the_golden_message_as_the_newest_version(self, type_):
        old = decode(json.dumps(golden(type_, "message")))
        lifted = UPCASTERS.lift(old)
        assert lifted.type in current_types()
        assert type(lifted.data) is current_types()[lifted.type]
        assert decode(encode(lifted)) == lifted

    def test_the_schema_did_not_break(self, type_):
        changes = changes_of(type_, golden(type_, "schema"), schema_of(known_types()[type_]))
        assert [str(change) for change in changes if change.breaking] == []


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.TYPE)
class TestForward:
    """Yesterday's reader and today's messages."""

    def test_what_is_written_today_satisfies_the_golden_schema(self, fact):
        written = json.loads(encode(message(fact)))["data"]
        jsonschema.validate(written, golden(fact.TYPE, "schema"))


@pytest.mark.parametrize("one", event_types(), ids=lambda one: one.type)
class TestWords:
    """What the catalogue shows to people."""

    def test_say_what_the_event_and_each_of_its_fields_mean(self, one):
        assert one.summary
        assert [field.path for field in one.fields if not field.description] == []
