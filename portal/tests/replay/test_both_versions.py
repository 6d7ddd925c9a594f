"""A log that holds two versions of an event: as one that outlived a change of the contract does."""

from __future__ import annotations

import json

import pytest
from chronicle_contracts import UPCASTERS, decode, encode
from chronicle_contracts.catalogue import event_types, golden_files
from chronicle_contracts.recorder import Completeness, Gap, Uploaded
from chronicle_contracts.superseded import UploadedV1
from portal.eventlog.inbox import Arrival, Inbox
from portal.eventlog.models import LoggedEvent, StreamCursor
from portal.jobs.models import Job
from portal.jobs.readmodel import refold
from portal.projections.models import Recording

from tests.fixtures.commands import columns, manage
from tests.fixtures.story import Story

pytestmark = pytest.mark.django_db

V1, V2 = UploadedV1.TYPE, Uploaded.TYPE
GAPS = (Gap(cause="segment_404", seconds=6.0, at_media_seconds=9.0),)


def as_it_was(event):
    """Return the event as a recorder of the time before version 2 said it."""
    if event.type != V2:
        return event
    fields = {name: getattr(event.data, name) for name in UploadedV1.model_fields}
    old = UploadedV1(**{**fields, "gaps": GAPS})
    return event.model_copy(update={"type": V1, "data": old})


def take_in(*events):
    receipt = Inbox(refold).receive([Arrival(encode(event).decode()) for event in events])
    assert receipt.quarantined == 0
    return receipt


@pytest.fixture
def both():
    """Jobs of old and of new recorders, side by side and also in one job."""
    for name in ("old-1", "old-2"):
        take_in(*map(as_it_was, Story.whole(name).events))
    take_in(*Story.whole("new-1").events)
    # A retry after the update: the first upload is of version 1, the second of version 2.
    story = Story.whole("mixed")
    story.launched().recording().ended().uploaded()
    first, *rest = [n for n, event in enumerate(story.events) if event.type == V2]
    assert rest
    story.events[first] = as_it_was(story.events[first])
    take_in(*story.events)


class TestLog:
    def test_keeps_each_message_in_the_version_that_it_came_in(self, both):
        types = LoggedEvent.objects.filter(type__contains="Uploaded").order_by("position")
        assert list(types.values_list("type", flat=True)) == [V1, V1, V2, V1, V2]
        for row in types:
            body = json.loads(row.envelope)
            assert ("completeness" in body["data"]) is (row.type == V2)

    def test_knows_an_event_again_in_whatever_version_it_is_repeated(self, both):
        """A journal of the old recorder may come back; the place in the stream decides."""
        event = next(one for one in Story.whole("new-1").events if one.type == V2)
        receipt = take_in(as_it_was(event))
        assert (len(receipt.stored), receipt.duplicates) == (0, 1)


class TestReadModels:
    def test_of_version_1_are_those_of_its_lifted_twin(self):
        """Nothing that is shown tells in which version a fact was said."""
        old = [as_it_was(event) for event in Story.whole("job").events]
        take_in(*old)
        before, positions = columns(), LoggedEvent.objects.order_by("position")
        places = list(positions.values_list("position", flat=True))
        twins = [UPCASTERS.lift(event) for event in old]
        assert [event.type for event in twins if "Uploaded" in event.type] == [V2]
        for place, twin in zip(places, twins, strict=True):
            LoggedEvent.objects.filter(position=place).update(
                type=twin.type, envelope=encode(twin).decode()
            )
        refold(["job"])
        assert columns() == before

    def test_judge_completeness_by_what_version_1_said(self, both):
        old = Recording.objects.get(job_id="old-1")
        assert old.score == pytest.approx(30 / 36)
        assert (old.missing_seconds, old.losses, old.verified) == (6.0, True, False)
        assert old.manifest_key is None
        new = Recording.objects.get(job_id="new-1")
        assert (new.score, new.losses, new.verified) == (1.0, False, True)

    def test_follow_the_newer_fact_where_a_job_has_both(self, both):
        mixed = Recording.objects.get(job_id="mixed")
        assert (mixed.score, mixed.verified) == (1.0, True)
        assert Job.objects.get(id="mixed").gaps == []

    def test_do_not_depend_on_the_order_in_which_the_versions_came(self, both):
        before = Recording.objects.values().get(job_id="mixed")
        logged = LoggedEvent.objects.filter(job_id="mixed").order_by("position")
        events = [decode(body) for body in logged.values_list("envelope", flat=True)]
        logged.delete()
        StreamCursor.objects.filter(job_id="mixed").delete()
        Recording.objects.filter(job_id="mixed").delete()
        take_in(*reversed(events))
        after = Recording.objects.values().get(job_id="mixed")
        assert after == before


class TestRebuild:
    def test_over_both_versions_equals_live(self, both):
        before = columns()
        done = manage("rebuild", "--json")
        assert done.code == 0, done.out
        assert manage("swap").code == 0
        assert columns() == before
        assert manage("verify").code == 0

    def test_finds_rows_that_were_folded_before_the_upcaster_was_there(self, both):
        Recording.objects.filter(job_id="old-1").update(score=1.0, losses=False)
        assert manage("verify").code == 1
        assert manage("rebuild").code == 0
        assert manage("swap").code == 0
        assert Recording.objects.get(job_id="old-1").losses
        assert manage("verify").code == 0


class TestArchive:
    def test_carries_both_versions_as_they_came(self, both, tmp_path):
        path = tmp_path / "log.jsonl"
        assert manage("export", path).code == 0
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert [one["type"] for one in lines if "Uploaded" in one.get("type", "")] == [
            *(V1, V1, V2, V1, V2)
        ]


GOLDEN = [path for one in event_types() for path in golden_files(one.type, "message")]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
class TestGoldenMessages:
    """Every message that was ever published, of every version."""

    def test_enters_the_log_unchanged_and_folds(self, path):
        body = path.read_text()
        receipt = Inbox(refold).receive([Arrival(body)])
        assert (len(receipt.stored), receipt.quarantined) == (1, 0)
        row = LoggedEvent.objects.get()
        assert (row.type, row.envelope) == (json.loads(body)["type"], body)
        assert manage("verify").code == 0

    def test_folds_as_its_newest_version_does(self, path):
        event = decode(path.read_bytes())
        take_in(event)
        before = columns()
        lifted = encode(UPCASTERS.lift(event)).decode()
        LoggedEvent.objects.update(type=UPCASTERS.lift(event).type, envelope=lifted)
        refold([event.subject])
        assert columns() == before


class TestCompleteness:
    def test_of_version_1_with_nothing_missing_is_whole_but_not_verified(self):
        event = next(one for one in Story.whole("job").events if one.type == V2)
        old = as_it_was(event)
        whole = old.model_copy(update={"data": old.data.model_copy(update={"gaps": ()})})
        fact = UPCASTERS.lift(whole).data
        assert isinstance(fact, Uploaded)
        assert fact.completeness == Completeness(score=1.0, missing_seconds=0.0, verified=False)
