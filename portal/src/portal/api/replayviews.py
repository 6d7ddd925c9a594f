"""Endpoints of replay records, and the verbs that build and replay."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from portal.api import replays as shapes
from portal.api.endpoints import refusals
from portal.api.tools import NewestFirst, Tool
from portal.replay import work
from portal.replay.models import Replay
from portal.replay.sending import Selection
from portal.replay.swapping import rollback, swap


@extend_schema_view(
    list=extend_schema(summary="What was done with the log, newest first"),
    retrieve=extend_schema(summary="What was done, and how far it is"),
)
class ReplayViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, Tool, GenericViewSet[Replay]):
    """Records of what was done, and the verbs themselves."""

    queryset = Replay.objects.all()
    serializer_class = shapes.ReplaySerializer
    pagination_class = NewestFirst
    lookup_value_regex = "[0-9a-f-]{36}"

    @extend_schema(
        summary="Rebuild, verify, swap, roll back, replay to a consumer, export or import",
        request=shapes.ReplayOrder,
        responses={200: shapes.ReportSerializer, 202: shapes.ReplaySerializer},
    )
    def create(self, request: Request) -> Response:  # noqa: ARG002 (DRF's call)
        """Answer 202 with the record of what goes on, or 200 with the report of what is done."""
        order = self.order(shapes.ReplayOrder)
        match order["verb"]:
            case "swap":
                return self.report(swap, order)
            case "rollback":
                return self.report(rollback, order)
            case "rebuild":
                given = {"fresh": order["fresh"], "projections": order["projections"]}
                return self.begin("rebuild", given, order)
            case "verify":
                return self.begin("verify", {"projections": order["projections"]}, order)
            case "export" | "import":
                return self.begin(order["verb"], {"file": order["file"]}, order)
        selection = Selection(
            types=tuple(order["types"]),
            jobs=tuple(order["jobs"]),
            since=order.get("since"),
            until=order.get("until"),
            everything=order["everything"],
        )
        given = {
            "to": order["to"],
            "rate": order.get("rate"),
            "force": order["force"] or None,
            **selection.as_parameters(),
        }
        return self.begin("replay", given, order)

    @extend_schema(
        summary="Go on with what was interrupted",
        request=None,
        responses={202: shapes.ReplaySerializer},
    )
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """Queue it again; a replay goes on behind what was sent."""
        with refusals():
            record = work.resume(self.get_object())
        return Response(shapes.ReplaySerializer(record).data, status=status.HTTP_202_ACCEPTED)
