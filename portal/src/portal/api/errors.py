"""Django's error handlers: problem details for machines, small pages for people."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.views import defaults

from portal.api.problems import problem_response

MACHINE_PREFIXES = ("/api/", "/webseed/", "/health/")


def _is_for_a_machine(request: HttpRequest) -> bool:
    return request.path.startswith(MACHINE_PREFIXES)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """400, e.g. a host that is not allowed."""
    if _is_for_a_machine(request):
        return problem_response(request, 400, "the request could not be understood")
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """403."""
    if _is_for_a_machine(request):
        return problem_response(request, 403, "this is not allowed")
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """404: no such address."""
    if _is_for_a_machine(request):
        return problem_response(request, 404, "no such address; /api/v1/docs lists them all")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest, *_: Any) -> HttpResponseBase:
    """500: a bug; the log has the rest."""
    if _is_for_a_machine(request):
        return problem_response(request, 500, "an error of ours; the server's log has the details")
    return defaults.server_error(request)
