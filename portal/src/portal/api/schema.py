"""The OpenAPI schema: where it is served, and the problems that every operation may answer."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerView
from rest_framework.permissions import AllowAny

from portal.api.problems import CONTENT_TYPE

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:chronicle:problem:validation-failed"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "one entry for each value that is not acceptable",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {
                    "field": {"type": ["string", "null"]},
                    "value": {"description": "as it was sent; absent where none was"},
                    "code": {"type": "string"},
                    "detail": {"type": "string", "description": "what to send instead"},
                },
            },
        },
    },
}

_WORDS = {
    400: "a value is not acceptable; `errors` names it",
    401: "no token, or one that is not valid",
    403: "the role does not allow it",
    404: "there is no such thing",
    409: "it does not fit to what is there",
    422: "the Idempotency-Key came with another request before",
    429: "too many requests or failed logins; see Retry-After",
}


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Give each operation of the API its problems (a postprocessing hook)."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    for path, operations in result["paths"].items():
        if "/health/" in path:
            continue
        for method, operation in operations.items():
            for status in _statuses(path, method):
                operation["responses"].setdefault(
                    str(status),
                    {
                        "description": _WORDS[status],
                        "content": {
                            CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}
                        },
                    },
                )
    return result


def _statuses(path: str, method: str) -> list[int]:
    statuses = {400, 401, 403, 429}
    if "{" in path:
        statuses.add(404)
    if method == "post":
        statuses |= {409, 422} if path.endswith("/jobs") else {409}
    return sorted(statuses)


@extend_schema(exclude=True)
class SchemaView(SpectacularJSONAPIView):
    """The schema as JSON."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


@extend_schema(exclude=True)
class DocsView(SpectacularSwaggerView):
    """Swagger UI; its files come from this server."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    url_name = "schema"
