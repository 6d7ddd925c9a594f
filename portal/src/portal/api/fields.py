"""Fields that more than one serializer uses."""

from __future__ import annotations

import math
from typing import Any

from rest_framework import serializers

_SECONDS_ERRORS: dict[str, Any] = {
    "invalid": "give a number of seconds, e.g. 3600",
    "not_positive": "give a number of seconds above 0, or null for no limit",
}


class SecondsField(serializers.FloatField):
    """A finite number of seconds above 0."""

    default_error_messages = _SECONDS_ERRORS

    def to_internal_value(self, data: Any) -> float:
        """Refuse what is no duration: true, "inf", 0."""
        if isinstance(data, bool):
            self.fail("invalid")
        seconds = float(super().to_internal_value(data))
        if not math.isfinite(seconds) or seconds <= 0:
            self.fail("not_positive")
        return seconds


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know: a misspelt option must not be ignored."""

    def to_internal_value(self, data: Any) -> Any:
        """Check the names before the values."""
        if isinstance(data, dict):
            unknown = sorted(set(map(str, data)) - set(self.fields))
            if unknown:
                known = ", ".join(self.fields)
                raise serializers.ValidationError(
                    {
                        name: serializers.ErrorDetail(
                            f"there is no such field; the fields are {known}", code="unknown_field"
                        )
                        for name in unknown
                    }
                )
        return super().to_internal_value(data)
