"""What crashes leave behind: found, told, and removed only where it is provably over."""

import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from chronicle_contracts.dispatcher import JobAbandoned
from chronicle_contracts.naming import dispatcher_stream, recording_key
from chronicle_contracts.portal import RetryRequested
from chronicle_storage import StorageSettings, open_store
from chronicle_storage.s3 import S3Store
from chronicle_storage.s3_bucket import Bucket
from dispatcher.adapters.database import SqliteDatabase
from dispatcher.adapters.fresh_looks import FreshLooks
from dispatcher.adapters.heard import SqlHeard
from dispatcher.adapters.orders import SqlOrders
from dispatcher.adapters.process_launcher import ProcessLauncher
from dispatcher.adapters.run_file import launching
from dispatcher.adapters.starting import CommandStarter
from dispatcher.domain.dispatch import Dispatch
from dispatcher.janitor.machine import Machine
from dispatcher.janitor.rounds import Janitor, media_too, what_is_over
from dispatcher.janitor.stored import Stored
from dispatcher.janitor.verdict import Judge
from dispatcher.ports import Launch

from services.dispatcher.tests.cast import (
    NOON,
    REQUEST,
    FakeClock,
    asked,
    beat,
    discarded,
    failed,
    uploaded,
)

KEY = recording_key("concert", "concert", NOON)
CONCERT = REQUEST.model_copy(update={"key": KEY})
GRACE = timedelta(days=2)


@pytest.fixture
def clock():
    """A clock far enough ahead that all of today's files are old."""
    clock = FakeClock()
    clock.time = datetime.now(UTC) + timedelta(days=40)
    return clock


class House:
    """A machine and a store that a janitor looks after, beside a dispatcher's world."""

    def __init__(self, world, folder, clock, store=None):
        self.world = world
        self.work = folder / "work"
        self.store = store or open_store(StorageSettings(recordings=folder / "recordings"))
        database = SqliteDatabase(world.folder / "events.sqlite")
        orders = SqlOrders(database)
        self.judge = Judge(world.store, orders, SqlHeard(database))
        self.machine = Machine(self.work, self.judge, grace=GRACE)
        stored = Stored(self.store, self.judge, jobs=orders.jobs, grace=GRACE)
        self.janitor = Janitor([self.machine, stored], clock)

    def folder(self, job="concert", *, media=b""):
        path = self.work / job
        path.mkdir(parents=True)
        (path / "run-1.log").write_text("x")
        if media:
            (path / "attempt-1.mkv").write_bytes(media)
        return path

    def give_up(self, job="concert"):
        dispatch = self.world.store.find(Dispatch, dispatcher_stream(job))
        dispatch.record(
            JobAbandoned(code="given_up", detail="It is over.", attempts=5), at=NOON, cause=None
        )
        self.world.store.append(dispatch)

    def round(self, may_remove=what_is_over):
        found = self.janitor.round(may_remove=may_remove)
        return [(one.leftover.kind, one.leftover.fate.value, one.is_removed) for one in found]


@pytest.fixture
def house(world, tmp_path, clock):
    return House(world, tmp_path, clock)


def bucket(aws, monkeypatch, name):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return Bucket(name, region="us-east-1", endpoint=aws.url, provision=True)


class TestFolders:
    def test_of_delivered_jobs_are_removed(self, house, world):
        world.hear(asked(CONCERT), beat(5, 1), uploaded(sequence=2))
        path = house.folder(media=b"fetched before the crash")
        assert house.round() == [("folder", "remove", True)]
        assert not path.exists()
        assert house.round() == []

    def test_of_discarded_jobs_are_removed(self, house, world):
        world.hear(asked(CONCERT), discarded())
        house.folder(media=b"x")
        assert house.round() == [("folder", "remove", True)]

    def test_with_media_of_jobs_that_were_given_up_wait_for_a_person(self, house, world):
        world.hear(asked(CONCERT))
        house.give_up()
        path = house.folder(media=b"the only copy")
        assert house.round() == [("folder", "media", False)]
        assert path.exists()
        assert house.round(media_too) == [("folder", "media", True)]
        assert not path.exists()

    def test_of_jobs_that_nobody_knows_stay(self, house):
        path = house.folder("somebody-elses")
        assert house.round(media_too) == [("folder", "unknown", False)]
        assert path.exists()

    @pytest.mark.parametrize("last", [[], [beat(5, 1)], [failed("crashed")]])
    def test_of_jobs_that_go_on_or_may_are_not_even_found(self, house, world, last):
        world.hear(asked(CONCERT), *last)
        house.folder(media=b"x")
        assert house.round(media_too) == []

    def test_of_a_retry_that_was_heard_and_not_answered_yet_stay(self, house, world):
        world.hear(asked(CONCERT))
        house.give_up()
        house.folder(media=b"x")
        SqlOrders(SqliteDatabase(world.folder / "events.sqlite")).add(asked(RetryRequested(), 2))
        assert house.round(media_too) == []

    def test_that_were_used_lately_stay(self, house, world, clock):
        clock.time = datetime.now(UTC)
        world.hear(asked(CONCERT), uploaded())
        house.folder()
        assert house.round() == []

    def test_of_which_a_recorder_holds_the_lock_stay(self, house, world):
        world.hear(asked(CONCERT), uploaded())
        path = house.folder()
        script = (
            "import fcntl, sys, time; lock = open(sys.argv[1], 'w'); "
            "fcntl.flock(lock, fcntl.LOCK_EX); print(flush=True); time.sleep(60)"
        )
        holder = subprocess.Popen(
            [sys.executable, "-c", script, str(path / "lock")], stdout=subprocess.PIPE
        )
        assert holder.stdout is not None
        try:
            holder.stdout.readline()
            assert house.round() == [("folder", "remove", False)]
            assert path.exists()
        finally:
            holder.kill()
            holder.wait()
            holder.stdout.close()
        assert house.round() == [("folder", "remove", True)]

    def test_whose_removal_broke_off_are_removed(self, house):
        house.folder(".gone-concert-1a2b3c4d")
        assert house.round() == [("folder", "remove", True)]
        assert list(house.work.iterdir()) == []


class TestProcesses:
    def orphan(self, house, job="concert"):
        work = house.work / job
        work.mkdir(parents=True, exist_ok=True)
        env = {**os.environ, "CHRONICLE_WORK_DIR": str(work.resolve())}
        return subprocess.Popen(["sleep", "60"], env=env, start_new_session=True)

    def test_of_jobs_that_are_over_are_ended(self, house, world):
        world.hear(asked(CONCERT), uploaded())
        orphan = self.orphan(house)
        try:
            assert ("process", "remove", True) in house.round()
            assert orphan.wait(60) == -9
        finally:
            orphan.kill()
            orphan.wait()

    def test_of_jobs_that_go_on_are_left_alone(self, house, world):
        world.hear(asked(CONCERT), beat(5, 1))
        orphan = self.orphan(house)
        try:
            assert house.round(media_too) == []
            assert orphan.poll() is None
        finally:
            orphan.kill()
            orphan.wait()

    def test_of_unknown_jobs_and_of_other_houses_are_left_alone(self, house, tmp_path):
        orphans = [self.orphan(house, "unheard-of"), self.orphan(_Elsewhere(tmp_path / "other"))]
        try:
            assert house.round(media_too) == [("process", "unknown", False)]
            assert [one.poll() for one in orphans] == [None, None]
        finally:
            for one in orphans:
                one.kill()
                one.wait()


class _Elsewhere:
    def __init__(self, folder):
        self.work = folder


class TestStore:
    @pytest.fixture(params=["local", "s3"])
    def house(self, request, world, tmp_path, clock):
        if request.param == "local":
            return House(world, tmp_path, clock)
        there = bucket(
            request.getfixturevalue("aws"),
            request.getfixturevalue("monkeypatch"),
            f"janitor-{tmp_path.name[-20:].replace('_', '-')}".lower(),
        )
        return House(world, tmp_path, clock, S3Store(there))

    def begin(self, house, name="attempt-1", data=b"half a recording"):
        growing = house.store.grow(KEY, spool=house.work.parent / "spool", name=name, turn=1)
        growing.path.write_bytes(data)
        growing.flush()
        return growing

    def test_uploads_of_delivered_jobs_are_aborted(self, house, world):
        world.hear(asked(CONCERT), uploaded())
        house.store.put(KEY, b"the recording")
        self.begin(house)
        assert ("upload", "remove", True) in house.round()
        assert house.store.unfinished(KEY) == []
        assert house.store.stat(KEY) is not None
        assert house.round() == []

    def test_uploads_of_jobs_that_were_given_up_wait_for_a_person(self, house, world):
        world.hear(asked(CONCERT))
        house.give_up()
        self.begin(house)
        assert house.round() == [("upload", "media", False)]
        assert len(house.store.unfinished(KEY)) == 1
        assert house.round(media_too) == [("upload", "media", True)]

    def test_a_delivery_whose_object_is_gone_proves_nothing(self, house, world):
        world.hear(asked(CONCERT), uploaded())
        self.begin(house)
        assert house.round() == [("upload", "media", False)]

    def test_uploads_of_jobs_that_go_on_are_not_even_found(self, house, world):
        world.hear(asked(CONCERT), beat(5, 1))
        growing = self.begin(house)
        assert house.round(media_too) == []
        assert growing.complete().size == len(b"half a recording")

    def test_notes_and_copies_beside_a_delivered_recording_are_removed(self, house, world):
        world.hear(asked(CONCERT), uploaded())
        house.store.put(KEY, b"the recording")
        house.store.put(f"{KEY}.torrent", b"torrent")
        house.store.put(f"{KEY}.manifest.json", b"{}")
        house.store.take_over(KEY, 2)
        house.store.put(f"{KEY}.attempt-1.mkv", b"lost and found")
        house.round()
        left = [one.key for one in house.store.list("recordings/")]
        assert left == [KEY, f"{KEY}.manifest.json", f"{KEY}.torrent"]
        assert house.round() == []

    def test_a_note_of_whose_turn_it_was_outlives_a_lost_attempt(self, house, world, clock):
        clock.time = datetime.now(UTC) + timedelta(days=20)
        world.hear(asked(CONCERT), uploaded())
        house.store.put(KEY, b"the recording")
        house.store.take_over(KEY, 2)
        assert "note" not in [kind for kind, *_ in house.round()]

    def test_what_belongs_to_nobody_we_know_stays(self, house):
        self.begin(house)
        assert house.round(media_too) == [("upload", "unknown", False)]

    def test_a_store_that_is_away_keeps_nobody_from_the_machine(
        self, world, tmp_path, clock, monkeypatch
    ):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        away = Bucket("away", region="us-east-1", endpoint="http://127.0.0.1:9")
        house = House(world, tmp_path, clock, S3Store(away))
        world.hear(asked(CONCERT), uploaded())
        house.folder()
        assert house.round() == [("folder", "remove", True)]


class TestRace:
    def test_a_launch_in_the_middle_of_a_round_loses_nothing(self, house, world, tmp_path):
        """A retry may come at any moment: its recorder's files are never removed."""
        world.hear(asked(CONCERT))
        house.give_up()
        launcher = ProcessLauncher(
            CommandStarter(["sleep", "60"]),
            FreshLooks(FakeClock()),
            work=house.work,
            environment={"PATH": os.environ["PATH"]},
        )
        stop = threading.Event()

        def rounds():
            while not stop.is_set():
                house.janitor.round(may_remove=media_too)

        janitors = [threading.Thread(target=rounds) for _ in range(2)]
        for one in janitors:
            one.start()
        references = []
        try:
            for attempt in range(1, 30):
                if attempt == 20:
                    # The portal asked for another try: from its acceptance on nothing goes.
                    world.hear(asked(RetryRequested(), 2))
                reference = launcher.launch(Launch("concert", attempt, CONCERT))
                references.append(reference)
                if attempt >= 20:
                    kept = house.work / "concert" / f"attempt-{attempt}.mkv"
                    kept.write_bytes(b"media")
                time.sleep(0.02)
            assert len(list((house.work / "concert").glob("*.mkv"))) == 10
            assert launcher.is_alive(references[-1])
        finally:
            stop.set()
            for one in janitors:
                one.join()
            for reference in references:
                launcher.kill("concert", reference)

    def test_whoever_waits_for_the_lock_of_a_removed_folder_gets_one_of_a_new_one(self, house):
        path = house.folder()
        entered = threading.Event()

        def wait():
            with launching(path):
                (path / "control.json").write_text("{}")
                entered.set()

        with launching(path):
            waiting = threading.Thread(target=wait)
            waiting.start()
            time.sleep(0.1)
            path.rename(path.with_name(".gone-concert-1"))
        waiting.join(60)
        assert entered.is_set()
        assert (path / "control.json").exists()


class TestCommand:
    def test_tells_first_and_removes_when_it_is_asked_to(self, world, tmp_path, house):
        home = tmp_path / "home"
        (home / "dispatcher").mkdir(parents=True)
        (world.folder / "events.sqlite").rename(home / "dispatcher" / "events.sqlite")
        folder = home / "work" / ".gone-concert-1a2b3c4d"
        folder.mkdir(parents=True)

        def janitor(*arguments):
            return subprocess.run(
                [sys.executable, "-m", "dispatcher.janitor", *arguments],
                env={"PATH": os.environ["PATH"], "CHRONICLE_HOME": str(home)},
                capture_output=True,
                text=True,
                check=False,
            )

        told = janitor("--json")
        assert told.returncode == 1, told.stderr
        assert [one["removed"] for one in json.loads(told.stdout)] == [False]
        assert folder.exists()
        removed = janitor("--remove")
        assert removed.returncode == 0
        assert "1 found, 1 removed, 0 left" in removed.stdout
        assert not folder.exists()
        assert janitor().returncode == 0
