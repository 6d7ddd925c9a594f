"""Endpoints of dead letters."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api import replays as shapes
from portal.api.endpoints import refusals
from portal.api.tools import Tool
from portal.replay import deadletters
from portal.replay.records import Call


class DeadLetterQueues(Tool):
    """How many dead letters there are."""

    @extend_schema(
        operation_id="dead_letters_queues",
        summary="How many dead letters each queue has",
        responses=shapes.QueueDepths,
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Count."""
        with refusals():
            return Response({"results": deadletters.depths(Call()).items})


class DeadLetters(Tool):
    """The dead letters of a queue."""

    @extend_schema(
        operation_id="dead_letters_list",
        summary="Messages that a consumer could not handle",
        responses=shapes.DeadLetterList,
    )
    def get(self, request: Request, queue: str) -> Response:  # noqa: ARG002
        """Look at them, and give them back."""
        with refusals():
            return Response({"results": deadletters.list_dead_letters(Call(), queue).items})


class DeadLetterRedrive(Tool):
    """Sending dead letters again."""

    @extend_schema(
        summary="Send dead letters to their queue again",
        request=shapes.RedriveOrder,
        responses={200: shapes.ReportSerializer, 202: shapes.ReplaySerializer},
    )
    def post(self, request: Request, queue: str) -> Response:  # noqa: ARG002
        """Redrive."""
        order = self.order(shapes.RedriveOrder)
        given = {"queue": queue, "messages": order["messages"], "rate": order.get("rate")}
        return self.begin("redrive", given, order)


class DeadLetterDrop(Tool):
    """Deleting a dead letter."""

    @extend_schema(
        summary="Delete a dead letter; the record keeps its body",
        request=shapes.DropLetterOrder,
        responses=shapes.ReportSerializer,
    )
    def post(self, request: Request, queue: str) -> Response:  # noqa: ARG002
        """Drop."""
        order = self.order(shapes.DropLetterOrder)
        message, reason = order["message"], order["reason"]
        return self.report(
            lambda call: deadletters.drop_dead_letter(call, queue, message, reason=reason), order
        )
