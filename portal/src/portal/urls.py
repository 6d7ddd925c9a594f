"""Addresses of the portal; each app lists its own."""

from __future__ import annotations

from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    *(
        path("", include(urls))
        for urls in ("portal.api.urls", "portal.downloads.urls")
        if find_spec(urls.removesuffix(".urls")) and find_spec(urls)
    ),
]

handler400 = "portal.api.errors.bad_request"
handler403 = "portal.api.errors.permission_denied"
handler404 = "portal.api.errors.page_not_found"
handler500 = "portal.api.errors.server_error"
