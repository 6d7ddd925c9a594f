"""Endpoints of the log: all events, those of a job, and a job as it was."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.endpoints import Endpoint, refusals
from portal.api.fields import StrictSerializer
from portal.api.jobs import JobDetailSerializer, LoggedEventSerializer
from portal.eventlog.models import LoggedEvent
from portal.jobs.readmodel import row_of
from portal.replay.past import as_of

POSITION_ERRORS: dict[str, Any] = {"invalid": "give a position of the log, a whole number"}
BIGGEST = 2**63 - 1


class EventPageQuery(serializers.Serializer[Any]):
    """Which events, and from where on."""

    after = serializers.IntegerField(
        default=0,
        min_value=0,
        max_value=BIGGEST,
        help_text="events with a position above this one",
        error_messages=POSITION_ERRORS,
    )
    limit = serializers.IntegerField(default=100, min_value=1, max_value=500)
    type = serializers.CharField(
        required=False, help_text="a type in full, or its name alone, e.g. Heartbeat"
    )


class EventQuery(EventPageQuery):
    """The same over all jobs."""

    job = serializers.CharField(required=False)
    stream = serializers.CharField(required=False)


class EventPageSerializer(serializers.Serializer[Any]):
    """A page of the log, in the order in which the events were heard."""

    results = LoggedEventSerializer(many=True)
    next = serializers.URLField(allow_null=True, help_text="null at the end of what is known")


class AsOfQuery(StrictSerializer):
    """The moment to look back to: one of the two."""

    position = serializers.IntegerField(
        required=False, min_value=0, max_value=BIGGEST, error_messages=POSITION_ERRORS
    )
    time = serializers.DateTimeField(
        required=False, error_messages={"invalid": "write it as 2026-01-31T12:00:00Z"}
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse none, and both."""
        if len(attrs) != 1:
            raise serializers.ValidationError("give either position= or time=")
        return attrs


class _Events(Endpoint):
    query: ClassVar[type[EventPageQuery]] = EventQuery

    def page(self, request: Request, events: QuerySet[LoggedEvent]) -> Response:
        query = self.query(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        if kind := asked.get("type"):
            events = events.filter(Q(type=kind) if "." in kind else Q(type__contains=f".{kind}.v"))
        for name, column in (("job", "job_id"), ("stream", "stream")):
            if asked.get(name):
                events = events.filter(**{column: asked[name]})
        # One more than asked for tells whether there is a next page.
        limit = asked["limit"]
        rows = list(events.filter(position__gt=asked["after"]).order_by("position")[: limit + 1])
        more = len(rows) > limit
        return Response(
            {
                "results": LoggedEventSerializer(rows[:limit], many=True).data,
                "next": _with_after(request, rows[limit - 1].position) if more else None,
            }
        )


def _with_after(request: Request, position: int) -> str:
    query = request.query_params.copy()
    query["after"] = str(position)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


class EventList(_Events):
    """The log."""

    @extend_schema(
        operation_id="events_list",
        summary="The log, in the order in which events were heard",
        parameters=[EventQuery],
        responses=EventPageSerializer,
    )
    def get(self, request: Request) -> Response:
        """Answer a page."""
        return self.page(request, LoggedEvent.objects.all())


class JobEventList(_Events):
    """The history of a job."""

    query = EventPageQuery

    @extend_schema(
        operation_id="jobs_events_list",
        summary="The history of a job",
        parameters=[EventPageQuery],
        responses=EventPageSerializer,
    )
    def get(self, request: Request, job_id: str) -> Response:
        """Answer a page."""
        events = LoggedEvent.objects.filter(job_id=job_id)
        if not events.exists():
            raise Http404(f"there is no job {job_id!r}")
        return self.page(request, events)


class JobAsOf(Endpoint):
    """A job as it was."""

    @extend_schema(
        operation_id="jobs_as_of",
        summary="A job as it was at a position of the log, or at a time",
        parameters=[AsOfQuery],
        responses=JobDetailSerializer,
    )
    def get(self, request: Request, job_id: str) -> Response:
        """Fold the history up to the moment."""
        query = AsOfQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        with refusals():
            state = as_of(job_id, position=asked.get("position"), time=asked.get("time"))
        return Response(JobDetailSerializer(row_of(state)).data)
