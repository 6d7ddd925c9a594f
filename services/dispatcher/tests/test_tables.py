"""The tables beside the event store, one suite on each database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from chronicle_contracts.portal import StopRequested
from dispatcher.adapters.database import SqliteDatabase, open_database
from dispatcher.adapters.heard import SqlHeard
from dispatcher.adapters.looks import SqlLooks
from dispatcher.adapters.orders import SqlOrders
from dispatcher.adapters.places import SqlPlaces
from dispatcher.domain.heard import Word
from dispatcher.domain.look import Look
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.dispatcher.tests.cast import NOON, REQUEST, asked, beat, failed, uploaded

SECOND = timedelta(seconds=1)


@pytest.fixture(params=["sqlite", "postgres"])
def opening(request, tmp_path):
    """How another dispatcher opens the same database."""
    if request.param == "sqlite":
        env = {"SQLITE_DBNAME": str(tmp_path / "events.sqlite")}
    else:
        server = request.getfixturevalue("postgres")
        env = server.eventstore_env(server.create_database())
    opened = []

    def open_another():
        opened.append(open_database(env))
        return opened[-1]

    yield open_another
    for database in opened:
        database.close()


def note(heard, *events, seconds=0):
    for event in events:
        word = Word.of(event)
        assert word is not None
        heard.note(word, NOON + timedelta(seconds=seconds))


class TestHeard:
    def test_knows_the_newest_word_of_each_run(self, opening):
        heard = SqlHeard(opening())
        note(heard, beat(1, 2), beat(6, 3), beat(2, 1, attempt=2))
        runs = {run.run_id: run for run in SqlHeard(opening()).of("concert")}
        assert runs["concert.1"].media_seconds == 6
        assert runs["concert.2"].media_seconds == 2
        assert heard.of("other") == []

    def test_tells_moving_from_speaking(self, opening):
        heard = SqlHeard(opening())
        note(heard, beat(1, 1), seconds=0)
        note(heard, beat(5, 2), seconds=5)
        note(heard, beat(5, 3), seconds=10)
        (run,) = heard.of("concert")
        assert run.moved_at == NOON + timedelta(seconds=5)
        assert run.heard_at == NOON + timedelta(seconds=10)

    def test_takes_durable_bytes_for_moving_only_while_it_uploads(self, opening):
        heard = SqlHeard(opening())
        note(heard, beat(5, 1, durable=1), seconds=0)
        note(heard, beat(5, 2, durable=2), seconds=5)
        (run,) = heard.of("concert")
        assert run.moved_at == NOON
        note(heard, beat(5, 3, durable=2, phase="UPLOADING"), seconds=10)
        note(heard, beat(5, 4, durable=3, phase="UPLOADING"), seconds=15)
        (run,) = heard.of("concert")
        assert run.moved_at == NOON + timedelta(seconds=15)

    def test_is_not_moved_by_what_comes_late_or_twice(self, opening):
        heard = SqlHeard(opening())
        note(heard, uploaded(sequence=4), seconds=1)
        before = heard.of("concert")
        note(heard, beat(1, 2), beat(2, 3), uploaded(sequence=4), seconds=50)
        assert heard.of("concert") == before
        assert before[0].delivered

    def test_keeps_the_reason_of_a_failure(self, opening):
        heard = SqlHeard(opening())
        note(heard, beat(1, 1), failed("upload_failed"))
        (run,) = heard.of("concert")
        assert run.failed
        assert (run.code, run.detail, run.media_seconds) == (
            "upload_failed",
            "It is upload_failed.",
            1,
        )

    def test_knows_what_a_run_has_gained(self, opening):
        heard = SqlHeard(opening())
        note(heard, beat(100, 1), beat(130, 2), beat(160.5, 3))
        (run,) = heard.of("concert")
        assert run.gained == 60.5

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
    @given(st.permutations([beat(1, 1), beat(5, 2), beat(9, 3), failed("stalled", sequence=4)]))
    def test_ends_the_same_in_any_order(self, events):
        heard = SqlHeard(SqliteDatabase(":memory:"))
        note(heard, *events)
        (run,) = heard.of("concert")
        assert (run.sequence, run.sealed, run.code) == (4, True, "stalled")


class TestLooks:
    def test_are_kept_one_a_job(self, opening):
        looks = SqlLooks(opening())
        first = Look("concert", NOON)
        later = Look("concert", NOON + SECOND, not_yet_at=NOON, troubled_since=NOON + SECOND)
        for look in (first, Look("other", NOON), later):
            looks.note(look)
        assert SqlLooks(opening()).of("concert") == later
        assert looks.all() == {"concert": later, "other": Look("other", NOON)}

    def test_can_be_forgotten(self, opening):
        looks = SqlLooks(opening())
        looks.note(Look("concert", NOON))
        looks.forget("concert")
        looks.forget("concert")
        assert looks.of("concert") is None


class TestColumns:
    def test_are_added_to_tables_of_an_earlier_version(self, opening):
        database = opening()
        database.execute("ALTER TABLE heard DROP COLUMN media_first")
        heard = SqlHeard(opening())
        note(heard, beat(7, 1), beat(9, 2))
        (run,) = heard.of("concert")
        assert run.gained == 2


class TestOrders:
    def test_keeps_each_event_once(self, opening):
        orders = SqlOrders(opening())
        for _ in range(3):
            orders.add(asked(StopRequested(), 2))
            orders.add(asked(REQUEST))
        assert orders.of("concert") == [asked(REQUEST), asked(StopRequested(), 2)]
        assert orders.of("other") == []


class TestPlaces:
    def test_are_given_once_to_each_job(self, opening):
        places = SqlPlaces(opening())
        assert [places.take(job, 2) for job in ("a", "a", "b", "c")] == [True, True, True, False]
        assert sorted(places.held()) == ["a", "b"]

    def test_can_be_given_back(self, opening):
        places = SqlPlaces(opening())
        places.take("a", 1)
        places.free("a")
        places.free("a")
        assert places.take("b", 1)

    def test_are_not_given_while_more_are_held_than_there_are(self, opening):
        places = SqlPlaces(opening())
        for job in "abc":
            places.take(job, 3)
        places.free("a")
        assert not places.take("d", 2)

    def test_are_never_too_many_however_many_ask_at_once(self, opening):
        sharing = [SqlPlaces(opening()) for _ in range(4)]
        with ThreadPoolExecutor(8) as pool:
            got = list(
                pool.map(lambda number: sharing[number % 4].take(f"job-{number}", 5), range(40))
            )
        assert sum(got) == 5
        assert len(sharing[0].held()) == 5
