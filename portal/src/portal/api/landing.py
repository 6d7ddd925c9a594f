"""The landing page: the newest jobs, and where to go from here."""

from __future__ import annotations

from chronicle_contracts import JobStatus
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.accounts.roles import Role, has_role
from portal.jobs import pages, wording
from portal.jobs.models import Job

NEWEST = 25


@require_safe
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Show the newest jobs to viewers; to others, what they lack."""
    is_viewer = has_role(request.user, Role.VIEWER)
    jobs = Job.objects.defer("timeline")[:NEWEST] if is_viewer else []
    rows = [
        {
            "job": job,
            "badge": pages.badge(job.status, losses=job.losses),
            "progress": wording.progress(job),
            "address": pages.address(job.url),
            "files": pages.files(job),
        }
        for job in jobs
    ]
    active = sum(1 for job in jobs if not JobStatus(job.status).is_final)
    context = {
        "rows": rows,
        "active": active,
        "is_viewer": is_viewer,
        "may_submit": has_role(request.user, Role.OPERATOR),
    }
    return render(request, "portal/landing.html", context)
