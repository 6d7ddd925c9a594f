"""Health: is the process alive, can it do its work."""

from __future__ import annotations

from django.db import DatabaseError, connection
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.problems import Problem


class HealthSerializer(serializers.Serializer[dict[str, str]]):
    """What was found."""

    status = serializers.CharField()


class NotReady(Problem):
    """The process lives but cannot do its work right now."""

    status_code = 503
    slug = "not-ready"


class _Health(APIView):
    # Balancers ask often, and from one address: neither logins nor throttles.
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()


class Live(_Health):
    """The process answers."""

    @extend_schema(summary="The process answers", auth=[], responses=HealthSerializer)
    def get(self, request: Request) -> Response:  # noqa: ARG002 (DRF's call)
        """Answer without looking at anything else."""
        return Response({"status": "live"})


class Ready(_Health):
    """The database answers and its tables are there."""

    @extend_schema(summary="The database answers", auth=[], responses=HealthSerializer)
    def get(self, request: Request) -> Response:  # noqa: ARG002 (DRF's call)
        """Answer 503 while it does not."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM eventlog_loggedevent LIMIT 1")
        except DatabaseError as error:
            raise NotReady("the database does not answer, or its tables are missing") from error
        return Response({"status": "ready"})
