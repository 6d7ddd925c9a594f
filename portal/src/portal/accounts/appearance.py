"""How the admin looks: black, with olive accents."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse_lazy

# Unfold takes any CSS colour; 950 is the page in dark mode.
_BLACK = {
    "50": "#fafaf7",
    "100": "#f1f1ec",
    "200": "#e0e0d8",
    "300": "#c4c4ba",
    "400": "#97978c",
    "500": "#6f6f66",
    "600": "#4f4f48",
    "700": "#33332e",
    "800": "#1c1c19",
    "900": "#000000",
    "950": "#000000",
}
_OLIVE = {
    "50": "#f8faeb",
    "100": "#eef3d3",
    "200": "#dde7ab",
    "300": "#c5d67a",
    "400": "#acc250",
    "500": "#8ea534",
    "600": "#6f8427",
    "700": "#556522",
    "800": "#455120",
    "900": "#3b451f",
    "950": "#1e260d",
}

FAVICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E"
    "%3Ccircle cx='4' cy='4' r='4' fill='%238ea534'/%3E%3C/svg%3E"
)


def _page(title: str, icon: str, model: str, *, admins_only: bool = False) -> dict[str, Any]:
    item = {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{model}_changelist"),
        "permission": "portal.accounts.access.may_view",
    }
    return item | {"permission": "portal.accounts.access.may_administer"} if admins_only else item


def _link(title: str, icon: str, address: str) -> dict[str, Any]:
    item = _page(title, icon, "")
    return item | {"link": reverse_lazy(address)}


def _is_of_records(request: HttpRequest) -> bool:
    """Tell its pages from those of tools and dead letters, whose addresses begin alike."""
    match = request.resolver_match
    return match is not None and (match.url_name or "").startswith("replay_replay_")


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Chronicle",
    "SITE_HEADER": "Chronicle",
    "SITE_SUBHEADER": "livestream recorder",
    "SITE_SYMBOL": "radio_button_checked",
    "SITE_URL": "/",
    "THEME": "dark",
    "SHOW_VIEW_ON_SITE": False,
    "COLORS": {"base": _BLACK, "primary": _OLIVE},
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _: FAVICON}],
    "DASHBOARD_CALLBACK": "portal.replay.dashboard.add_vitals",
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "title": "Recordings",
                "items": [
                    _page("Jobs", "videocam", "jobs_job"),
                    _page("Finished recordings", "movie", "projections_recording"),
                    _page("Torrents", "share", "projections_torrent"),
                    _page("Daily totals", "calendar_month", "projections_dayshare"),
                    _page("Service health", "monitor_heart", "projections_servicevoice"),
                ],
            },
            {
                "title": "Event log",
                "items": [
                    _page("Events", "history", "eventlog_loggedevent"),
                    _link("Event catalogue", "menu_book", "event-catalogue"),
                    _page("Streams", "timeline", "eventlog_streamcursor"),
                    _page("Quarantine", "report", "eventlog_quarantinedmessage"),
                    _page("Parked jobs", "pause_circle", "eventlog_parkedjob"),
                    _page("Relay positions", "outbox", "eventlog_relayposition"),
                ],
            },
            {
                "title": "Replay",
                "items": [
                    _link("Tools", "build", "admin:replay_tools"),
                    _link("Dead letters", "mail", "admin:replay_dead_letters"),
                    _page("Records", "receipt_long", "replay_replay") | {"active": _is_of_records},
                    _page("Builds", "construction", "replay_build"),
                    _page("Skipped events", "skip_next", "eventlog_skippedevent"),
                    _page("Checkpoints", "flag", "projections_checkpoint"),
                ],
            },
            {
                "title": "Access",
                "items": [
                    _page("API tokens", "key", "accounts_apitoken", admins_only=True),
                    _page("Users", "person", "auth_user", admins_only=True),
                    _page("Groups", "group", "auth_group", admins_only=True),
                ],
            },
        ],
    },
    "LOGIN": {"form": "portal.accounts.forms.LimitedAdminLoginForm"},
}
