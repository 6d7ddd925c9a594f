from __future__ import annotations

import json

import jsonschema
import pytest
from chronicle_contracts import UPCASTERS, current_types, decode, encode, known_types
from chronicle_contracts.catalogue import GOLDEN, event_types, golden_files
from chronicle_contracts.compatibility import changes_of
from chronicle_contracts.schema import schema_of

from libs.contracts.tests.cast import FACTS, message

TYPES = sorted(known_types())


FORMS = [(type_, form) for type_ in TYPES for form in range(len(golden_files(type_, "schema")))]


def golden(type_: str, kind: str, form: int = 0):
    return json.loads(golden_files(type_, kind)[form].read_text())


class TestGoldenFiles:
    def test_exist_for_every_type_and_for_no_other(self):
        files = [
            path for t in TYPES for kind in ("schema", "message") for path in golden_files(t, kind)
        ]
        assert {path.name for path in files} == {path.name for path in GOLDEN.iterdir()}
        assert len(files) == 2 * len(FORMS)

    @pytest.mark.parametrize("type_", TYPES)
    def test_show_the_form_that_events_have_today(self, type_):
        newest = golden(type_, "schema", -1)
        changes = changes_of(type_, newest, schema_of(known_types()[type_]))
        assert [str(change) for change in changes] == [], "see write_golden"

    def test_the_cast_has_one_example_of_every_type(self):
        assert sorted(fact.TYPE for fact in FACTS) == TYPES


@pytest.mark.parametrize(("type_", "form"), FORMS)
class TestBackward:
    """Today's reader and yesterday's messages."""

    def test_reads_the_golden_message_and_writes_it_back_unchanged(self, type_, form):
        old = golden(type_, "message", form)
        event = decode(json.dumps(old))
        assert type(event.data) is known_types()[type_]
        again = json.loads(encode(event))
        assert {**again["data"], **old["data"]} == again["data"]
        assert {k: v for k, v in again.items() if k != "data"} == {
            k: v for k, v in old.items() if k != "data"
        }

    def test_reads_the_golden_message_as_the_newest_version(self, type_, form):
        old = decode(json.dumps(golden(type_, "message", form)))
        lifted = UPCASTERS.lift(old)
        assert lifted.type in current_types()
        assert type(lifted.data) is current_types()[lifted.type]
        assert decode(encode(lifted)) == lifted

    def test_the_schema_did_not_break(self, type_, form):
        changes = changes_of(type_, golden(type_, "schema", form), schema_of(known_types()[type_]))
        assert [str(change) for change in changes if change.breaking] == []


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.TYPE)
class TestForward:
    """Yesterday's reader and today's messages."""

    def test_what_is_written_today_satisfies_every_golden_schema(self, fact):
        written = json.loads(encode(message(fact)))["data"]
        for path in golden_files(fact.TYPE, "schema"):
            jsonschema.validate(written, json.loads(path.read_text()))


@pytest.mark.parametrize("one", event_types(), ids=lambda one: one.type)
class TestWords:
    """What the catalogue shows to people."""

    def test_say_what_the_event_and_each_of_its_fields_mean(self, one):
        assert one.summary
        assert [field.path for field in one.fields if not field.description] == []
