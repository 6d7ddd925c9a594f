"""Cookies and headers of a job, as a client sends them; no answer ever holds them."""

from __future__ import annotations

from typing import Any

from chronicle_sources import Credentials
from pydantic import ValidationError
from rest_framework import serializers

from portal.api.fields import StrictSerializer


class CredentialsSerializer(StrictSerializer):
    """What the recorder shows at the site of the job."""

    headers = serializers.DictField(
        child=serializers.CharField(trim_whitespace=False, allow_blank=True),
        required=False,
        help_text='headers for the host of the URL, e.g. {"Authorization": "Bearer ..."}',
    )
    cookies = serializers.CharField(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        style={"base_template": "textarea.html"},
        help_text="text of a cookie file in the Netscape format, as browsers' add-ons export it",
    )

    def validate(self, attrs: dict[str, Any]) -> Credentials:
        """Return the credentials; errors name headers and lines, never what is in them."""
        try:
            return Credentials(**attrs)
        except ValidationError as error:
            wrong: dict[str, list[str]] = {}
            for one in error.errors(include_url=False, include_input=False, include_context=False):
                field = str(one["loc"][0]) if one["loc"] else "non_field_errors"
                wrong.setdefault(field, []).append(one["msg"].removeprefix("Value error, "))
            raise serializers.ValidationError(wrong) from None
