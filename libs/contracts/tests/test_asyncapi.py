"""The AsyncAPI document: current, valid, and true to the topology."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from chronicle_contracts.asyncapi import document, text
from chronicle_contracts.asyncapi.__main__ import main
from chronicle_contracts.catalogue import event_types
from chronicle_contracts.compatibility import compare
from chronicle_contracts.schema import follow
from chronicle_contracts.schema_sets import CODE, load

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "asyncapi.json"
TOPOLOGY = json.loads((ROOT / "infra" / "topology.json").read_bytes())
ASYNCAPI = json.loads((Path(__file__).parent / "asyncapi" / "3.0.0.json").read_bytes())
MADE = document(TOPOLOGY)


def refs(value):
    if isinstance(value, list):
        for one in value:
            yield from refs(one)
    elif isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for one in value.values():
            yield from refs(one)


def heard_by(queue: str) -> set[str]:
    return set(MADE["channels"][queue]["messages"])


class TestDocument:
    def test_is_the_one_in_docs(self):
        told = "run `make asyncapi` and commit docs/asyncapi.json"
        assert PAGE.read_text(encoding="utf-8") == text(MADE), told

    def test_is_asyncapi_3_as_its_authors_define_it(self):
        validator = jsonschema.Draft7Validator(ASYNCAPI)
        validator.check_schema(ASYNCAPI)
        wrong = [f"{list(e.absolute_path)}: {e.message[:200]}" for e in validator.iter_errors(MADE)]
        assert wrong == []

    def test_would_be_refused_with_a_wrong_binding(self):
        bad = json.loads(text(MADE))
        bad["channels"]["portal"]["bindings"]["sqs"]["queue"]["fifoQueue"] = "yes"
        assert not jsonschema.Draft7Validator(ASYNCAPI).is_valid(bad)

    def test_has_whatever_it_refers_to(self):
        for ref in set(refs(MADE)):
            assert follow({"$ref": ref}, MADE)

    def test_says_what_the_code_says(self):
        assert compare(load(CODE), load(str(PAGE))) == []
        assert compare(load(str(PAGE)), load(CODE)) == []


@pytest.mark.parametrize("one", event_types(), ids=lambda one: one.type)
class TestMessage:
    def test_fits_its_own_schema(self, one):
        message = MADE["components"]["messages"][one.type]
        schema = {**message["payload"], "components": MADE["components"]}
        [example] = message["examples"]
        jsonschema.Draft7Validator(schema).validate(example["payload"])
        assert example["payload"]["type"] == one.type

    def test_does_not_fit_with_another_type_or_without_a_field(self, one):
        message = MADE["components"]["messages"][one.type]
        schema = {**message["payload"], "components": MADE["components"]}
        validator = jsonschema.Draft7Validator(schema)
        assert not validator.is_valid({**one.example, "type": "chronicle.recorder.Other.v1"})
        for field in one.schema.get("required", ()):
            data = {k: v for k, v in one.example["data"].items() if k != field}
            assert not validator.is_valid({**one.example, "data": data})

    def test_is_said_by_its_publisher_unless_it_is_superseded(self, one):
        said = {ref["$ref"] for ref in MADE["operations"][f"{one.publisher}.publish"]["messages"]}
        assert (f"#/channels/events/messages/{one.type}" in said) is not one.is_superseded


class TestChannels:
    def test_feed_the_portal_with_everything(self):
        assert heard_by("portal") == heard_by("events") == {one.type for one in event_types()}

    def test_feed_the_others_with_what_their_filters_pass(self):
        assert heard_by("seeder") == {
            "chronicle.recorder.Uploaded.v1",
            "chronicle.recorder.Uploaded.v2",
            "chronicle.portal.RecordingDeleted.v1",
            "chronicle.portal.RepeatRequested.v1",
        }
        dispatcher = {one.rsplit(".", 2)[1] for one in heard_by("dispatcher")}
        assert {"JobRequested", "Heartbeat", "Uploaded"} <= dispatcher
        assert not dispatcher & {"RecordingDeleted", "TorrentCreated"}

    def test_bear_the_names_of_the_stack(self):
        other = document(TOPOLOGY, prefix="second")
        assert other["channels"]["events"]["address"] == "second-events.fifo"
        assert other["channels"]["seeder"]["address"] == "second-seeder.fifo"


class TestCommand:
    def call(self, path, *more):
        topology = str(ROOT / "infra" / "topology.json")
        return main(["--topology", topology, "--output", str(path), *more])

    def test_writes_what_it_then_finds_current(self, tmp_path):
        path = tmp_path / "asyncapi.json"
        assert self.call(path, "--check") == 1
        assert self.call(path) == 0
        assert self.call(path, "--check") == 0
        path.write_text(path.read_text().replace("JobRequested", "JobWished", 1))
        assert self.call(path, "--check") == 1

    def test_says_that_the_topology_is_missing(self, tmp_path, capsys):
        with pytest.raises(SystemExit) as stopped:
            main(["--topology", str(tmp_path / "none.json")])
        assert stopped.value.code == 2
        assert "--topology" in capsys.readouterr().err
