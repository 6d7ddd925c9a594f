from __future__ import annotations

import pytest
from django.db import connection
from django.db.models import Count
from django.test.utils import CaptureQueriesContext
from portal.catalogue import tally
from portal.catalogue.models import Tally
from portal.eventlog.models import LoggedEvent

from tests.fixtures.story import Story

pytestmark = pytest.mark.django_db


def counted():
    return {type_: seen.count for type_, seen in tally.seen().items()}


def truth():
    return dict(LoggedEvent.objects.order_by().values_list("type").annotate(Count("position")))


class TestTally:
    def test_of_an_empty_log_is_empty(self):
        assert tally.seen() == {}

    def test_counts_every_type_and_knows_when_it_was_last_heard(self, hear):
        hear(Story.whole("a"), Story.whole("b"))
        assert counted() == truth()
        last = LoggedEvent.objects.filter(type__contains="Uploaded").latest("position")
        assert tally.seen()[last.type].last_seen == last.received_at

    def test_goes_on_where_it_was_left(self, hear, monkeypatch):
        monkeypatch.setattr(tally, "KEEP_EVERY", 1)
        for name in ("a", "b", "c"):
            hear(Story.whole(name))
            assert counted() == truth()
        newest = LoggedEvent.objects.latest("position").position
        assert Tally.objects.get().upto == newest
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert counted() == truth()
        assert any(f'"position" > {newest}' in query["sql"] for query in queries)

    def test_writes_nothing_for_a_few_events(self, hear):
        hear(Story.whole())
        assert counted() == truth()
        assert not Tally.objects.exists()

    def test_is_the_same_whoever_of_two_readers_writes_last(self, hear, monkeypatch):
        monkeypatch.setattr(tally, "KEEP_EVERY", 1)
        hear(Story.whole("a"))
        tally.seen()
        early = Tally.objects.get()
        hear(Story.whole("b"), Story("c").requested())
        tally.seen()
        early.save()  # the slower of two readers
        assert counted() == truth()

    def test_begins_anew_over_another_log(self, hear, monkeypatch):
        monkeypatch.setattr(tally, "KEEP_EVERY", 1)
        hear(Story.whole("a"))
        tally.seen()
        Tally.objects.update(upto=2**40)
        assert counted() == truth()
