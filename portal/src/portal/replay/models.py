"""Tables of the replay tooling: what was done, and the tables of the read model."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar
from uuid import uuid4

from django.db import models

# A process that has not renewed its record for so long is gone.
LEASE = timedelta(minutes=1)


class Replay(models.Model):
    """What somebody did with the log: written by every verb that changes something."""

    class Outcome(models.TextChoices):
        """How it ended."""

        QUEUED = "queued", "waits for the process that does such work"
        RUNNING = "running", "under way"
        DONE = "done", "everything was done"
        INCOMPLETE = "incomplete", "something is left"
        FAILED = "failed", "it ended with an error"
        INTERRUPTED = "interrupted", "stopped, or its process was killed; what was done stands"

    # Whoever carries it out renews `updated_at` every few seconds (`records.BEAT`).
    # The id goes as `replayid` into the events that are sent again.
    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    verb = models.CharField(max_length=40, db_index=True)
    requested_by = models.CharField(max_length=255, blank=True)
    parameters = models.JSONField(default=dict)
    started_at = models.DateTimeField(db_index=True)
    updated_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True, blank=True)
    # Where to go on; what it means is the verb's own affair.
    checkpoint = models.BigIntegerField(default=0)
    counts = models.JSONField(default=dict)
    items = models.JSONField(default=list)
    left = models.BigIntegerField(default=0)
    outcome = models.CharField(
        max_length=20, choices=Outcome.choices, default=Outcome.RUNNING, db_index=True
    )
    error = models.TextField(blank=True)
    # What a process of its own is to do (`orders`); null: a command does it where it was typed.
    order = models.JSONField(null=True, blank=True, editable=False)
    # How many processes have begun it.
    takes = models.PositiveSmallIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = "replay record"
        ordering: ClassVar = ["-started_at"]

    def __str__(self) -> str:
        """Say what was done and how it ended."""
        return f"{self.verb} ({self.outcome})"

    def is_alive(self, now: datetime) -> bool:
        """Return whether a process has renewed it lately."""
        return self.outcome == self.Outcome.RUNNING and self.updated_at > now - LEASE


class Build(models.Model):
    """Tables of read models: being built, ready, shown, or kept for a rollback.

    One for each of `projections`; they are filled and swapped in together.
    """

    class State(models.TextChoices):
        """Where a build stands."""

        BUILDING = "building", "being folded"
        READY = "ready", "can be swapped in"
        ACTIVE = "active", "what everybody reads"
        KEPT = "kept", "was read before; for a rollback"
        DROPPED = "dropped", "its tables are gone"

    state = models.CharField(
        max_length=10, choices=State.choices, default=State.BUILDING, db_index=True
    )
    projections = models.JSONField(default=list)
    # Of the code that folds: a build of other code is begun anew.
    fingerprint = models.CharField(max_length=64, blank=True)
    # All jobs up to this id are folded; then `folded` is set.
    last_job = models.CharField(max_length=64, blank=True)
    folded = models.BooleanField(default=False)
    # Everything up to this position of the log is in the tables.
    position = models.BigIntegerField(default=0)
    jobs = models.BigIntegerField(default=0)
    # Counts the writes into the tables: who has seen an older one must not write.
    revision = models.BigIntegerField(default=0)
    # Jobs to fold once more, with the error or the reason.
    again = models.JSONField(default=dict)
    report = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True, blank=True)
    swapped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "build of the read model"
        verbose_name_plural = "builds of the read model"
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        """Name the build."""
        return f"build {self.pk} ({self.state})"

    def table(self, live: str) -> str:
        """Return the name of its table in place of one that everybody reads."""
        return f"{live}_b{self.pk}"
