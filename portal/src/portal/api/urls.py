"""Addresses of the API, the landing page and the login."""

from __future__ import annotations

from chronicle_contracts import naming
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from portal.accounts.forms import LimitedLoginForm
from portal.api import landing
from portal.api.eventviews import EventList, JobAsOf, JobEventList
from portal.api.health import Live, Ready
from portal.api.jobviews import JobViewSet
from portal.api.schema import DocsView, SchemaView

_router = SimpleRouter(trailing_slash=False)
_router.register("jobs", JobViewSet, basename="job")

_JOB = rf"^jobs/(?P<job_id>{naming.JOB_ID.pattern})"

_v1 = [
    re_path(rf"{_JOB}/events\Z", JobEventList.as_view(), name="job-events"),
    re_path(rf"{_JOB}/as-of\Z", JobAsOf.as_view(), name="job-as-of"),
    *_router.urls,
    path("events", EventList.as_view(), name="events"),
    path("health/live", Live.as_view(), name="live"),
    path("health/ready", Ready.as_view(), name="ready"),
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", DocsView.as_view(), name="docs"),
]

urlpatterns = [
    path("", landing.page, name="landing"),
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
    path("health/live", Live.as_view(schema=None)),
    path("health/ready", Ready.as_view(schema=None)),
    path("api/v1/", include(_v1)),
]
