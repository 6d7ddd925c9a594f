"""The admin's form to ask for a recording: the API's checks, shown at their fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from rest_framework.exceptions import ValidationError as Refused

from portal.api.problems import Conflict, Problem
from portal.api.submissions import JobSubmissionSerializer, submit
from portal.jobs.models import Job

if TYPE_CHECKING:  # unfold ships no types; its widgets are Django's in other clothes
    from django.contrib.admin.widgets import (
        AdminFileWidget as AdminFileFieldWidget,
    )
    from django.contrib.admin.widgets import (
        AdminSplitDateTime,
        AdminTextareaWidget,
        AdminTextInputWidget,
    )
    from django.forms import CheckboxInput, ModelForm

    JobForm = ModelForm[Job]
else:
    from django.forms import ModelForm as JobForm
    from unfold.widgets import UnfoldAdminFileFieldWidget as AdminFileFieldWidget
    from unfold.widgets import UnfoldAdminSplitDateTimeWidget as AdminSplitDateTime
    from unfold.widgets import UnfoldAdminTextareaWidget as AdminTextareaWidget
    from unfold.widgets import UnfoldAdminTextInputWidget as AdminTextInputWidget
    from unfold.widgets import UnfoldBooleanWidget as CheckboxInput

FIELDS = [
    "url",
    "filename",
    "quality",
    "max_height",
    "audio_only",
    "live_from_start",
    "max_duration",
    "start_at",
    "id",
    "cookies",
    "cookie_file",
    "headers",
]
LONGEST_FILE = 1024 * 1024  # bytes of cookies; the vault keeps less, and says so
# Of these the API makes its `credentials`.
SECRETS = frozenset({"cookies", "cookie_file", "headers"})

_SERIALIZER = JobSubmissionSerializer()


def _text(name: str, *, label: str | None = None, required: bool = False) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        widget=AdminTextInputWidget(),
        help_text=str(_SERIALIZER.fields[name].help_text),
    )


def _tick(name: str) -> forms.BooleanField:
    return forms.BooleanField(
        required=False,
        widget=CheckboxInput(),
        help_text=str(_SERIALIZER.fields[name].help_text),
    )


class SecretTextarea(AdminTextareaWidget):
    """A text that is never shown again, not even where another field is wrong."""

    def format_value(self, value: Any) -> str | None:  # noqa: ARG002
        """Return nothing, whatever there is."""
        return None


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
    max_height = _text("max_height", label="Highest picture")
    audio_only = _tick("audio_only")
    live_from_start = _tick("live_from_start")
    max_duration = _text("max_duration")
    start_at = forms.SplitDateTimeField(
        required=False,
        widget=AdminSplitDateTime(),
        help_text=str(_SERIALIZER.fields["start_at"].help_text) + " (UTC)",
    )

    cookies = forms.CharField(
        required=False,
        strip=False,
        widget=SecretTextarea(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="text of a cookie file in the Netscape format; goes into the vault, "
        "is deleted after the job and never shown",
    )
    cookie_file = forms.FileField(
        required=False, widget=AdminFileFieldWidget(), help_text="or that file"
    )
    headers = forms.CharField(
        required=False,
        widget=SecretTextarea(attrs={"autocomplete": "off", "spellcheck": "false", "rows": 3}),
        help_text="headers for the host of the URL, a line each: Authorization: Bearer ...",
    )

    class Meta:
        model = Job
        # Of the model's fields; the form declares more.
        fields: ClassVar[list[str]] = ["url", "filename", "quality", "max_duration", "id"]

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
        sent = {
            name: value
            for name, value in cleaned.items()
            if value not in ("", None) and name not in SECRETS
        }
        credentials = self._credentials(cleaned)
        if credentials:
            sent["credentials"] = credentials
        if self.errors:
            return cleaned
        submission = JobSubmissionSerializer(data=sent)
        try:
            submission.is_valid(raise_exception=True)
            self.job = submit(submission, by=self.requested_by).job
        except Refused as error:
            self._show(error.detail)
        except Conflict as error:
            self.add_error("id", str(error.detail))
        except Problem as error:
            self.add_error(None, str(error.detail))
        return cleaned

    def _credentials(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        """Return what the API calls credentials, empty where nothing was given."""
        given: dict[str, Any] = {}
        file = cleaned.get("cookie_file")
        if cleaned.get("cookies") and file:
            self.add_error("cookie_file", "Give the text or the file, not both.")
        elif file and file.size > LONGEST_FILE:
            self.add_error("cookie_file", f"It has more than {LONGEST_FILE} bytes.")
        elif file:
            given["cookies"] = file.read().decode("utf-8", errors="replace")
        elif cleaned.get("cookies"):
            given["cookies"] = cleaned["cookies"]
        lines = [line for line in cleaned.get("headers", "").splitlines() if line.strip()]
        if not all(":" in line for line in lines):
            self.add_error("headers", "Write a line for each header, name: value.")
        elif lines:
            pairs = (line.split(":", 1) for line in lines)
            given["headers"] = {name.strip(): value.strip() for name, value in pairs}
        return given

    def _show(self, detail: Any) -> None:
        for name, sentences in detail.items():
            if isinstance(sentences, dict):
                self._show(sentences)
                continue
            self.add_error(name if name in self.fields else None, [str(one) for one in sentences])

    def _post_clean(self) -> None:
        """Leave the model alone: the projection writes it."""
