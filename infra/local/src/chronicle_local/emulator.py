"""The local AWS endpoint: SNS, SQS, S3 and Secrets Manager on 127.0.0.1, in one process.

It is ministack (exactly the pinned version: three of its functions are replaced here) with:

- deduplication windows that are pruned from their old end, so that publishing stays fast;
- a snapshot that is whole or not there at all, is taken when nothing can be confirmed any more,
  and is consumed when it is loaded. After a kill -9 the endpoint therefore starts empty: the
  topic gets a new incarnation and every outbox says its events again. An old snapshot would
  bring back a topic that looks like the one before and has forgotten what it confirmed since.

Objects of S3 lie in a folder as they are put and need no snapshot. It is ready as soon as
`GET /_ministack/health` answers 200.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from chronicle_runtime import ServiceSettings, configure_logging, load
from hypercorn.asyncio import serve
from hypercorn.config import Config
from pydantic import Field

READY_PATH = "/_ministack/health"
SERVICES = ("sns", "sqs", "s3", "sts", "iam", "secretsmanager")
EX_TEMPFAIL = 75  # sysexits.h: another one is at work here

log = logging.getLogger("chronicle_local.emulator")


class EmulatorSettings(ServiceSettings):
    """Settings of the local AWS endpoint."""

    port: int = Field(
        default=4566,
        validation_alias="CHRONICLE_AWS_PORT",
        ge=1,
        le=65_535,
        description="port on 127.0.0.1 at which the endpoint listens",
    )
    home: Path = Field(
        default=Path(".chronicle"),
        validation_alias="CHRONICLE_HOME",
        description="state of this machine; the endpoint keeps its own in aws/",
    )
    log_level: str = Field(
        default="INFO",
        validation_alias="CHRONICLE_LOG_LEVEL",
        description="DEBUG also shows what the endpoint is asked for",
    )


class Snapshot:
    """Topics, queues and messages over a clean stop: all of them or none.

    Three folders, and renames between them, say where a crash happened: `saving` and `loading`
    are leftovers that are thrown away, only `state` is a whole snapshot that nobody has used.
    """

    def __init__(self, folder: Path) -> None:
        self._state = folder / "state"
        self._saving = folder / "saving"
        self._loading = folder / "loading"
        self.taken = False

    def restore(self) -> None:
        """Load the snapshot, if there is one, and remove it.

        An error in the middle ends the process; the next start is an empty one.
        """
        app = _ministack("app")
        persistence = _ministack("core.persistence")
        for leftover in (self._saving, self._loading):
            shutil.rmtree(leftover, ignore_errors=True)
        if not self._state.is_dir():
            log.info("endpoint_starts_empty")
            return
        # From here on no other start can load it, whatever becomes of this one.
        self._state.rename(self._loading)
        persistence.STATE_DIR = str(self._loading)
        # First read everything, then restore: queues without their topic would be worse than
        # neither.
        read = {path.stem: persistence.load_state(path.stem) for path in self._loading.iterdir()}
        unread = sorted(name for name, data in read.items() if data is None)
        if unread:
            log.error("snapshot_unreadable services=%s; starting empty", ",".join(unread))
            return
        for name, data in read.items():
            app._get_module(app._state_map[name]).load_persisted_state(data)
        shutil.rmtree(self._loading)
        log.info("endpoint_restored services=%s", ",".join(sorted(read)))

    def save(self, states: Mapping[str, Callable[[], Any]]) -> None:
        """Write the state of every service; what fails leaves no snapshot at all."""
        persistence = _ministack("core.persistence")
        # Nothing may be confirmed that the snapshot does not hold.
        self.taken = True
        persistence.STATE_DIR = str(self._saving)
        self._saving.mkdir(parents=True, exist_ok=True)
        for name, state_of in states.items():
            # Other modules are loaded too, by imports between them; nobody has used them.
            state = state_of() if name in SERVICES else None
            if state is None:
                continue
            persistence.save_state(name, state)
            if not (self._saving / f"{name}.json").is_file():
                log.error("snapshot_failed service=%s; the next start will be empty", name)
                return
        shutil.rmtree(self._state, ignore_errors=True)
        self._saving.rename(self._state)
        log.info("snapshot_saved")


def main() -> None:
    """Serve until SIGTERM or SIGINT; the exit code is 75 when the state is in use already."""
    settings = load(EmulatorSettings)
    configure_logging("aws", level=settings.log_level)
    folder = (settings.home / "aws").resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as lock:
        if not _is_ours(lock):
            log.error("another endpoint is using CHRONICLE_HOME %s; stop it first", settings.home)
            sys.exit(EX_TEMPFAIL)
        _configure(settings, folder)
        _serve(settings, Snapshot(folder))


def _is_ours(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _configure(settings: EmulatorSettings, folder: Path) -> None:
    """Set ministack's environment; it reads it when it is imported."""
    os.environ.update(
        BIND_HOST="127.0.0.1",
        GATEWAY_PORT=str(settings.port),
        SERVICES=",".join(SERVICES),
        PERSIST_STATE="1",
        STATE_DIR=str(folder / "loading"),
        S3_PERSIST="1",
        S3_DATA_DIR=str(folder / "objects"),
        LOG_LEVEL="DEBUG" if settings.log_level.upper() == "DEBUG" else "WARNING",
        # It would look for containers of its own and remove them; we start none.
        DOCKER_HOST="unix:///nonexistent",
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
    )


def _ministack(module: str) -> Any:
    """Import a part of ministack: it reads its environment then, so not at this file's head."""
    return import_module(f"ministack.{module}")


def _serve(settings: EmulatorSettings, snapshot: Snapshot) -> None:
    quiet = logging.DEBUG if settings.log_level.upper() == "DEBUG" else logging.WARNING
    for name in (
        "ministack",
        "hypercorn.error",
        "hypercorn.access",
        "persistence",
        "transfer",
        *SERVICES,
    ):
        logging.getLogger(name).setLevel(quiet)

    app = _ministack("app")
    sns = _ministack("services.sns")
    sqs = _ministack("services.sqs")
    sns._prune_sns_dedup = prune
    sqs._prune_dedup = prune
    app._load_persisted_state = snapshot.restore
    app.save_all = snapshot.save
    for service in (sns, sqs):
        service.handle_request = until_taken(snapshot, service.handle_request)

    config = Config()
    config.bind = [f"127.0.0.1:{settings.port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1.0  # long polls would hold a stop for as long as they last
    config.loglevel = logging.getLevelName(quiet)
    asyncio.run(serve(app.app, config))


def prune(holder: dict[str, Any]) -> None:
    """Drop what has left the deduplication window of a topic or queue.

    Entries are made in the order in which they expire, so only the front needs a look; ministack
    rebuilds the whole dictionary at each message, and gets slower with each.
    """
    cache = holder.setdefault("dedup_cache", {})
    now = time.time()
    while cache:
        oldest = next(iter(cache))
        if cache[oldest]["expire"] > now:
            return
        del cache[oldest]


Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[..., Coroutine[Any, Any, Answer]]


def until_taken(snapshot: Snapshot, handler: Handler) -> Handler:
    """Refuse requests once the snapshot is taken: what they changed would be lost.

    The handlers of SNS and SQS do not yield between this look and their change (a long poll
    does, and then gives out a message that the snapshot has as well: it comes twice).
    """

    async def handle(*args: Any, **kwargs: Any) -> Answer:
        if snapshot.taken:
            return 503, {"Content-Type": "text/plain"}, b""
        return await handler(*args, **kwargs)

    return handle


if __name__ == "__main__":
    main()
