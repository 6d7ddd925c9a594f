from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from functools import singledispatchmethod
from multiprocessing import get_context

import pytest
from chronicle_contracts import Fact, decode
from chronicle_contracts.portal import JobExtended, JobRequested, StopRequested
from chronicle_eventstore import (
    Aggregate,
    StoreUnwritable,
    StreamConflict,
    open_store,
    sqlite_environment,
)
from eventsourcing.persistence import Tracking

NOON = datetime(2026, 5, 17, 12, tzinfo=UTC)
JOB = "concert"
STREAM = "portal/concert"
REQUESTED = JobRequested(url="https://example.org/live.m3u8", key="recordings/a.mkv", filename="a")


class Wish(Aggregate):
    SOURCE = "/portal"

    def begin(self):
        self.url = None
        self.stopped = False

    @singledispatchmethod
    def apply(self, fact: Fact):
        pass

    @apply.register
    def _(self, fact: JobRequested):
        self.url = fact.url

    @apply.register
    def _(self, fact: StopRequested):
        self.stopped = True


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "events.sqlite")


@pytest.fixture
def store(path):
    with open_store(sqlite_environment(path)) as store:
        yield store


def wish(store):
    return store.get(Wish, STREAM, job_id=JOB, at=NOON)


def claim(path):
    with open_store(sqlite_environment(path)) as store:
        aggregate = Wish.at_stream(STREAM, JOB, NOON)
        aggregate.record(REQUESTED, at=NOON)
        try:
            store.append(aggregate)
        except StreamConflict:
            return "lost"
        return "won"


class TestAggregate:
    def test_starts_empty_at_version_zero(self, store):
        aggregate = wish(store)
        assert (aggregate.version, aggregate.url) == (0, None)

    def test_evolves_by_what_it_records(self, store):
        aggregate = wish(store)
        aggregate.record(REQUESTED, at=NOON)
        assert aggregate.url == REQUESTED.url

    def test_lets_facts_pass_that_change_nothing(self, store):
        aggregate = wish(store)
        aggregate.record(JobExtended(max_duration=5), at=NOON)
        assert aggregate.version == 1

    def test_counts_from_one_without_holes(self, store):
        aggregate = wish(store)
        for fact in (REQUESTED, JobExtended(), StopRequested()):
            aggregate.record(fact, at=NOON)
        assert [event.sequence for event in store.append(aggregate)] == [1, 2, 3]

    def test_names_the_cause_of_a_fact(self, store):
        aggregate = wish(store)
        aggregate.record(REQUESTED, at=NOON)
        [first] = store.append(aggregate)
        aggregate.record(StopRequested(), at=NOON, cause=first, sealed=True)
        [second] = store.append(aggregate)
        assert second.causationid == str(first.id)
        assert second.sealed is True


class TestStore:
    def test_gives_back_what_was_saved(self, store):
        aggregate = wish(store)
        aggregate.record(REQUESTED, at=NOON)
        aggregate.record(StopRequested(), at=NOON)
        store.append(aggregate)
        again = store.find(Wish, STREAM)
        assert again is not None
        assert (again.url, again.stopped, again.version, again.job_id) == (
            REQUESTED.url,
            True,
            2,
            JOB,
        )

    def test_finds_nothing_in_an_empty_stream(self, store):
        assert store.find(Wish, "portal/nobody") is None

    def test_keeps_the_bytes_that_go_on_the_wire(self, store):
        aggregate = wish(store)
        aggregate.record(REQUESTED, at=NOON)
        [event] = store.append(aggregate)
        [notification] = store.recorder.select_notifications(start=None, limit=10)
        assert notification.topic == "chronicle.portal.JobRequested.v1"
        assert decode(notification.state) == event
        assert json.loads(notification.state)["specversion"] == "1.0"

    def test_refuses_a_second_history_of_a_stream(self, store):
        for expected in (1, None):
            aggregate = Wish.at_stream(STREAM, JOB, NOON)
            aggregate.record(REQUESTED, at=NOON)
            if expected:
                store.append(aggregate)
            else:
                with pytest.raises(StreamConflict, match=STREAM):
                    store.append(aggregate)

    def test_can_be_appended_to_again_what_a_database_did_not_take(self, tmp_path):
        path = tmp_path / "busy.sqlite"
        with open_store({**sqlite_environment(str(path)), "SQLITE_LOCK_TIMEOUT": "0"}) as store:
            aggregate = wish(store)
            aggregate.record(REQUESTED, at=NOON)
            with closing(sqlite3.connect(path)) as other:
                other.execute("BEGIN IMMEDIATE")
                with pytest.raises(StoreUnwritable):
                    store.append(aggregate)
            [event] = store.append(aggregate)
            assert event.data == REQUESTED
            assert wish(store).version == 1

    def test_saves_nothing_of_a_transaction_that_conflicts(self, store):
        aggregate = wish(store)
        aggregate.record(REQUESTED, at=NOON)
        store.append(aggregate)
        other = Wish.at_stream("portal/other", "other", NOON)
        other.record(REQUESTED, at=NOON)
        stale = Wish.at_stream(STREAM, JOB, NOON)
        stale.record(REQUESTED, at=NOON)
        with pytest.raises(StreamConflict):
            store.append(other, stale)
        assert store.find(Wish, "portal/other") is None

    def test_lets_one_of_many_processes_win_a_claim(self, path):
        # spawn: a forked child would share the parent's SQLite handles
        with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
            results = list(pool.map(claim, [path] * 4))
        assert sorted(results) == ["lost", "lost", "lost", "won"]

    def test_keeps_a_relay_position_for_each_incarnation_of_the_topic(self, store):
        store.recorder.insert_tracking(Tracking("topic#one", 4))
        store.recorder.insert_tracking(Tracking("topic#two", 1))
        assert store.recorder.max_tracking_id("topic#one") == 4
        assert store.recorder.max_tracking_id("topic#two") == 1
        assert store.recorder.max_tracking_id("topic#three") is None
