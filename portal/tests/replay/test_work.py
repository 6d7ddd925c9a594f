"""Long verbs of API and admin are rows that a process of its own takes, and takes over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from chronicle_messaging import Bus, MessagingSettings
from django.utils import timezone
from portal.jobs.models import Job
from portal.replay import orders, records, work
from portal.replay.errors import BadParameters, NotThere
from portal.replay.keeping import Keeper
from portal.replay.models import LEASE, Build, Replay
from portal.replay.orders import Verb
from portal.replay.records import Call, running

from tests.fixtures.commands import columns, manage
from tests.fixtures.story import Story

MANAGE = str(Path(__file__).parents[2] / "manage.py")
PATIENCE = 60
Outcome = Replay.Outcome


def until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
        time.sleep(0.02)


def outlive():
    """Let so much time go by that a killed process's record is given up."""
    Replay.objects.filter(outcome=Outcome.RUNNING).update(
        updated_at=timezone.now() - LEASE - timedelta(seconds=1)
    )


@pytest.mark.django_db
class TestQueue:
    def test_carries_out_what_was_asked_for_in_order(self, hear):
        hear(Story.whole())
        asked = [work.enqueue(Call(by="ada"), verb, {}) for verb in ("verify", "rebuild")]
        assert {one.outcome for one in asked} == {Outcome.QUEUED}
        done = manage("replays", "work", "--json")
        assert done.code == 0
        assert [item["id"] for item in done.json["items"]] == [str(one.pk) for one in asked]
        for one in asked:
            one.refresh_from_db()
            assert (one.outcome, one.requested_by) == (Outcome.DONE, "ada")
        assert Build.objects.filter(state=Build.State.READY).exists()

    def test_says_what_would_be_done_and_does_nothing(self, hear):
        work.enqueue(Call(), "rebuild", {})
        done = manage("replays", "work", "--dry-run", "--json")
        assert done.json["counts"] == {"would be carried out": 1}
        assert Replay.objects.get().outcome == Outcome.QUEUED

    @pytest.mark.parametrize(
        ("verb", "given", "error"),
        [
            ("rebuild", {"projections": ["dreams"]}, BadParameters),
            ("replay", {"to": "nobody", "everything": True}, NotThere),
            ("replay", {"to": "seeder"}, BadParameters),
            ("redrive", {"queue": "nobody"}, NotThere),
            ("redrive", {"queue": "seeder", "rate": 0}, BadParameters),
        ],
    )
    def test_takes_no_order_that_makes_no_sense(self, verb, given, error):
        with pytest.raises(error):
            work.enqueue(Call(), verb, given)
        assert not Replay.objects.exists()

    def test_ends_with_1_when_something_failed_and_goes_on_with_the_rest(self, hear, monkeypatch):
        def explode(call, given):
            raise ZeroDivisionError("boom")

        monkeypatch.setitem(orders.VERBS, "explode", Verb(lambda given: None, explode))
        broken = work.enqueue(Call(), "explode", {})
        work.enqueue(Call(), "verify", {})
        done = manage("replays", "work", "--json")
        assert (done.code, done.json["counts"]) == (1, {"failed": 1, "done": 1})
        broken.refresh_from_db()
        assert broken.error == "ZeroDivisionError: boom"

    def test_is_shown_by_list(self, hear):
        work.enqueue(Call(by="ada"), "verify", {})
        manage("rebuild")
        listed = manage("replays", "list", "--json").json
        assert listed["counts"] == {"queued": 1, "done": 1}


@pytest.mark.django_db
class TestTend:
    def orphan(self, verb="rebuild", **columns):
        now = timezone.now()
        return Replay.objects.create(
            verb=verb,
            started_at=now,
            updated_at=now - LEASE,
            order={"verb": verb, "given": {}, "begun": True},
            **{"takes": 1, "done": 7, "counts": {"sent": 7}, **columns},
        )

    def test_leaves_those_alone_that_are_renewed(self):
        record = self.orphan()
        Replay.objects.update(updated_at=timezone.now())
        assert work.tend() == 0
        record.refresh_from_db()
        assert record.outcome == Outcome.RUNNING

    def test_queues_again_what_can_be_gone_on_with(self):
        record = self.orphan()
        assert work.tend() == 1
        record.refresh_from_db()
        assert (record.outcome, record.done) == (Outcome.QUEUED, 7)

    @pytest.mark.parametrize("change", [{"verb": "redrive"}, {"order": None}])
    def test_marks_the_others_as_interrupted_with_what_was_done(self, change):
        record = self.orphan(change.pop("verb", "rebuild"))
        Replay.objects.update(**change) if change else None
        work.tend()
        record.refresh_from_db()
        assert (record.outcome, record.counts) == (Outcome.INTERRUPTED, {"sent": 7})
        assert "is gone" in record.error
        assert record.finished_at is not None

    def test_gives_up_what_takes_its_process_along_again_and_again(self):
        record = self.orphan(takes=work.MOST_TAKES)
        work.tend()
        record.refresh_from_db()
        assert record.outcome == Outcome.FAILED


@pytest.mark.django_db(transaction=True)
class TestRenewal:
    def test_shows_that_a_slow_step_is_alive(self, monkeypatch):
        monkeypatch.setattr(records, "BEAT", 0.05)
        with running(Call(), "rebuild", {}) as run:
            outlive()
            until(lambda: Replay.objects.get().is_alive(timezone.now()), "a sign of life")
            assert run.record is not None


@pytest.fixture
def start(process_env, tmp_path):
    """Start the portal's commands as processes."""
    with ExitStack() as opened, (tmp_path / "processes.log").open("ab") as log:

        def begin(*command):
            process = subprocess.Popen(
                [sys.executable, MANAGE, *command], env={**process_env, **changed()}, stderr=log
            )
            opened.callback(process.wait, 30)
            opened.callback(process.kill)
            return process

        yield begin


def changed():
    names = ("CHRONICLE_PREFIX", "AWS_ENDPOINT_URL", "CHRONICLE_TOPOLOGY")
    return {name: os.environ[name] for name in names if name in os.environ}


@pytest.mark.timeout(240)
class TestKilled:
    def test_rebuild_is_taken_over_where_it_stands(self, hear, start):
        hear(*[Story.whole(f"job-{n:03}", heartbeats=2) for n in range(700)])
        before = columns()
        record = work.enqueue(Call(by="ada"), "rebuild", {})
        worker = start("replays", "work")
        until(Build.objects.filter(state="building", jobs__gt=0).exists, "the first chunk")
        worker.kill()
        worker.wait()
        record.refresh_from_db()
        assert record.outcome == Outcome.RUNNING
        outlive()
        assert start("replays", "work").wait(PATIENCE) == 0
        record.refresh_from_db()
        assert (record.outcome, record.takes) == (Outcome.DONE, 2)
        assert record.counts["resumed"] == 1
        assert manage("swap").code == 0
        assert columns() == before

    def test_replay_goes_on_behind_what_was_sent(self, hear, start, aws_env):
        bus = Bus.connect(MessagingSettings())
        seeder = bus.queue("seeder")
        bus.url(seeder.name)
        hear(*[Story.whole(f"job-{n:02}", heartbeats=1) for n in range(40)])
        given = {"to": "seeder", "types": ["Uploaded"], "rate": 30}
        record = work.enqueue(Call(), "replay", given)
        worker = start("replays", "work")
        until(lambda: Replay.objects.get().done >= 10, "some to be sent")
        worker.kill()
        worker.wait()
        outlive()
        assert start("replays", "work").wait(PATIENCE) == 0
        record.refresh_from_db()
        assert (record.outcome, record.done, record.total) == (Outcome.DONE, 40, 40)
        # What was sent after the last note of it is sent once more and dropped as a duplicate.
        assert sum(seeder.depth().values()) == 40

    def test_is_put_down_at_a_deployment_and_waits(self, hear, start):
        hear(*[Story.whole(f"job-{n:03}", heartbeats=2) for n in range(700)])
        record = work.enqueue(Call(), "rebuild", {})
        worker = start("replays", "work")
        until(Build.objects.filter(state="building", jobs__gt=0).exists, "the first chunk")
        worker.send_signal(signal.SIGTERM)
        worker.wait(PATIENCE)
        record.refresh_from_db()
        assert record.outcome == Outcome.QUEUED
        assert manage("replays", "work").code == 0
        record.refresh_from_db()
        assert (record.outcome, record.counts["resumed"]) == (Outcome.DONE, 1)


@pytest.mark.timeout(240)
class TestKeeper:
    def test_lets_the_relays_process_see_to_it(self, hear, start, aws_env):
        hear(Story.whole())
        Job.objects.update(status="FAILED")
        start("relay")
        record = work.enqueue(Call(), "verify", {})
        until(lambda: Replay.objects.get().outcome == Outcome.INCOMPLETE, "the verification")
        record.refresh_from_db()
        assert record.left == 1

    def test_starts_nothing_while_nothing_waits(self, transactional_db):
        stop = threading.Event()
        keeper = Keeper(["false"], every=0.01)
        keeping = threading.Thread(target=keeper.run, args=(stop,))
        keeping.start()
        time.sleep(0.2)
        stop.set()
        keeping.join(PATIENCE)
        assert keeper._worker is None
