"""Admin of jobs: the read model to look at, the commands as actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from portal.accounts.access import RoleAdmin
from portal.accounts.roles import Role
from portal.jobs import pages, wording
from portal.jobs.commands import retry_job, stop_job
from portal.jobs.errors import CommandRefused
from portal.jobs.models import Job
from portal.jobs.readmodel import row_of
from portal.jobs.submission_form import FIELDS, SubmissionForm
from portal.replay.errors import NotNow, ReplayError
from portal.replay.moments import moment, position
from portal.replay.past import as_of, history_of


@admin.register(Job)
class JobAdmin(RoleAdmin):
    """Nobody edits a job by hand: what is shown is folded from the log."""

    add_role = Role.OPERATOR
    change_form_outer_before_template = "admin/jobs/as_of.html"
    list_display = ("name", "badge", "progress_line", "size", "attempt", "requested_at", "by")
    list_filter = ("status", "losses", "site", "requested_at")
    search_fields = ("id", "url", "title", "site", "filename")
    ordering = ("-requested_at", "id")
    list_per_page = 50
    actions = ("stop_and_keep", "stop_and_discard", "retry")
    fieldsets = (
        (None, {"fields": ("id", "badge", "address", "title", "site", "files", "events")}),
        ("Progress", {"fields": ("progress_table", "error_report")}),
        ("Timeline", {"fields": ("timeline_table",)}),
        ("Recording and torrent", {"fields": ("recording_json", "torrent_json", "gaps_json")}),
        (
            "Request",
            {
                "fields": (
                    "requested_by",
                    "filename",
                    "key",
                    "quality",
                    "live_from_start",
                    "audio_only",
                    "max_height",
                    "max_duration",
                    "start_at",
                )
            },
        ),
        (
            "Times",
            {
                "fields": (
                    "requested_at",
                    "launched_at",
                    "started_at",
                    "ended_at",
                    "completed_at",
                    "updated_at",
                    "attempt",
                    "position",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """Leave the timelines out of lists."""
        jobs = super().get_queryset(request)
        match = request.resolver_match
        is_list = match is not None and (match.url_name or "").endswith("_changelist")
        return jobs.defer("timeline") if is_list else jobs

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Job | None:
        """Return a job; as it was, where the address asks for a position or a time."""
        job: Job | None = super().get_object(request, object_id, from_field)
        asked = {name: request.GET[name] for name in ("position", "time") if request.GET.get(name)}
        if job is None or not asked:
            return job
        try:
            state = as_of(
                job.id,
                position=position(asked.get("position"), "position"),
                time=moment(asked.get("time"), "time"),
            )
        except ReplayError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return job
        known = "known at position" if "position" in asked else "at"
        self.message_user(request, f"This is the job as it was {known} {' '.join(asked.values())}.")
        row = row_of(state)
        row._state.adding = True  # it is in no table
        return row

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Ask for a URL when adding."""
        if obj is None:
            return ((None, {"fields": FIELDS}),)
        return super().get_fieldsets(request, obj)

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,
        **options: Any,
    ) -> type[forms.ModelForm[Any]]:
        """Add by the form that submits a request."""
        if obj is None:
            return SubmissionForm.of_user(request.user.get_username())
        return super().get_form(request, obj, change, **options)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Job:  # noqa: ARG002
        """Return the job that the form's command made."""
        job: Job = form.job
        return job

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Nothing: the projection has written it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """Nothing refers to a read model."""

    @admin.display(description="job")
    def name(self, job: Job) -> str:
        """Title, or URL, or id."""
        return str(job)

    @admin.display(description="status", ordering="status")
    def badge(self, job: Job) -> str:
        """Show the status in its colour."""
        return pages.badge(job.status, losses=job.losses)

    @admin.display(description="progress")
    def progress_line(self, job: Job) -> str:
        """Media time."""
        shown = job.recording or job.progress or {}
        return wording.duration(shown.get("duration", shown.get("media_seconds")))

    @admin.display(description="size")
    def size(self, job: Job) -> str:
        """Bytes recorded."""
        return wording.size(wording.bytes_of(job))

    @admin.display(description="by", ordering="requested_by")
    def by(self, job: Job) -> str:
        """Who asked."""
        return job.requested_by or wording.NOTHING

    @admin.display(description="URL")
    def address(self, job: Job) -> str:
        """Show the URL; as a link only where it is one of the web."""
        return pages.address(job.url)

    @admin.display(description="files")
    def files(self, job: Job) -> str:
        """Offer what there is to download."""
        return pages.files(job) or wording.NOTHING

    @admin.display(description="events")
    def events(self, job: Job) -> str:
        """Link the job's events in the log."""
        url = reverse("admin:eventlog_loggedevent_changelist")
        return format_html('<a class="underline" href="{}?q={}">All events</a>', url, job.id)

    @admin.display(description="newest heartbeat")
    def progress_table(self, job: Job) -> str:
        """Show what the newest heartbeat said."""
        return pages.progress(job)

    @admin.display(description="error")
    def error_report(self, job: Job) -> str:
        """Show what went wrong, with the end of the recorder's log."""
        return pages.error(job)

    @admin.display(description="timeline")
    def timeline_table(self, job: Job) -> str:
        """Show each event and what it changed; where that cannot be told, the milestones."""
        if job._state.adding:  # as it was
            return pages.timeline(job)
        try:
            return pages.changes(history_of(job.id))
        except NotNow:
            return pages.timeline(job)

    @admin.display(description="recording")
    def recording_json(self, job: Job) -> str:
        """Show the recording as the API does."""
        return pages.as_json(job.recording)

    @admin.display(description="torrent")
    def torrent_json(self, job: Job) -> str:
        """Show the torrent as the API does."""
        return pages.as_json(job.torrent)

    @admin.display(description="gaps")
    def gaps_json(self, job: Job) -> str:
        """Show what is missing from the recording."""
        return pages.as_json(job.gaps)

    @admin.action(description="Stop and keep what was recorded", permissions=["operate"])
    def stop_and_keep(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        """Stop; the recording is delivered."""
        self._each(request, chosen, lambda id_, by: stop_job(id_, mode="keep", by=by))

    @admin.action(description="Stop and discard what was recorded", permissions=["operate"])
    def stop_and_discard(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        """Stop; nothing is kept."""
        self._each(request, chosen, lambda id_, by: stop_job(id_, mode="discard", by=by))

    @admin.action(description="Try again", permissions=["operate"])
    def retry(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        """Try what ended without a recording again."""
        self._each(request, chosen, lambda id_, by: retry_job(id_, by=by))

    def _each(
        self, request: HttpRequest, chosen: QuerySet[Job], command: Callable[[str, str], Job]
    ) -> None:
        done = 0
        for job_id in chosen.values_list("id", flat=True):
            try:
                command(job_id, request.user.get_username())
            except CommandRefused as error:
                self.message_user(request, error.detail, messages.WARNING)
            else:
                done += 1
        if done:
            self.message_user(request, f"Asked for {done} job(s).", messages.SUCCESS)
