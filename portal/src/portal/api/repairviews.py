"""Endpoints of gaps, parked jobs and quarantine."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from portal.api import replays as shapes
from portal.api.tools import NewestFirst, Tool
from portal.eventlog.models import QuarantinedMessage
from portal.replay import gaps, parked, quarantine
from portal.replay.repairing import accept_gap
from portal.replay.repeats import ask


class QuarantinePages(NewestFirst):
    """Newest first."""

    ordering = "-id"


class Gaps(Tool):
    """What streams lack."""

    @extend_schema(operation_id="gaps_list", summary="What streams lack", responses=shapes.GapList)
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Look at all streams."""
        found = [shapes.StreamGapSerializer(gap).data for gap in gaps.find()]
        return Response({"results": found})


class GapRepair(Tool):
    """Getting it from journals and the portal's own store, or asking its publisher."""

    @extend_schema(
        summary="Get what is missing, or ask its publisher to say it again",
        request=shapes.RepairOrder,
        responses={200: shapes.ReportSerializer, 202: shapes.ReplaySerializer},
    )
    def post(self, request: Request) -> Response:  # noqa: ARG002
        """Repair."""
        order = self.order(shapes.RepairOrder)
        return self.begin("repair", {"jobs": order["jobs"]}, order)


class GapAsk(Tool):
    """Having a publisher say something again."""

    @extend_schema(
        summary="Ask the publisher of a stream to say a part of it again",
        request=shapes.AskOrder,
        responses=shapes.ReportSerializer,
    )
    def post(self, request: Request) -> Response:  # noqa: ARG002
        """Ask; the answer comes as all events do."""
        order = self.order(shapes.AskOrder)
        parts = {name: order.get(name) for name in ("from_sequence", "to_sequence")}
        return self.report(lambda call: ask(call, order["stream"], **parts), order)


class GapAccept(Tool):
    """Living with a lost tail."""

    @extend_schema(
        summary="Take a stream without a seal for whole",
        request=shapes.AcceptOrder,
        responses=shapes.ReportSerializer,
    )
    def post(self, request: Request) -> Response:  # noqa: ARG002
        """Accept."""
        order = self.order(shapes.AcceptOrder)
        return self.report(
            lambda call: accept_gap(call, order["stream"], reason=order["reason"]), order
        )


class ParkedJobs(Tool):
    """Jobs whose history cannot be folded."""

    @extend_schema(
        operation_id="parked_list",
        summary="Jobs whose history cannot be folded",
        responses=shapes.ParkedList,
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """List them, each with the event that is to blame."""
        return Response({"results": parked.listed()})


class ParkedRetry(Tool):
    """Folding a parked job again."""

    @extend_schema(
        summary="Fold a parked job again",
        request=shapes.DryRunOrder,
        responses=shapes.ReportSerializer,
    )
    def post(self, request: Request, job_id: str) -> Response:  # noqa: ARG002
        """Retry."""
        order = self.order(shapes.DryRunOrder)
        return self.report(lambda call: parked.retry_parked(call, jobs=[job_id]), order)


class ParkedSkip(Tool):
    """Passing an event over."""

    @extend_schema(
        summary="Pass over the event that parks a job",
        request=shapes.SkipOrder,
        responses=shapes.ReportSerializer,
    )
    def post(self, request: Request, job_id: str) -> Response:  # noqa: ARG002
        """Skip."""
        order = self.order(shapes.SkipOrder)
        given = {name: order.get(name) for name in ("position", "projection")}
        return self.report(
            lambda call: parked.skip_event(call, job_id, reason=order["reason"], **given), order
        )


@extend_schema_view(
    list=extend_schema(summary="Messages that could not enter the log, newest first"),
    retrieve=extend_schema(summary="A message that could not enter the log"),
)
class QuarantineViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, Tool, GenericViewSet[QuarantinedMessage]
):
    """Messages that could not enter the log, also those that were decided on."""

    queryset = QuarantinedMessage.objects.all()
    serializer_class = shapes.QuarantinedSerializer
    pagination_class = QuarantinePages
    lookup_value_regex = "[0-9]{1,18}"

    @extend_schema(
        summary="Put a message through the inbox again",
        request=shapes.DryRunOrder,
        responses=shapes.ReportSerializer,
    )
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """Release."""
        order = self.order(shapes.DryRunOrder)
        return self.report(lambda call: quarantine.release(call, ids=[int(pk)]), order)

    @extend_schema(
        summary="Decide that a message is of no use",
        request=shapes.ReasonOrder,
        responses=shapes.ReportSerializer,
    )
    @action(detail=True, methods=["post"])
    def drop(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """Drop."""
        order = self.order(shapes.ReasonOrder)
        return self.report(
            lambda call: quarantine.drop(call, ids=[int(pk)], reason=order["reason"]), order
        )
