"""Reading yt-dlp's answers: its info as a resolution, its errors as codes and sentences."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from chronicle_sources import guard
from chronicle_sources.errors import SourceCode, SourceError, shown, without_secrets
from chronicle_sources.exchange import Request
from chronicle_sources.plain_text import plain
from chronicle_sources.resolution import LiveStatus, Protocol, Resolution

# What a file that tells of a stream, and is none itself, is called.
MANIFESTS = (".m3u8", ".mpd")

LONGEST_SAYING = 300  # characters of a site's or yt-dlp's own words in a sentence of ours

_LIVE: dict[str, LiveStatus] = {
    "is_live": "live",
    "is_upcoming": "upcoming",
    "was_live": "finished",
    "not_live": "finished",
    "post_live": "finished",
}

_PROTOCOLS: dict[str, Protocol] = {
    "m3u8": "hls",
    "m3u8_native": "hls",
    "http_dash_segments": "dash",
    "http": "http",
    "https": "http",
}


def resolution(info: dict[str, Any], request: Request) -> Resolution:
    """Return what yt-dlp found; raises `SourceError` where nothing can be recorded."""
    entry = _single(info, request.url)
    live_status = _live_status(entry)
    formats = entry.get("requested_formats") or ([entry] if entry.get("url") else [])
    if not formats:
        if live_status == "upcoming":
            return _described(entry, live_status)
        raise _no_formats(entry, request.url)
    picture, sound = formats[0], formats[1] if len(formats) > 1 else None
    for one in formats:
        if one.get("has_drm") is True:
            raise SourceError("unsupported", f"{shown(request.url)} is protected by DRM.")
        guard.check(one["url"], allow_private=request.allow_private)
    protocol = _protocol(formats)
    if (protocol, live_status, entry.get("extractor_key")) == ("dash", "unknown", "Generic"):
        live_status = "finished"  # yt-dlp tells a bare manifest's kind only where it is live
    if protocol == "http" and urlsplit(picture["url"]).path.lower().endswith(MANIFESTS):
        # yt-dlp takes an empty file for media.
        raise SourceError("no_stream", f"{shown(request.url)} tells of no stream now.")
    headers = dict(picture.get("http_headers") or entry.get("http_headers") or {})
    return _described(entry, live_status).model_copy(
        update={
            "protocol": protocol,
            "media_url": _address(picture, protocol),
            "audio_url": _address(sound, protocol) if sound is not None else None,
            # Cookies are brought where they belong, not to every host.
            "headers": {name: headers[name] for name in headers if name.lower() != "cookie"},
            "video_codec": _codec(picture.get("vcodec")),
            "audio_codec": _codec((sound or picture).get("acodec")),
        }
    )


def chosen_formats(info: dict[str, Any], request: Request) -> list[dict[str, Any]]:
    """Return yt-dlp's own description of each track that was chosen."""
    entry = _single(info, request.url)
    formats = entry.get("requested_formats") or [entry]
    whole = {name: value for name, value in entry.items() if name != "requested_formats"}
    return [{**whole, **one} for one in formats]


def _address(one: dict[str, Any], protocol: Protocol) -> str:
    # Of DASH the manifest: a representation's own address alone says nothing.
    return str(one["manifest_url"] if protocol == "dash" else one["url"])


def _single(info: dict[str, Any], url: str) -> dict[str, Any]:
    if info.get("_type") not in {"playlist", "multi_video"}:
        return info
    entries = [entry for entry in info.get("entries") or () if entry]
    if not entries:
        raise SourceError("no_stream", f"There is no stream on {shown(url)} now.")
    return _single(entries[0], url)


def _live_status(entry: dict[str, Any]) -> LiveStatus:
    known = _LIVE.get(entry.get("live_status") or "")
    if known is not None:
        return known
    if entry.get("is_live"):
        return "live"
    return "finished" if entry.get("duration") else "unknown"


def _protocol(formats: list[dict[str, Any]]) -> Protocol:
    kinds = {_PROTOCOLS.get(str(one.get("protocol")), "ytdlp") for one in formats}
    if kinds == {"dash"} and not all(one.get("manifest_url") for one in formats):
        return "ytdlp"  # it lists the segments itself
    return kinds.pop() if len(kinds) == 1 else "ytdlp"


def _codec(value: Any) -> str | None:
    return None if value in {None, "none", "unknown"} else str(value)


def _described(entry: dict[str, Any], live_status: LiveStatus) -> Resolution:
    release = entry.get("release_timestamp")
    return Resolution(
        title=_title(entry, live_status),
        site=entry.get("extractor_key"),
        live_status=live_status,
        release_at=datetime.fromtimestamp(release, UTC) if release else None,
        format_id=entry.get("format_id"),
        width=entry.get("width"),
        height=entry.get("height"),
        fps=entry.get("fps"),
    )


def _title(entry: dict[str, Any], live_status: LiveStatus) -> str | None:
    title = entry.get("title")
    return _MOMENT.sub("", title) if title and live_status == "live" else title


def _no_formats(entry: dict[str, Any], url: str) -> SourceError:
    if entry.get("_has_drm"):
        return SourceError("unsupported", f"{shown(url)} is protected by DRM.")
    if entry.get("availability") in {"needs_auth", "subscriber_only", "premium_only", "private"}:
        return SourceError("needs_login", f"{shown(url)} is only for people with an account.")
    return SourceError("no_stream", f"There is no stream on {shown(url)} that can be recorded.")


# Words in yt-dlp's messages, the first match decides. Its sites agree on no exception type.
_WORDS: tuple[tuple[SourceCode, tuple[str, ...]], ...] = (
    ("blocked", ("not a bot", "captcha", "too many requests", "rate-limit", "cloudflare")),
    ("blocked", ("not available in your", "not available from your", "geo restrict", "geo-block")),
    ("blocked", ("ip address is blocked", "access denied", "unusual traffic", "429")),
    ("unsupported", ("drm",)),
    ("needs_login", ("log in", "login", "sign in", "registered users", "members-only", "cookies")),
    ("needs_login", ("subscriber", "password", "confirm your age", "join this channel")),
    ("no_stream", ("not currently live", "offline", "no video formats", "unsupported url")),
    ("no_stream", ("not live", "has ended", "will begin in", "premieres in", "starting soon")),
    ("not_found", ("private video", "removed", "terminated", "does not exist", "unavailable")),
    ("not_found", ("deleted", "banned", "suspended", "no longer available")),
    ("timeout", ("timed out",)),
)

_STATUS: dict[int, SourceCode] = {
    401: "needs_login",
    403: "forbidden",
    404: "not_found",
    410: "not_found",
    429: "blocked",
    451: "blocked",
}

# Where sites agree after all.
_TYPES: dict[str, SourceCode] = {
    "UserNotLive": "no_stream",
    "GeoRestrictedError": "blocked",
    "UnsupportedError": "no_stream",
}

# Which of yt-dlp's extractors speaks of which id, and the numbers of system errors.
_SPEAKER = re.compile(r"^\[[^\]]+\] [^:\s]*: ")
_ERRNO = re.compile(r"^\[Errno -?\d+\] ")

# yt-dlp puts the moment of the look behind the title of whatever is live.
_MOMENT = re.compile(r" \d{4}-\d\d-\d\d \d\d:\d\d$")

_SENTENCES: dict[SourceCode, str] = {
    "blocked": "The site refuses to serve {url} to this machine.",
    "unsupported": "{url} cannot be recorded.",
    "needs_login": "{url} is only for people with an account.",
    "no_stream": "There is no stream on {url} now.",
    "not_found": "There is nothing at {url}.",
    "forbidden": "The server refuses {url}.",
    "timeout": "{url} did not answer in time.",
    "unreachable": "The server of {url} cannot be reached.",
    "forbidden_address": "{url} leads to an address that is not public.",
}


def complaint(error: BaseException, url: str) -> tuple[SourceCode, str]:
    """Return code and sentence for an error of yt-dlp."""
    words = str(error).removeprefix("ERROR: ")
    code = _code(error, words.lower())
    said = without_secrets(words).partition(" (caused by")[0].partition(";")[0]
    said = _SPEAKER.sub("", said.strip())
    if code == "unreachable":
        said = _ERRNO.sub("", said.rpartition(": ")[2])
    said = plain(said, LONGEST_SAYING).rstrip(".")
    return code, f"{_SENTENCES[code].format(url=shown(url))} ({said})"


def _code(error: BaseException, words: str) -> SourceCode:
    if guard.REFUSED in words:
        return "forbidden_address"
    causes = _causes(error)
    for one in causes:
        if (code := _TYPES.get(type(one).__name__)) is not None:
            return code
    if (status := _status(causes)) is not None:
        return _STATUS.get(status, "unreachable" if status >= 500 else "not_found")
    for meant, signs in _WORDS:
        if any(sign in words for sign in signs):
            return meant
    if any(type(one).__name__ == "TransportError" for one in causes):
        return "unreachable"
    return "unsupported"


def _status(causes: list[BaseException]) -> int | None:
    for one in causes:
        status = getattr(one, "status", None)
        if isinstance(status, int):
            return status
    return None


def _causes(error: BaseException) -> list[BaseException]:
    """Return the error and what led to it; yt-dlp keeps some of that in fields of its own."""
    found: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or one in found:
            continue
        found.append(one)
        exc_info = getattr(one, "exc_info", None) or (None, None, None)
        waiting += [exc_info[1], getattr(one, "cause", None), one.__cause__, one.__context__]
    return found
