"""What may change within a version of an event, and what may not."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from chronicle_contracts.catalogue import GOLDEN, event_types
from chronicle_contracts.compatibility import ENVELOPE, NEW_VERSION, changes_of, compare
from chronicle_contracts.contract_check import main
from chronicle_contracts.schema import follow
from chronicle_contracts.schema_sets import CODE, UnreadableSchemas, load
from hypothesis import assume, given
from hypothesis import strategies as st

SCHEMAS = {one.type: one.schema for one in event_types()}
SCALARS = [
    {"type": "string"},
    {"type": "integer"},
    {"type": "number", "minimum": 0},
    {"type": "boolean"},
    {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
    {"enum": ["a", "b"], "type": "string"},
    {"type": "array", "items": {"type": "string"}},
]


def field(kind: dict[str, Any], *, required: bool = False, **more: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": {"f": {**kind, **more}}}
    return {**schema, "required": ["f"]} if required else schema


def changed(before, after):
    """Return the changes as (field, what, breaking)."""
    return [(one.field, one.what, one.breaking) for one in changes_of("E", before, after)]


def breaks(before, after) -> bool:
    return any(breaking for _, _, breaking in changed(before, after))


class TestFields:
    OLD = field({"type": "string"}, required=True)

    def test_that_go_break(self):
        assert changed(self.OLD, {"type": "object"}) == [("f", "was removed", True)]

    def test_that_become_required_or_optional_break(self):
        loose = field({"type": "string"}, default="x")
        assert changed(loose, self.OLD) == [("f", "became required", True)]
        assert changed(self.OLD, loose) == [("f", "became optional", True)]

    def test_that_are_new_need_a_default(self):
        assert changed({"type": "object"}, self.OLD) == [("f", "is new and has no default", True)]
        loose = field({"type": "string"}, default="x")
        assert changed({"type": "object"}, loose) == [("f", "is a new optional field", False)]

    def test_that_change_their_type_break(self):
        after = field({"type": "number"}, required=True)
        assert changed(self.OLD, after) == [("f", "changed its type from string to number", True)]

    def test_that_may_be_null_from_now_on_break_yesterdays_readers(self):
        after = field({"anyOf": [{"type": "string"}, {"type": "null"}]}, required=True)
        assert breaks(self.OLD, after)
        assert breaks(after, self.OLD)

    def test_with_another_default_mean_something_else_where_they_are_absent(self):
        before, after = (field({"type": "string"}, default=value) for value in "xy")
        assert changed(before, after) == [("f", "changed its default from 'x' to 'y'", True)]

    def test_may_get_other_words(self):
        assert changed(self.OLD, field({"type": "string"}, required=True, description="!")) == []


class TestValues:
    def test_of_an_enumeration_may_come_but_not_go(self):
        few, many = ({"type": "string", "enum": values} for values in (["a"], ["a", "b"]))
        assert changed(field(few), field(many)) == [("f", "gained the value 'b'", False)]
        assert changed(field(many), field(few)) == [("f", "lost the value 'b'", True)]

    def test_of_free_text_cannot_become_a_list_of_values(self):
        assert breaks(field({"type": "string"}), field({"type": "string", "enum": ["a"]}))

    @pytest.mark.parametrize(
        ("loose", "tight"),
        [
            ({"minimum": 0}, {"minimum": 1}),
            ({}, {"minimum": 0}),
            ({"maximum": 2}, {"maximum": 1}),
            ({}, {"exclusiveMinimum": 0}),
        ],
    )
    def test_may_be_bound_more_loosely_but_not_more_tightly(self, loose, tight):
        assert breaks(field({"type": "number", **loose}), field({"type": "number", **tight}))
        assert not breaks(field({"type": "number", **tight}), field({"type": "number", **loose}))

    @pytest.mark.parametrize("name", ["format", "pattern", "const"])
    def test_keep_their_form(self, name):
        assert breaks(field({"type": "string"}), field({"type": "string", name: "x"}))
        assert breaks(field({"type": "string", name: "x"}), field({"type": "string"}))


class TestNestedModels:
    def of(self, *, inside: dict[str, Any], where: str = "plain"):
        places: dict[str, dict[str, Any]] = {
            "plain": {"$ref": "#/$defs/M"},
            "list": {"type": "array", "items": {"$ref": "#/$defs/M"}},
            "or null": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/M"}]},
        }
        return {**field(places[where]), "$defs": {"M": inside}}

    @pytest.mark.parametrize("where", ["plain", "list", "or null"])
    def test_are_looked_into(self, where):
        old = self.of(inside=field({"type": "integer"}), where=where)
        place = "f[].f" if where == "list" else "f.f"
        worse = self.of(inside=field({"type": "string"}), where=where)
        assert changed(old, worse) == [(place, "changed its type from integer to string", True)]
        more = {"type": "object", "properties": {"f": {"type": "integer"}, "g": {"default": 1}}}
        grown = self.of(inside=more, where=where)
        assert [breaking for _, _, breaking in changed(old, grown)] == [False]


class TestSets:
    def test_say_which_events_came_and_went(self):
        changes = compare({"A": {}, "B": {}}, {"B": {}, "C": {}})
        assert [(one.event, one.breaking) for one in changes] == [("A", True), ("C", False)]
        assert str(changes[0]) == "A was removed; keep it: logs hold its messages for good"

    def test_are_read_from_a_folder_a_file_and_the_code(self, tmp_path):
        for type_, schema in SCHEMAS.items():
            (tmp_path / f"{type_}.schema.json").write_text(json.dumps(schema))
        assert load(str(tmp_path)) == SCHEMAS
        assert {k: v for k, v in load(CODE).items() if k != ENVELOPE} == SCHEMAS
        one = next(iter(SCHEMAS))
        assert load(str(tmp_path / f"{one}.schema.json")) == {one: SCHEMAS[one]}

    def test_have_the_envelope_compared_where_both_know_it(self):
        code = load(CODE)
        shorter = copy.deepcopy(code)
        del shorter[ENVELOPE]["properties"]["stream"]
        assert [str(one) for one in compare(code, shorter)] == [
            f"envelope: stream was removed; {NEW_VERSION}"
        ]
        assert compare(code, SCHEMAS) == compare(SCHEMAS, code) == []

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            ("", "not JSON"),
            ("[]", "no JSON object"),
            ("{}", "neither"),
            ('{"asyncapi":1}', "Chron"),
        ],
    )
    def test_say_what_is_wrong_with_a_file(self, tmp_path, content, says):
        path = tmp_path / "x.json"
        path.write_text(content)
        with pytest.raises(UnreadableSchemas, match=says):
            load(str(path))

    def test_say_that_there_is_no_file_or_nothing_in_the_folder(self, tmp_path):
        with pytest.raises(UnreadableSchemas, match="no file"):
            load(str(tmp_path))
        with pytest.raises(UnreadableSchemas, match="cannot be read"):
            load(str(tmp_path / "none.json"))


# Random changes of real schemas, at any depth.


def objects(schema):
    """Return every object schema of a document, nested ones too."""
    return [schema, *schema.get("$defs", {}).values()]


def used(schema):
    """Return the (object, name) of every field that a message can have."""
    return [(one, name) for one in objects(schema) for name in one.get("properties", {})]


@st.composite
def additions(draw, schema):
    """Return a schema with something more in it that nobody needs."""
    new = copy.deepcopy(schema)
    place = draw(st.sampled_from(objects(new)))
    kind = draw(st.sampled_from(["field", "value", "bound", "words"]))
    if kind == "field":
        name = draw(st.text("abcdefgh", min_size=1).map(lambda text: f"new_{text}"))
        place.setdefault("properties", {})[name] = {
            **draw(st.sampled_from(SCALARS)),
            "default": None,
        }
    elif kind == "value":
        for spot in nodes(new):
            if "enum" in spot:
                spot["enum"] = [*spot["enum"], draw(st.text("xyz", min_size=9))]
    elif kind == "bound":
        for spot in nodes(new):
            spot.pop("minimum", None)
    else:
        place["description"] = draw(st.text())
    return new


def nodes(value):
    if isinstance(value, list):
        for one in value:
            yield from nodes(one)
    elif isinstance(value, dict):
        yield value
        for one in value.values():
            yield from nodes(one)


def _remove(owner, name, draw):
    del owner["properties"][name]
    owner["required"] = [one for one in owner.get("required", []) if one != name]


def sort_of(node):
    return "object" if "$ref" in node else node.get("type", "one of several")


def _retype(owner, name, draw):
    old = owner["properties"][name]
    new = draw(st.sampled_from(SCALARS))
    assume(sort_of(new) != sort_of(old))
    owner["properties"][name] = {**new, "default": old["default"]} if "default" in old else new


def _require(owner, name, draw):
    assume(name not in owner.get("required", []))
    owner["required"] = [*owner.get("required", []), name]


def _release(owner, name, draw):
    assume(name in owner.get("required", []))
    owner["required"] = [one for one in owner["required"] if one != name]


def _demand(owner, name, draw):
    owner["properties"]["new"] = {"type": "string"}
    owner["required"] = [*owner.get("required", []), "new"]


def _tighten(owner, name, draw):
    spots = [one for one in nodes(owner["properties"][name]) if one.get("type") in NUMBERS]
    assume(spots)
    spot = draw(st.sampled_from(spots))
    spot["minimum"] = spot.get("minimum", 0) + draw(st.integers(1, 1000))


def _narrow(owner, name, draw):
    spots = [one for one in nodes(owner["properties"][name]) if len(one.get("enum", [])) > 1]
    assume(spots)
    draw(st.sampled_from(spots))["enum"].pop()


def _reform(owner, name, draw):
    spots = [one for one in nodes(owner["properties"][name]) if one.get("type") == "string"]
    assume(spots)
    spot = draw(st.sampled_from(spots))
    spot["format"] = draw(st.sampled_from(["uuid", "email", "date"]))


def _close(owner, name, draw):
    owner["additionalProperties"] = False


NUMBERS = {"number", "integer"}
BREAKS = [_remove, _retype, _require, _release, _demand, _tighten, _narrow, _reform, _close]


class TestAnySchema:
    @given(st.data(), st.sampled_from(sorted(SCHEMAS)))
    def test_may_gain_what_nobody_needs(self, data, type_):
        new = old = SCHEMAS[type_]
        for _ in range(data.draw(st.integers(1, 4))):
            new = data.draw(additions(new))
        assert [str(one) for one in changes_of(type_, old, new) if one.breaking] == []

    @given(st.data(), st.sampled_from(sorted(SCHEMAS)), st.sampled_from(BREAKS))
    def test_may_not_lose_or_demand_anything(self, data, type_, break_):
        old = SCHEMAS[type_]
        new = copy.deepcopy(old)
        owner, name = data.draw(st.sampled_from(used(new)))
        break_(owner, name, data.draw)
        if data.draw(st.booleans()):
            new = data.draw(additions(new).filter(lambda made: not _undone(made, new)))
        broken = [one for one in changes_of(type_, old, new) if one.breaking]
        assert broken
        assert all(one.event == type_ and one.remedy for one in broken)

    @pytest.mark.parametrize("type_", sorted(SCHEMAS))
    def test_is_no_change_of_itself(self, type_):
        again = json.loads(json.dumps(SCHEMAS[type_]))
        assert changes_of(type_, SCHEMAS[type_], again) == []
        assert follow(again, again) is again


def _undone(made, broken) -> bool:
    """Tell whether what was added hides what was broken: a bound that was taken away again."""
    return [one.get("minimum") for one in nodes(made)] != [
        one.get("minimum") for one in nodes(broken)
    ]


class TestCommand:
    def test_passes_what_only_adds(self, capsys):
        assert main([str(GOLDEN)]) == 0
        assert capsys.readouterr().out.splitlines()[-1].startswith("0 breaking, ")

    def test_fails_on_what_breaks_and_names_it(self, tmp_path, capsys):
        one = next(one for one in event_types() if one.name == "GapFound")
        schema = copy.deepcopy(one.schema)
        del schema["$defs"]["Gap"]["properties"]["cause"]
        path = tmp_path / "new.schema.json"
        path.write_text(json.dumps(schema))
        assert main([str(GOLDEN / f"{one.type}.schema.json"), str(path)]) == 1
        assert capsys.readouterr().out == (
            f"BREAKS  {one.type}: gap.cause was removed; {NEW_VERSION}\n1 breaking, 0 additive\n"
        )

    def test_says_what_it_cannot_read(self, tmp_path, capsys):
        with pytest.raises(SystemExit) as stopped:
            main([str(tmp_path)])
        assert stopped.value.code == 2
        assert "no file *.schema.json" in capsys.readouterr().err
