"""Addresses of files."""

from __future__ import annotations

from chronicle_contracts import naming
from django.urls import path, re_path

from portal.downloads.views import JobRecording, JobTorrent, WebSeed

_JOB = rf"^api/v1/jobs/(?P<job_id>{naming.JOB_ID.pattern})"

urlpatterns = [
    re_path(rf"{_JOB}/recording\Z", JobRecording.as_view(), name="job-recording"),
    re_path(rf"{_JOB}/torrent\Z", JobTorrent.as_view(), name="job-torrent"),
    path("webseed/<str:token>/<path:key>", WebSeed.as_view(), name="webseed"),
]
