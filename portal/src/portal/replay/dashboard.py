"""The admin's first page: how the event backbone is."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from portal.accounts.access import may_view
from portal.jobs import wording
from portal.replay.vitals import Vitals, look


def add_vitals(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Give the page its figures (unfold's DASHBOARD_CALLBACK), for those who may look."""
    if may_view(request):
        context["vitals"] = list(_figures(look()))
    return context


def _figures(now: Vitals) -> list[dict[str, Any]]:
    lag, gaps = now.lag(0.99), sum(now.gaps.values())
    waiting = sum(now.quarantined.values())
    at_work = sum(now.replays.values())
    return [
        _figure(
            "Lag",
            _in_words(lag),
            "from saying to hearing, 99 of 100 newest events",
            "eventlog_loggedevent",
            bad=lag is not None and lag > 10,
        ),
        _figure(
            "Gaps",
            gaps,
            ", ".join(f"{number} {kind}" for kind, number in now.gaps.items())
            or "every stream is whole",
            "eventlog_streamcursor",
            bad=gaps > 0,
        ),
        _figure(
            "Parked and quarantined",
            f"{now.parked} / {waiting}",
            "projections that stand still / messages to decide on",
            "eventlog_parkedjob" if now.parked else "eventlog_quarantinedmessage",
            bad=now.parked + waiting > 0,
        ),
        _figure(
            "Log",
            f"{now.position:,}",
            f"position; {now.unsaid} of the portal's own events unsaid; "
            f"{at_work} replay{'' if at_work == 1 else 's'} under way",
            "replay_replay",
            bad=False,
        ),
    ]


def _figure(title: str, value: Any, words: str, model: str, *, bad: bool) -> dict[str, Any]:
    href = reverse(f"admin:{model}_changelist")
    return {"title": title, "value": value, "words": words, "href": href, "bad": bad}


def _in_words(seconds: float | None) -> str:
    if seconds is None:
        return "quiet"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else wording.duration(seconds)
