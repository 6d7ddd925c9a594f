"""What the endpoints of the replay tooling share: viewers read, admins act."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rest_framework import serializers, status
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import BasePermission
from rest_framework.response import Response

from portal.accounts.permissions import IsAdmin, IsViewer
from portal.api.endpoints import Endpoint, refusals
from portal.api.replays import ReplaySerializer
from portal.replay import orders, work
from portal.replay.records import Call, Report

MOST_ITEMS = 1000

Verb = Callable[[Call], Report]


class NewestFirst(CursorPagination):
    """Pages that neither skip nor repeat while new rows arrive."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = "-started_at"


class Tool(Endpoint):
    """Viewers read, admins act."""

    def get_permissions(self) -> list[BasePermission]:
        """Decide by the method."""
        reads = self.request.method in {"GET", "HEAD", "OPTIONS"}
        return [IsViewer() if reads else IsAdmin()]

    def order(self, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """Return the body, checked."""
        asked = shape(data=self.request.data)
        asked.is_valid(raise_exception=True)
        data: dict[str, Any] = asked.validated_data
        return data

    def call(self, order: dict[str, Any]) -> Call:
        """Return who calls and how."""
        return Call(by=self.request.user.get_username(), dry_run=order.get("dry_run", False))

    def report(self, verb: Verb, order: dict[str, Any]) -> Response:
        """Carry a verb out and answer with its report."""
        with refusals():
            report = verb(self.call(order)).as_json()
        return Response({**report, "items": report["items"][:MOST_ITEMS]})

    def begin(self, name: str, given: orders.Arguments, order: dict[str, Any]) -> Response:
        """Queue a long verb and answer with its record; a dry run is waited for."""
        if order["dry_run"]:
            return self.report(lambda call: orders.carry_out(call, name, given), order)
        with refusals():
            record = work.enqueue(self.call(order), name, given)
        return Response(ReplaySerializer(record).data, status=status.HTTP_202_ACCEPTED)
