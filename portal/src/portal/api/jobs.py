"""Jobs and their events as the API shows them."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portal.eventlog.models import LoggedEvent
from portal.jobs import state
from portal.jobs.models import Job


def part(shape: Any) -> type[serializers.JSONField]:
    """Return a field that passes a part of the state through; the schema has its shape."""

    @extend_schema_field(shape)
    class Part(serializers.JSONField):
        pass

    return Part


class JobSerializer(serializers.ModelSerializer[Job]):
    """A job as lists show it."""

    waiting = part(state.Waiting)(read_only=True, allow_null=True)
    progress = part(state.Progress)(read_only=True, allow_null=True)
    recording = part(state.Recording)(read_only=True, allow_null=True)
    torrent = part(state.Torrent)(read_only=True, allow_null=True)
    error = part(state.JobError)(read_only=True, allow_null=True)

    class Meta:
        model = Job
        fields: ClassVar[list[str]] = [
            "id",
            "url",
            "status",
            "title",
            "site",
            "filename",
            "key",
            "quality",
            "live_from_start",
            "audio_only",
            "max_height",
            "max_duration",
            "start_at",
            "stop_mode",
            "requested_at",
            "requested_by",
            "launched_at",
            "started_at",
            "ended_at",
            "completed_at",
            "updated_at",
            "attempt",
            "waiting",
            "progress",
            "recording",
            "losses",
            "torrent",
            "error",
            "position",
        ]
        read_only_fields = fields


class MilestoneSerializer(serializers.Serializer[Any]):
    """A line of a job's timeline."""

    at = serializers.DateTimeField()
    type = serializers.CharField(help_text="event type, e.g. chronicle.recorder.Uploaded.v2")
    what = serializers.CharField(help_text="a few words for people")
    detail = serializers.CharField(allow_null=True)
    position = serializers.IntegerField(help_text="of the event in the log")


class JobDetailSerializer(JobSerializer):
    """A job with its timeline; heartbeats are not in it."""

    timeline = MilestoneSerializer(many=True, read_only=True)

    class Meta(JobSerializer.Meta):
        fields: ClassVar[list[str]] = [*JobSerializer.Meta.fields, "timeline"]
        read_only_fields = fields


class LoggedEventSerializer(serializers.ModelSerializer[LoggedEvent]):
    """An event of the log: its place, when it was heard, and the CloudEvent as it came."""

    event = serializers.SerializerMethodField()

    class Meta:
        model = LoggedEvent
        fields: ClassVar[list[str]] = ["position", "received_at", "event"]

    def get_event(self, row: LoggedEvent) -> dict[str, Any]:
        """Return the envelope."""
        envelope: dict[str, Any] = json.loads(row.envelope)
        return envelope
