"""Make the token in CHRONICLE_API_TOKEN open the API for a user."""

from __future__ import annotations

import os
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from portal.accounts import tokens
from portal.accounts.models import ApiToken

VARIABLE = "CHRONICLE_API_TOKEN"


class Command(BaseCommand):
    """Idempotent; a new token of the same name takes the place of the old one."""

    help = f"Keep the token in {VARIABLE} for a user; revokes an older one of the same name."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose token, and what it is for."""
        parser.add_argument("--user", required=True, help="user name")
        parser.add_argument("--name", required=True, help="what the token is for, e.g. cli")

    @transaction.atomic
    def handle(self, *_: Any, **options: Any) -> None:
        """Refuses an empty or weak token, one of somebody else, and one that was revoked."""
        plain = os.environ.get(VARIABLE, "")
        if weakness := tokens.weakness(plain):
            raise CommandError(f"{VARIABLE} cannot be used: {weakness}; create_token makes one")
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"there is no user {options['user']!r}; run ensure_admin first")
        token = ApiToken.objects.presented(plain)
        if token is not None and token.user_id != user.pk:
            raise CommandError(f"{VARIABLE} belongs to the user {token.user}; use another token")
        if token is not None and token.revoked_at is not None:
            raise CommandError(f"{VARIABLE} was revoked; use another token")
        created = token is None
        if token is None:
            token = ApiToken(user=user, name=options["name"])
            token.keep(plain)
            token.save()
        older = ApiToken.objects.active(timezone.now()).filter(user=user, name=options["name"])
        older.exclude(pk=token.pk).update(revoked_at=timezone.now())
        self.stdout.write(f"token {token} {'created' if created else 'is up to date'}")
