"""Read models beside that of jobs as the API shows them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar

from chronicle_contracts import recorder as r
from rest_framework import serializers

from portal.api.jobs import part
from portal.projections.models import Recording, Torrent
from portal.projections.summaries import DayTotal


class RecordingSerializer(serializers.ModelSerializer[Recording]):
    """A recording that was delivered, and how complete it is."""

    job = serializers.CharField(source="job_id")
    checksum = part(r.Checksum)(read_only=True)
    media = part(r.MediaInfo)(read_only=True)
    completeness = part(r.Completeness)(read_only=True)
    gaps = serializers.ListField(child=part(r.Gap)(), read_only=True)

    class Meta:
        model = Recording
        fields: ClassVar[list[str]] = [
            *("job", "title", "site", "key", "size", "duration", "losses", "score"),
            *("missing_seconds", "verified", "manifest_key", "end", "attempts", "started_at"),
            *("ended_at", "uploaded_at", "deleted_at", "checksum", "media", "gaps"),
            "completeness",
        ]
        read_only_fields = fields


class TorrentSerializer(serializers.ModelSerializer[Torrent]):
    """The torrent of a recording, and how its seeding goes."""

    job = serializers.CharField(source="job_id")
    trackers = serializers.ListField(child=serializers.CharField(), read_only=True)
    web_seeds = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Torrent
        fields: ClassVar[list[str]] = [
            *("job", "state", "info_hash", "name", "recording_key", "key", "magnet", "size"),
            *("piece_length", "trackers", "web_seeds", "engine", "uploaded", "ratio", "peers"),
            *("created_at", "seeding_since", "stopped_at", "why_stopped", "heard_at"),
            *("error_code", "error_detail"),
        ]
        read_only_fields = fields


class TotalsQuery(serializers.Serializer[Any]):
    """Which days of UTC, both included."""

    since = serializers.DateField(required=False)
    until = serializers.DateField(required=False)
    limit = serializers.IntegerField(default=100, min_value=1, max_value=400)


class DayTotalSerializer(serializers.Serializer[DayTotal]):
    """What ended on a day."""

    day = serializers.DateField()
    recordings = serializers.IntegerField()
    hours = serializers.SerializerMethodField()
    seconds = serializers.FloatField()
    bytes = serializers.IntegerField()
    failures = serializers.DictField(
        child=serializers.IntegerField(), help_text="jobs that ended without a recording, by code"
    )

    def get_hours(self, total: DayTotal) -> float:
        """Return the media in hours."""
        return round(total.seconds / 3600, 3)


class TotalsSerializer(serializers.Serializer[Any]):
    """Days on which something ended, the newest first."""

    next = serializers.URLField(allow_null=True)
    results = DayTotalSerializer(many=True)


class OpenRunSerializer(serializers.Serializer[Any]):
    """A run that goes on, as its newest heartbeat told."""

    job = serializers.CharField(source="job_id")
    run = serializers.CharField(source="run_id", allow_null=True)
    attempt = serializers.IntegerField(allow_null=True)
    phase = serializers.CharField(allow_null=True)
    media_seconds = serializers.FloatField(allow_null=True)
    heartbeat_at = serializers.DateTimeField(allow_null=True)
    silent = serializers.BooleanField()


class ServiceSerializer(serializers.Serializer[Any]):
    """How a publisher is."""

    publisher = serializers.CharField()
    heard_at = serializers.DateTimeField(allow_null=True, help_text="by its own clock")
    jobs = serializers.IntegerField(help_text="of which it said something")
    events = serializers.IntegerField()
    open_runs = serializers.IntegerField()
    owing = serializers.IntegerField(help_text="jobs that wait for a word of it")
    owes_since = serializers.DateTimeField(allow_null=True, help_text="the oldest of them")
    silent = serializers.BooleanField(help_text="one of them waits for more than 90 s")
    runs = OpenRunSerializer(many=True)


class ServiceList(serializers.Serializer[Any]):
    """All publishers."""

    results = ServiceSerializer(many=True)


class FieldChangeSerializer(serializers.Serializer[Any]):
    """A field of the job that an event changed; null where it was or is not there."""

    field = serializers.CharField(help_text="its path, e.g. recording.size")
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the three."""
        return asdict(instance)


class EventChangeSerializer(serializers.Serializer[Any]):
    """An event, or progress that followed progress, and what it changed."""

    position = serializers.IntegerField(help_text="in the log; of a stretch, its newest event's")
    first_position = serializers.IntegerField(help_text="of a stretch, its first event's")
    at = serializers.DateTimeField()
    type = serializers.CharField()
    stream = serializers.CharField()
    sequence = serializers.IntegerField()
    what = serializers.CharField()
    detail = serializers.CharField(allow_null=True)
    events = serializers.IntegerField(help_text="how many: heartbeats come as one stretch")
    changes = FieldChangeSerializer(many=True)


class ChangesQuery(serializers.Serializer[Any]):
    """Which part of a long history."""

    offset = serializers.IntegerField(default=0, min_value=0, max_value=2**31)
    limit = serializers.IntegerField(default=200, min_value=1, max_value=1000)


class ChangesSerializer(serializers.Serializer[Any]):
    """A job's history in canonical order, oldest first, with what each event changed."""

    next = serializers.URLField(allow_null=True)
    results = EventChangeSerializer(many=True)
