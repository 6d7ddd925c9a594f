"""Admin of users, groups and API tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from portal.accounts import tokens
from portal.accounts.access import RoleAdmin
from portal.accounts.models import ApiToken
from portal.accounts.roles import GROUPS, Role

if TYPE_CHECKING:  # unfold ships no types; its forms are Django's in other clothes
    from django.contrib.auth.forms import (
        AdminPasswordChangeForm,
        AdminUserCreationForm,
        UserChangeForm,
    )
else:
    from unfold.forms import (
        AdminPasswordChangeForm,
        UserChangeForm,
    )
    from unfold.forms import (
        UserCreationForm as AdminUserCreationForm,
    )

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, RoleAdmin):  # type: ignore[type-arg]
    """Users; a group gives the role, `staff` lets them into these pages."""

    view_role = add_role = change_role = delete_role = Role.ADMIN
    form = UserChangeForm
    add_form = AdminUserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "roles", "is_staff", "is_superuser", "is_active", "last_login")
    list_filter = ("groups", "is_active")
    filter_horizontal = ()  # wider than the page, for three groups
    fieldsets = (
        (None, {"fields": ("username", "password", "first_name", "last_name", "email")}),
        ("Access", {"fields": ("groups", "is_staff", "is_superuser", "is_active")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "password1", "password2", "groups", "is_staff")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Read the groups of all users at once."""
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="roles")
    def roles(self, user: User) -> str:
        """Name the groups."""
        return ", ".join(group.name for group in user.groups.all()) or "none"


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, RoleAdmin):
    """Groups; those that give roles stay."""

    view_role = add_role = change_role = delete_role = Role.ADMIN

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Keep the names of roles."""
        return not _is_role(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Keep the groups of roles."""
        return not _is_role(obj) and super().has_delete_permission(request, obj)


def _is_role(group: Model | None) -> bool:
    return isinstance(group, Group) and group.name in GROUPS


@admin.register(ApiToken)
class ApiTokenAdmin(RoleAdmin):
    """API tokens: made here, shown once, revoked here; never edited."""

    view_role = add_role = delete_role = Role.ADMIN
    list_display = ("name", "user", "hint", "state", "created_at", "last_used_at", "expires_at")
    list_filter = ("user",)
    search_fields = ("name", "user__username", "hint")
    list_select_related = ("user",)
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:  # noqa: ARG002
        """Ask for three things; show the rest."""
        if obj is None:
            return ["user", "name", "expires_at"]
        return [
            "name",
            "user",
            "hint",
            "state",
            "created_at",
            "last_used_at",
            "expires_at",
            "revoked_at",
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Suggest oneself."""
        return {"user": request.user.pk}

    @admin.display(description="state")
    def state(self, token: ApiToken) -> str:
        """Active, expired or revoked."""
        return token.state(timezone.now())

    def save_model(
        self,
        request: HttpRequest,
        obj: Any,
        form: forms.ModelForm[Any],
        change: bool,
    ) -> None:
        """Mint the token; the plain text lives as long as this request."""
        obj.plain = tokens.mint()
        obj.keep(obj.plain)
        super().save_model(request, obj, form, change)

    def response_add(
        self,
        request: HttpRequest,
        obj: Any,
        post_url_continue: str | None = None,  # noqa: ARG002 (Django's call)
    ) -> HttpResponse:
        """Show the token on the answer itself, so that no session and no cookie keeps it."""
        context = {
            **self.admin_site.each_context(request),
            "title": "API token",
            "opts": self.opts,
            "token": obj,
            "plain": obj.plain,
        }
        return TemplateResponse(request, "admin/accounts/apitoken/created.html", context)

    @admin.action(description="Revoke the selected tokens", permissions=["administer"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiToken]) -> None:
        """End the tokens at once; those that are revoked stay as they are."""
        count = chosen.filter(revoked_at=None).update(revoked_at=timezone.now())
        self.message_user(request, f"{count} token(s) revoked.", messages.SUCCESS)
