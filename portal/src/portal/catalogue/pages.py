"""The pages of the catalogue: all events, and one event."""

from __future__ import annotations

import json

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.accounts.roles import Role, has_role
from portal.catalogue.listing import catalogue


@require_safe
@login_required
def all_events(request: HttpRequest) -> HttpResponse:
    """List the events by publisher."""
    _only_viewers(request)
    return render(request, "portal/events.html", {"catalogue": catalogue()})


@require_safe
@login_required
def one_event(request: HttpRequest, name: str) -> HttpResponse:
    """Show every version of an event: fields, schema, example."""
    _only_viewers(request)
    found = catalogue().named(name)
    if not found:
        raise Http404(f"there is no event {name!r}")
    versions = [
        {
            "entry": entry,
            "details": entry.event.description.partition("\n")[2].strip(),
            "example": _shown(entry.event.example),
            "schema": _shown(entry.event.schema),
        }
        for entry in found[0].versions
    ]
    return render(request, "portal/event.html", {"event": found[0], "versions": versions})


def _shown(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _only_viewers(request: HttpRequest) -> None:
    if not has_role(request.user, Role.VIEWER):
        raise PermissionDenied
