"""Pages of the admin for verbs that are about no row: replays, verification, dead letters."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods

from portal.accounts.access import may_administer, may_view
from portal.replay import deadletters, exports, orders, work
from portal.replay.errors import BadParameters, ReplayError
from portal.replay.records import Call, Report
from portal.replay.toolforms import ReplayForm

_methods = require_http_methods(["GET", "HEAD", "POST"])


def urls() -> list[URLPattern]:
    """Return the addresses, for the admin of records to take in."""
    view = admin.site.admin_view
    return [
        path("tools/", view(tools), name="replay_tools"),
        path("dead-letters/", view(letters), name="replay_dead_letters"),
    ]


@_methods
def tools(request: HttpRequest) -> HttpResponse:
    """Send events again, verify, get what is missing."""
    verb = _asked(request)
    form = ReplayForm(request.POST if verb == "replay" else None)
    report: Report | None = None
    if verb == "replay" and form.is_valid():
        if not form.cleaned_data["dry_run"]:
            return _queued(request, "replay", form.given())
        report = _told(
            request,
            lambda call: orders.carry_out(call, "replay", form.given()),
            dry_run=True,
        )
    elif verb == "repair" and "dry_run" in request.POST:
        report = _told(request, lambda call: orders.carry_out(call, verb, {}), dry_run=True)
    elif verb in {"verify", "rebuild", "repair"}:
        return _queued(request, verb, {})
    elif verb in {"export", "import"}:
        return _queued(request, verb, {"file": request.POST.get("file", "").strip()})
    elif verb in {"bring", "remove"}:
        return _kept_or_removed(request, verb)
    return _page(request, "tools", "Tools", form=form, report=report, exports=exports.listed())


@_methods
def letters(request: HttpRequest) -> HttpResponse:
    """Look at dead letters, send them to their queue again, or drop them."""
    verb = _asked(request)
    queue = request.POST.get("queue") or request.GET.get("queue", "")
    chosen = request.POST.getlist("message")
    if verb == "redrive":
        rate = request.POST.get("rate", "").strip()
        given = {"queue": queue, "messages": chosen, "rate": _number(rate) if rate else None}
        return _queued(request, "redrive", given)
    if verb == "drop":
        reason = request.POST.get("reason", "")
        for message in chosen:
            drop = partial(
                deadletters.drop_dead_letter, queue=queue, message=message, reason=reason
            )
            _told(request, drop)
        if not chosen:
            messages.error(request, "choose the messages to drop")
        return redirect(f"{request.path}?queue={queue}")
    depths = _told(request, deadletters.depths, quietly=True)
    listed = None
    if queue and depths is not None:
        listed = _told(request, partial(deadletters.list_dead_letters, queue=queue), quietly=True)
    return _page(request, "dead_letters", "Dead letters", queue=queue, depths=depths, listed=listed)


def _asked(request: HttpRequest) -> str:
    """Return the verb of a POST; raises `PermissionDenied` for those who may not ask."""
    if not (may_administer(request) if request.method == "POST" else may_view(request)):
        raise PermissionDenied("this needs the role admin")
    return request.POST.get("verb", "") if request.method == "POST" else ""


def _queued(request: HttpRequest, verb: str, given: dict[str, Any]) -> HttpResponse:
    """Queue a long verb, and show its record."""
    try:
        record = work.enqueue(_call(request), verb, given)
    except ReplayError as error:
        messages.error(request, error.detail)
        return redirect(request.get_full_path())
    return redirect(reverse("admin:replay_replay_change", args=[record.pk]))


def _kept_or_removed(request: HttpRequest, verb: str) -> HttpResponse:
    """Keep an export of another system, or delete one."""
    try:
        if verb == "remove":
            name = request.POST.get("file", "")
            exports.remove(name)
            messages.info(request, f"{name} is gone.")
        elif (brought := request.FILES.get("brought")) is None:
            raise BadParameters("choose the file to bring")
        else:
            exports.keep(brought.name or "", brought.read)
            messages.info(request, f"{brought.name} is there; nothing of it was read yet.")
    except ReplayError as error:
        messages.error(request, error.detail)
    return redirect(request.path)


def _told(
    request: HttpRequest,
    verb: Callable[[Call], Report],
    *,
    dry_run: bool = False,
    quietly: bool = False,
) -> Report | None:
    """Carry a verb out, say how it went, and return its report."""
    try:
        report = verb(_call(request, dry_run=dry_run))
    except ReplayError as error:
        messages.error(request, error.detail)
        return None
    if not quietly:
        counts = ", ".join(f"{number} {name}" for name, number in report.counts.items())
        would = "dry run: " if dry_run else ""
        messages.info(request, f"{report.verb}: {would}{counts or 'nothing to do'}")
    return report


def _call(request: HttpRequest, *, dry_run: bool = False) -> Call:
    return Call(by=request.user.get_username(), dry_run=dry_run)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0  # which the verb refuses, with a sentence


def _page(request: HttpRequest, name: str, title: str, **context: Any) -> HttpResponse:
    shared = admin.site.each_context(request)
    more = {"title": title, "may_act": may_administer(request)}
    return render(request, f"admin/replay/{name}.html", {**shared, **more, **context})
