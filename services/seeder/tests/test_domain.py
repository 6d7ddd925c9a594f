"""Decisions: pieces, limits, counting."""

from datetime import timedelta

import pytest
from chronicle_contracts.recorder import Uploaded
from chronicle_contracts.seeder import (
    SeedingProgress,
    SeedingStarted,
    SeedingStopped,
    TorrentCreated,
)
from seeder.domain.content import content_of
from seeder.domain.meter import Meter
from seeder.domain.pieces import MIB, piece_length
from seeder.domain.policy import Limits
from seeder.domain.seed import Seed, State

from services.seeder.tests.cast import JOB, KEY, NOON, uploaded

GB = 1_000_000_000
HASH = "a" * 40


def torrent(size: int = 1000, info_hash: str = HASH, content: str = "sha256:ab") -> TorrentCreated:
    return TorrentCreated(
        recording_key=KEY,
        content=content,
        key=f"{KEY}.torrent",
        info_hash=info_hash,
        magnet="magnet:",
        name="talk.mkv",
        size=size,
        piece_length=MIB,
    )


def given(*facts, job: str = JOB, at=NOON) -> Seed:
    seed = Seed.at_stream(Seed.stream(job), job, NOON)
    for fact in facts:
        seed.record(fact, at=at)
    seed.collect_events()
    return seed


def seeding(job: str = JOB, *, size: int = 1000, at=NOON) -> Seed:
    return given(torrent(size), SeedingStarted(info_hash=HASH, engine="libtorrent"), job=job, at=at)


class TestPieceLength:
    @pytest.mark.parametrize(
        ("size", "expected"),
        [(1, 1), (GB - 1, 1), (GB, 4), (10 * GB - 1, 4), (10 * GB, 8), (5000 * GB, 8)],
    )
    def test_grows_with_the_recording(self, size, expected):
        assert piece_length(size) == expected * MIB


class TestContent:
    def test_is_named_by_its_checksum(self):
        fact = uploaded("cd" * 32).data
        assert isinstance(fact, Uploaded)
        assert content_of(fact) == f"sha256:{'cd' * 32}"


class TestMeter:
    def test_adds_up_the_lives_of_an_engine_that_forgets(self):
        meter = Meter.begin(known=500, reading=0).read(100).read(40)
        assert meter.total == 640

    def test_believes_an_engine_that_remembers(self):
        assert Meter.begin(known=500, reading=500).read(700).total == 700


class TestSeed:
    def test_starts_once(self):
        seed = seeding()
        seed.start("libtorrent", at=NOON)
        assert not seed.pending_events

    def test_does_not_start_before_there_is_a_torrent(self):
        seed = given()
        seed.start("libtorrent", at=NOON)
        assert seed.state is State.EMPTY

    def test_does_not_start_again_after_a_limit_stopped_it(self):
        stopped = SeedingStopped(info_hash=HASH, why="ratio")
        seed = given(torrent(), SeedingStarted(info_hash=HASH, engine="libtorrent"), stopped)
        seed.start("libtorrent", at=NOON)
        assert seed.state is State.STOPPED

    def test_stops_once(self):
        seed = seeding()
        seed.stop("age", at=NOON)
        seed.stop("ratio", at=NOON)
        assert len(seed.pending_events) == 1
        assert seed.why_stopped == "age"

    def test_keeps_the_hashes_that_were_replaced(self):
        seed = given(torrent(), torrent(info_hash="b" * 40, content="sha256:cd"))
        assert seed.replaced == {HASH}

    def test_counts_what_was_sent_of_the_torrent_that_there_is(self):
        sent = SeedingProgress(info_hash=HASH, uploaded=500, ratio=0.5, peers=1)
        seed = given(torrent(), SeedingStarted(info_hash=HASH, engine="libtorrent"), sent)
        assert seed.uploaded == 500
        seed.record(torrent(info_hash="b" * 40, content="sha256:cd"), at=NOON)
        assert seed.uploaded == 0


class TestLimits:
    def test_without_any_nothing_is_stopped(self):
        seed = seeding()
        assert Limits().why_to_stop(seed, NOON + timedelta(days=10_000)) is None
        assert Limits().over_total([seed]) == []

    @pytest.mark.parametrize(("sent", "expected"), [(1999, None), (2000, "ratio")])
    def test_of_ratio_count_times_its_size(self, sent, expected):
        seed = seeding()
        seed.progress(sent, 1, at=NOON)
        assert Limits(ratio=2.0).why_to_stop(seed, NOON) == expected

    def test_of_idleness_count_from_the_last_byte_that_was_sent(self):
        limits, seed = Limits(idle=timedelta(days=7)), seeding()
        seed.progress(10, 1, at=NOON + timedelta(days=5))
        assert limits.why_to_stop(seed, NOON + timedelta(days=11)) is None
        assert limits.why_to_stop(seed, NOON + timedelta(days=12)) == "idle"

    def test_of_age_count_from_the_first_start(self):
        limits, seed = Limits(age=timedelta(days=7)), seeding()
        seed.stop("missing", at=NOON + timedelta(days=5))
        seed.start("libtorrent", at=NOON + timedelta(days=6))
        assert limits.why_to_stop(seed, NOON + timedelta(days=7)) == "age"

    def test_of_total_size_stop_what_moved_longest_ago(self):
        old, young = seeding("old"), seeding("young", at=NOON + timedelta(days=1))
        assert Limits(total_bytes=1500).over_total([young, old]) == [old]
        assert Limits(total_bytes=2000).over_total([young, old]) == []

    def test_never_stop_what_is_pinned(self):
        old, young = seeding("old"), seeding("young", at=NOON + timedelta(days=1))
        limits = Limits(age=timedelta(days=1), total_bytes=1500, pinned=frozenset({"old"}))
        assert limits.over_total([young, old]) == [young]
        assert limits.why_to_stop(old, NOON + timedelta(days=2)) is None
