"""`chronicle download`: fetch a recording, or its torrent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from chronicle_cli.answers import Job, Recording
from chronicle_cli.client import ApiClient
from chronicle_cli.download import (
    Download,
    Report,
    can_verify,
    choose_target,
    is_whole,
    refuse_existing,
)
from chronicle_cli.errors import CliError, Conflict, NotFound
from chronicle_cli.exits import is_final
from chronicle_cli.screen import Screen
from chronicle_cli.session import JobArgument, JsonOption, client_of

NAME = "download"


def run(
    context: typer.Context,
    job_id: JobArgument,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help="File or folder.")
    ] = None,
    torrent: Annotated[
        bool, typer.Option("--torrent", help="The .torrent file in place of the recording.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Fetch a recording; goes on where it broke off, checks the checksum, writes all or nothing."""
    screen, client = Screen(as_json=as_json), client_of(context)
    job = client.job(job_id)
    name = _recording(job).key.rsplit("/", 1)[-1]
    try:
        if torrent:
            _fetch_torrent(
                client, screen, job, choose_target(output, f"{name}.torrent"), force=force
            )
        else:
            _fetch(client, screen, job, choose_target(output, name), force=force)
    except OSError as error:
        raise CliError(f"cannot write {error.filename or output}", error.strerror or "") from error


def _recording(job: Job) -> Recording:
    if job.recording is None:
        if is_final(job.status):
            raise NotFound(f"job {job.id} is {job.status} and has no recording")
        raise Conflict(
            f"job {job.id} is {job.status}; its recording is not complete yet",
            remedy=f"wait for it: chronicle watch {job.id}",
        )
    if job.recording.deleted_at:
        raise NotFound(f"the recording of job {job.id} was deleted")
    return job.recording


def _fetch(client: ApiClient, screen: Screen, job: Job, target: Path, *, force: bool) -> None:
    recording = _recording(job)
    if target.exists() and is_whole(target, recording):
        _report_file(screen, target, recording, "is there already")
        return
    if not force:
        refuse_existing(target)
    with _bar(screen, recording.size) as report:
        download = Download(client, job.id, recording, target, report=report)
        resumed_from = download.there
        download.run()
    fate = f"fetched, from byte {resumed_from} on" if resumed_from else "fetched"
    _report_file(screen, target, recording, fate)


def _report_file(screen: Screen, target: Path, recording: Recording, fate: str) -> None:
    checksum = recording.checksum
    verified = can_verify(checksum.algorithm)
    screen.document(
        {
            "path": str(target),
            "size": recording.size,
            "checksum": checksum.model_dump(),
            "verified": verified,
        }
    )
    known = f"{checksum.algorithm} verified" if verified else f"no {checksum.algorithm} here"
    screen.say(f"{target}: {fate}, {recording.size} bytes, {known}")


def _fetch_torrent(
    client: ApiClient, screen: Screen, job: Job, target: Path, *, force: bool
) -> None:
    if not force and target.exists():
        raise Conflict(f"{target} exists", remedy="choose another name with -o, or give --force")
    with client.file(job.id, "torrent") as answer:
        content = answer.read()
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.part")
    partial.write_bytes(content)
    partial.replace(target)
    screen.document({"path": str(target), "size": len(content)})
    screen.say(f"{target}: fetched, {len(content)} bytes")


@contextmanager
def _bar(screen: Screen, total: int) -> Iterator[Report]:
    if not screen.is_live:
        yield lambda _: None
        return
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen.console, transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda there: progress.update(task, completed=there)
