"""Which failures of a run can pass, so that another attempt makes sense."""

from __future__ import annotations

# What another attempt cannot change stands in no list: a stream that never started, one that
# cannot be recorded, an address that is forbidden, a login that is missing.
PASSING = frozenset(
    {
        "capture_failed",
        "disk_full",  # another recording may be done with its part of it by then
        "internal",
        "interrupted",
        "join_failed",
        "probe_failed",
        "remux_failed",
        "stalled",
        "store_unreachable",
        "terminated",
        "timeout",
        "unreachable",
        "upload_failed",
        "verification_failed",
    }
)

# There was nothing to deliver, whatever had been heard of media.
NOTHING_SAVED = "nothing_recorded"


def can_pass(code: str | None) -> bool:
    """Return whether the trouble behind a code of RecordingFailed may be over next time."""
    return code in PASSING
