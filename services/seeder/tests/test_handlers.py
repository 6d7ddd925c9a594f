"""The flow: given what happened, when an event comes, then this is said and done."""

import pytest
from chronicle_contracts import Ignore, Retry, encode
from chronicle_contracts.portal import JobRequested
from chronicle_contracts.superseded import UploadedV1
from chronicle_messaging import Message
from seeder.domain.seed import State
from seeder.ports import CannotMake

from services.seeder.tests.cast import (
    JOB,
    KEY,
    Crash,
    World,
    deleted,
    event,
    uploaded,
)

TORRENT = f"{KEY}.torrent"
WATCH = "watch/talk-1a2b3c4d.mkv.torrent"


@pytest.fixture
def world():
    return World()


class TestUploaded:
    def test_leads_to_a_torrent_that_is_offered(self, world):
        world.seeder.handle(uploaded())
        assert world.said() == ["TorrentCreated", "SeedingStarted"]
        created = world.history()[0].data
        assert (created.recording_key, created.key, created.size) == (KEY, TORRENT, 1000)
        assert created.web_seeds == (f"http://127.0.0.1/webseed/t/{KEY}",)
        assert created.trackers == ("udp://127.0.0.1:6969/announce",)
        assert set(world.engine.has) == world.tracker.allowed == {created.info_hash}

    def test_puts_the_torrent_beside_the_recording_and_into_the_watched_folder(self, world):
        world.seeder.handle(uploaded())
        assert world.recordings.objects[TORRENT] == world.recordings.objects[WATCH]

    def test_tells_the_tracker_before_the_engine(self, world):
        world.seeder.handle(uploaded())
        assert world.steps.done.index("allow") < world.steps.done.index("offer")

    def test_names_what_caused_what(self, world):
        cause = uploaded()
        world.seeder.handle(cause)
        assert {one.causationid for one in world.history()} == {str(cause.id)}

    def test_is_answered_once_however_often_it_comes(self, world):
        for _ in range(5):
            world.seeder.handle(uploaded())
        assert world.said() == ["TorrentCreated", "SeedingStarted"]
        assert world.maker.made == 1

    def test_of_the_same_content_by_another_attempt_changes_nothing(self, world):
        world.seeder.handle(uploaded())
        world.seeder.handle(uploaded(attempt=2))
        assert world.said() == ["TorrentCreated", "SeedingStarted"]

    @pytest.mark.parametrize("step", range(7))
    def test_goes_on_after_a_crash_before_any_step(self, world, step):
        world.steps.crash_before = step
        with pytest.raises(Crash):
            world.seeder.handle(uploaded())
        world.restart()
        world.seeder.handle(uploaded())
        assert world.said() == ["TorrentCreated", "SeedingStarted"]
        assert set(world.engine.has) == world.tracker.allowed == {world.seed().torrent.info_hash}
        assert {TORRENT, WATCH} <= world.recordings.objects.keys()

    def test_has_no_steps_that_the_crashes_leave_out(self, world):
        world.seeder.handle(uploaded())
        assert len(world.steps.done) == 7

    def test_is_finished_by_the_reconciler_when_it_does_not_come_again(self, world):
        world.steps.crash_before = 5  # the torrent is recorded, the engine knows nothing
        with pytest.raises(Crash):
            world.seeder.handle(uploaded())
        world.restart()
        world.reconcile()
        assert world.said() == ["TorrentCreated", "SeedingStarted"]

    def test_of_new_content_replaces_the_torrent(self, world):
        world.seeder.handle(uploaded())
        old = world.seed().torrent.info_hash
        world.recordings.objects[KEY] = b"y" * 1000
        world.seeder.handle(uploaded("cd" * 32, attempt=2))
        new = world.seed().torrent.info_hash
        assert world.said() == ["TorrentCreated", "SeedingStarted"] * 2
        assert set(world.engine.has) == world.tracker.allowed == {new} != {old}

    def test_told_again_from_the_past_does_not_bring_the_past_back(self, world):
        old, new = uploaded(), uploaded("cd" * 32, attempt=2)
        world.seeder.handle(old)
        world.recordings.objects[KEY] = b"y" * 1000
        world.seeder.handle(new)
        world.seeder.handle(old)
        assert world.said() == ["TorrentCreated", "SeedingStarted"] * 2
        assert world.seed().torrent.content == f"sha256:{'cd' * 32}"


class TestUploadedOfVersionOne:
    """A replay sends events as they were said: the queue may hold what an old recorder said."""

    @pytest.fixture
    def old(self):
        """The event that the consumer makes of the message that lies in the queue."""
        new = uploaded()
        fields = {name: getattr(new.data, name) for name in UploadedV1.model_fields}
        said = new.model_copy(update={"type": UploadedV1.TYPE, "data": UploadedV1(**fields)})
        message = Message(body=encode(said).decode(), group=JOB, receipt="r", message_id="m")
        assert "completeness" not in message.body
        return message.event()

    def test_leads_to_the_same_torrent(self, world, old):
        world.seeder.handle(old)
        assert world.said() == ["TorrentCreated", "SeedingStarted"]
        other = World()
        other.seeder.handle(uploaded())
        assert world.history() == other.history()

    def test_changes_nothing_where_the_recording_is_seeded_already(self, world, old):
        world.seeder.handle(uploaded())
        world.seeder.handle(old)
        assert world.said() == ["TorrentCreated", "SeedingStarted"]
        assert world.maker.made == 1


class TestFailure:
    def test_of_a_missing_recording_is_said_once(self, world):
        del world.recordings.objects[KEY]
        for _ in range(3):
            world.seeder.handle(uploaded())
        assert world.said() == ["TorrentFailed"]
        assert world.last().code == "missing"
        assert KEY in world.last().detail

    def test_of_another_size_is_said(self, world):
        world.seeder.handle(uploaded(size=999))
        assert (world.last().code, world.maker.made) == ("changed", 0)

    def test_of_an_empty_recording_is_said(self, world):
        world.recordings.objects[KEY] = b""
        world.seeder.handle(uploaded(size=0))
        assert world.last().code == "empty"

    def test_of_a_name_that_clients_would_change_is_said(self, world):
        bad = uploaded()
        data = bad.data.model_copy(update={"key": "recordings/what?.mkv"})
        world.seeder.handle(bad.model_copy(update={"data": data}))
        assert world.last().code == "bad_name"

    def test_of_the_maker_is_said_in_its_words(self, world):
        world.maker.problem = CannotMake("unreadable", "The disk is broken.")
        world.seeder.handle(uploaded())
        assert (world.last().code, world.last().detail) == ("unreadable", "The disk is broken.")

    def test_is_mended_by_a_later_upload(self, world):
        del world.recordings.objects[KEY]
        world.seeder.handle(uploaded())
        world.recordings.objects[KEY] = b"x" * 1000
        world.seeder.handle(uploaded(attempt=2))
        assert world.said() == ["TorrentFailed", "TorrentCreated", "SeedingStarted"]

    def test_of_the_store_to_answer_lets_the_event_come_again(self, world):
        world.recordings.trouble = Retry("the store is away")
        with pytest.raises(Retry):
            world.seeder.handle(uploaded())
        assert world.said() == []

    def test_of_the_engine_to_answer_is_left_to_the_reconciler(self, world):
        world.engine.down = True
        world.seeder.handle(uploaded())
        assert (world.said(), world.left_over) == (["TorrentCreated"], 1)
        world.engine.down = False
        world.reconcile()
        assert world.said() == ["TorrentCreated", "SeedingStarted"]

    def test_of_the_first_check_is_said(self, world):
        world.engine.refuses = True
        world.seeder.handle(uploaded())
        assert world.said() == ["TorrentCreated", "TorrentFailed"]
        assert (world.last().code, world.last().detail) == ("refused", "the pieces differ")

    def test_to_be_alone_decides_again(self, world):
        other = uploaded(attempt=2)

        def somebody_is_quicker():
            world.maker.meanwhile = lambda: None
            world.seeder.handle(other)

        world.maker.meanwhile = somebody_is_quicker
        world.seeder.handle(uploaded())
        assert world.said() == ["TorrentCreated", "SeedingStarted"]


class TestRecordingDeleted:
    def test_ends_the_seeding_and_removes_the_torrent_files(self, world):
        world.seeder.handle(uploaded())
        del world.recordings.objects[KEY]
        for _ in range(3):
            world.seeder.handle(deleted())
        assert world.said() == ["TorrentCreated", "SeedingStarted", "SeedingStopped"]
        assert (world.last().why, world.last().detail) == ("deleted", "asked")
        assert world.recordings.objects == {}
        assert world.engine.has == {}
        assert world.tracker.allowed == set()

    def test_removes_what_stands_beside_also_where_there_is_no_torrent(self, world):
        world.recordings.objects[f"{KEY}.manifest.json"] = b"{}"
        with pytest.raises(Ignore):
            world.seeder.handle(deleted())
        assert f"{KEY}.manifest.json" in world.recordings.objects, "it was recorded again"
        del world.recordings.objects[KEY]
        with pytest.raises(Ignore):
            world.seeder.handle(deleted())
        assert world.recordings.objects == {}

    def test_is_final(self, world):
        world.seeder.handle(uploaded())
        world.seeder.handle(deleted())
        world.seeder.handle(uploaded())
        world.reconcile()
        assert world.seed().state is State.STOPPED
        assert world.engine.has == {}

    def test_is_recorded_also_after_the_recording_was_missed(self, world):
        world.seeder.handle(uploaded())
        del world.recordings.objects[KEY]
        world.reconcile()
        world.seeder.handle(deleted())
        assert [one.data.why for one in world.history()[2:]] == ["missing", "deleted"]

    def test_comes_again_until_the_engine_has_forgotten(self, world):
        world.seeder.handle(uploaded())
        world.engine.down = True
        with pytest.raises(Retry):
            world.seeder.handle(deleted())
        world.engine.down = False
        world.seeder.handle(deleted())
        assert world.engine.has == {}
        assert world.said().count("SeedingStopped") == 1

    def test_told_again_from_the_past_leaves_a_newer_recording_alone(self, world):
        world.seeder.handle(uploaded())
        world.seeder.handle(deleted())
        world.recordings.objects[KEY] = b"y" * 1000
        world.seeder.handle(uploaded("cd" * 32, attempt=2))
        with pytest.raises(Ignore):
            world.seeder.handle(deleted())
        assert world.seed().state is State.SEEDING

    def test_of_what_has_no_torrent_is_ignored(self, world):
        with pytest.raises(Ignore):
            world.seeder.handle(deleted())
        world.seeder.handle(uploaded())
        with pytest.raises(Ignore):
            world.seeder.handle(deleted("recordings/other.mkv"))


class TestOtherEvents:
    def test_are_ignored(self, world):
        requested = JobRequested(url="http://a/b", key=KEY, filename="b.mkv")
        with pytest.raises(Ignore, match="JobRequested"):
            world.seeder.handle(event(requested, stream=f"portal/{JOB}", sequence=1))
