"""Endpoints of jobs: list, submit, look at, stop, extend, retry."""

from __future__ import annotations

from typing import Any, ClassVar

from chronicle_contracts import naming
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend  # type: ignore[import-untyped]
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.filters import SearchFilter
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from portal.accounts.permissions import IsOperator, IsViewer
from portal.api import idempotency
from portal.api.endpoints import Endpoint, refusals
from portal.api.filters import JobFilter, JobOrdering, JobPages
from portal.api.jobs import JobDetailSerializer, JobSerializer
from portal.api.submissions import (
    ExtendSerializer,
    JobSubmissionSerializer,
    RetrySerializer,
    StopSerializer,
    submit,
)
from portal.jobs.commands import extend_job, retry_job, stop_job
from portal.jobs.models import Job

IDEMPOTENCY_KEY = OpenApiParameter(
    idempotency.HEADER,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="the same key with the same request makes one job, however often it is sent",
)


@extend_schema_view(
    list=extend_schema(summary="List jobs, a page at a time"),
    retrieve=extend_schema(summary="A job with its timeline"),
)
class JobViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    Endpoint,
    GenericViewSet[Job],
):
    """Jobs, as the read model knows them right now."""

    queryset = Job.objects.all()
    serializer_class = JobSerializer
    pagination_class = JobPages
    filter_backends = (DjangoFilterBackend, SearchFilter, JobOrdering)
    filterset_class = JobFilter
    search_fields: ClassVar[list[str]] = ["id", "url", "title", "site", "filename"]
    ordering_fields: ClassVar[list[str]] = ["requested_at", "updated_at", "status"]
    ordering: ClassVar[list[str]] = ["-requested_at"]
    lookup_value_regex = naming.JOB_ID.pattern

    def get_queryset(self) -> QuerySet[Job]:
        """Leave the timeline out where it is not shown; it may be long."""
        jobs = super().get_queryset()
        return jobs if self.action == "retrieve" else jobs.defer("timeline")

    def get_serializer_class(self) -> type[JobSerializer]:
        """Show the timeline in the detail alone."""
        return JobDetailSerializer if self.action == "retrieve" else JobSerializer

    def get_permissions(self) -> list[BasePermission]:
        """Let viewers read, and operators do the rest."""
        reads = self.request.method in {"GET", "HEAD", "OPTIONS"}
        return [IsViewer() if reads else IsOperator()]

    @extend_schema(
        summary="Ask for a recording",
        parameters=[IDEMPOTENCY_KEY],
        request=JobSubmissionSerializer,
        responses={200: JobSerializer, 201: JobSerializer},
    )
    def create(self, request: Request) -> Response:
        """Answer 201 with the new job, or 200 with the job of the same request before."""
        submission = JobSubmissionSerializer(data=request.data)
        submission.is_valid(raise_exception=True)
        made: list[bool] = []

        def make() -> str:
            requested = submit(submission, by=request.user.get_username())
            made[:] = [requested.created]
            return requested.job.id

        key = idempotency.key_of(request)
        if key is None:
            job_id = make()
        else:
            content = dict(submission.validated_data)
            job_id, is_first = idempotency.once(request.user, key, content, make)
            made = made if is_first else [False]
        created = made == [True]
        return Response(
            JobSerializer(Job.objects.get(id=job_id)).data,
            status=status.HTTP_201_CREATED if created else status.HTTP_200_OK,
            headers={"Location": request.build_absolute_uri(f"{request.path}/{job_id}")},
        )

    @extend_schema(
        summary="Stop, and keep or discard what was recorded",
        request=StopSerializer,
        responses={202: JobSerializer},
    )
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str) -> Response:
        """Answer 202: the recorder hears of it within a second or two."""
        order = _validated(StopSerializer(data=request.data))
        with refusals():
            job = stop_job(pk, mode=order["mode"], by=request.user.get_username())
        return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Set the longest duration anew",
        request=ExtendSerializer,
        responses={202: JobSerializer},
    )
    @action(detail=True, methods=["post"])
    def extend(self, request: Request, pk: str) -> Response:
        """Answer 202; the duration is the total, not what is added."""
        order = _validated(ExtendSerializer(data=request.data))
        with refusals():
            job = extend_job(pk, order["max_duration"], by=request.user.get_username())
        return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Try a job again that ended without a recording",
        request=RetrySerializer,
        responses={202: JobSerializer},
    )
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Answer 202."""
        order = _validated(RetrySerializer(data=request.data))
        with refusals():
            job = retry_job(
                pk, credentials=order.get("credentials"), by=request.user.get_username()
            )
        return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED)


def _validated(serializer: Any) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data
