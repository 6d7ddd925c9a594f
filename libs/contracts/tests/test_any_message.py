"""Whatever a writer may say, of every version, is read, kept and lifted."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from chronicle_contracts import (
    UPCASTERS,
    Event,
    EventTooLarge,
    MalformedEvent,
    current_types,
    decode,
    encode,
)
from chronicle_contracts.catalogue import event_types
from chronicle_contracts.codec import MAX_BYTES
from chronicle_contracts.recorder import RecordingFailed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.contracts.tests.cast import FACTS, JOB, NOON, RUN, message
from libs.contracts.tests.strategies import ATTRIBUTES, VALUES, valid

ENVELOPE = json.loads(encode(message(FACTS[0])))
EVERY = pytest.mark.parametrize("one", event_types(), ids=lambda one: one.type)
# Whole messages are much to draw, and a busy machine draws slowly.
MODERATE = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
SUPERSEDED = [one for one in event_types() if one.is_superseded]


def wrapped(type_: str, data: dict[str, Any], **more: Any) -> str:
    return json.dumps({**ENVELOPE, **more, "type": type_, "data": data})


def holds(written: Any, said: Any) -> bool:
    """Tell whether all that was said is in what was written, perhaps in other words for a time."""
    if isinstance(said, dict):
        return all(name in written and holds(written[name], value) for name, value in said.items())
    if isinstance(said, list):
        return len(written) == len(said) and all(map(holds, written, said))
    if isinstance(said, str) and written != said:
        return datetime.fromisoformat(written) == datetime.fromisoformat(said)
    return bool(written == said)


@EVERY
class TestAnyMessage:
    @given(data=st.data())
    @MODERATE
    def test_is_read_and_written_again_with_all_that_it_holds(self, one, data):
        said = data.draw(valid(one))
        more = data.draw(ATTRIBUTES)
        event = decode(wrapped(one.type, said, **more))
        assert type(event.data) is one.model
        written = json.loads(encode(event))
        assert holds(written["data"], said)
        assert more.items() <= written.items()
        assert decode(encode(event)) == event

    @given(data=st.data())
    @MODERATE
    def test_is_lifted_to_the_newest_version(self, one, data):
        event = decode(wrapped(one.type, data.draw(valid(one))))
        lifted = UPCASTERS.lift(event)
        assert lifted.type in current_types()
        assert type(lifted.data) is current_types()[lifted.type]
        assert decode(encode(lifted)) == lifted
        assert (lifted.id, lifted.stream, lifted.sequence) == (
            event.id,
            event.stream,
            event.sequence,
        )
        assert UPCASTERS.lift(lifted) is lifted


@pytest.mark.parametrize("one", SUPERSEDED, ids=lambda one: one.type)
class TestUpcaster:
    @given(data=st.data())
    @MODERATE
    def test_keeps_what_the_old_version_said(self, one, data):
        event = decode(wrapped(one.type, data.draw(valid(one))))
        lifted = UPCASTERS.lift(event)
        for name in one.model.model_fields:
            assert getattr(lifted.data, name) == getattr(event.data, name)
        assert (event.data.model_extra or {}).items() <= (lifted.data.model_extra or {}).items()

    @given(data=st.data(), strange=VALUES)
    @MODERATE
    def test_stands_unknown_fields_that_have_the_names_of_new_ones(self, one, data, strange):
        said = data.draw(valid(one))
        newest = current_types()[UPCASTERS.lift(decode(json.dumps(one.example))).type]
        said |= dict.fromkeys(newest.model_fields.keys() - one.model.model_fields.keys(), strange)
        lifted = UPCASTERS.lift(decode(wrapped(one.type, said)))
        assert type(lifted.data) is newest

    def test_stands_numbers_at_the_end_of_their_range(self, one):
        said = json.loads(json.dumps(one.example["data"]))
        if "gaps" in said:
            said["gaps"] = [{**said["gaps"][0], "seconds": 1.7e308}] * 3
        assert encode(UPCASTERS.lift(decode(wrapped(one.type, said))))


class TestSize:
    def failure(self, tail):
        fact = RecordingFailed(run_id=RUN, attempt=1, code="x", detail="y", log_tail=tail)
        return Event.of(fact, source="/x", job_id=JOB, stream="s", sequence=1, time=NOON)

    @given(st.sampled_from("aä€😀\x00"), st.integers(-40, 40))
    @settings(max_examples=50)
    def test_is_bound_at_64_kilobytes_of_what_is_sent(self, letter, beyond):
        bare = len(encode(self.failure("")))
        each = len(json.dumps(letter, ensure_ascii=False).encode()) - 2
        event = self.failure(letter * ((MAX_BYTES - bare) // each + beyond))
        size = bare + each * len(event.data.log_tail)
        if size > MAX_BYTES:
            with pytest.raises(EventTooLarge, match=f"has {size} bytes"):
                encode(event)
        else:
            assert len(encode(event)) == size
            assert decode(encode(event)) == event


class TestNumbers:
    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
    def test_that_json_has_not_are_refused_in_known_fields(self, number):
        raw = encode(message(FACTS[0])).decode().replace("5400.0", number)
        assert number in raw
        with pytest.raises(MalformedEvent, match="max_duration"):
            decode(raw)

    def test_that_json_has_not_are_never_written(self):
        raw = json.dumps({**ENVELOPE, "data": {**ENVELOPE["data"], "strange": 1}})
        event = decode(raw.replace('"strange": 1', '"strange": 1e999'))
        assert json.loads(encode(event))["data"]["strange"] is None
