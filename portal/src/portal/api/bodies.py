"""Bodies of requests: small ones for everybody, large ones of admins, who bring exports.

Django takes a body in, into a temporary file where it is large, before it asks any view. So whoever
may not send so much is refused here, or anybody could fill the disk.
"""

from __future__ import annotations

import io
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from portal.accounts.access import may_administer
from portal.accounts.authentication import BearerAuthentication
from portal.api.problems import CONTENT_TYPE, problem

log = structlog.get_logger(__name__)

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class TooLarge(Exception):
    """More than this client may send."""


class BoundedBodies:
    """An ASGI application around another one: it passes bodies on up to a limit.

    The limit is Django's own for forms and JSON (`DATA_UPLOAD_MAX_MEMORY_SIZE`), by which files
    do not count.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; answer 413 where it is too large."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        try:
            await self._application(scope, _bounded(scope, receive), send)
        except TooLarge:
            log.warning("body_refused", path=scope["path"], client=scope.get("client"))
            await _refuse(scope, send)


def is_of_admin(scope: Scope) -> bool:
    """Return whether an admin sends this request, by the token or the session that it shows."""
    request = ASGIRequest(scope, io.BytesIO())
    SessionMiddleware(lambda _: HttpResponse()).process_request(request)
    request.user = get_user(request)
    try:
        if found := BearerAuthentication().authenticate(Request(request)):
            request.user, _ = found
    except APIException:
        return False
    return may_administer(request)


def _bounded(scope: Scope, receive: Receive) -> Receive:
    taken, largest = 0, settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    is_trusted = False

    async def bounded() -> Message:
        nonlocal taken, is_trusted
        message = await receive()
        if message["type"] == "http.request" and not is_trusted:
            taken += len(message.get("body", b""))
            if taken > largest:
                is_trusted = await sync_to_async(is_of_admin)(scope)
                if not is_trusted:
                    raise TooLarge
        return message

    return bounded


async def _refuse(scope: Scope, send: Send) -> None:
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    detail = f"the body has more than {most} bytes; only admins may send so much, to bring exports"
    body = json.dumps(problem(413, detail, instance=scope["path"])).encode()
    headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
