"""A shell in the environment of a stack: what the guides tell people to type works there."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from chronicle_local.credentials import SECRETS, ensure_secrets
from chronicle_local.environment import stack_environment
from chronicle_local.errors import NotRunning
from chronicle_local.leftovers import MARK
from chronicle_local.settings import StackSettings
from chronicle_local.tracker import Tracker


def shell_environment(
    settings: StackSettings, *, root: Path, outside: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the stack's environment, in which `python`, `chronicle` and `manage.py` are its own.

    `root` is the folder that holds `portal/manage.py`. Raises `NotRunning` where no stack was
    ever started in this home.
    """
    home = settings.folder
    if not (home / SECRETS).exists():
        raise NotRunning(f"no stack was ever started in {home}; start one with `make up`")
    inside = stack_environment(
        settings,
        secrets=ensure_secrets(home),
        tracker=Tracker.find(home / "tracker", settings.tracker_port),
        root=root,
        outside=outside,
    )
    # Whoever has the mark belongs to the stack, and ends with it.
    del inside[MARK]
    ours = [str(Path(sys.executable).parent), str(root / "portal")]
    return {**inside, "PATH": os.pathsep.join([*ours, inside.get("PATH", os.defpath)])}
