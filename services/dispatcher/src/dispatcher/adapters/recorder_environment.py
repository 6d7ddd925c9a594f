"""The environment of a recorder: from scratch, only what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dispatcher.ports import Launch

_NAMES = frozenset(
    {
        "HOME",
        "LANG",
        "LC_ALL",
        "PATH",
        "S3_BUCKET",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TMPDIR",
        "TTL_DAYS",
        "TZ",
    }
)
# Said anew for each run: what this process was started with must not shine through.
_OF_A_RUN = frozenset(
    {
        "CHRONICLE_ATTEMPT",
        "CHRONICLE_AUDIO_ONLY",
        "CHRONICLE_CATCH_UP",
        "CHRONICLE_CREDENTIALS",
        "CHRONICLE_DELIVER_ONLY",
        "CHRONICLE_LIVE_FROM_START",
        "CHRONICLE_LOOK_GIVEN",
        "CHRONICLE_MAX_DURATION",
        "CHRONICLE_MAX_HEIGHT",
        "CHRONICLE_QUALITY",
        "CHRONICLE_WORK_DIR",
    }
)

# What of ours is no business of a process that fetches from strangers.
_SECRET = ("SECRET", "PASSWORD", "TOKEN")


def recorder_environment(
    inherited: Mapping[str, str], launch: Launch, work: Path, *, look: bool
) -> dict[str, str]:
    """Return the variables of one run.

    `work` is the folder of its job; `look` tells that what was found is handed over.
    """
    request = launch.request
    run = {
        "JOB_ID": launch.job_id,
        "URL": request.url,
        "S3_KEY": request.key,
        "FILENAME": request.filename,
        "CHRONICLE_ATTEMPT": str(launch.attempt),
        "CHRONICLE_WORK_DIR": str(work),
        "CHRONICLE_LIVE_FROM_START": "true" if request.live_from_start else "false",
    }
    if request.quality is not None:
        run["CHRONICLE_QUALITY"] = request.quality
    if request.audio_only:
        run["CHRONICLE_AUDIO_ONLY"] = "true"
    if request.max_height is not None:
        run["CHRONICLE_MAX_HEIGHT"] = str(request.max_height)
    if request.credentials is not None:
        # The name alone: environments can be read by whoever is this user.
        run["CHRONICLE_CREDENTIALS"] = request.credentials
    if launch.max_duration is not None:
        run["CHRONICLE_MAX_DURATION"] = f"{launch.max_duration:.15g}"
    if launch.catch_up is not None:
        run["CHRONICLE_CATCH_UP"] = launch.catch_up.isoformat()
    if look:
        run["CHRONICLE_LOOK_GIVEN"] = "true"
    if launch.deliver_only:
        run["CHRONICLE_DELIVER_ONLY"] = "true"
    return passed_on(inherited) | run


def passed_on(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return what all runs have of our own environment."""
    return {name: value for name, value in inherited.items() if _is_passed_on(name)}


def _is_passed_on(name: str) -> bool:
    if name in _NAMES or name.startswith("AWS_"):
        return True
    if name in _OF_A_RUN:
        return False
    return name.startswith("CHRONICLE_") and not any(mark in name for mark in _SECRET)
