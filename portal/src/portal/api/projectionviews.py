"""Endpoints of the read models: recordings, torrents, totals, services, and a job's changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

import django_filters  # type: ignore[import-untyped]
from django.http import Http404
from django.utils import timezone
from django_filters.rest_framework import DjangoFilterBackend  # type: ignore[import-untyped]
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.filters import SearchFilter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from portal.api.endpoints import Endpoint, refusals
from portal.api.filters import JobPages
from portal.api.projections import (
    ChangesQuery,
    ChangesSerializer,
    RecordingSerializer,
    ServiceList,
    TorrentSerializer,
    TotalsQuery,
    TotalsSerializer,
)
from portal.projections import summaries
from portal.projections.models import Recording, Torrent
from portal.replay.past import history_of


class RecordingFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Filters of the list of recordings."""

    losses = django_filters.BooleanFilter()
    site = django_filters.CharFilter()
    job = django_filters.CharFilter(field_name="job_id")
    uploaded_after = django_filters.IsoDateTimeFilter(field_name="uploaded_at", lookup_expr="gte")
    uploaded_before = django_filters.IsoDateTimeFilter(field_name="uploaded_at", lookup_expr="lt")

    class Meta:
        model = Recording
        fields: ClassVar[list[str]] = []


class TorrentFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Filters of the list of torrents."""

    state = django_filters.ChoiceFilter(choices=Torrent._meta.get_field("state").choices)
    info_hash = django_filters.CharFilter()
    job = django_filters.CharFilter(field_name="job_id")

    class Meta:
        model = Torrent
        fields: ClassVar[list[str]] = []


class RecordingPages(JobPages):
    """The newest first."""

    ordering = ("-uploaded_at", "job_id")


class TorrentPages(JobPages):
    """Those of which something was heard last first."""

    ordering = ("-heard_at", "job_id")


@extend_schema_view(list=extend_schema(summary="List recordings, a page at a time"))
class RecordingViewSet(mixins.ListModelMixin, Endpoint, GenericViewSet[Recording]):
    """Recordings that were delivered."""

    queryset = Recording.objects.all()
    serializer_class = RecordingSerializer
    pagination_class = RecordingPages
    filter_backends = (DjangoFilterBackend, SearchFilter)
    filterset_class = RecordingFilter
    search_fields: ClassVar[list[str]] = ["job_id", "title", "site", "key"]


@extend_schema_view(list=extend_schema(summary="List torrents, a page at a time"))
class TorrentViewSet(mixins.ListModelMixin, Endpoint, GenericViewSet[Torrent]):
    """Torrents of recordings."""

    queryset = Torrent.objects.all()
    serializer_class = TorrentSerializer
    pagination_class = TorrentPages
    filter_backends = (DjangoFilterBackend, SearchFilter)
    filterset_class = TorrentFilter
    search_fields: ClassVar[list[str]] = ["job_id", "name", "info_hash"]


class Totals(Endpoint):
    """The totals of days."""

    @extend_schema(
        operation_id="totals",
        summary="Recordings, hours, bytes and failures of each day (UTC)",
        parameters=[TotalsQuery],
        responses=TotalsSerializer,
    )
    def get(self, request: Request) -> Response:
        """Answer the days, the newest first."""
        query = TotalsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        limit = asked["limit"]
        days = summaries.days(since=asked.get("since"), until=asked.get("until"), most=limit + 1)
        following = None
        if len(days) > limit:
            before = days[limit - 1].day - timedelta(days=1)
            following = _with(request, until=before.isoformat())
        return Response(TotalsSerializer({"next": following, "results": days[:limit]}).data)


class Services(Endpoint):
    """The health of services."""

    @extend_schema(
        operation_id="services",
        summary="What each service said last, and whether it owes a word",
        responses=ServiceList,
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002 (Django's call)
        """Answer all of them."""
        return Response(ServiceList({"results": summaries.services(timezone.now())}).data)


class JobChanges(Endpoint):
    """What each event changed."""

    @extend_schema(
        operation_id="jobs_changes",
        summary="The history of a job, with what each event changed",
        parameters=[ChangesQuery],
        responses=ChangesSerializer,
    )
    def get(self, request: Request, job_id: str) -> Response:
        """Answer a part of it."""
        query = ChangesQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        offset, limit = query.validated_data["offset"], query.validated_data["limit"]
        with refusals():
            changes = history_of(job_id)
        if not changes:
            raise Http404(f"there is no job {job_id!r}")
        more = len(changes) > offset + limit
        following = _with(request, offset=str(offset + limit)) if more else None
        page = {"next": following, "results": changes[offset : offset + limit]}
        return Response(ChangesSerializer(page).data)


def _with(request: Request, **changes: Any) -> str:
    query = request.query_params.copy()
    for name, value in changes.items():
        query[name] = value
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
