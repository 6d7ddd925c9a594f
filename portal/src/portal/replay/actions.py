"""Verbs as admin actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest

from portal.replay.errors import ReplayError
from portal.replay.records import Call, Report

if TYPE_CHECKING:  # unfold ships no types; its form is Django's in other clothes
    from django.contrib.admin.helpers import ActionForm
else:
    from unfold.forms import ActionForm


class ReasonForm(ActionForm):
    """The choice of an action, with a reason for those that need one."""

    reason = forms.CharField(
        required=False,
        label="",
        widget=forms.TextInput(
            attrs={
                "placeholder": "Reason, to drop or skip",
                "class": "border border-base-200 rounded-default px-3 py-1 dark:bg-base-900 "
                "dark:border-base-700",
            }
        ),
    )


def act(page: Any, request: HttpRequest, verb: Callable[[Call], Report]) -> None:
    """Carry a verb out and say what became of it."""
    try:
        report = verb(Call(by=request.user.get_username()))
    except ReplayError as error:
        page.message_user(request, error.detail, messages.ERROR)
        return
    counts = ", ".join(f"{number} {name}" for name, number in report.counts.items())
    level = messages.WARNING if report.left else messages.SUCCESS
    page.message_user(request, f"{report.verb}: {counts or 'nothing to do'}", level)
