"""Permissions of the API, by role."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from portal.accounts.roles import Role, has_role

if TYPE_CHECKING:
    # The framework imports this module while it imports its views.
    from rest_framework.views import APIView


class _AtLeast(BasePermission):
    role: ClassVar[Role]

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 (DRF's call)
        return has_role(request.user, self.role)


class IsViewer(_AtLeast):
    """Viewers, operators and admins."""

    role = Role.VIEWER
    message = "this needs the role viewer; ask an admin to add you to the group viewer"


class IsOperator(_AtLeast):
    """Operators and admins."""

    role = Role.OPERATOR
    message = "this needs the role operator; ask an admin to add you to the group operator"


class IsAdmin(_AtLeast):
    """Admins only."""

    role = Role.ADMIN
    message = "this needs the role admin"
