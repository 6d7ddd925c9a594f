"""One well-filled example of every event: the messages that the golden files are made of."""

from __future__ import annotations

from datetime import UTC, datetime

from chronicle_contracts import Event, Fact, naming, superseded
from chronicle_contracts import dispatcher as d
from chronicle_contracts import portal as p
from chronicle_contracts import recorder as r
from chronicle_contracts import seeder as s

JOB = "concert-2026"
RUN = naming.run_id(JOB, 1)
NOON = datetime(2026, 5, 17, 12, 0, 0, 250_000, tzinfo=UTC)
KEY = naming.recording_key(JOB, "Concert in the Park.mkv", NOON)
INFO_HASH = "0123456789abcdef0123456789abcdef01234567"
MEDIA = r.MediaInfo(video_codec="h264", audio_codec="aac", width=1920, height=1080, fps=50.0)
GAP = r.Gap(cause="segment_404", seconds=6.0, at_media_seconds=61.5, at=NOON)
RUN_FIELDS = {"run_id": RUN, "attempt": 1}

FACTS: tuple[Fact, ...] = (
    p.JobRequested(
        url="https://example.org/live.m3u8",
        key=KEY,
        filename="concert.mkv",
        quality="bv*[height<=1080]+ba/b",
        live_from_start=True,
        max_duration=5400.0,
        start_at=NOON,
        requested_by="archivist",
        credentials="archive-account",
        audio_only=False,
        max_height=1080,
    ),
    p.StopRequested(mode="discard", requested_by="archivist"),
    p.JobExtended(max_duration=7200.0, requested_by="archivist"),
    p.RetryRequested(requested_by="archivist"),
    p.RecordingDeleted(key=KEY, reason="retention", requested_by=None),
    d.JobAccepted(title="Concert", site="generic", live_status="live", protocol="hls"),
    d.JobRejected(code="no_stream", detail="The page was read but holds no stream."),
    d.JobDeferred(
        reason="capacity", until=NOON, title="Concert", detail="All places are taken.", place=2
    ),
    d.RecorderLaunched(
        run_id=RUN, attempt=1, launcher="process", reference="4711:9000", deliver_only=True
    ),
    d.LaunchFailed(run_id=RUN, attempt=1, launcher="process", code="no_memory", detail="Full."),
    d.RecorderLost(run_id=RUN, attempt=1, reason="silent", detail="No media for 90 s."),
    d.JobAbandoned(code="too_many_attempts", detail="Five recorders were lost.", attempts=5),
    r.RecordingStarted(
        **RUN_FIELDS,
        key=KEY,
        protocol="hls",
        format="1080p50",
        title="Concert",
        media=MEDIA,
        start_gap=1.25,
        programme_time=NOON,
    ),
    r.Heartbeat(
        **RUN_FIELDS,
        phase="RECORDING",
        bytes_recorded=12_582_912,
        bytes_durable=8_388_608,
        media_seconds=20.5,
        bitrate=4_910_404.0,
        free_disk=53_687_091_200,
        restarts=1,
    ),
    r.CaptureInterrupted(**RUN_FIELDS, cause="stalled", detail="No answer.", media_seconds=61.5),
    r.CaptureResumed(**RUN_FIELDS, after=5.5, media_seconds=61.5),
    r.GapFound(**RUN_FIELDS, gap=GAP),
    r.RecordingEnded(**RUN_FIELDS, why="ended", detail="The end mark came.", media_seconds=5399.0),
    superseded.UploadedV1(
        **RUN_FIELDS,
        key=KEY,
        size=2_147_483_648,
        checksum=r.Checksum(algorithm="sha256", value="ab" * 32),
        etag="d41d8cd98f00b204e9800998ecf8427e-128",
        duration=5399.02,
        media=MEDIA,
        gaps=(GAP,),
    ),
    r.RecordingFailed(
        **RUN_FIELDS,
        code="stream_never_started",
        detail="No media came within 60 s.",
        log_tail="...",
        saved_bytes=0,
        saved_key=None,
    ),
    s.TorrentCreated(
        recording_key=KEY,
        content=f"sha256:{'5e' * 32}",
        key=naming.torrent_key(KEY),
        info_hash=INFO_HASH,
        magnet=f"magnet:?xt=urn:btih:{INFO_HASH}",
        name="Concert-in-the-Park.mkv",
        size=2_147_483_648,
        piece_length=4_194_304,
        trackers=("udp://203.0.113.7:6969/announce",),
        web_seeds=("https://chronicle.example.org/webseed/0/recording.mkv",),
    ),
    s.SeedingStarted(info_hash=INFO_HASH, engine="transmission"),
    s.SeedingProgress(info_hash=INFO_HASH, uploaded=4_294_967_296, ratio=2.0, peers=3),
    s.SeedingStopped(info_hash=INFO_HASH, why="ratio", detail="Ratio 2.0 was reached."),
    s.TorrentFailed(recording_key=KEY, code="missing", detail="The object is gone."),
    r.Uploaded(
        **RUN_FIELDS,
        key=KEY,
        size=2_147_483_648,
        checksum=r.Checksum(algorithm="sha256", value="ab" * 32),
        etag="d41d8cd98f00b204e9800998ecf8427e-128",
        duration=5399.02,
        media=MEDIA,
        gaps=(GAP,),
        completeness=r.Completeness(
            score=0.9989,
            wall_seconds=5405.0,
            missing_seconds=6.0,
            start_delay=1.25,
            drift=0.02,
            segments_expected=2703,
            segments_kept=2700,
            verified=True,
        ),
        manifest_key=f"{KEY}.manifest.json",
    ),
    p.RepeatRequested(
        stream=naming.seeder_stream(JOB), from_sequence=3, to_sequence=5, requested_by="archivist"
    ),
)


def message(fact: Fact) -> Event:
    """Return the fact in a complete envelope."""
    publisher = fact.TYPE.split(".")[1]
    stream = {
        "portal": naming.portal_stream(JOB),
        "dispatcher": naming.dispatcher_stream(JOB),
        "recorder": naming.recorder_stream(RUN),
        "seeder": naming.seeder_stream(JOB),
    }[publisher]
    return Event.of(
        fact,
        source=f"/{publisher}",
        job_id=JOB,
        stream=stream,
        sequence=FACTS.index(fact) + 1,
        time=NOON,
    )
