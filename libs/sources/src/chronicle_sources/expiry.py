"""When an address stops working: what signed URLs say of it themselves."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

# Unix times between 2001 and 2100: other numbers under these names mean something else.
_LEAST, _MOST = 10**9, 4_102_444_800

# Moments, as seconds (or milliseconds) since 1970: googlevideo and twitch `expire(s)`, CloudFront
# and S3 (version 2) `Expires`, Wowza's `...endtime`, nginx's `e`, Akamai's `exp` within `hdnts`,
# `hdnea` and `hdntl`, and those within JSON (Twitch) and JSON Web Tokens.
_MOMENTS = re.compile(
    r"(?:expires?|expiry|expiration|exp|e|endtime|\w*tokenendtime|validto|valid_to|wstime|deadline)"
)
_TOKENS = re.compile(r"(?:^|[~/|;,!=])(?:exp|expires?|e)=(\d{10,13})(?=$|[~/|;,!&])")
_JSON = re.compile(r'"(?:exp|expires?)"\s*:\s*(\d{10,13})\b')
# googlevideo writes the parameters of its playlists as parts of the path.
_IN_PATH = re.compile(r"/(?:expires?|exp)/(\d{10,13})(?=/|$)")
_LONGEST = 16 * 1024  # characters of a URL that are looked at


def expires_at(url: str) -> datetime | None:
    """Return when a URL expires by its own words, the first of several; None if it says nothing."""
    parts = urlsplit(url[:_LONGEST])
    parameters = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=None)
    return min(
        (
            *_moments(parameters),
            *_of_signature(parameters),
            *filter(None, map(_moment, _IN_PATH.findall(parts.path))),
            # Some put the token into the path.
            *filter(None, map(_moment, _TOKENS.findall(unquote(parts.path)))),
        ),
        default=None,
    )


def _moments(parameters: list[tuple[str, str]]) -> Iterator[datetime]:
    for name, value in parameters:
        if _MOMENTS.fullmatch(name.lower()):
            found = _moment(value)
            if found is not None:
                yield found
        else:
            said = [*_TOKENS.findall(value), *_JSON.findall(value), *_JSON.findall(_claims(value))]
            yield from filter(None, map(_moment, said))


def _claims(value: str) -> str:
    """Return what a JSON Web Token claims (RFC 7519, 3.1); nothing where it is none."""
    parts = value.split(".")
    if len(parts) != 3 or not value.startswith("eyJ"):
        return ""
    try:
        claims = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
    except (ValueError, binascii.Error):
        return ""
    return claims.decode("utf-8", "replace")


def _moment(value: str) -> datetime | None:
    if not re.fullmatch(r"\d{10,13}", value):
        return None
    seconds = int(value) / 1000 if len(value) == 13 else int(value)
    return datetime.fromtimestamp(seconds, UTC) if _LEAST <= seconds <= _MOST else None


def _of_signature(parameters: list[tuple[str, str]]) -> Iterator[datetime]:
    """Yield what signatures say that count from a date.

    AWS's version 4 (`X-Amz-Date`, `X-Amz-Expires`), Google Cloud's, and Azure's `se`.
    """
    known = {name.lower(): value for name, value in parameters}
    for vendor in ("amz", "goog"):
        date, length = known.get(f"x-{vendor}-date"), known.get(f"x-{vendor}-expires", "")
        if date and re.fullmatch(r"\d{8}T\d{6}Z", date) and re.fullmatch(r"\d{1,7}", length):
            yield from _on(f"{date[:8]}{date[9:15]}", int(length))
    if "sig" in known and (end := re.fullmatch(r"([\d-]{10}T[\d:]{8})Z", known.get("se", ""))):
        yield from _on(re.sub(r"\D", "", end.group(1)), 0)


def _on(digits: str, seconds: int) -> Iterator[datetime]:
    try:
        date = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return
    yield date + timedelta(seconds=seconds)
