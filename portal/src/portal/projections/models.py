"""Read models beside that of jobs: written by their projections alone, read by API and admin.

No other table may refer to these: they are rebuilt from the log.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Recording(models.Model):
    """A recording that is whole in the store."""

    job_id = models.CharField(max_length=64, primary_key=True)
    title = models.TextField(blank=True, null=True)  # noqa: DJ001 (null: not known)
    site = models.TextField(blank=True, null=True)  # noqa: DJ001
    key = models.TextField()
    size = models.BigIntegerField(help_text="bytes")
    duration = models.FloatField(help_text="seconds")
    score = models.FloatField(help_text="share of the media that there was to record, 0 to 1")
    missing_seconds = models.FloatField()
    losses = models.BooleanField(db_index=True, help_text="something is missing")
    verified = models.BooleanField()
    manifest_key = models.TextField(blank=True, null=True)  # noqa: DJ001
    end = models.TextField(blank=True, null=True, help_text="why it ended")  # noqa: DJ001
    attempts = models.PositiveIntegerField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    uploaded_at = models.DateTimeField(db_index=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    # Shapes: the models of chronicle_contracts.recorder, as JSON.
    checksum = models.JSONField()
    media = models.JSONField()
    gaps = models.JSONField(default=list)
    completeness = models.JSONField()

    class Meta:
        verbose_name = "recording"
        ordering: ClassVar = ["-uploaded_at", "job_id"]

    def __str__(self) -> str:
        """Name the recording."""
        return self.title or self.key


class Torrent(models.Model):
    """A torrent of a recording."""

    job_id = models.CharField(max_length=64, primary_key=True)
    state = models.CharField(
        max_length=10,
        choices=[(one, one) for one in ("created", "seeding", "stopped", "failed")],
        db_index=True,
    )
    info_hash = models.CharField(max_length=40, null=True, blank=True, db_index=True)  # noqa: DJ001
    name = models.TextField(null=True, blank=True)  # noqa: DJ001
    recording_key = models.TextField(null=True, blank=True)  # noqa: DJ001
    key = models.TextField(null=True, blank=True)  # noqa: DJ001
    magnet = models.TextField(null=True, blank=True)  # noqa: DJ001
    size = models.BigIntegerField(null=True, blank=True)
    piece_length = models.BigIntegerField(null=True, blank=True)
    trackers = models.JSONField(default=list)
    web_seeds = models.JSONField(default=list)
    engine = models.TextField(null=True, blank=True)  # noqa: DJ001
    uploaded = models.BigIntegerField(null=True, blank=True, help_text="bytes sent to peers")
    ratio = models.FloatField(null=True, blank=True)
    peers = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(null=True, blank=True)
    seeding_since = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    why_stopped = models.TextField(null=True, blank=True)  # noqa: DJ001
    heard_at = models.DateTimeField(db_index=True)
    error_code = models.TextField(null=True, blank=True)  # noqa: DJ001
    error_detail = models.TextField(null=True, blank=True)  # noqa: DJ001

    class Meta:
        verbose_name = "torrent"
        ordering: ClassVar = ["-heard_at", "job_id"]

    def __str__(self) -> str:
        """Name the torrent."""
        return self.name or self.info_hash or self.job_id


class DayShare(models.Model):
    """What one job adds to the totals of a day (UTC): a recording, or a failure with its code."""

    id = models.CharField(max_length=330, primary_key=True)
    job_id = models.CharField(max_length=64, db_index=True)
    day = models.DateField(db_index=True)
    code = models.TextField(blank=True)
    recordings = models.PositiveIntegerField()
    failures = models.PositiveIntegerField()
    seconds = models.FloatField()
    bytes = models.BigIntegerField()

    class Meta:
        verbose_name = "share of a day"
        verbose_name_plural = "daily totals"
        ordering: ClassVar = ["-day", "id"]

    def __str__(self) -> str:
        """Name day and job."""
        return f"{self.day} {self.job_id}"


class ServiceVoice(models.Model):
    """What one publisher said of one job, and since when it owes a word."""

    id = models.CharField(max_length=330, primary_key=True)
    job_id = models.CharField(max_length=64, db_index=True)
    publisher = models.CharField(max_length=255, db_index=True)
    events = models.BigIntegerField(help_text="highest sequences of its streams, in sum")
    open_runs = models.PositiveIntegerField(default=0)
    heard_at = models.DateTimeField(null=True, blank=True)
    run_id = models.TextField(null=True, blank=True)  # noqa: DJ001
    attempt = models.PositiveIntegerField(null=True, blank=True)
    phase = models.TextField(null=True, blank=True)  # noqa: DJ001
    media_seconds = models.FloatField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    owes_since = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        verbose_name = "voice of a service"
        verbose_name_plural = "service health"
        ordering: ClassVar = ["publisher", "job_id"]

    def __str__(self) -> str:
        """Name publisher and job."""
        return f"{self.publisher} of {self.job_id}"


class Checkpoint(models.Model):
    """Up to which position of the log a projection's table has everything.

    It moves in the transaction that writes the rows. A projection that has none yet was added
    to a log that was there before it: `rebuild` and `swap` give it its first rows.
    """

    projection = models.CharField(max_length=40, primary_key=True)
    position = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "checkpoint"
        ordering: ClassVar = ["projection"]

    def __str__(self) -> str:
        """Name the projection and how far it is."""
        return f"{self.projection} up to {self.position}"
