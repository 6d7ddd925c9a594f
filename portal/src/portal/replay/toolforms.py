"""Forms of the tools in the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import (  # type: ignore[import-untyped]
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from portal.replay import queues
from portal.replay.errors import BadParameters
from portal.replay.moments import moment
from portal.replay.sending import Selection


def _words(placeholder: str = "") -> Any:
    return UnfoldAdminTextInputWidget(attrs={"placeholder": placeholder})


class ReplayForm(forms.Form):
    """Which events go to whom once more."""

    to = forms.ChoiceField(label="Consumer", widget=UnfoldAdminSelectWidget)
    types = forms.CharField(
        required=False, label="Types", widget=_words("Uploaded, TorrentCreated")
    )
    jobs = forms.CharField(required=False, label="Jobs", widget=_words("ids, with commas between"))
    since = forms.CharField(
        required=False, label="Heard since", widget=_words("2026-01-31T12:00:00Z")
    )
    until = forms.CharField(required=False, label="Heard before", widget=_words())
    rate = forms.FloatField(
        required=False, min_value=0.001, label="Events a second, at most", widget=_words()
    )
    everything = forms.BooleanField(
        required=False, label="The whole log", widget=UnfoldBooleanSwitchWidget
    )
    force = forms.BooleanField(
        required=False,
        label="Force: do again what was done already",
        widget=UnfoldBooleanSwitchWidget,
    )
    dry_run = forms.BooleanField(
        required=False, initial=True, label="Dry run", widget=UnfoldBooleanSwitchWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        bus = queues.connect()
        hearing = [name for name in queues.names(bus) if bus.topology.queue(name).subscribed]
        field = self.fields["to"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(name, name) for name in hearing]

    def clean(self) -> dict[str, Any]:
        """Read the lists and times."""
        data = super().clean() or {}
        try:
            self.selection = Selection(
                types=_listed(data.get("types")),
                jobs=_listed(data.get("jobs")),
                since=moment(data.get("since") or None, "since"),
                until=moment(data.get("until") or None, "until"),
                everything=data.get("everything", False),
            )
            self.selection.check()
        except BadParameters as error:
            raise forms.ValidationError(error.detail) from error
        return data

    def given(self) -> dict[str, Any]:
        """Return the arguments of the order."""
        return {
            "to": self.cleaned_data["to"],
            "rate": self.cleaned_data["rate"],
            "force": self.cleaned_data["force"] or None,
            **self.selection.as_parameters(),
        }


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())
