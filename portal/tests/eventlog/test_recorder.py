"""The library's own behaviour suite, run on the recorder over the ORM."""

from __future__ import annotations

from uuid import uuid4

from django.db import connection
from django.test import TransactionTestCase
from eventsourcing.persistence import StoredEvent
from eventsourcing.tests.persistence import (
    ApplicationRecorderTestCase,
    ProcessRecorderTestCase,
    TrackingRecorderTestCase,
)
from portal.eventlog.recorder import OrmRecorder


class ThreadedRecorder(OrmRecorder):
    """Closes the connection of each call: the suite's threads end without a word to Django."""

    def insert_events(self, *args, **kwargs):
        try:
            return super().insert_events(*args, **kwargs)
        finally:
            connection.close()

    def select_notifications(self, *args, **kwargs):
        try:
            return super().select_notifications(*args, **kwargs)
        finally:
            connection.close()


class OrmCase(TransactionTestCase):
    reset_sequences = True

    def new_originator_id(self):
        return str(uuid4())

    def create_recorder(self):
        return ThreadedRecorder()


class TestAsApplicationRecorder(OrmCase, ApplicationRecorderTestCase):
    def test_insert_subscribe(self):
        self.optional_test_insert_subscribe()

    def test_performance(self):
        """Left out: it measures and checks nothing."""


class TestAsTrackingRecorder(OrmCase, TrackingRecorderTestCase):
    pass


class TestAsProcessRecorder(OrmCase, ProcessRecorderTestCase):
    def test_performance(self):
        """Left out: it measures and checks nothing."""


class TestAppends(OrmCase):
    def test_answers_with_ids_in_the_order_of_the_events(self):
        recorder = OrmRecorder()
        events = [StoredEvent(f"portal/{n % 2}", 1 + n // 2, "topic", b"state") for n in range(10)]
        ids = recorder.insert_events(events)
        assert ids is not None
        assert ids == sorted(ids)
        assert [one.originator_id for one in recorder.select_notifications(ids[0], 10)] == [
            one.originator_id for one in events
        ]
