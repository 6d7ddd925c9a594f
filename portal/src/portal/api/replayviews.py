"""Endpoints of replay records, and the verbs that build and replay."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from portal.api import replays as shapes
from portal.api.tools import NewestFirst, Tool
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
        summary="Rebuild, verify, swap, roll back, or replay to a consumer",
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
        selection = Selection(
            types=tuple(order["types"]),
            jobs=tuple(order["jobs"]),
            since=order.get("since"),
            until=order.get("until"),
            everything=order["everything"],
        )
        given = {"to": order["to"], "rate": order.get("rate"), **selection.as_parameters()}
        return self.begin("replay", given, order)
