"""Endpoints of exports: the files that the verbs export and import write and read."""

from __future__ import annotations

from django.http import Http404, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.endpoints import refusals
from portal.api.tools import Tool
from portal.downloads.serving import Offer, serve
from portal.downloads.views import AnyAccept
from portal.replay import exports

JSON_LINES = "application/jsonl"


class ExportSerializer(serializers.Serializer[object]):
    """A file that holds the whole log."""

    file = serializers.CharField(source="key", help_text="its name, for the verb import")
    size = serializers.IntegerField(help_text="bytes")
    modified_at = serializers.DateTimeField()


class ExportList(serializers.Serializer[object]):
    """All exports."""

    results = ExportSerializer(many=True)


class Exports(Tool):
    """The files that are there."""

    @extend_schema(
        operation_id="exports_list",
        summary="Exports of the log that are whole",
        responses=ExportList,
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """List them."""
        return Response(ExportList({"results": exports.listed()}).data)


class Export(Tool):
    """One file."""

    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="exports_get",
        summary="An export of the log, as JSON lines",
        responses={
            (200, JSON_LINES): OpenApiTypes.BINARY,
            (206, JSON_LINES): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, name: str) -> HttpResponseBase:
        """Send the file."""
        store = exports.store()
        stored = store.stat(name)
        if stored is None:
            raise Http404(f"there is no export {name}")
        return serve(request._request, store, Offer(stored, JSON_LINES, name))

    @extend_schema(
        operation_id="exports_put",
        summary="Bring an export of another system, to import it",
        request={JSON_LINES: OpenApiTypes.BINARY},
        responses={201: OpenApiResponse(description="it is there")},
    )
    def put(self, request: Request, name: str) -> Response:
        """Keep the body as it comes; nothing is read of it before it is imported."""
        with refusals():
            exports.keep(name, request._request.read)
        return Response(status=status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="exports_delete",
        summary="Delete an export for good; the log is not touched",
        responses={204: OpenApiResponse(description="it is gone")},
    )
    def delete(self, request: Request, name: str) -> Response:  # noqa: ARG002
        """Delete the file."""
        with refusals():
            exports.remove(name)
        return Response(status=status.HTTP_204_NO_CONTENT)
