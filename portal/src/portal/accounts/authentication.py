"""`Authorization: Bearer <token>`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from portal.accounts import attempts
from portal.accounts.models import ApiToken

# Not every request is worth a write.
LAST_USED_GRAIN = timedelta(minutes=1)


class BearerAuthentication(BaseAuthentication):
    """Authenticates by an API token; raises `AuthenticationFailed`, after many also `Throttled`."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        """Return the token's user and the token, or None where no bearer token is presented."""
        scheme, _, rest = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        # Even a right token has to wait: else the wait would tell which one is right.
        if wait := attempts.seconds_to_wait(request):
            raise Throttled(wait=wait, detail="too many failed logins from this address")
        try:
            return self._token(rest.strip())
        except AuthenticationFailed:
            attempts.record_failure(request)
            raise

    def _token(self, presented: bytes) -> tuple[Any, ApiToken]:
        try:
            plain = presented.decode("ascii")
        except UnicodeDecodeError:
            plain = ""
        if not plain or " " in plain:
            raise AuthenticationFailed(
                "the Authorization header holds no token; write 'Authorization: Bearer chr_...'"
            )
        token = ApiToken.objects.presented(plain)
        now = timezone.now()
        if token is None:
            raise AuthenticationFailed(
                "this token is not known; make one in the admin, or with `manage.py create_token`"
            )
        if (state := token.state(now)) != "active":
            raise AuthenticationFailed(f"this token is {state}; make a new one")
        if not token.user.is_active:
            raise AuthenticationFailed("the user of this token is not active")
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_GRAIN)
        if token.last_used_at is None or token.last_used_at < now - LAST_USED_GRAIN:
            ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 (DRF's call)
        """Return the challenge of a 401."""
        return 'Bearer realm="chronicle"'


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema speaks of it."""

    target_class = "portal.accounts.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002
        """Return the security scheme object."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "chr_..."}
