"""The manifest of a real recording, held against what its origin served."""

import hashlib
import json
import tracemalloc
from datetime import datetime, timedelta

import pytest
from chronicle_contracts.recorder import Completeness, Uploaded
from chronicle_storage import StorageSettings, open_store
from recorder.adapters.keeping.manifest import StoredManifest
from recorder.adapters.keeping.segments import SegmentLog
from recorder.domain.segment import DateRange, Segment
from recorder.domain.statement import Attempt, Statement

from services.recorder.tests.cast import NOON
from services.recorder.tests.process import NOWHERE, ffmpeg
from services.recorder.tests.test_completeness import delivery

MOST_MEMORY = 8 << 20  # bytes
TOOLS = {"chronicle", "python", "ffmpeg", "streamlink", "yt-dlp"}


def statement(**more):
    return Statement(
        job="gala",
        delivery=delivery(),
        gaps=(),
        completeness=Completeness(score=1.0, missing_seconds=0.0, verified=True),
        attempts=(Attempt("gala.1", 1, NOON, NOON + timedelta(seconds=9), "ended", 9.0),),
        why="ended",
        detail=None,
        ended_at=NOON + timedelta(seconds=9),
        **more,
    )


class TestManifest:
    @pytest.fixture
    def store(self, tmp_path):
        return open_store(StorageSettings(recordings=tmp_path / "recordings"))

    def written(self, store, tmp_path):
        log = SegmentLog(tmp_path)
        key = StoredManifest(store, log, ffmpeg(), work_dir=tmp_path).write(statement())
        return b"".join(store.read(key))

    def test_holds_segments_and_date_ranges_as_they_were_told(self, store, tmp_path):
        log = SegmentLog(tmp_path)
        log.keep(Segment(7, NOON, 2.0, 1000, "ab" * 32, programme_time=NOON))
        log.keep(Segment(8, NOON, 2.0, 900, "cd" * 32, discontinuity=True))
        log.tell(DateRange("ad-1", NOON, seconds=30.0, attributes={"X-AD": "1"}))
        made = json.loads(self.written(store, tmp_path))
        assert [one["sequence"] for one in made["segments"]] == [7, 8]
        assert made["segments"][1]["discontinuity"] is True
        assert made["dateranges"][0]["attributes"] == {"X-AD": "1"}
        assert made["started_at"] == NOON.isoformat()

    def test_needs_no_more_memory_for_two_days_than_for_a_minute(self, store, tmp_path):
        log = SegmentLog(tmp_path)
        line = Segment(1, NOON, 5.0, 1_000_000, "ab" * 32, programme_time=NOON)
        log.keep(line)
        path = tmp_path / "segments.jsonl"
        path.write_bytes(path.read_bytes() * 35_000)
        tracemalloc.start()
        try:
            made = self.written(store, tmp_path)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(json.loads(made)["segments"]) == 35_000
        # The test itself holds what it has read.
        assert peak - 2 * len(made) < MOST_MEMORY
        assert not (tmp_path / "manifest.json").exists()


class TestManifestOfARecording:
    def test_agrees_with_what_was_served_and_said(self, job, origin, segments):
        job.launch(**NOWHERE).until_recorded(6)
        origin.end()
        job.wait()
        uploaded = job.events()[-1].data
        assert isinstance(uploaded, Uploaded)
        made = json.loads((job.recordings / uploaded.manifest_key).read_text())
        assert (made["manifest"], made["job"], made["key"]) == (1, "gala", uploaded.key)

        kept = made["segments"]
        numbers = [one["sequence"] for one in kept]
        assert numbers == list(range(numbers[0], origin.newest + 1))
        for one in kept:
            served = segments[one["sequence"]]
            assert one["size"] == len(served)
            assert one["sha256"] == hashlib.sha256(served).hexdigest()
        assert sum(one["seconds"] for one in kept) == pytest.approx(uploaded.duration, abs=1)

        said = json.loads(uploaded.model_dump_json())
        for name in ("size", "checksum", "duration", "completeness", "gaps"):
            assert made[name] == said[name]
        assert said["completeness"]["segments_kept"] == len(kept)
        assert hashlib.sha256(job.recording.read_bytes()).hexdigest() == made["checksum"]["value"]
        assert (made["end"]["why"], made["troubles"]) == ("ended", [])
        [attempt] = made["attempts"]
        assert (attempt["run"], attempt["attempt"], attempt["why"]) == ("gala.1", 1, "ended")
        assert datetime.fromisoformat(made["started_at"]) < datetime.fromisoformat(made["ended_at"])
        assert made["tools"].keys() == TOOLS
        assert all(made["tools"].values())
