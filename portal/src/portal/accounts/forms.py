"""The login form: Django's, with a limit on failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from portal.accounts import attempts

if TYPE_CHECKING:  # unfold ships no types; its form is the admin's in other clothes
    from django.contrib.admin.forms import AdminAuthenticationForm
else:
    from unfold.forms import AuthenticationForm as AdminAuthenticationForm


class LimitedLoginForm(AuthenticationForm):
    """Refuses to look at a password while the client's address has to wait."""

    def clean(self) -> dict[str, Any]:
        """Check the limit, then the password."""
        assert self.request is not None
        if wait := attempts.seconds_to_wait(self.request):
            raise ValidationError(
                "Too many failed logins from this address; try again in %(wait)s seconds.",
                code="throttled",
                params={"wait": wait},
            )
        try:
            return super().clean()
        except ValidationError:
            attempts.record_failure(self.request)
            raise


class LimitedAdminLoginForm(LimitedLoginForm, AdminAuthenticationForm):
    """The same for the admin's login, which lets only staff in."""
