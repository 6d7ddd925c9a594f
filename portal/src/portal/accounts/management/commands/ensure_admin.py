"""Create or update the user admin with the password in CHRONICLE_ADMIN_PASSWORD."""

from __future__ import annotations

import os
from typing import Any

from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from portal.accounts.roles import Role

VARIABLE = "CHRONICLE_ADMIN_PASSWORD"


class Command(BaseCommand):
    """Idempotent; the password is read from the environment, never from an argument."""

    help = f"Create or update the user admin; the password is read from {VARIABLE}."

    @transaction.atomic
    def handle(self, *_: Any, **__: Any) -> None:
        """Refuses an empty or weak password."""
        password = os.environ.get(VARIABLE, "")
        if not password:
            raise CommandError(f"{VARIABLE} is empty; set it to the password of the user admin")
        user, created = User.objects.get_or_create(username="admin")
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise CommandError(
                f"{VARIABLE} is not good enough: {' '.join(error.messages)}"
            ) from None
        # The same password is not set again: a new hash would end every session of the user.
        if not user.check_password(password):
            user.set_password(password)
        user.is_staff = user.is_superuser = user.is_active = True
        user.save()
        user.groups.add(Group.objects.get_or_create(name=Role.ADMIN.group)[0])
        self.stdout.write(f"user admin {'created' if created else 'is up to date'}")
