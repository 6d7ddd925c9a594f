"""Admin of the read models: to look at; they are folded from the log."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.accounts.access import RoleAdmin
from portal.jobs import pages, wording
from portal.projections import summaries
from portal.projections.models import Checkpoint, DayShare, Recording, ServiceVoice, Torrent
from portal.replay import repeats
from portal.replay.actions import act

_DAYS_SHOWN = 31


class OfJobsAdmin(RoleAdmin):
    """Rows that belong to jobs."""

    @admin.display(description="job", ordering="job_id")
    def job(self, row: Any) -> SafeString:
        """Link the job."""
        url = reverse("admin:jobs_job_change", args=[row.job_id])
        return format_html('<a class="underline" href="{}">{}</a>', url, row.job_id)


@admin.register(Recording)
class RecordingAdmin(OfJobsAdmin):
    """Recordings that were delivered."""

    list_display = ("name", "job", "length", "bytes", "whole", "missing", "end", "uploaded_at")
    list_filter = ("losses", "verified", "end", "uploaded_at")
    search_fields = ("=job_id", "title", "site", "key")
    fields = (
        *("job", "title", "site", "key", "bytes", "length", "whole", "missing", "verified"),
        *("manifest_key", "end", "attempts", "started_at", "ended_at", "uploaded_at"),
        *("deleted_at", "completeness_json", "gaps_json", "media_json", "checksum_json"),
    )

    @admin.display(description="recording")
    def name(self, row: Recording) -> str:
        """Title or key."""
        return str(row)

    @admin.display(description="length", ordering="duration")
    def length(self, row: Recording) -> str:
        """Hours, minutes, seconds."""
        return wording.duration(row.duration)

    @admin.display(description="size", ordering="size")
    def bytes(self, row: Recording) -> str:
        """Bytes in words."""
        return wording.size(row.size)

    @admin.display(description="complete", ordering="score")
    def whole(self, row: Recording) -> str:
        """The share that is there."""
        return f"{row.score:.2%}" + (" with losses" if row.losses else "")

    @admin.display(description="missing", ordering="missing_seconds")
    def missing(self, row: Recording) -> str:
        """Seconds in gaps."""
        return f"{row.missing_seconds:.1f} s" if row.missing_seconds else wording.NOTHING

    @admin.display(description="completeness")
    def completeness_json(self, row: Recording) -> str:
        """As the API shows it."""
        return pages.as_json(row.completeness)

    @admin.display(description="gaps")
    def gaps_json(self, row: Recording) -> str:
        """As the API shows them."""
        return pages.as_json(row.gaps)

    @admin.display(description="media")
    def media_json(self, row: Recording) -> str:
        """As the API shows it."""
        return pages.as_json(row.media)

    @admin.display(description="checksum")
    def checksum_json(self, row: Recording) -> str:
        """As the API shows it."""
        return pages.as_json(row.checksum)


@admin.register(Torrent)
class TorrentAdmin(OfJobsAdmin):
    """Torrents of recordings."""

    list_display = ("__str__", "job", "state", "engine", "sent", "ratio", "peers", "heard_at")
    list_filter = ("state", "engine", "created_at")
    search_fields = ("=job_id", "=info_hash", "name")
    fields = (
        *("job", "state", "name", "info_hash", "magnet", "recording_key", "key", "size"),
        *("piece_length", "trackers_json", "web_seeds_json", "engine", "sent", "ratio", "peers"),
        *("created_at", "seeding_since", "stopped_at", "why_stopped", "heard_at"),
        *("error_code", "error_detail"),
    )

    @admin.display(description="sent", ordering="uploaded")
    def sent(self, row: Torrent) -> str:
        """Bytes sent to peers."""
        return wording.size(row.uploaded)

    @admin.display(description="trackers")
    def trackers_json(self, row: Torrent) -> str:
        """Announce URLs."""
        return pages.as_json(row.trackers)

    @admin.display(description="web seeds")
    def web_seeds_json(self, row: Torrent) -> str:
        """Addresses."""
        return pages.as_json(row.web_seeds)


@admin.register(DayShare)
class DayShareAdmin(OfJobsAdmin):
    """The totals of the days, and below them what each job adds."""

    list_before_template = "admin/projections/totals.html"
    list_display = ("day", "job", "recordings", "length", "size", "code")
    list_filter = ("day", "code")
    search_fields = ("=job_id", "code")
    fields = ("day", "job", "recordings", "failures", "code", "length", "size")

    @admin.display(description="length", ordering="seconds")
    def length(self, row: DayShare) -> str:
        """Hours, minutes, seconds."""
        return wording.duration(row.seconds) if row.recordings else wording.NOTHING

    @admin.display(description="size", ordering="bytes")
    def size(self, row: DayShare) -> str:
        """Bytes in words."""
        return wording.size(row.bytes) if row.recordings else wording.NOTHING

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Sum up the last days above the list."""
        days = [
            {
                "day": one.day,
                "recordings": one.recordings,
                "length": wording.duration(one.seconds),
                "size": wording.size(one.bytes),
                "failures": ", ".join(f"{code} {n}" for code, n in one.failures.items()),
            }
            for one in summaries.days(most=_DAYS_SHOWN)
        ]
        return super().changelist_view(request, {**(extra_context or {}), "days": days})


@admin.register(ServiceVoice)
class ServiceVoiceAdmin(OfJobsAdmin):
    """How the services are, and below it what each said of each job."""

    list_before_template = "admin/projections/services.html"
    list_display = ("publisher", "job", "heard_at", "events", "open_runs", "phase", "owes_since")
    list_filter = ("publisher",)
    search_fields = ("=job_id",)
    ordering = (F("owes_since").asc(nulls_last=True), "job_id")
    actions = ("ask",)
    fields = (
        *("publisher", "job", "heard_at", "events", "open_runs", "run_id", "attempt", "phase"),
        *("media_seconds", "heartbeat_at", "owes_since"),
    )

    @admin.action(
        description="Ask for what they said after what was heard", permissions=["administer"]
    )
    def ask(self, request: HttpRequest, chosen: QuerySet[ServiceVoice]) -> None:
        """Ask: a last word that was lost leaves no hole, only somebody who waits for it."""
        for publisher, job_id in list(chosen.values_list("publisher", "job_id")):
            act(self, request, partial(repeats.ask, stream=f"{publisher}/{job_id}"))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say above the list how each service is right now."""
        services = summaries.services(timezone.now())
        return super().changelist_view(request, {**(extra_context or {}), "services": services})


@admin.register(Checkpoint)
class CheckpointAdmin(RoleAdmin):
    """Up to which position each projection has everything."""

    list_display = ("projection", "position")
    search_fields = ("projection",)
