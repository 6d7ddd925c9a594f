"""The environment of the stack's processes: ours, and nothing of AWS that the user has set."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from chronicle_local.leftovers import MARK
from chronicle_local.settings import StackSettings
from chronicle_local.tracker import Tracker

# What a process needs of its surroundings, and our own settings. Left out on purpose: AWS_*
# (a forgotten profile or S3 endpoint would lead the local stack into a real account) and proxies.
KEPT = frozenset({"PATH", "HOME", "USER", "LANG", "LANGUAGE", "LC_ALL", "TZ", "TMPDIR", "TERM"})
KEPT_PREFIXES = ("CHRONICLE_",)
KEPT_SETTINGS = frozenset({"TRACKERS", "TRANSMISSION_URL", "TTL_DAYS", "MAX_RECORDINGS"})


def stack_environment(
    settings: StackSettings,
    *,
    secrets: Mapping[str, str],
    tracker: Tracker | None,
    root: Path,
    outside: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """Return the environment that all processes of the stack share."""
    kept = {
        name: value
        for name, value in outside.items()
        if name in KEPT or name in KEPT_SETTINGS or name.startswith(KEPT_PREFIXES)
    }
    # Of our processes only the tracker's tells the seeder anything; a user's TRACKERS come on top.
    of_tracker = dict(tracker.environment) if tracker is not None else {}
    if kept.get("TRACKERS") and "TRACKERS" in of_tracker:
        of_tracker["TRACKERS"] += f",{kept['TRACKERS']}"
    return {
        **kept,
        **of_tracker,
        **secrets,
        MARK: str(settings.folder),
        "CHRONICLE_HOME": str(settings.folder),
        "CHRONICLE_RECORDINGS": str(settings.recordings_folder),
        "CHRONICLE_TOPOLOGY": str(root / "infra" / "topology.json"),
        "CHRONICLE_PUBLIC_URL": settings.portal_url,
        "CHRONICLE_ALLOW_PRIVATE_ADDRESSES": str(settings.allow_private_addresses).lower(),
        "CHRONICLE_AWS_PORT": str(settings.aws_port),
        "AWS_ENDPOINT_URL": settings.aws_url,
        "AWS_DEFAULT_REGION": "us-east-1",
        # The local endpoint asks for a signature and looks at nobody's name in it.
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PYTHONUNBUFFERED": "1",
    }
