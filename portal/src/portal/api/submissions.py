"""What a client sends to have something recorded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from chronicle_contracts import naming
from django.utils import timezone
from rest_framework import serializers

from portal.api.credentials import CredentialsSerializer
from portal.api.endpoints import refusals
from portal.api.fields import SecondsField, StrictSerializer
from portal.jobs.commands import Requested, request_job
from portal.jobs.models import Job
from portal.jobs.requests import LONGEST_QUALITY, LONGEST_URL, LOWEST_PICTURE, JobRequest

# A clock may be slow, and a person may need a moment to fill in a form.
START_GRACE = timedelta(minutes=10)
START_HORIZON = timedelta(days=366)
HIGHEST_PICTURE = 65_536  # lines


class JobSubmissionSerializer(StrictSerializer):
    """A request for a recording."""

    url = serializers.CharField(
        max_length=LONGEST_URL,
        help_text="http or https address of the live page, the playlist or the file",
        error_messages={
            "required": "give the address of the stream, e.g. https://example.org/live",
            "blank": "give the address of the stream, e.g. https://example.org/live",
        },
    )
    id = serializers.RegexField(
        rf"^{naming.JOB_ID.pattern}\Z",
        required=False,
        allow_null=True,
        help_text="chosen by the client; the same request with the same id makes one job",
        error_messages={
            "invalid": "begin with a letter or digit, then up to 63 letters, digits, '-' or '_'"
        },
    )
    filename = serializers.RegexField(
        rf"^{naming.FILENAME.pattern}\Z",
        required=False,
        allow_null=True,
        help_text="name of the recording; .mkv is added where it is missing",
        error_messages={
            "invalid": "use up to 200 letters, digits, '.', '_' and '-'; no spaces, no folders"
        },
    )
    quality = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=LONGEST_QUALITY,
        help_text="format selector of yt-dlp, e.g. best or bv*[height<=720]+ba; empty: the best",
    )
    live_from_start = serializers.BooleanField(
        default=False, help_text="record from the start of the stream where the site allows it"
    )
    max_duration = SecondsField(
        required=False, allow_null=True, help_text="media seconds after which to stop and keep"
    )
    audio_only = serializers.BooleanField(
        default=False, help_text="record the sound without the picture"
    )
    max_height = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=LOWEST_PICTURE,
        max_value=HIGHEST_PICTURE,
        help_text="highest picture in lines, e.g. 720; the next lower one that there is",
    )
    credentials = CredentialsSerializer(
        required=False,
        allow_null=True,
        write_only=True,
        help_text="what the recorder shows at the site; kept in a vault until the job is over, "
        "never told again",
    )
    start_at = serializers.DateTimeField(
        required=False,
        allow_null=True,
        help_text="when to begin; at once if left out",
        error_messages={"invalid": "write it as 2026-01-31T12:00:00Z"},
    )

    def validate_url(self, value: str) -> str:
        """Refuse what cannot be an address; who it leads to is looked at by the command."""
        try:
            parts = urlsplit(value)
            host = parts.hostname
            parts.port  # noqa: B018 (raises on a bad port)
        except ValueError:
            host = None
        else:
            if parts.scheme not in {"http", "https"}:
                raise serializers.ValidationError(
                    "only http and https are recorded; give an address such as "
                    "https://example.org/live",
                    code="forbidden_scheme",
                )
        if not host or any(character.isspace() for character in value):
            raise serializers.ValidationError(
                "this is not a URL; give an address such as https://example.org/live",
                code="bad_url",
            )
        return value


def submit(
    submission: JobSubmissionSerializer, *, by: str, now: Callable[[], datetime] = timezone.now
) -> Requested:
    """Make a job of a validated submission; raises what the API answers with."""
    request = JobRequest(**submission.validated_data, requested_by=by)
    # The same request, sent again, may come when the start that it names is long over.
    is_repeated = request.id is not None and Job.objects.filter(id=request.id).exists()
    if request.start_at is not None and not is_repeated:
        _check_start(request.start_at, now())
    with refusals():
        return request_job(request, now=now)


def _check_start(start_at: datetime, now: datetime) -> None:
    if start_at < now - START_GRACE:
        code, detail = (
            "in_the_past",
            "this is in the past; give a time to come, or leave it out to begin at once",
        )
    elif start_at > now + START_HORIZON:
        code, detail = "too_far_ahead", f"this is more than {START_HORIZON.days} days ahead"
    else:
        return
    raise serializers.ValidationError({"start_at": [serializers.ErrorDetail(detail, code=code)]})


class StopSerializer(StrictSerializer):
    """How to stop."""

    mode = serializers.ChoiceField(
        choices=["keep", "discard"],
        default="keep",
        help_text="what becomes of the part that was recorded",
        error_messages={"invalid_choice": "give keep or discard"},
    )


class RetrySerializer(StrictSerializer):
    """With what to try again."""

    credentials = CredentialsSerializer(
        required=False,
        allow_null=True,
        write_only=True,
        help_text="in place of the cookies and headers that the job was requested with",
    )


class ExtendSerializer(StrictSerializer):
    """How long it may become."""

    max_duration = SecondsField(
        allow_null=True,
        help_text="media seconds in total; null takes the limit away",
        error_messages={"required": "give the seconds in total, or null for no limit"},
    )
