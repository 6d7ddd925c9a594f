"""Where the portal is and who we say we are.

`CHRONICLE_URL` and `CHRONICLE_TOKEN`, else `cli.json` in `CHRONICLE_HOME`, which the one-machine
stack writes; without `CHRONICLE_HOME` the folder `.chronicle` is looked for upwards from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from chronicle_cli.errors import CliError, Unreachable

FILE = "cli.json"
HOME = ".chronicle"


@dataclass(frozen=True)
class Connection:
    """A portal and the token for it; `origin` says where we have them from."""

    url: str
    token: str | None = field(repr=False)
    origin: str


class _File(BaseModel):
    url: str
    token: str


def find_connection(environ: Mapping[str, str], folder: Path) -> Connection:
    """Return the portal to talk to. Raises `Unreachable` where none is known."""
    url = environ.get("CHRONICLE_URL", "").strip()
    token = environ.get("CHRONICLE_TOKEN", "").strip()
    path = find_file(environ, folder)
    if url and token:
        return Connection(_checked(url), _sendable(token), "CHRONICLE_URL, CHRONICLE_TOKEN")
    if path is None:
        if url:
            return Connection(_checked(url), None, "CHRONICLE_URL")
        raise Unreachable(
            "no portal is known",
            remedy="start one with `make up`, or set CHRONICLE_URL and CHRONICLE_TOKEN",
        )
    kept = _read(path)
    if url and _checked(url) != _checked(kept.url):
        # The token belongs to another portal: this one must not see it.
        return Connection(_checked(url), None, "CHRONICLE_URL")
    return Connection(_checked(kept.url), _sendable(token or kept.token), str(path))


def find_file(environ: Mapping[str, str], folder: Path) -> Path | None:
    """Return the `cli.json` that counts here, None where there is none."""
    if home := environ.get("CHRONICLE_HOME", "").strip():
        path = Path(home).expanduser() / FILE
        return path if path.is_file() else None
    candidates = (place / HOME / FILE for place in (folder, *folder.parents))
    return next((path for path in candidates if path.is_file()), None)


def _read(path: Path) -> _File:
    try:
        return _File.model_validate_json(path.read_bytes())
    except OSError as error:
        raise Unreachable(f"cannot read {path}", error.strerror or "") from error
    except ValidationError as error:
        raise Unreachable(
            f"{path} is damaged", remedy='it should hold {"url": ..., "token": ...}'
        ) from error


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise Unreachable(
            f"{url!r} is not the address of a portal",
            remedy="set CHRONICLE_URL to something like https://chronicle.example.org",
        )
    return url.rstrip("/")


def _sendable(token: str) -> str:
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise CliError(
            "the token holds characters that no token has",
            remedy="set CHRONICLE_TOKEN to the token alone, without quotes or line ends",
        )
    return token
