"""Cookies and headers that people give for a site: read from files, sent once, never printed."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

STDIN = Path("-")

CookiesOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Cookie file (Netscape format) for a site that wants one."),
]
HeaderOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="'NAME: VALUE'",
        help="Header for the site; may be repeated. Others on this machine can see it: "
        "what is secret belongs into --header-file.",
    ),
]
HeaderFileOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="File with a header a line; - is stdin.")
]


def given_credentials(
    cookies: Path | None, headers: Iterable[str], header_file: Path | None
) -> dict[str, Any]:
    """Return what the API calls credentials, empty where nothing was given.

    Raises `typer.BadParameter`, which names files and lines, never what is in them.
    """
    given: dict[str, Any] = {}
    if cookies is not None:
        given["cookies"] = _text_of(cookies)
    pairs = [_pair(line, f"--header number {at}") for at, line in enumerate(headers, 1)]
    if header_file is not None:
        for at, line in enumerate(_text_of(header_file).splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                pairs.append(_pair(line, f"line {at} of {header_file}"))
    if pairs:
        given["headers"] = dict(pairs)
    return given


def _pair(line: str, where: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise typer.BadParameter(f"{where} is no header; write Name: value")
    return name.strip(), value.strip()


def _text_of(path: Path) -> str:
    try:
        return sys.stdin.read() if path == STDIN else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise typer.BadParameter(f"{path} cannot be read: {reason}") from None
