"""The portal as an ASGI application: `gunicorn portal.asgi:application`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portal.api.bodies import BoundedBodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

from django.core.asgi import get_asgi_application

from portal.configuration import prepare

prepare()
_django = get_asgi_application()  # models are loaded by now, which what follows needs


def _bounded() -> BoundedBodies:
    from portal.api.bodies import BoundedBodies  # noqa: PLC0415

    return BoundedBodies(_django)


application = _bounded()
