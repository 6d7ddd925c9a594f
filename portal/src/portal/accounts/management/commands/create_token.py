"""Make a new API token and print it, this once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from portal.accounts import tokens
from portal.accounts.models import ApiToken


class Command(BaseCommand):
    """Prints nothing but the token on standard output."""

    help = "Make a new API token for a user and print it; it cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose token, what for, how long."""
        parser.add_argument("--user", required=True, help="user name")
        parser.add_argument("--name", required=True, help="what the token is for")
        parser.add_argument("--days", type=int, help="days until it expires (default: never)")

    def handle(self, *_: Any, **options: Any) -> None:
        """Refuses an unknown user and a lifetime that is not positive."""
        days = options["days"]
        if days is not None and days <= 0:
            raise CommandError(f"--days is {days}; it must be at least 1")
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"there is no user {options['user']!r}")
        plain = tokens.mint()
        token = ApiToken(user=user, name=options["name"])
        token.expires_at = timezone.now() + timedelta(days=days) if days else None
        token.keep(plain)
        token.save()
        self.stdout.write(plain)
