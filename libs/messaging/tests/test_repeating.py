"""Saying a range again over real stores and the real endpoint."""

from __future__ import annotations

import pytest
from chronicle_contracts import Event, Ignore, Retry
from chronicle_contracts.portal import RepeatRequested
from chronicle_messaging import Bus, Relay, repeating
from chronicle_messaging.clients import Clients

from libs.messaging.tests.cast import event, sequences, take, write


@pytest.fixture
def portal(bus):
    return bus.queue("portal")


def asked(stream, first, last=None, *, time=1):
    fact = RepeatRequested(stream=stream, from_sequence=first, to_sequence=last)
    return event("concert", time, fact)


def unwanted(event):
    raise AssertionError(f"{event.type} was handed on")


class TestRepeating:
    def test_says_the_range_again_and_nothing_else(self, store, bus, portal):
        written = write(store, "concert", 6)
        write(store, "talk", 2)
        Relay(store.recorder, bus).drain(20)
        take(portal, 8)
        repeating(unwanted, store.recorder, bus)(asked("test/concert", 2, 4))
        messages = take(portal, 3)
        assert sequences(messages, "concert") == [2, 3, 4]
        assert [one.event().id for one in messages] == [one.id for one in written[1:4]]
        assert portal.depth()["visible"] == 0

    def test_goes_to_the_end_of_the_stream_where_no_last_one_is_named(self, store, bus, portal):
        write(store, "concert", 5)
        Relay(store.recorder, bus).drain(20)
        take(portal, 5)
        repeating(unwanted, store.recorder, bus)(asked("test/concert", 4))
        assert sequences(take(portal, 2), "concert") == [4, 5]

    def test_says_it_once_for_each_time_it_is_asked(self, sqlite_store, bus, portal):
        write(sqlite_store, "concert", 2)
        Relay(sqlite_store.recorder, bus).drain(20)
        take(portal, 2)
        answer = repeating(unwanted, sqlite_store.recorder, bus)
        answer(asked("test/concert", 2))
        answer(asked("test/concert", 2))  # the same message, delivered again
        answer(asked("test/concert", 2, time=2))
        assert sequences(take(portal, 2), "concert") == [2, 2]
        assert portal.depth()["visible"] == 0

    def test_leaves_the_relay_where_it_stands(self, sqlite_store, bus, portal):
        write(sqlite_store, "concert", 3)
        relay = Relay(sqlite_store.recorder, bus)
        relay.drain(20)
        write(sqlite_store, "concert")
        repeating(unwanted, sqlite_store.recorder, bus)(asked("test/concert", 1, 1))
        assert relay.pending() == 1

    def test_ignores_what_is_kept_elsewhere(self, sqlite_store, bus):
        with pytest.raises(Ignore):
            repeating(unwanted, sqlite_store.recorder, bus)(asked("seeder/concert", 1))

    def test_says_nothing_when_a_replay_brings_an_old_wish(self, sqlite_store, bus):
        write(sqlite_store, "concert")
        wish = asked("test/concert", 1).model_copy(update={"replayid": "r1"})
        with pytest.raises(Ignore):
            repeating(unwanted, sqlite_store.recorder, bus)(wish)

    def test_says_it_once_more_when_a_replay_forces_it(self, sqlite_store, bus, portal):
        write(sqlite_store, "concert")
        marks = {"replayid": "4bd3f8a0-6b0f-5d0e-9f53-3a2f2f0f9c11", "replayforce": True}
        wish = asked("test/concert", 1).model_copy(update=marks)
        answer = repeating(unwanted, sqlite_store.recorder, bus)
        answer(asked("test/concert", 1))
        answer(wish)
        answer(wish)  # delivered again
        assert sequences(take(portal, 2), "concert") == [1, 1]
        assert portal.depth()["visible"] == 0

    def test_hands_other_events_on(self, sqlite_store, bus):
        seen: list[Event] = []
        repeating(seen.append, sqlite_store.recorder, bus)(event("concert", 1))
        assert len(seen) == 1

    def test_asks_to_be_told_again_while_the_endpoint_is_away(
        self, sqlite_store, aws_of_its_own, bus
    ):
        endpoint = aws_of_its_own()
        away = Bus(
            Clients(region="us-east-1", endpoint_url=endpoint.url),
            bus.topology,
            prefix=bus.prefix,
            provision=True,
        )
        away.topic()
        endpoint.kill()
        write(sqlite_store, "concert")
        with pytest.raises(Retry):
            repeating(unwanted, sqlite_store.recorder, away)(asked("test/concert", 1))
