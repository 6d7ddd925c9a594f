"""From saying to seeing, at 100 events a second: outbox, relay, SNS, SQS, ingest, API.

A store like a recorder's takes a heartbeat of one of fifty jobs every ten milliseconds; the lag
of an event is the time from its save to the first answer of the API that holds it. The API is
asked every 20 ms, which is part of what is measured. All of it runs on this machine.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
from chronicle_contracts import Event, naming
from chronicle_contracts.recorder import Heartbeat
from chronicle_eventstore import Aggregate, EventStore, open_store, sqlite_environment
from chronicle_messaging import Bus, MessagingSettings, Relay
from rich.console import Console

from bench.databases import KINDS, MANAGE, portal_database
from bench.report import Bar, Report
from tests.fixtures.aws import AwsEndpoint, free_port

JOBS = 50
A_SECOND = 100
SECONDS = 30
# The first events wait for connections to be opened and code to be read.
WARM_UP = 3
_ASK_EVERY = 0.02
_PATIENCE = 60.0
_TOKEN = "chr_" + "a1B2c3D4" * 6


class _Run(Aggregate):
    """A run that only lives."""

    SOURCE = "/recorder/bench"

    def apply(self, fact: object) -> None:
        """Nothing is decided from it."""


def run(console: Console) -> Report:
    """Measure on SQLite, then on PostgreSQL."""
    report = Report("lag")
    for kind in KINDS:
        console.print(f"{kind} ...")
        lags = sorted(_measure(kind))
        p50, p99 = statistics.median(lags), lags[int(len(lags) * 0.99)]
        report.rows.append(
            {
                "database": kind,
                "events": len(lags),
                "events a second": A_SECOND,
                "p50 ms": round(p50 * 1000),
                "p99 ms": round(p99 * 1000),
                "longest ms": round(lags[-1] * 1000),
            }
        )
        report.bars.append(Bar(f"{kind}: lag p99, ms", round(p99 * 1000), 500))
    return report


def _measure(kind: str) -> list[float]:
    with ExitStack() as opened:
        env = opened.enter_context(portal_database(kind))
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        endpoint = AwsEndpoint(folder)
        endpoint.start()
        opened.callback(endpoint.stop)
        env = {**env, **endpoint.env}
        client = opened.enter_context(_web(env, folder))
        opened.enter_context(_process([sys.executable, str(MANAGE), "ingest"], env, folder))
        bus = Bus.connect(MessagingSettings.model_validate(_as_settings(endpoint)))
        bus.url(bus.queue("portal").name)  # what is said before it is there, nobody hears
        store = open_store(sqlite_environment(str(folder / "events.sqlite")))
        said = opened.enter_context(_saying(store, bus))
        seen = _watch(client, total=A_SECOND * SECONDS)
        warm = said[A_SECOND * WARM_UP][1]
        return [seen[event_id] - at for event_id, at in said if at >= warm]


def _as_settings(endpoint: AwsEndpoint) -> dict[str, str]:
    return {name: value for name, value in endpoint.env.items() if "SECRET" not in name}


@contextmanager
def _saying(store: EventStore, bus: Bus) -> Iterator[list[tuple[str, float]]]:
    """Save events at the pace, with a relay beside; yield ids and the times of their saves."""
    said: list[tuple[str, float]] = []
    stop = threading.Event()
    relay = Relay(store.recorder, bus)  # type: ignore[arg-type]

    def save() -> None:
        runs = [_a_run(number) for number in range(JOBS)]
        began = time.monotonic()
        for number in range(A_SECOND * SECONDS):
            pause = began + number / A_SECOND - time.monotonic()
            if pause > 0:
                time.sleep(pause)
            at = time.monotonic()
            [event] = _heartbeat(store, runs[number % JOBS])
            said.append((str(event.id), at))
            relay.wake()

    threads = [
        threading.Thread(target=relay.run, args=(stop,), daemon=True),
        threading.Thread(target=save, daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield said
    finally:
        stop.set()
        for thread in threads:
            thread.join(_PATIENCE)


def _a_run(number: int) -> _Run:
    job_id = f"job-{number:02}"
    stream = naming.recorder_stream(naming.run_id(job_id, 1))
    return _Run.at_stream(stream, job_id, datetime.now(UTC))


def _heartbeat(store: EventStore, run_: _Run) -> list[Event]:
    fact = Heartbeat(
        run_id=naming.run_id(run_.job_id, 1),
        attempt=1,
        phase="RECORDING",
        bytes_recorded=run_.version * 1000,
        bytes_durable=run_.version * 900,
        media_seconds=float(run_.version),
        bitrate=8000.0,
        free_disk=10**9,
    )
    run_.record(fact, at=datetime.now(UTC))
    return store.append(run_)


def _watch(client: httpx.Client, *, total: int) -> dict[str, float]:
    """Ask the API for what is new until all is there; return when each was seen first."""
    seen: dict[str, float] = {}
    position, deadline = 0, time.monotonic() + SECONDS + _PATIENCE
    while len(seen) < total:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(seen)} of {total} events are visible")
        time.sleep(_ASK_EVERY)
        page = client.get("/events", params={"after": position, "limit": 500}).raise_for_status()
        at = time.monotonic()
        for entry in page.json()["results"]:
            position = entry["position"]
            seen.setdefault(entry["event"]["id"], at)
    return seen


@contextmanager
def _web(env: dict[str, str], folder: Path) -> Iterator[httpx.Client]:
    secrets = {"CHRONICLE_ADMIN_PASSWORD": "of-a-benchmark-1", "CHRONICLE_API_TOKEN": _TOKEN}
    for command in (["ensure_admin"], ["ensure_token", "--user", "admin", "--name", "bench"]):
        subprocess.run(
            [sys.executable, str(MANAGE), *command],
            env={**env, **secrets},
            check=True,
            stdout=subprocess.DEVNULL,
        )
    port = free_port()
    gunicorn = [
        *(sys.executable, "-m", "gunicorn", "portal.asgi:application"),
        *("-k", "uvicorn_worker.UvicornWorker", "-b", f"127.0.0.1:{port}"),
    ]
    address = f"http://127.0.0.1:{port}/api/v1"
    with (
        _process(gunicorn, env, folder),
        httpx.Client(
            base_url=address, headers={"Authorization": f"Bearer {_TOKEN}"}, trust_env=False
        ) as client,
    ):
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                if client.get("/health/ready").is_success:
                    break
            except httpx.TransportError:
                pass
            if time.monotonic() > deadline:
                raise TimeoutError((folder / "processes.log").read_text()[-2000:])
            time.sleep(0.1)
        yield client


@contextmanager
def _process(command: list[str], env: dict[str, str], folder: Path) -> Iterator[None]:
    with (folder / "processes.log").open("ab") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(_PATIENCE)
