"""What stands behind a URL: the address guard, and resolving by yt-dlp in a child process."""

from chronicle_sources.credentials import Credentials
from chronicle_sources.errors import SourceCode, SourceError
from chronicle_sources.resolution import LiveStatus, Protocol, Resolution
from chronicle_sources.resolving import resolve

__all__ = [
    "Credentials",
    "LiveStatus",
    "Protocol",
    "Resolution",
    "SourceCode",
    "SourceError",
    "resolve",
]
