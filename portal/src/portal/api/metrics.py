"""Metrics for Prometheus, in its text format; made from the database when they are asked for.

They need a token of a viewer (`authorization: {credentials: chr_...}` in a scrape
configuration): what is recorded, and how much, is nobody's business outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from rest_framework.request import Request

from portal.api.endpoints import Endpoint
from portal.projections import summaries
from portal.replay import vitals
from portal.replay.gaps import KINDS

_TYPES = vitals.TypeCounts()


class Metrics(Endpoint):
    """The figures by which one is woken up at night."""

    @extend_schema(
        summary="Metrics in the text format of Prometheus",
        responses={(200, "text/plain"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002 (DRF's call)
        """Look, and answer."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Figures())
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Figures(Collector):
    """What is found in one look."""

    def collect(self) -> Iterator[Metric]:
        now = vitals.look()
        events = CounterMetricFamily(
            "chronicle_log_events", "Events in the log by type", labels=["type"]
        )
        for type_, number in sorted(_TYPES.now().items()):
            events.add_metric([type_], number)
        yield events
        yield _gauge("chronicle_log_position", "Position of the log's newest event", now.position)
        if now.heard_at is not None:
            yield _gauge(
                "chronicle_log_heard_timestamp_seconds",
                "When the newest event was heard, in Unix time",
                now.heard_at.timestamp(),
            )
        yield _labelled(
            "chronicle_ingest_lag_seconds",
            "From the publisher's clock to the log's, over the newest events of five minutes",
            "quantile",
            {
                name: lag
                for name, share in (("0.5", 0.5), ("0.99", 0.99))
                if (lag := now.lag(share)) is not None
            },
        )
        yield _labelled(
            "chronicle_stream_gaps",
            "Streams that lack events, by kind; tail and unheard: overdue without a seal",
            "kind",
            {kind: now.gaps.get(kind, 0) for kind in KINDS},
        )
        yield _gauge(
            "chronicle_quarantined_messages",
            "Messages of which nobody has decided",
            sum(now.quarantined.values()),
        )
        yield _gauge("chronicle_parked_jobs", "Projections of jobs that stand still", now.parked)
        yield _gauge(
            "chronicle_outbox_unsaid_events", "The portal's own events not yet said", now.unsaid
        )
        yield _labelled("chronicle_jobs", "Jobs by status", "status", now.jobs)
        yield _labelled("chronicle_replays", "Long verbs that wait or run", "outcome", now.replays)
        yield from _services()
        yield from _queues()


def _services() -> Iterator[Metric]:
    found = summaries.services(timezone.now())
    yield _labelled(
        "chronicle_service_heard_timestamp_seconds",
        "When the newest event of a service was said, in Unix time",
        "service",
        {one.publisher: one.heard_at.timestamp() for one in found if one.heard_at},
    )
    yield _labelled(
        "chronicle_service_owed_jobs",
        "Jobs that wait for a word of a service",
        "service",
        {one.publisher: one.owing for one in found},
    )
    yield _labelled(
        "chronicle_service_silent",
        "Whether one of them waits for longer than it should",
        "service",
        {one.publisher: one.silent for one in found},
    )


def _queues() -> Iterator[Metric]:
    depths = vitals.depths()
    yield _gauge("chronicle_queues_up", "Whether the queues answer", int(depths is not None))
    found = depths or []
    yield _labelled(
        "chronicle_queue_messages",
        "Messages that wait or are in hand",
        "queue",
        {one.queue: one.messages for one in found},
    )
    yield _labelled(
        "chronicle_dead_letters",
        "Messages that a consumer has given up",
        "queue",
        {one.queue: one.dead_letters for one in found},
    )


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _labelled(name: str, words: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[label])
    for of, value in sorted(values.items()):
        family.add_metric([of], value)
    return family
