"""The admin's form to ask for a recording: the API's checks, shown at their fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from rest_framework.exceptions import ValidationError as Refused

from portal.api.problems import Conflict
from portal.api.submissions import JobSubmissionSerializer, submit
from portal.jobs.models import Job

if TYPE_CHECKING:  # unfold ships no types; its widgets are Django's in other clothes
    from django.contrib.admin.widgets import AdminSplitDateTime, AdminTextInputWidget
    from django.forms import CheckboxInput, ModelForm

    JobForm = ModelForm[Job]
else:
    from django.forms import ModelForm as JobForm
    from unfold.widgets import UnfoldAdminSplitDateTimeWidget as AdminSplitDateTime
    from unfold.widgets import UnfoldAdminTextInputWidget as AdminTextInputWidget
    from unfold.widgets import UnfoldBooleanWidget as CheckboxInput

FIELDS = ["url", "filename", "quality", "live_from_start", "max_duration", "start_at", "id"]

_SERIALIZER = JobSubmissionSerializer()


def _text(name: str, *, label: str | None = None, required: bool = False) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        widget=AdminTextInputWidget(),
        help_text=str(_SERIALIZER.fields[name].help_text),
    )


class SubmissionForm(JobForm):
    """Submits through the same serializer and command as POST /api/v1/jobs.

    The command is the last check, and it decides and acts in one transaction; so it runs while
    the form is cleaned, and what it refuses is shown at the field.
    """

    requested_by: ClassVar[str] = ""

    url = _text("url", label="URL", required=True)
    id = _text("id", label="Id")
    filename = _text("filename", label="File name")
    quality = _text("quality")
    live_from_start = forms.BooleanField(
        required=False,
        widget=CheckboxInput(),
        help_text=str(_SERIALIZER.fields["live_from_start"].help_text),
    )
    max_duration = _text("max_duration")
    start_at = forms.SplitDateTimeField(
        required=False,
        widget=AdminSplitDateTime(),
        help_text=str(_SERIALIZER.fields["start_at"].help_text) + " (UTC)",
    )

    class Meta:
        model = Job
        fields = FIELDS

    job: Job

    @classmethod
    def of_user(cls, name: str) -> type[SubmissionForm]:
        """Return the form of a user, who will be named in the request."""
        return type("SubmissionForm", (cls,), {"requested_by": name, "Meta": cls.Meta})

    def clean(self) -> dict[str, Any]:
        """Check and submit; does nothing where a field is wrong already."""
        cleaned: dict[str, Any] = self.cleaned_data
        if self.errors:
            return cleaned
        sent = {name: value for name, value in cleaned.items() if value not in ("", None)}
        submission = JobSubmissionSerializer(data=sent)
        try:
            submission.is_valid(raise_exception=True)
            self.job = submit(submission, by=self.requested_by).job
        except Refused as error:
            self._show(error.detail)
        except Conflict as error:
            self.add_error("id", str(error.detail))
        return cleaned

    def _show(self, detail: Any) -> None:
        for name, sentences in detail.items():
            self.add_error(name if name in self.fields else None, [str(one) for one in sentences])

    def _post_clean(self) -> None:
        """Leave the model alone: the projection writes it."""
