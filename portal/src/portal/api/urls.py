"""Addresses of the API, the landing page and the login."""

from __future__ import annotations

from chronicle_contracts import naming
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from portal.accounts.forms import LimitedLoginForm
from portal.api import landing, letterviews, repairviews
from portal.api.eventviews import EventList, JobAsOf, JobEventList
from portal.api.exportviews import Export, Exports
from portal.api.health import Live, Ready
from portal.api.jobviews import JobViewSet
from portal.api.metrics import Metrics
from portal.api.projectionviews import (
    JobChanges,
    RecordingViewSet,
    Services,
    TorrentViewSet,
    Totals,
)
from portal.api.replayviews import ReplayViewSet
from portal.api.schema import DocsView, SchemaView
from portal.catalogue import pages
from portal.catalogue.endpoints import AsyncApi, EventTypes, OneEventType
from portal.replay import exports

_router = SimpleRouter(trailing_slash=False)
_router.register("jobs", JobViewSet, basename="job")
_router.register("replays", ReplayViewSet, basename="replay")
_router.register("recordings", RecordingViewSet, basename="recording")
_router.register("torrents", TorrentViewSet, basename="torrent")
_router.register("quarantine", repairviews.QuarantineViewSet, basename="quarantine")

_JOB = rf"^jobs/(?P<job_id>{naming.JOB_ID.pattern})"

_PARKED = rf"^parked/(?P<job_id>{naming.JOB_ID.pattern})"
_LETTERS = r"^dead-letters/(?P<queue>[a-z0-9-]+)"

_v1 = [
    re_path(rf"{_JOB}/events\Z", JobEventList.as_view(), name="job-events"),
    re_path(rf"{_JOB}/changes\Z", JobChanges.as_view(), name="job-changes"),
    re_path(rf"{_JOB}/as-of\Z", JobAsOf.as_view(), name="job-as-of"),
    *_router.urls,
    path("totals", Totals.as_view(), name="totals"),
    path("services", Services.as_view(), name="services"),
    path("gaps", repairviews.Gaps.as_view(), name="gaps"),
    path("gaps/repair", repairviews.GapRepair.as_view(), name="gaps-repair"),
    path("gaps/ask", repairviews.GapAsk.as_view(), name="gaps-ask"),
    path("gaps/accept", repairviews.GapAccept.as_view(), name="gaps-accept"),
    path("parked", repairviews.ParkedJobs.as_view(), name="parked"),
    re_path(rf"{_PARKED}/retry\Z", repairviews.ParkedRetry.as_view(), name="parked-retry"),
    re_path(rf"{_PARKED}/skip\Z", repairviews.ParkedSkip.as_view(), name="parked-skip"),
    path("dead-letters", letterviews.DeadLetterQueues.as_view(), name="dead-letter-queues"),
    re_path(rf"{_LETTERS}\Z", letterviews.DeadLetters.as_view(), name="dead-letters"),
    re_path(rf"{_LETTERS}/redrive\Z", letterviews.DeadLetterRedrive.as_view(), name="redrive"),
    re_path(rf"{_LETTERS}/drop\Z", letterviews.DeadLetterDrop.as_view(), name="drop-letter"),
    path("exports", Exports.as_view(), name="exports"),
    re_path(rf"^exports/(?P<name>{exports.NAME.pattern})\Z", Export.as_view(), name="export"),
    path("events", EventList.as_view(), name="events"),
    path("event-types", EventTypes.as_view(), name="event-types"),
    re_path(r"^event-types/(?P<type_>[A-Za-z0-9.]+)\Z", OneEventType.as_view(), name="event-type"),
    path("asyncapi", AsyncApi.as_view(), name="asyncapi"),
    path("metrics", Metrics.as_view(), name="metrics"),
    path("health/live", Live.as_view(), name="live"),
    path("health/ready", Ready.as_view(), name="ready"),
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", DocsView.as_view(), name="docs"),
]

urlpatterns = [
    path("", landing.page, name="landing"),
    path("events/", pages.all_events, name="event-catalogue"),
    path("events/<str:name>/", pages.one_event, name="event"),
    path(
        "login/",
        LoginView.as_view(
            template_name="portal/login.html",
            authentication_form=LimitedLoginForm,
            redirect_authenticated_user=True,
        ),
        name="login",
    ),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("metrics", Metrics.as_view(schema=None)),
    path("health/live", Live.as_view(schema=None)),
    path("health/ready", Ready.as_view(schema=None)),
    path("api/v1/", include(_v1)),
]
