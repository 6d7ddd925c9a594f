"""Errors of the API as problem details (RFC 9457, application/problem+json).

::

    Problem (status, slug)        what a view of ours raises
    ├── Conflict            409   the job is not in a state for this, or another one has the id
    ├── KeyReused           422   the Idempotency-Key was used for another request
    ├── StoreUnavailable    503   the recording store does not answer
    ├── VaultUnavailable    503   the vault for cookies and headers does not answer
    ├── Unreachable         503   the queues do not answer
    └── RangeNotSatisfiable 416   (portal.downloads)

Whatever else DRF or Django raises gets the same form here; a bug becomes a 500 that says
nothing about its inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from chronicle_storage import StoreError
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response
from rest_framework.views import exception_handler

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:chronicle:problem:"

_LONGEST_VALUE = 200  # characters of a rejected value that are sent back
_SECRET_FIELDS = frozenset({"credentials"})  # of these, nothing is


class Problem(exceptions.APIException):
    """An error that the API explains; `headers` go with the response."""

    slug: ClassVar[str] = "error"

    def __init__(self, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.headers = dict(headers or {})


class Conflict(Problem):
    """What was asked for does not fit to what is."""

    status_code = 409
    slug = "conflict"


class KeyReused(Problem):
    """One Idempotency-Key, two different requests."""

    status_code = 422
    slug = "idempotency-key-reused"


class StoreUnavailable(Problem):
    """The recording store does not answer; it may later."""

    status_code = 503
    slug = "store-unavailable"


class VaultUnavailable(Problem):
    """The vault for cookies and headers does not answer; it may later."""

    status_code = 503
    slug = "vault-unavailable"


class Unreachable(Problem):
    """The queues do not answer; they may later."""

    status_code = 503
    slug = "unreachable"


def problem(
    status: int,
    detail: str,
    *,
    slug: str | None = None,
    instance: str | None = None,
    errors: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return the members of a problem; `title` is the same for every problem of a type."""
    phrase = HTTPStatus(status).phrase
    members: dict[str, Any] = {
        "type": TYPE_PREFIX + (slug or phrase.lower().replace(" ", "-")),
        "title": (slug.replace("-", " ") if slug else phrase).capitalize(),
        "status": status,
        "detail": detail,
    }
    if instance:
        members["instance"] = instance
    if errors is not None:
        members["errors"] = errors
    return members


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: give every error the same form; None re-raises it (a 500)."""
    if isinstance(error, StoreError):
        error = StoreUnavailable("the recording store does not answer; try again later")
    elif isinstance(error, Http404):
        error = exceptions.NotFound(_missing(error, context))
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(*error.args)
    elif isinstance(error, exceptions.NotAuthenticated):
        # Changed in place: DRF has put the challenge on it.
        error.detail = exceptions.ErrorDetail(
            "send 'Authorization: Bearer chr_...' with a token, or log in at /login/"
        )
    response = exception_handler(error, context)
    if response is None:
        return None
    request = context.get("request")
    path = request.path if request is not None else None
    status = response.status_code
    if isinstance(error, exceptions.ValidationError):
        errors = list(_field_errors(error.detail, _sent(request)))
        response.data = problem(
            status, _summary(errors), slug="validation-failed", instance=path, errors=errors
        )
    else:
        detail = str(getattr(error, "detail", "") or HTTPStatus(status).phrase)
        slug = error.slug if isinstance(error, Problem) else None
        response.data = problem(status, detail, slug=slug, instance=path)
    if isinstance(error, Problem):
        for name, value in error.headers.items():
            response[name] = value
    response.content_type = CONTENT_TYPE
    if request is not None and not hasattr(request, "accepted_renderer"):
        # Negotiation itself failed: answer in JSON all the same.
        request.accepted_renderer = context["view"].get_renderers()[0]
        request.accepted_media_type = CONTENT_TYPE
    return response


def _sent(request: Any) -> Any:
    if request is None:
        return {}
    if request.method in {"GET", "HEAD"}:
        return request.query_params
    try:
        return request.data
    except exceptions.APIException:
        return {}


def _field_errors(detail: Any, sent: Any, path: str = "") -> Iterator[dict[str, Any]]:
    """Yield one entry an error: field (dotted), value as sent, code, sentence."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            value = sent.get(name) if isinstance(sent, Mapping) else None
            yield from _field_errors(inner, value, f"{path}.{name}".lstrip("."))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _field_errors(inner, sent, path)
    else:
        entry: dict[str, Any] = {"field": path.removesuffix("non_field_errors") or None}
        if detail.code != "required" and path.partition(".")[0] not in _SECRET_FIELDS:
            entry["value"] = _short(sent)
        yield entry | {"code": detail.code, "detail": str(detail)}


def _missing(error: Http404, context: Mapping[str, Any]) -> str | None:
    """Say what there is not; Django names the model alone, and people want the name they gave."""
    view = context.get("view")
    name = (context.get("kwargs") or {}).get(getattr(view, "lookup_field", ""))
    if (
        not isinstance(view, GenericAPIView)
        or name is None
        or "matches the given" not in str(error)
    ):
        return str(error) or None
    return f"There is no {view.get_queryset().model._meta.verbose_name} {name!r}."


def _short(value: Any) -> Any:
    if isinstance(value, bool | int | float) or value is None:
        return value
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"


def _summary(errors: list[dict[str, Any]]) -> str:
    return "; ".join(
        f"{one['field']}: {one['detail']}" if one["field"] else one["detail"] for one in errors
    )


def problem_response(request: HttpRequest, status: int, detail: str) -> JsonResponse:
    """Return a problem from outside DRF (Django's own error handlers)."""
    return JsonResponse(
        problem(status, detail, instance=request.path), status=status, content_type=CONTENT_TYPE
    )
