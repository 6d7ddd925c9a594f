"""The demo: a sample live stream, recorded, played back, seeded and fetched by a second client."""

from __future__ import annotations

import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chronicle_local import ports, probe, second_client
from chronicle_local.client import Client
from chronicle_local.errors import StepFailed
from chronicle_local.sample import LiveSample
from chronicle_local.stack import Stack
from chronicle_local.steps import Steps
from chronicle_local.summary import addresses, print_addresses, print_rows, print_timeline

MEDIA = 20.0  # seconds that are recorded before the stop
TO_BEGIN = 60.0  # seconds: time limits of the steps
TO_RECORD = 90.0
TO_DELIVER = 90.0
TO_SEED = 60.0
TO_FETCH = 90.0
TOLERANCE = 0.5  # seconds that the header's duration and the decoded one may differ


class Demo:
    """Runs against a stack that is up; every step has a time limit and its own failure."""

    def __init__(self, stack: Stack, steps: Steps) -> None:
        self._stack = stack
        self._steps = steps
        self._client = Client(stack)

    def run(self) -> None:
        """Run the demo and print what came of it. Raises `StepFailed`."""
        job_id = f"demo-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        self._steps.heading("Recording a live stream")
        with LiveSample() as sample:
            self._steps.say(f"  a sample live stream plays at {sample.url}")
            self._record(job_id, sample.url)
        self._steps.heading("Looking at the result")
        job = self._completed(job_id)
        path, playable = self._read_back(job)
        fetched = self._fetch_elsewhere(job, path)
        self._look_at_addresses()
        self._print(job, path, playable, fetched)

    def _record(self, job_id: str, url: str) -> None:
        """Submit, follow and stop by the command line, as a person would."""
        self._steps.say(f"  $ chronicle record {url} --id {job_id} --follow")
        with self._client.command("record", url, "--id", job_id, "--follow") as follower:
            try:
                self._await_submission(job_id, follower)
                self._client.until(
                    job_id,
                    lambda job: job["status"] == "RECORDING",
                    timeout=TO_BEGIN,
                    what="the recording has begun",
                )
                self._client.until(
                    job_id,
                    lambda job: ((job["progress"] or {}).get("media_seconds") or 0) >= MEDIA,
                    timeout=TO_RECORD,
                    what=f"{MEDIA:g} s of media are recorded",
                )
                self._stop(job_id)
                code = follower.wait(TO_DELIVER)
            except subprocess.TimeoutExpired as error:
                raise StepFailed(
                    f"job {job_id} was not complete {TO_DELIVER:g} s after its stop; it is "
                    f"{self._client.job(job_id)['status']}"
                ) from error
            finally:
                if follower.poll() is None:
                    follower.terminate()
        if code != 0:
            raise StepFailed(f"`chronicle record --follow` ended with exit code {code}")

    def _await_submission(self, job_id: str, follower: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + TO_BEGIN
        while not self._client.knows(job_id):
            if follower.poll() is not None or time.monotonic() > deadline:
                raise StepFailed(
                    f"`chronicle record` did not submit job {job_id}; "
                    f"its exit code is {follower.poll()}"
                )
            time.sleep(0.2)

    def _stop(self, job_id: str) -> None:
        with self._client.command("stop", job_id, quiet=True) as command:
            try:
                said, _ = command.communicate(timeout=30)
            except subprocess.TimeoutExpired as error:
                command.kill()
                raise StepFailed(f"`chronicle stop {job_id}` did not end in 30 s") from error
        if command.returncode != 0:
            raise StepFailed(f"`chronicle stop {job_id}` failed: {said.strip()}")

    def _completed(self, job_id: str) -> dict[str, Any]:
        with self._steps.step("the job is complete and its torrent is seeded") as step:
            job = self._client.until(
                job_id,
                lambda job: (
                    job["status"] == "COMPLETED"
                    and (job["torrent"] or {}).get("state") in {"seeding", "failed"}
                ),
                timeout=TO_SEED,
                what="the torrent is seeded",
            )
            if job["torrent"]["state"] == "failed":
                raise StepFailed(f"no torrent of {job_id}: {job['torrent'].get('error')}")
            step.note(f"{job['torrent']['engine']}")
        return job

    def _read_back(self, job: dict[str, Any]) -> tuple[Path, probe.Playable]:
        recording = job["recording"]
        with self._steps.step("ffmpeg decodes the whole recording") as step:
            path = self._stack.settings.recordings_folder / recording["key"]
            if not path.is_file() or path.stat().st_size != recording["size"]:
                raise StepFailed(f"{path} is not there with its {recording['size']} bytes")
            playable = probe.decode(path)
            if playable.duration < MEDIA - 1 or not playable.video or not playable.audio:
                raise StepFailed(f"{path} is not what was streamed: {playable}")
            if abs(playable.duration - playable.decoded) > TOLERANCE:
                raise StepFailed(
                    f"{path} says {playable.duration:g} s, but {playable.decoded:g} s were decoded"
                )
            step.note(str(playable))
        return path, playable

    def _fetch_elsewhere(self, job: dict[str, Any], path: Path) -> str:
        with (
            self._steps.step("a second BitTorrent client fetches it from our seeder") as step,
            tempfile.TemporaryDirectory(prefix="chronicle-demo-") as folder,
        ):
            fetched = second_client.fetch(
                self._client.torrent(job["id"]),
                Path(folder),
                peer=self._seeder(),
                timeout=TO_FETCH,
            )
            ours, theirs = second_client.sha256(path), second_client.sha256(fetched.path)
            if ours != theirs:
                raise StepFailed(f"{fetched.client} got other bytes: {theirs} in place of {ours}")
            checksum = job["recording"]["checksum"]
            if checksum["algorithm"] == "sha256" and checksum["value"] != ours:
                raise StepFailed(f"{path} has sha256 {ours}, Uploaded said {checksum['value']}")
            step.note(fetched.client)
        return f"{fetched.client} fetched {fetched.size:,} bytes, sha256 {theirs} = ours"

    def _seeder(self) -> str | None:
        """Return where our seeder listens, for a client that no tracker tells."""
        listening = ports.listened_by(self._stack.supervisor.state("seeder")["pid"])
        return f"127.0.0.1:{listening[0]}" if listening else None

    def _look_at_addresses(self) -> None:
        for name, address in addresses(self._stack).items():
            with self._steps.step(f"{name} answers") as step:
                code = self._client.status_code(address)
                if code != 200:
                    raise StepFailed(f"{address} answers {code}")
                step.note(address)

    def _print(
        self, job: dict[str, Any], path: Path, playable: probe.Playable, fetched: str
    ) -> None:
        console = self._steps.console
        print_timeline(console, job)
        console.print("\n[bold]Recording[/]")
        print_rows(
            console,
            {
                "file": str(path),
                "size": f"{path.stat().st_size:,} bytes",
                "duration": f"{playable.duration:.2f} s",
                "codecs": f"{playable.video} {playable.width}x{playable.height}, {playable.audio}",
                "frames": f"{playable.frames} decoded",
                "info-hash": job["torrent"]["info_hash"],
                "magnet": job["torrent"]["magnet"],
                "fetched by": fetched,
            },
        )
        print_addresses(self._stack, console)
