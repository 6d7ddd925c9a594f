"""Admin of the log and what surrounds it: to look at, not to edit."""

from __future__ import annotations

import contextlib
import json
from functools import partial
from typing import Any

from chronicle_contracts import known_types
from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.accounts.access import RoleAdmin
from portal.eventlog.models import (
    LoggedEvent,
    ParkedJob,
    QuarantinedMessage,
    RelayPosition,
    SkippedEvent,
    StreamCursor,
)
from portal.replay import gaps, parked, quarantine, repeats, work
from portal.replay.actions import ReasonForm, act
from portal.replay.records import Call


def _pretty(text: str) -> SafeString:
    """Return JSON indented; what is none stays as it came."""
    with contextlib.suppress(ValueError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return format_html('<pre style="white-space: pre-wrap; overflow-wrap: anywhere">{}</pre>', text)


def _job_link(job_id: str) -> SafeString:
    url = reverse("admin:jobs_job_change", args=[job_id])
    return format_html('<a class="underline" href="{}">{}</a>', url, job_id)


class TypeFilter(admin.SimpleListFilter):
    """Filter by the types that this version knows: the log itself may be too long to ask."""

    title = "type"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Name publisher and fact."""
        return [(type_, type_.removeprefix("chronicle.")) for type_ in known_types()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        """Leave only that type."""
        return queryset.filter(type=self.value()) if self.value() else queryset


class GapFilter(admin.SimpleListFilter):
    """Find the streams of which something is missing."""

    title = "gaps"
    parameter_name = "gaps"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """With or without."""
        return [("yes", "with a hole"), ("tail", "without their last word"), ("no", "whole")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        """Compare what was heard with what was heard without holes."""
        tails = gaps.with_lost_tail(timezone.now()).values("stream")
        match self.value():
            case "yes":
                return queryset.filter(contiguous__lt=F("highest"))
            case "tail":
                return queryset.filter(stream__in=tails)
            case "no":
                return queryset.filter(contiguous__gte=F("highest")).exclude(stream__in=tails)
        return queryset


@admin.register(LoggedEvent)
class LoggedEventAdmin(RoleAdmin):
    """The log."""

    list_display = ("position", "kind", "job", "place", "occurred_at", "received_at")
    list_filter = (TypeFilter, "sealed", "received_at")
    search_fields = ("=job_id", "^stream")
    search_help_text = "a job id, or the beginning of a stream"
    ordering = ("-position",)
    # Counting the whole log for the head of a page would read all of it.
    show_full_result_count = False
    fields = ("position", "type", "job", "place", "source", "times", "sealed", "event")

    @admin.display(description="type", ordering="type")
    def kind(self, event: LoggedEvent) -> str:
        """Publisher and name."""
        return event.type.removeprefix("chronicle.")

    @admin.display(description="job", ordering="job_id")
    def job(self, event: LoggedEvent) -> SafeString:
        """Link the job."""
        return _job_link(event.job_id)

    @admin.display(description="place in its stream")
    def place(self, event: LoggedEvent) -> str:
        """Stream and sequence."""
        return f"{event.stream}#{event.sequence}"

    @admin.display(description="occurred / received")
    def times(self, event: LoggedEvent) -> str:
        """Both times to the millisecond."""
        return f"{event.occurred_at.isoformat()} / {event.received_at.isoformat()}"

    @admin.display(description="event")
    def event(self, event: LoggedEvent) -> SafeString:
        """Show the envelope as it came, indented."""
        return _pretty(event.envelope)


@admin.register(StreamCursor)
class StreamCursorAdmin(RoleAdmin):
    """How far each stream was heard."""

    list_display = ("stream", "job", "contiguous", "highest", "sealed_at_sequence", "whole")
    actions = ("repair", "ask")
    list_filter = (GapFilter,)
    search_fields = ("^stream", "=job_id")
    ordering = ("stream",)
    fields = (
        *("stream", "job", "contiguous", "highest", "sealed_at_sequence", "whole"),
        *("ended_at_sequence", "ended_by"),
    )

    @admin.display(description="job")
    def job(self, cursor: StreamCursor) -> SafeString:
        """Link the job."""
        return _job_link(cursor.job_id)

    @admin.display(description="without gaps", boolean=True)
    def whole(self, cursor: StreamCursor) -> bool:
        """True while nothing is missing."""
        return not cursor.has_gap

    @admin.action(description="Get what their jobs lack", permissions=["administer"])
    def repair(self, request: HttpRequest, chosen: QuerySet[StreamCursor]) -> None:
        """Queue the repair of the jobs' gaps."""
        jobs = sorted(set(chosen.values_list("job_id", flat=True)))
        record = work.enqueue(Call(by=request.user.get_username()), "repair", {"jobs": jobs})
        self.message_user(request, f"A repair is on its way; see record {record.pk}.")

    @admin.action(
        description="Ask their publishers for what comes after what was heard",
        permissions=["administer"],
    )
    def ask(self, request: HttpRequest, chosen: QuerySet[StreamCursor]) -> None:
        """Ask, for each stream."""
        for stream in list(chosen.values_list("stream", flat=True)):
            act(self, request, partial(repeats.ask, stream=stream))


class OpenFilter(admin.SimpleListFilter):
    """Find the messages of which nobody has decided yet."""

    title = "decision"
    parameter_name = "decided"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Open or decided."""
        return [("no", "open"), ("yes", "released or dropped")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        """Leave only those."""
        is_open = Q(released_at=None, dropped_at=None)
        match self.value():
            case "no":
                return queryset.filter(is_open)
            case "yes":
                return queryset.exclude(is_open)
        return queryset


@admin.register(QuarantinedMessage)
class QuarantinedMessageAdmin(RoleAdmin):
    """Messages that could not enter the log."""

    list_display = ("received_at", "reason", "detail", "times", "released_at", "dropped_at")
    list_filter = (OpenFilter, "reason", "received_at")
    search_fields = ("detail", "body")
    actions = ("release", "drop")
    action_form = ReasonForm
    fields = (
        *("reason", "detail", "received_at", "released_at", "dropped_at", "dropped_because"),
        *("handled_by", "times", "message", "attributes"),
    )

    @admin.display(description="body")
    def message(self, quarantined: QuarantinedMessage) -> SafeString:
        """Show the body as it came, indented where it is JSON."""
        return _pretty(quarantined.body)

    @admin.action(description="Put through the inbox again", permissions=["administer"])
    def release(self, request: HttpRequest, chosen: QuerySet[QuarantinedMessage]) -> None:
        """Release."""
        ids = list(chosen.values_list("pk", flat=True))
        act(self, request, lambda call: quarantine.release(call, ids=ids))

    @admin.action(description="Drop (with the reason given)", permissions=["administer"])
    def drop(self, request: HttpRequest, chosen: QuerySet[QuarantinedMessage]) -> None:
        """Drop."""
        ids = list(chosen.values_list("pk", flat=True))
        reason = request.POST.get("reason", "")
        act(self, request, lambda call: quarantine.drop(call, ids=ids, reason=reason))


@admin.register(ParkedJob)
class ParkedJobAdmin(RoleAdmin):
    """Projections of jobs that could not be folded."""

    list_display = ("job", "of", "position", "error", "parked_at")
    list_filter = ("projection",)
    search_fields = ("=job_id", "error")
    actions = ("retry", "skip")
    action_form = ReasonForm
    fields = ("job", "of", "position", "error", "parked_at", "poison", "trace")

    @admin.display(description="the event to blame")
    def poison(self, row: ParkedJob) -> str:
        """Say at which event the fold fails."""
        found = parked.find_poison(row.job_id, row.projection)
        return f"{found.type} at {found.position}: {found.error}" if found else "none by now"

    @admin.display(description="projection", ordering="projection")
    def of(self, row: ParkedJob) -> str:
        """Name the projection that stands still."""
        return row.projection or parked.ALL

    @admin.display(description="traceback")
    def trace(self, row: ParkedJob) -> SafeString:
        """Show where the code gave up."""
        return format_html('<pre style="white-space: pre-wrap">{}</pre>', row.traceback)

    @admin.action(description="Fold again", permissions=["administer"])
    def retry(self, request: HttpRequest, chosen: QuerySet[ParkedJob]) -> None:
        """Retry."""
        jobs = sorted(set(chosen.values_list("job_id", flat=True)))
        act(self, request, lambda call: parked.retry_parked(call, jobs=jobs))

    @admin.action(
        description="Pass over the event to blame (with the reason given)",
        permissions=["administer"],
    )
    def skip(self, request: HttpRequest, chosen: QuerySet[ParkedJob]) -> None:
        """Skip, in the folds of each that was chosen."""
        reason = request.POST.get("reason", "")
        for job_id, name in list(chosen.values_list("job_id", "projection")):
            skip = partial(
                parked.skip_event, job_id=job_id, reason=reason, projection=name or parked.ALL
            )
            act(self, request, skip)

    @admin.display(description="job", ordering="job_id")
    def job(self, parked: ParkedJob) -> SafeString:
        """Link the job."""
        return _job_link(parked.job_id)


@admin.register(SkippedEvent)
class SkippedEventAdmin(RoleAdmin):
    """Events that folds pass over."""

    list_display = ("position", "type", "job", "by", "reason", "skipped_by", "skipped_at")
    search_fields = ("=job_id", "reason")
    fields = ("position", "type", "job", "by", "occurred_at", "reason", "skipped_by", "skipped_at")

    @admin.display(description="passed over by")
    def by(self, skipped: SkippedEvent) -> str:
        """Name the projections."""
        return ", ".join(skipped.projections) or parked.ALL

    @admin.display(description="job", ordering="job_id")
    def job(self, skipped: SkippedEvent) -> SafeString:
        """Link the job."""
        return _job_link(skipped.job_id)


@admin.register(RelayPosition)
class RelayPositionAdmin(RoleAdmin):
    """How far the portal's own events were published."""

    list_display = ("name", "notification_id")
    search_fields = ("name",)
