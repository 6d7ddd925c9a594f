"""Admin of records and builds; what was done stands, nobody edits it."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.accounts.access import RoleAdmin
from portal.replay import toolpages, work
from portal.replay.actions import act
from portal.replay.errors import ReplayError
from portal.replay.models import Build, Replay
from portal.replay.records import Call
from portal.replay.swapping import rollback, swap


def _indented(value: Any) -> SafeString:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return format_html('<pre style="white-space: pre-wrap; overflow-wrap: anywhere">{}</pre>', text)


@admin.register(Replay)
class ReplayAdmin(RoleAdmin):
    """What was done with the log."""

    list_display = ("started_at", "verb", "requested_by", "outcome", "progress", "summary", "left")
    list_filter = ("verb", "outcome", "started_at")
    actions = ("resume",)
    search_fields = ("=id", "requested_by", "error")
    fields = (
        *("id", "verb", "requested_by", "outcome", "error", "progress", "left"),
        *("started_at", "updated_at", "finished_at"),
        *("parameters_json", "counts_json", "items_json"),
    )

    def get_urls(self) -> list[URLPattern]:
        """Take in the pages of the tools."""
        return [*toolpages.urls(), *super().get_urls()]

    @admin.action(description="Go on with what was interrupted", permissions=["administer"])
    def resume(self, request: HttpRequest, chosen: QuerySet[Replay]) -> None:
        """Queue those that can be gone on with."""
        for record in chosen:
            try:
                work.resume(record)
            except ReplayError as error:
                self.message_user(request, error.detail, messages.ERROR)
            else:
                self.message_user(request, f"{record.verb} {record.pk} goes on.")

    @admin.display(description="progress")
    def progress(self, record: Replay) -> str:
        """So many of so many."""
        return f"{record.done} of {record.total}" if record.total is not None else str(record.done)

    @admin.display(description="what")
    def summary(self, record: Replay) -> str:
        """The counts."""
        return ", ".join(f"{number} {name}" for name, number in record.counts.items())

    @admin.display(description="parameters")
    def parameters_json(self, record: Replay) -> SafeString:
        """What was asked for."""
        return _indented(record.parameters)

    @admin.display(description="counts")
    def counts_json(self, record: Replay) -> SafeString:
        """How many of what."""
        return _indented(record.counts)

    @admin.display(description="items")
    def items_json(self, record: Replay) -> SafeString:
        """The single things."""
        return _indented(record.items)


@admin.register(Build)
class BuildAdmin(RoleAdmin):
    """The tables of the read model; the actions are about them all, whichever is chosen."""

    list_display = (
        *("__str__", "state", "named", "jobs", "position"),
        *("started_at", "ready_at", "swapped_at"),
    )
    list_filter = ("state",)
    actions = ("build", "swap_in", "roll_back")
    fields = (
        *("id", "state", "named", "jobs", "position", "folded", "last_job", "fingerprint"),
        *("started_at", "ready_at", "swapped_at", "report_json", "again_json"),
    )

    @admin.display(description="projections")
    def named(self, build: Build) -> str:
        """Which projections it has tables of."""
        return ", ".join(build.projections)

    @admin.display(description="what a swap changes")
    def report_json(self, build: Build) -> SafeString:
        """The comparison at the end of the rebuild."""
        return _indented(build.report)

    @admin.display(description="jobs to fold once more")
    def again_json(self, build: Build) -> SafeString:
        """Jobs, and why."""
        return _indented(build.again)

    @admin.action(description="Build anew, or go on building", permissions=["administer"])
    def build(self, request: HttpRequest, chosen: QuerySet[Build]) -> None:  # noqa: ARG002
        """Queue it."""
        record = work.enqueue(Call(by=request.user.get_username()), "rebuild", {})
        self.message_user(request, f"A build is on its way; see record {record.pk}.")

    @admin.action(description="Swap in the build that is ready", permissions=["administer"])
    def swap_in(self, request: HttpRequest, chosen: QuerySet[Build]) -> None:  # noqa: ARG002
        """Swap."""
        act(self, request, swap)

    @admin.action(description="Roll back to the one that is kept", permissions=["administer"])
    def roll_back(self, request: HttpRequest, chosen: QuerySet[Build]) -> None:  # noqa: ARG002
        """Roll back."""
        act(self, request, rollback)
