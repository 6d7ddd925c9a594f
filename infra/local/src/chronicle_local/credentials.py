"""The secrets of one stack: made once, kept in `secrets.env`, readable by their owner only."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

SECRETS = "secrets.env"

# The variables that the processes read, with the bytes of chance behind each.
GENERATED = {
    "DJANGO_SECRET_KEY": 48,
    "CHRONICLE_ADMIN_PASSWORD": 15,
    "CHRONICLE_API_TOKEN": 30,
    "CHRONICLE_WEBSEED_SECRET": 30,
}


def ensure_secrets(home: Path) -> Mapping[str, str]:
    """Return the secrets of this home; generate, and write to `secrets.env`, what is missing.

    What is there is never changed: tokens and web seed addresses must outlive a restart.
    """
    path = home / SECRETS
    known = _read(path)
    values = {name: known.get(name) or secrets.token_urlsafe(n) for name, n in GENERATED.items()}
    if values != known:
        write_private(path, "".join(f"{name}={value}\n" for name, value in values.items()))
    return values


def write_client_file(home: Path, *, url: str, token: str) -> Path:
    """Tell the CLI of this machine where the portal is and who it may say it is."""
    path = home / "cli.json"
    write_private(path, json.dumps({"url": url, "token": token}) + "\n")
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file atomically with mode 0600, which it has from its first byte on."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    partial.replace(path)


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}
