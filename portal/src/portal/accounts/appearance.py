"""How the admin looks: black, with olive accents."""

from __future__ import annotations

from typing import Any

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
    "900": "#0d0d0b",
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

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Chronicle",
    "SITE_HEADER": "Chronicle",
    "SITE_SUBHEADER": "livestream recorder",
    "SITE_SYMBOL": "radio_button_checked",
    "SITE_URL": "/",
    "THEME": "dark",
    "SHOW_VIEW_ON_SITE": False,
    "COLORS": {"base": _BLACK, "primary": _OLIVE},
    "LOGIN": {"form": "portal.accounts.forms.LimitedAdminLoginForm"},
}
