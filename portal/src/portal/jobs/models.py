"""The read model of jobs: written by the projection alone, read by API and admin."""

from __future__ import annotations

from typing import ClassVar

from chronicle_contracts import JobStatus
from django.db import models


class Job(models.Model):
    """What is known of a job; a fold of its history (`portal.jobs.state.JobState`).

    No other table may refer to this one: it is rebuilt from the log.
    """

    id = models.CharField(max_length=64, primary_key=True)
    url = models.TextField(blank=True)
    title = models.TextField(blank=True, null=True)  # noqa: DJ001 (null: not known yet)
    site = models.TextField(blank=True, null=True)  # noqa: DJ001
    filename = models.TextField(blank=True)
    key = models.TextField(blank=True)
    quality = models.TextField(blank=True, null=True)  # noqa: DJ001
    live_from_start = models.BooleanField(default=False)
    audio_only = models.BooleanField(default=False)
    max_height = models.PositiveIntegerField(null=True, blank=True)
    max_duration = models.FloatField(null=True, blank=True)
    start_at = models.DateTimeField(null=True, blank=True)

    status = models.CharField(
        max_length=20, choices=[(one.value, one.value) for one in JobStatus], db_index=True
    )
    stop_mode = models.CharField(max_length=10, null=True, blank=True)  # noqa: DJ001
    attempt = models.PositiveIntegerField(default=0)
    requested_by = models.TextField(blank=True, null=True)  # noqa: DJ001
    requested_at = models.DateTimeField(db_index=True)
    launched_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(db_index=True)

    # Shapes: the models of portal.jobs.state, as JSON.
    waiting = models.JSONField(null=True, blank=True)
    progress = models.JSONField(null=True, blank=True)
    media = models.JSONField(null=True, blank=True)
    recording = models.JSONField(null=True, blank=True)
    losses = models.BooleanField(default=False, help_text="the recording lacks something")
    torrent = models.JSONField(null=True, blank=True)
    error = models.JSONField(null=True, blank=True)
    gaps = models.JSONField(default=list, blank=True)
    timeline = models.JSONField(default=list, blank=True)
    position = models.BigIntegerField(default=0, help_text="of the newest event in the log")

    class Meta:
        verbose_name = "job"
        ordering: ClassVar = ["-requested_at", "id"]

    def __str__(self) -> str:
        """Name the job as people know it."""
        return self.title or self.url or self.id
