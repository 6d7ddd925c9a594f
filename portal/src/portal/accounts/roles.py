"""Roles: Django groups with an order, each including those before it."""

from __future__ import annotations

from enum import IntEnum
from typing import Any


class Role(IntEnum):
    """What a user may do; a group of the same name, in lower case, gives it."""

    VIEWER = 1  # reads
    OPERATOR = 2  # submits, stops, extends, retries
    ADMIN = 3  # everything: users, tokens, repairs

    @property
    def group(self) -> str:
        """The name of the group."""
        return self.name.lower()


GROUPS = tuple(role.group for role in Role)

_CACHED = "_chronicle_role"


def role_of(user: Any) -> Role | None:
    """Return the highest role of a user, or None; a superuser is an admin.

    The answer is kept on the user object, that is: for one request.
    """
    if not user.is_authenticated or not user.is_active:
        return None
    if user.is_superuser:
        return Role.ADMIN
    if not hasattr(user, _CACHED):
        names = set(user.groups.filter(name__in=GROUPS).values_list("name", flat=True))
        setattr(user, _CACHED, max((role for role in Role if role.group in names), default=None))
    role: Role | None = getattr(user, _CACHED)
    return role


def has_role(user: Any, least: Role) -> bool:
    """Return whether a user has a role or a higher one."""
    role = role_of(user)
    return role is not None and role >= least
