"""Tables of the event log, its quarantine, and the portal's own event store."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class LoggedEvent(models.Model):
    """One event as it came; never changed, never deleted.

    `position` is the order of arrival. It has holes (a database may burn numbers), so what is
    missing is looked for by stream and sequence, never by position.
    """

    position = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField(unique=True)
    stream = models.CharField(max_length=255)
    sequence = models.BigIntegerField()
    job_id = models.CharField(max_length=64)
    type = models.CharField(max_length=255, db_index=True)
    source = models.CharField(max_length=255)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(db_index=True)
    sealed = models.BooleanField(default=False)
    progress = models.BooleanField(default=False)
    envelope = models.TextField()

    class Meta:
        verbose_name = "event"
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["stream", "sequence"], name="logged_event_place_in_stream"
            ),
        ]
        # The first serves a job's history. By the others a refold passes over the thousands of
        # heartbeats of a long recording and finds the newest of each stream.
        indexes: ClassVar = [
            models.Index(fields=["job_id", "position"], name="logged_event_of_job"),
            models.Index(
                fields=["job_id"],
                condition=models.Q(progress=False),
                name="logged_event_milestones",
            ),
            models.Index(fields=["stream", "type", "sequence"], name="logged_event_newest"),
        ]

    def __str__(self) -> str:
        """Name the event by its place."""
        return f"{self.type} {self.stream}#{self.sequence}"


class StreamCursor(models.Model):
    """How far a stream was heard: without holes, at all, and where it ends if it has ended."""

    stream = models.CharField(max_length=255, primary_key=True)
    job_id = models.CharField(max_length=64, db_index=True)
    contiguous = models.BigIntegerField(default=0)
    highest = models.BigIntegerField(default=0)
    sealed_at_sequence = models.BigIntegerField(null=True, blank=True)
    # Where a stream without a seal ends all the same: a recorder that was killed says no last
    # word. Its journal tells, or a person does.
    ended_at_sequence = models.BigIntegerField(null=True, blank=True)
    ended_by = models.CharField(max_length=255, blank=True)

    class Meta:
        verbose_name = "stream"

    def __str__(self) -> str:
        """Name the stream."""
        return self.stream

    @property
    def has_gap(self) -> bool:
        """True while an event below the highest one is missing."""
        return self.contiguous < self.highest

    @property
    def is_complete(self) -> bool:
        """True when the last event and everything before it was heard."""
        last = (
            self.ended_at_sequence if self.sealed_at_sequence is None else self.sealed_at_sequence
        )
        return last is not None and self.contiguous >= last


class QuarantinedMessage(models.Model):
    """A message that could not enter the log; kept whole for people to look at."""

    class Reason(models.TextChoices):
        """Why a message was put aside."""

        MALFORMED = "malformed", "not a Chronicle event"
        CONFLICT = "conflict", "another event has its id or its place in the stream"
        UNFIT = "unfit", "a name or number does not fit the log"

    reason = models.CharField(max_length=32, choices=Reason.choices, db_index=True)
    detail = models.TextField()
    body = models.TextField()
    attributes = models.JSONField(default=dict)
    # A message that is delivered again is counted here and not kept a second time.
    fingerprint = models.CharField(max_length=64, unique=True, editable=False)
    times = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField(db_index=True)
    released_at = models.DateTimeField(null=True, blank=True)
    dropped_at = models.DateTimeField(null=True, blank=True)
    dropped_because = models.TextField(blank=True)
    handled_by = models.CharField(max_length=255, blank=True)

    class Meta:
        verbose_name = "quarantined message"
        ordering: ClassVar = ["-received_at"]

    def __str__(self) -> str:
        """Say why it is here."""
        return f"{self.reason}: {self.detail}"

    @property
    def is_open(self) -> bool:
        """True until somebody has decided what becomes of it."""
        return self.released_at is None and self.dropped_at is None


class ParkedJob(models.Model):
    """A projection of a job that could not be folded: it stands still, all others go on.

    `projection` is empty where the history cannot even be read, which concerns all of them.
    `position` is the event at which the fold fails, where it is a single one. Later events of
    the job are in the log and wait behind it.
    """

    job_id = models.CharField(max_length=64, db_index=True)
    projection = models.CharField(max_length=40, blank=True)
    position = models.BigIntegerField(null=True, blank=True)
    error = models.TextField()
    traceback = models.TextField(blank=True)
    parked_at = models.DateTimeField()

    class Meta:
        verbose_name = "parked job"
        ordering: ClassVar = ["parked_at", "job_id", "projection"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["job_id", "projection"], name="parked_job_of_projection"
            ),
        ]

    def __str__(self) -> str:
        """Name the job."""
        return self.job_id


class SkippedEvent(models.Model):
    """A mark: folds pass this event of the log over, because a person said so.

    Those of `projections`, or all of them where that is empty.
    """

    position = models.BigIntegerField(primary_key=True)
    job_id = models.CharField(max_length=64, db_index=True)
    type = models.CharField(max_length=255)
    occurred_at = models.DateTimeField()
    reason = models.TextField()
    projections = models.JSONField(default=list, blank=True)
    skipped_by = models.CharField(max_length=255, blank=True)
    skipped_at = models.DateTimeField()

    class Meta:
        verbose_name = "skipped event"
        ordering: ClassVar = ["-skipped_at"]

    def __str__(self) -> str:
        """Name the event."""
        return f"{self.type} at {self.position}"


class StoredEvent(models.Model):
    """The portal's own event store, and with it its outbox (`id` is the notification id)."""

    id = models.BigAutoField(primary_key=True)
    originator_id = models.CharField(max_length=255)
    originator_version = models.BigIntegerField()
    topic = models.CharField(max_length=255)
    state = models.BinaryField()

    class Meta:
        verbose_name = "stored event"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["originator_id", "originator_version"], name="stored_event_version"
            ),
        ]

    def __str__(self) -> str:
        """Name the event by its place."""
        return f"{self.topic} {self.originator_id}#{self.originator_version}"


class RelayPosition(models.Model):
    """How far the outbox was published to one incarnation of the topic."""

    name = models.CharField(max_length=255, primary_key=True)
    notification_id = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = "relay position"

    def __str__(self) -> str:
        """Name the upstream and how far it was read."""
        return f"{self.name}: {self.notification_id}"
