"""API tokens: kept as digests, shown once."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models

from portal.accounts import tokens


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Tokens, looked up by what a client presents."""

    def presented(self, plain: str) -> ApiToken | None:
        """Return the token that a client presents, whatever state it is in."""
        return self.select_related("user").filter(digest=tokens.digest(plain)).first()

    def active(self, now: datetime) -> ApiTokenQuerySet:
        """Return the tokens that open something at a moment."""
        return self.filter(revoked_at=None).filter(
            models.Q(expires_at=None) | models.Q(expires_at__gt=now)
        )


class ApiToken(models.Model):
    """A key to the API that acts for a user; the token itself is not stored.

    `hint` is the beginning of the token, enough to tell one from another in a list.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=100, help_text="what the token is for, e.g. cli")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="empty: never")
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        """Newest first."""

        verbose_name = "API token"
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    def state(self, now: datetime) -> str:
        """Return `active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return "active"

    def keep(self, plain: str) -> None:
        """Take the digest and hint of a token; the token itself is forgotten here."""
        self.digest = tokens.digest(plain)
        self.hint = plain[: tokens.HINT_LENGTH]
