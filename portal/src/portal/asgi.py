"""The portal as an ASGI application: `gunicorn portal.asgi:application`."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

from django.core.asgi import get_asgi_application

from portal.configuration import prepare

prepare()
application = get_asgi_application()
