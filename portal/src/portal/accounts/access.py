"""Model admins whose pages open by role, in place of Django's table of permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import Model
from django.http import HttpRequest

from portal.accounts.roles import Role, has_role

if TYPE_CHECKING:  # unfold ships no types; its class is Django's in other clothes
    from django.contrib.admin import ModelAdmin
else:
    from unfold.admin import ModelAdmin


class RoleAdmin(ModelAdmin):  # type: ignore[type-arg]  # at run time it takes no argument
    """Each verb needs a role; None means that nobody may, which is the default.

    What nobody may change is shown read-only.
    """

    view_role: ClassVar[Role] = Role.VIEWER
    add_role: ClassVar[Role | None] = None
    change_role: ClassVar[Role | None] = None
    delete_role: ClassVar[Role | None] = None

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the app to those who may look."""
        return _may(request, self.view_role)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002 (Django's call)
        """Who may look."""
        return _may(request, self.view_role)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who may add."""
        return _may(request, self.add_role)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Who may change."""
        return _may(request, self.change_role)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Who may delete."""
        return _may(request, self.delete_role)

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Who may run actions declared with `permissions=["operate"]`."""
        return _may(request, Role.OPERATOR)

    def has_administer_permission(self, request: HttpRequest) -> bool:
        """Who may run actions declared with `permissions=["administer"]`."""
        return _may(request, Role.ADMIN)


def _may(request: HttpRequest, role: Role | None) -> bool:
    user: Any = request.user
    return role is not None and has_role(user, role)


def may_view(request: HttpRequest) -> bool:
    """Return whether the pages of viewers are open to the request's user."""
    return _may(request, Role.VIEWER)


def may_administer(request: HttpRequest) -> bool:
    """Return whether the pages of admins are."""
    return _may(request, Role.ADMIN)
