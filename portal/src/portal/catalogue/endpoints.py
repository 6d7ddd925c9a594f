"""The catalogue for machines: `/api/v1/event-types` and `/api/v1/asyncapi`."""

from __future__ import annotations

from typing import Any

from chronicle_contracts.asyncapi import document
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.endpoints import Endpoint
from portal.catalogue.listing import catalogue, topology


class EventTypeSerializer(serializers.Serializer[Any]):
    """One version of an event."""

    type = serializers.CharField(source="event.type")
    name = serializers.CharField(source="event.name")
    version = serializers.IntegerField(source="event.version")
    publisher = serializers.CharField(source="event.publisher")
    consumers = serializers.ListField(
        child=serializers.CharField(), help_text="queues whose filter lets it pass"
    )
    superseded = serializers.BooleanField(
        source="event.is_superseded", help_text="read, but written no more"
    )
    summary = serializers.CharField(source="event.summary")
    count = serializers.IntegerField(help_text="how many the log has")
    last_seen = serializers.DateTimeField(allow_null=True, help_text="when one was last heard")


class FieldSerializer(serializers.Serializer[Any]):
    """A field of `data`, in words."""

    path = serializers.CharField(help_text="e.g. completeness.score or gaps[].seconds")
    type = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]  # DRF takes fields off the class
    default = serializers.JSONField(allow_null=True)
    description = serializers.CharField(allow_blank=True)


class EventTypeDetailSerializer(EventTypeSerializer):
    """The same with all that is known of it."""

    description = serializers.CharField(source="event.description")
    data_fields = FieldSerializer(source="event.fields", many=True)
    schema = serializers.JSONField(source="event.schema", help_text="JSON Schema of `data`")
    example = serializers.JSONField(source="event.example", help_text="a whole message")


class EventTypeListSerializer(serializers.Serializer[Any]):
    """All of them; there are dozens, so there is one page."""

    results = EventTypeSerializer(many=True)


class EventTypes(Endpoint):
    """What is said in this system."""

    @extend_schema(
        operation_id="event_types_list",
        summary="The event catalogue: every version of every event",
        responses=EventTypeListSerializer,
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Answer the catalogue."""
        return Response({"results": EventTypeSerializer(catalogue().entries, many=True).data})


class OneEventType(Endpoint):
    """One version of an event."""

    @extend_schema(
        operation_id="event_types_retrieve",
        summary="One version of an event, with schema and example",
        responses=EventTypeDetailSerializer,
    )
    def get(self, request: Request, type_: str) -> Response:  # noqa: ARG002
        """Answer its entry."""
        for entry in catalogue().entries:
            if entry.event.type == type_:
                return Response(EventTypeDetailSerializer(entry).data)
        raise Http404(f"there is no event type {type_!r}; /api/v1/event-types lists them all")


class AsyncApi(Endpoint):
    """The whole language in one document."""

    @extend_schema(
        operation_id="asyncapi_retrieve",
        summary="Topic, queues and messages of this stack as an AsyncAPI 3 document",
        responses={(200, "application/json"): {"type": "object", "additionalProperties": True}},
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Answer the document."""
        queues, prefix = topology()
        return Response(document(queues, prefix=prefix))
