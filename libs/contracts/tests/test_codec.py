from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from chronicle_contracts import (
    Event,
    EventTooLarge,
    Fact,
    MalformedEvent,
    Unknown,
    decode,
    encode,
    event_id,
)
from chronicle_contracts.codec import MAX_BYTES
from chronicle_contracts.portal import StopRequested
from chronicle_contracts.recorder import Heartbeat, RecordingFailed
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.tests.cast import FACTS, JOB, NOON, RUN, message

NAMES = st.from_regex(r"x[a-z0-9]{1,12}", fullmatch=True)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
ATTRIBUTES = st.dictionaries(NAMES, st.booleans() | st.integers(0, 2**31 - 1) | st.text(min_size=1))


class TestEventId:
    def test_is_the_same_at_every_resend(self):
        assert event_id("portal/a", 1) == event_id("portal/a", 1)

    def test_never_changes_between_releases(self):
        assert str(event_id("portal/concert-2026", 1)) == "71bf2acb-cd0a-5404-9a31-da45f3040c90"

    @given(st.integers(1, 10**9), st.integers(1, 10**9), st.text(min_size=1), st.text(min_size=1))
    def test_differs_for_different_places(self, one, other, stream, another):
        if (one, stream) != (other, another):
            assert event_id(stream, one) != event_id(another, other)


class TestRoundTrip:
    @pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.TYPE)
    def test_returns_an_equal_event(self, fact):
        event = message(fact)
        assert decode(encode(event)) == event

    @given(attributes=ATTRIBUTES, fields=st.dictionaries(NAMES, VALUES, max_size=4))
    def test_keeps_unknown_attributes_and_fields_of_a_known_type(self, attributes, fields):
        raw = json.loads(encode(message(FACTS[0])))
        raw |= attributes
        raw["data"] |= fields
        assert json.loads(encode(decode(json.dumps(raw)))) == raw

    @given(attributes=ATTRIBUTES, fields=st.dictionaries(NAMES, VALUES, max_size=4))
    def test_keeps_everything_of_an_unknown_type(self, attributes, fields):
        raw = json.loads(encode(message(FACTS[0])))
        raw |= attributes
        raw |= {"type": "chronicle.processor.Summarised.v3", "data": fields}
        event = decode(json.dumps(raw))
        assert isinstance(event.data, Unknown)
        assert json.loads(encode(event)) == raw

    def test_keeps_unknown_fields_of_nested_values(self):
        raw = json.loads(encode(message(FACTS[12])))
        raw["data"]["media"]["hdr"] = "pq"
        assert json.loads(encode(decode(json.dumps(raw))))["data"]["media"]["hdr"] == "pq"


class TestCloudEventsConformance:
    @pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.TYPE)
    def test_the_reference_library_reads_what_we_write(self, fact):
        event = message(fact)
        theirs = JSONFormat().read(CloudEvent, encode(event))
        assert theirs.get_id() == str(event.id)
        assert theirs.get_type() == event.type
        assert theirs.get_source() == event.source
        assert theirs.get_subject() == event.subject
        assert theirs.get_time() == event.time
        assert theirs.get_specversion() == "1.0"
        assert theirs.get_extension("stream") == event.stream
        assert theirs.get_extension("sequence") == event.sequence
        assert theirs.get_data() == event.data.model_dump(mode="json")

    @pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.TYPE)
    def test_we_read_what_the_reference_library_writes(self, fact):
        event = message(fact)
        theirs = JSONFormat().read(CloudEvent, encode(event))
        assert decode(JSONFormat().write(theirs)) == event


class TestEnvelope:
    def test_names_its_cause(self):
        cause = message(FACTS[0])
        event = Event.of(
            StopRequested(),
            source="/portal",
            job_id=JOB,
            stream="portal/x",
            sequence=2,
            time=NOON,
            cause=cause,
        )
        assert event.causationid == str(cause.id)
        assert event.correlationid == JOB

    def test_marks_the_end_of_a_stream_and_says_nothing_otherwise(self):
        last = Event.of(
            StopRequested(), source="/x", job_id=JOB, stream="s", sequence=1, time=NOON, sealed=True
        )
        assert json.loads(encode(last))["sealed"] is True
        assert "sealed" not in json.loads(encode(message(FACTS[0])))

    def test_writes_times_in_utc(self):
        in_berlin = NOON.astimezone(timezone(timedelta(hours=2)))
        event = Event.of(
            StopRequested(), source="/x", job_id=JOB, stream="s", sequence=1, time=in_berlin
        )
        assert json.loads(encode(event))["time"] == "2026-05-17T12:00:00.250000Z"

    def test_refuses_a_time_without_a_zone(self):
        naive = datetime(2026, 5, 17, tzinfo=UTC).replace(tzinfo=None)
        with pytest.raises(ValueError, match="needs a zone"):
            Event.of(StopRequested(), source="/x", job_id=JOB, stream="s", sequence=1, time=naive)

    def test_is_frozen(self):
        with pytest.raises(ValueError, match="frozen"):
            message(FACTS[0]).sequence = 2  # type: ignore[misc]


class TestBadInput:
    @pytest.mark.parametrize(
        ("raw", "says"),
        [
            (b"", "body"),
            (b"\xff\xfe", "body"),
            (b"[]", "body"),
            (b'{"specversion":"1.0"}', "id: Field required"),
        ],
    )
    def test_is_named_as_malformed(self, raw, says):
        with pytest.raises(MalformedEvent, match=says):
            decode(raw)

    def test_names_the_field_of_a_known_type_that_is_wrong(self):
        raw = json.loads(encode(message(FACTS[0])))
        raw["data"]["max_duration"] = -1
        with pytest.raises(MalformedEvent, match="max_duration"):
            decode(json.dumps(raw))

    def test_refuses_to_write_64_kilobytes(self):
        fact = RecordingFailed(
            run_id=RUN, attempt=1, code="x", detail="y", log_tail="z" * (MAX_BYTES + 1)
        )
        event = Event.of(fact, source="/x", job_id=JOB, stream="s", sequence=1, time=NOON)
        with pytest.raises(EventTooLarge, match="recording store"):
            encode(event)


class TestTypes:
    def test_are_stable_strings_and_no_paths(self):
        assert Heartbeat.TYPE == "chronicle.recorder.Heartbeat.v1"

    def test_cannot_be_defined_twice(self):
        with pytest.raises(TypeError, match="defined twice"):

            class StopRequested(Fact, publisher="portal"):
                pass
