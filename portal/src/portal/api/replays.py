"""Replay tooling as the API takes and shows it."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from portal.api.fields import StrictSerializer
from portal.eventlog.models import QuarantinedMessage
from portal.replay.gaps import Gap
from portal.replay.models import Replay

VERBS = ("rebuild", "verify", "swap", "rollback", "replay", "export", "import")


class ReplaySerializer(serializers.ModelSerializer[Replay]):
    """What somebody did with the log, and how far it is."""

    parameters = serializers.DictField(read_only=True)
    counts = serializers.DictField(child=serializers.IntegerField(), read_only=True)
    items = serializers.ListField(child=serializers.DictField(), read_only=True)

    class Meta:
        model = Replay
        fields: ClassVar[list[str]] = [
            *("id", "verb", "requested_by", "parameters", "started_at", "updated_at"),
            *("finished_at", "done", "total", "counts", "items", "left", "outcome", "error"),
        ]
        read_only_fields = fields


class ReportSerializer(serializers.Serializer[Any]):
    """What a verb did."""

    verb = serializers.CharField()
    dry_run = serializers.BooleanField()
    record = serializers.UUIDField(allow_null=True, help_text="null where nothing was changed")
    counts = serializers.DictField(child=serializers.IntegerField())
    left = serializers.IntegerField(help_text="how many could not be done")
    items = serializers.ListField(child=serializers.DictField(), help_text="the first thousand")


class ReplayOrder(StrictSerializer):
    """Which verb, with what; the fields from `to` on are for the verb replay."""

    file = serializers.CharField(
        required=False, help_text="export, import: which of `/exports`, e.g. log.jsonl"
    )

    verb = serializers.ChoiceField(choices=VERBS)
    dry_run = serializers.BooleanField(default=False)
    fresh = serializers.BooleanField(default=False, help_text="rebuild: give up one under way")
    projections = serializers.ListField(
        child=serializers.CharField(), default=list, help_text="rebuild, verify: only these"
    )
    to = serializers.CharField(required=False, help_text="the consumer, e.g. seeder")
    types = serializers.ListField(child=serializers.CharField(), default=list)
    jobs = serializers.ListField(child=serializers.CharField(), default=list)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    everything = serializers.BooleanField(default=False)
    rate = serializers.FloatField(required=False, min_value=0.001)
    force = serializers.BooleanField(
        default=False, help_text="the consumer does again what it has done already"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A replay goes to somebody, an export into a file."""
        if attrs["verb"] == "replay" and "to" not in attrs:
            raise serializers.ValidationError({"to": "say whose queue the events are for"})
        if attrs["verb"] in {"export", "import"} and "file" not in attrs:
            raise serializers.ValidationError({"file": "name the file, e.g. log.jsonl"})
        return attrs


class DryRunOrder(StrictSerializer):
    """Do it, or only say what would be done."""

    dry_run = serializers.BooleanField(default=False)


class RepairOrder(DryRunOrder):
    """Of which jobs (none: of all)."""

    jobs = serializers.ListField(child=serializers.CharField(), default=list)


class AskOrder(DryRunOrder):
    """Which stream, and which events of it; by default what comes after what was heard."""

    stream = serializers.CharField()
    from_sequence = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    to_sequence = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)


class ReasonOrder(DryRunOrder):
    """Why."""

    reason = serializers.CharField()


class AcceptOrder(ReasonOrder):
    """Which stream is taken for whole."""

    stream = serializers.CharField()


class SkipOrder(ReasonOrder):
    """Which event; by default the one that parks the job."""

    position = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    projection = serializers.CharField(
        required=False, help_text="only in its folds, or in `all`; by default those that it parks"
    )


class RedriveOrder(DryRunOrder):
    """Which messages (none: all), how many a second."""

    messages = serializers.ListField(child=serializers.CharField(), default=list)
    rate = serializers.FloatField(required=False, min_value=0.001)


class DropLetterOrder(ReasonOrder):
    """Which message."""

    message = serializers.CharField()


class StreamGapSerializer(serializers.Serializer[Gap]):
    """What a stream lacks."""

    kind = serializers.ChoiceField(choices=("hole", "tail", "unheard", "own"))
    stream = serializers.CharField()
    job = serializers.CharField(source="job_id")
    missing = serializers.CharField(source="shown", help_text="sequences: `3-5, 9, 12...`")
    repair = serializers.CharField(source="source", help_text="where the events may be had")


class GapList(serializers.Serializer[Any]):
    """All gaps."""

    results = StreamGapSerializer(many=True)


class ParkedSerializer(serializers.Serializer[Any]):
    """A projection of a job that is parked, with the event that is to blame."""

    job = serializers.CharField()
    projection = serializers.CharField(help_text="`all` where the history cannot be read")
    parked_at = serializers.DateTimeField()
    position = serializers.IntegerField(allow_null=True)
    type = serializers.CharField(allow_null=True)
    error = serializers.CharField()


class ParkedList(serializers.Serializer[Any]):
    """All parked jobs."""

    results = ParkedSerializer(many=True)


class QuarantinedSerializer(serializers.ModelSerializer[QuarantinedMessage]):
    """A message that could not enter the log."""

    attributes = serializers.DictField(read_only=True)

    class Meta:
        model = QuarantinedMessage
        fields: ClassVar[list[str]] = [
            *("id", "reason", "detail", "body", "attributes", "times", "received_at"),
            *("released_at", "dropped_at", "dropped_because", "handled_by"),
        ]
        read_only_fields = fields


class QueueDepth(serializers.Serializer[Any]):
    """How many dead letters a queue has."""

    queue = serializers.CharField()
    visible = serializers.IntegerField()
    in_flight = serializers.IntegerField()
    delayed = serializers.IntegerField()


class QueueDepths(serializers.Serializer[Any]):
    """The dead letters of all queues."""

    results = QueueDepth(many=True)


class DeadLetterSerializer(serializers.Serializer[Any]):
    """A message that a consumer could not handle."""

    message = serializers.CharField(help_text="its id, for redrive and drop")
    job = serializers.CharField(allow_null=True)
    type = serializers.CharField(allow_null=True)
    event = serializers.UUIDField(allow_null=True)
    reason = serializers.CharField()


class DeadLetterList(serializers.Serializer[Any]):
    """Dead letters of a queue; of a FIFO group the first ten."""

    results = DeadLetterSerializer(many=True)
