"""The read model is built anew, swapped in and rolled back while everything goes on."""

from __future__ import annotations

import itertools
import random
import threading

import pytest
from chronicle_contracts import encode
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from portal.eventlog.inbox import Arrival, Inbox
from portal.eventlog.models import LoggedEvent, ParkedJob, StreamCursor
from portal.jobs.models import Job
from portal.jobs.readmodel import refold
from portal.jobs.verification import Counts, differences
from portal.projections.registry import PROJECTIONS
from portal.replay import builds, shadow
from portal.replay.building import rebuild
from portal.replay.models import Build, Replay
from portal.replay.records import Call, Report
from portal.replay.swapping import rollback, swap

from tests.fixtures.commands import columns, manage
from tests.fixtures.patience import until
from tests.fixtures.story import Story

State = Build.State


def whole_jobs(number, *, heartbeats=1):
    return [Story.whole(f"job-{n:02}", heartbeats=heartbeats) for n in range(number)]


@pytest.fixture
def small_chunks(monkeypatch):
    for module in ("jobs.readmodel", "replay.construction"):
        monkeypatch.setattr(f"portal.{module}.CHUNK", 3)


def more_than(number):
    return lambda: LoggedEvent.objects.count() > number


class Traffic(threading.Thread):
    """Ingest in another thread, over 100 events a second: shuffled, until told to stop."""

    def __init__(self):
        super().__init__(daemon=True)
        self.stop = threading.Event()
        self.error = None

    def run(self):
        try:
            for batch in self.batches():
                if self.stop.wait(0.05):
                    break
                Inbox(refold).receive([Arrival(body) for body in batch])
        except Exception as error:  # noqa: BLE001 (told at the end)
            self.error = error
        finally:
            connection.close()

    def batches(self):
        chance = random.Random(3)
        for first in itertools.count(0, 10):
            stories = [Story.whole(f"new-{first + n:04}", heartbeats=2) for n in range(10)]
            bodies = [encode(event).decode() for story in stories for event in story.events]
            chance.shuffle(bodies)
            yield from (bodies[start : start + 7] for start in range(0, len(bodies), 7))


@pytest.mark.django_db
class TestRebuild:
    def test_leaves_what_is_read_alone_until_the_swap(self, hear):
        hear(*whole_jobs(4))
        Job.objects.filter(id="job-02").update(status="FAILED")
        before = columns()
        done = manage("rebuild")
        assert (done.code, columns()) == (0, before)
        assert "job-02  status" in done.out
        assert "1 changed" in done.out
        assert manage("swap").code == 0
        assert Job.objects.get(id="job-02").status == "COMPLETED"
        assert not list(differences(Counts()))

    def test_finds_rows_to_add_and_to_remove(self, hear):
        hear(*whole_jobs(3))
        Job.objects.filter(id="job-00").delete()
        LoggedEvent.objects.filter(job_id="job-01").delete()
        counts = manage("rebuild", "--json").json["counts"]
        assert (counts["added"], counts["removed"], counts["changed"]) == (1, 1, 0)
        assert manage("swap").code == 0
        assert list(Job.objects.order_by("id").values_list("id", flat=True)) == ["job-00", "job-02"]
        assert {row.get("job_id", row.get("id")) for row in columns()} == {"job-00", "job-02"}

    def test_goes_on_where_it_was_interrupted(self, hear, small_chunks):
        hear(*whole_jobs(10))
        live = columns()

        def stop_after_six(done, _total):
            if done == 6:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            rebuild(Call(progress=stop_after_six))
        assert Replay.objects.get().outcome == "interrupted"
        counts = rebuild(Call()).counts
        assert (counts["resumed"], counts["folded"]) == (1, 4)
        swap(Call())
        assert columns() == live

    def test_loses_nothing_of_a_chunk_that_crashed(self, hear, small_chunks, monkeypatch):
        hear(*whole_jobs(7))
        live = columns()
        with monkeypatch.context() as patched:
            patched.setattr("portal.projections.tables.Table.replace", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                rebuild(Call())
        assert Replay.objects.get().outcome == "failed"
        assert manage("rebuild").code == 0
        assert manage("swap").code == 0
        assert columns() == live

    def test_begins_anew_when_the_code_has_changed(self, hear, monkeypatch):
        hear(*whole_jobs(2))
        assert manage("rebuild").code == 0
        monkeypatch.setattr("portal.replay.builds.fingerprint", lambda _: "other code")
        done = manage("swap")
        assert done.code == 1
        assert "other code" in done.error
        assert manage("rebuild", "--json").json["counts"]["begun"] == 1
        assert manage("swap").code == 0

    def test_begins_anew_when_asked_to(self, hear):
        hear(*whole_jobs(2))
        for _ in range(2):
            assert manage("rebuild", "--fresh", "--json").json["counts"]["begun"] == 1
        dropped = Build.objects.get(state=State.DROPPED)
        assert not any(shadow.exists(name) for name in builds.tables_of(dropped).values())

    def test_fails_loudly_on_a_job_that_cannot_be_folded(self, hear, poison):
        hear(*whole_jobs(2))
        row = poison(Story("bad").requested().accepted())
        done = manage("rebuild")
        assert done.code == 1
        assert "bad" in done.out
        assert "cannot be folded" in done.out
        assert manage("swap").code == 1
        assert manage("parked", "skip", "bad", "--reason", "nonsense").code == 0
        assert manage("rebuild").code == 0
        assert manage("swap").code == 0
        line = Job.objects.get(id="bad").timeline[-1]
        assert (line["position"], line["detail"]) == (row.position, "nonsense")
        assert not ParkedJob.objects.exists()

    def test_is_gone_on_with_by_a_second_process(self, hear, small_chunks):
        hear(*whole_jobs(9))
        live = columns()
        meanwhile: list[Report] = []

        def second(done, _total):
            if not meanwhile:
                meanwhile.append(rebuild(Call()))

        rebuild(Call(progress=second))
        assert meanwhile[0].counts["resumed"] == 1
        swap(Call())
        assert columns() == live


@pytest.mark.django_db
class TestAnyHistory:
    @settings(
        max_examples=12,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(seed=st.integers(0, 2**32), jobs=st.integers(1, 4), cut=st.floats(0, 1))
    def test_reads_the_same_after_a_rebuild(self, seed, jobs, cut):
        for table in (LoggedEvent, StreamCursor):
            table.objects.all().delete()
        for projection in PROJECTIONS:
            projection.model._default_manager.all().delete()
        chance = random.Random(seed)
        bodies = [encode(one).decode() for story in whole_jobs(jobs) for one in story.events]
        chance.shuffle(bodies)
        bodies = bodies[: max(1, int(cut * len(bodies)))]
        half = len(bodies) // 2
        Inbox(refold).receive([Arrival(body) for body in bodies[:half]])
        rebuild(Call(), fresh=chance.random() < 0.5)
        while bodies[half:]:
            step = chance.randint(1, 9)
            Inbox(refold).receive([Arrival(body) for body in bodies[half : half + step]])
            half += step
        live = columns()
        swap(Call())
        assert columns() == live
        rollback(Call())
        assert columns() == live


@pytest.mark.django_db
class TestSwap:
    def test_needs_a_build_that_is_ready(self):
        done = manage("swap")
        assert done.code == 1
        assert "run `rebuild` first" in done.error

    def test_folds_what_was_heard_since(self, hear):
        hear(*whole_jobs(2))
        assert manage("rebuild").code == 0
        hear(Story("late").requested().accepted())
        live = columns()
        assert manage("swap").code == 0
        assert columns() == live

    def test_is_refused_when_a_job_cannot_be_folded_by_now(self, hear, poison):
        hear(*whole_jobs(2))
        assert manage("rebuild").code == 0
        poison(Story("bad").requested().accepted())
        before = columns()
        done = manage("swap")
        assert done.code == 1
        assert "bad" in done.error
        assert columns() == before

    def test_keeps_one_old_table_and_drops_those_before(self, hear):
        hear(*whole_jobs(2))
        for _ in range(3):
            assert manage("rebuild").code == 0
            assert manage("swap").code == 0
        states = list(Build.objects.order_by("id").values_list("state", flat=True))
        assert states == [State.DROPPED, State.DROPPED, State.KEPT, State.ACTIVE]
        (kept,) = Build.objects.filter(state=State.KEPT)
        for projection in PROJECTIONS:
            live = projection.table
            there = [name for name in connection.introspection.table_names() if live in name]
            assert sorted(there) == sorted([live, kept.table(live)])

    def test_is_refused_for_a_table_with_other_columns(self, hear):
        hear(*whole_jobs(1))
        assert manage("rebuild").code == 0
        build = Build.objects.get(state=State.READY)
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {build.table(Job._meta.db_table)} ADD COLUMN colour text")
        done = manage("swap")
        assert done.code == 1
        assert "other columns" in done.error


@pytest.mark.django_db
class TestRollback:
    def test_needs_a_table_that_was_kept(self):
        assert manage("rollback").code == 1

    def test_brings_back_the_old_rows_and_what_was_heard_since(self, hear):
        hear(*whole_jobs(2))
        Job.objects.filter(id="job-00").update(title="an older code's title")
        assert manage("rebuild").code == 0
        assert manage("swap").code == 0
        hear(Story("late").requested())
        assert Job.objects.get(id="job-00").title == "Concert"
        assert manage("rollback").code == 0
        assert Job.objects.get(id="job-00").title == "an older code's title"
        assert Job.objects.filter(id="late").exists()
        assert manage("rollback").code == 0
        assert Job.objects.get(id="job-00").title == "Concert"

    def test_parks_what_cannot_be_folded_by_then(self, hear, poison):
        hear(*whole_jobs(1))
        assert manage("rebuild").code == 0
        assert manage("swap").code == 0
        poison(Story("bad").requested().accepted())
        assert manage("rollback").code == 0
        assert ParkedJob.objects.get().job_id == "bad"
        assert Job.objects.filter(id="job-00").exists()


@pytest.mark.django_db(transaction=True)
class TestMeanwhile:
    def test_events_keep_arriving(self, hear):
        hear(*whole_jobs(12))
        traffic = Traffic()
        traffic.start()
        try:
            for verb in (rebuild, swap, rebuild, swap, rollback):
                heard = LoggedEvent.objects.count()
                until(more_than(heard), "traffic")
                verb(Call())
        finally:
            traffic.stop.set()
            traffic.join(60)
        assert traffic.error is None
        assert not list(differences(Counts()))
        live = columns()
        rebuild(Call(), fresh=True)
        swap(Call())
        assert columns() == live

    def test_readers_see_neither_an_error_nor_an_empty_page(self, hear):
        hear(*whole_jobs(6))
        rebuild(Call())
        live = columns()
        seen, errors, stop = [], [], threading.Event()

        def read():
            try:
                while not stop.is_set():
                    seen.append(columns() == live)
            except Exception as error:  # noqa: BLE001 (told at the end)
                errors.append(error)
            finally:
                connection.close()

        readers = [threading.Thread(target=read, daemon=True) for _ in range(3)]
        for reader in readers:
            reader.start()
        swap(Call())
        for _ in range(4):
            rollback(Call())
        read_by_then = len(seen)
        while len(seen) < read_by_then + 5 and not errors:
            stop.wait(0.01)
        stop.set()
        for reader in readers:
            reader.join(30)
        assert errors == []
        assert seen
        assert all(seen)


@pytest.mark.django_db
class TestVerify:
    def test_finds_nothing_where_all_is_well(self, hear):
        hear(*whole_jobs(3))
        done = manage("verify")
        assert done.code == 0
        assert "3 compared, 0 differing" in done.out

    def test_finds_what_differs(self, hear):
        hear(*whole_jobs(6))
        Job.objects.filter(id="job-03").update(status="FAILED", attempt=9)
        Job.objects.filter(id="job-04").delete()
        LoggedEvent.objects.filter(job_id="job-05").delete()
        done = manage("verify")
        assert done.code == 1
        assert "job-03  differs in status, attempt" in done.out
        assert "job-04  has a history but no row" in done.out
        assert "job-05  has a row but no history" in done.out
