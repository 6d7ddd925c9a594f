"""Pieces of a job as HTML; everything that came from outside is escaped by `format_html`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from chronicle_contracts import JobStatus
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from portal.jobs import wording
from portal.jobs.changes import EventChange, FieldChange
from portal.jobs.models import Job

_GOOD, _BUSY, _BAD, _QUIET = "#a3b763", "#d6c66b", "#e0715c", "#97978c"

COLOURS = {
    JobStatus.PENDING: _QUIET,
    JobStatus.SCHEDULED: _QUIET,
    JobStatus.STARTED: _BUSY,
    JobStatus.RECORDING: "#ff5a4f",
    JobStatus.STOPPING: _BUSY,
    JobStatus.UPLOADING: _BUSY,
    JobStatus.CREATING_TORRENT: _BUSY,
    JobStatus.SEEDING: _GOOD,
    JobStatus.COMPLETED: _GOOD,
    JobStatus.FAILED: _BAD,
    JobStatus.REJECTED: _BAD,
    JobStatus.CANCELLED: _QUIET,
}
NOTHING = wording.NOTHING


def badge(status: str, *, losses: bool = False) -> SafeString:
    """Return a status with a dot in its colour, and whether the recording lacks something."""
    return format_html(
        '<span style="white-space: nowrap"><span style="color: {}">●</span> {}{}</span>',
        _BUSY if losses else COLOURS.get(JobStatus(status), _QUIET),
        status,
        " with losses" if losses else "",
    )


def address(url: str) -> SafeString:
    """Return a URL as a link, or as text where a browser must not follow it."""
    if wording.link(url) is None:
        return format_html("<code>{}</code>", url)
    return format_html(
        '<a class="underline" href="{}" rel="noreferrer noopener" target="_blank">{}</a>', url, url
    )


def files(job: Job) -> SafeString:
    """Return the links to what can be downloaded."""
    links: list[tuple[str, str]] = []
    if job.recording and not job.recording.get("deleted_at"):
        links.append((reverse("job-recording", args=[job.id]), "Recording"))
    if job.torrent and job.torrent.get("key"):
        links.append((reverse("job-torrent", args=[job.id]), "Torrent"))
    if found := wording.magnet(job):
        links.append((found, "Magnet"))
    return format_html_join(" · ", '<a class="underline" href="{}">{}</a>', links)


def as_json(value: Any) -> SafeString | str:
    """Return a value as indented JSON."""
    if not value:
        return NOTHING
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return format_html('<pre style="white-space: pre-wrap; overflow-wrap: anywhere">{}</pre>', text)


def progress(job: Job) -> SafeString | str:
    """Return what the newest heartbeat said, a line each."""
    now = job.progress
    if not now:
        return NOTHING
    rows = [
        ("phase", f"{now['phase']} (attempt {now['attempt']})"),
        ("media time", wording.duration(now["media_seconds"])),
        ("recorded", wording.size(now["bytes_recorded"])),
        ("safely stored", wording.size(now["bytes_durable"])),
        ("bit rate", wording.bitrate(now["bitrate"])),
        ("free disk", wording.size(now["free_disk"])),
        ("restarts", now["restarts"]),
        ("heard at", _time(now["at"])),
    ]
    lines = format_html_join("", "<tr><td {}>{}</td><td>{}</td></tr>", _padded(rows))
    return format_html("<table>{}</table>", lines)


def error(job: Job) -> SafeString | str:
    """Return why a job failed, with the end of the log."""
    if not job.error:
        return NOTHING
    tail = job.error.get("log_tail") or ""
    log = (
        format_html('<pre style="white-space: pre-wrap; opacity: .8">{}</pre>', tail)
        if tail
        else ""
    )
    return format_html("<p><b>{}</b>: {}</p>{}", job.error["code"], job.error["detail"], log)


def timeline(job: Job) -> SafeString | str:
    """Return the milestones, oldest first."""
    if not job.timeline:
        return NOTHING
    rows = [
        (_PADDING, _time(line["at"]), _PADDING, line["what"], _WORDS, line.get("detail") or "")
        for line in job.timeline
    ]
    lines = format_html_join("", "<tr><td {}>{}</td><td {}>{}</td><td {}>{}</td></tr>", rows)
    return format_html(_SCROLLED, lines)


def changes(history: Sequence[EventChange]) -> SafeString | str:
    """Return the history, oldest first; each event opens to what it changed.

    Its time leads to the page of the job as it was known then.
    """
    if not history:
        return NOTHING
    rows = [
        (
            *(_PADDING, one.position, f"{one.at:%Y-%m-%d %H:%M:%S}"),
            *(_PADDING, one.what, _WORDS, one.detail or "", _changed(one.changes)),
        )
        for one in history
    ]
    lines = format_html_join(
        "",
        '<tr><td {}><a class="underline" href="?position={}">{}</a></td>'
        "<td {}>{}</td><td {}>{}{}</td></tr>",
        rows,
    )
    return format_html("{}" + _SCROLLED, _OPENING, lines)


def _changed(fields: Sequence[FieldChange]) -> SafeString | str:
    if not fields:
        return ""
    rows = [(_PADDING, one.field, _short(one.before), _short(one.after)) for one in fields]
    lines = format_html_join(
        "", '<tr><td {}>{}</td><td style="padding: 2px 0">{} → {}</td></tr>', rows
    )
    return format_html(
        '<details class="changes"><summary>{} changed</summary><table>{}</table></details>',
        ", ".join(dict.fromkeys(one.field.partition(".")[0] for one in fields)),
        lines,
    )


def _short(value: Any) -> str:
    if value is None:
        return NOTHING
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"


_LONGEST_VALUE = 200
# A table that a narrow page shows in part; ids and hashes are broken where they must be.
_SCROLLED = '<div style="overflow-x: auto; width: 0; min-width: 100%"><table>{}</table></div>'
_WORDS = SafeString(
    'style="padding: 2px 0; min-width: 14rem; overflow-wrap: anywhere; vertical-align: top"'
)
# Unfold puts one arrow for all of them into a corner of the page's.
_OPENING = SafeString(
    "<style>.changes { opacity: .8 } .changes summary::after { content: none }"
    " .changes summary { cursor: pointer; list-style: disclosure-closed inside }"
    " .changes[open] summary { list-style-type: disclosure-open; margin-bottom: 0 }</style>"
)
_PADDING = SafeString('style="padding: 2px 24px 2px 0; white-space: nowrap; vertical-align: top"')


def _padded(rows: list[tuple[str, Any]]) -> list[tuple[SafeString, str, Any]]:
    return [(_PADDING, name, value) for name, value in rows]


def _time(text: str) -> str:
    moment = parse_datetime(text)
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else text
