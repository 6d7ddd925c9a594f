"""The manifest of a recording: `<key>.manifest.json`, described in docs/manifest.md.

Written a segment at a time: what a recording of two days needs of memory is what one of a
minute needs.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TextIO

import structlog
from chronicle_storage import RecordingStore, StoreError
from pydantic import TypeAdapter

from recorder.adapters.keeping.segments import SegmentLog
from recorder.adapters.media.ffmpeg import Ffmpeg, FfmpegFailed
from recorder.domain.segment import DateRange, Segment
from recorder.domain.statement import Attempt, Statement
from recorder.ports import StoreTrouble

log = structlog.get_logger(__name__)

FORMAT = 1
_SEGMENT, _DATE_RANGE = TypeAdapter(Segment), TypeAdapter(DateRange)
_ATTEMPT = TypeAdapter(Attempt)
_PACKAGES = {"chronicle": "chronicle-recorder", "streamlink": "streamlink", "yt-dlp": "yt-dlp"}


class StoredManifest:
    """Implements `ports.Manifest`."""

    def __init__(
        self, store: RecordingStore, segments: SegmentLog, ffmpeg: Ffmpeg, *, work_dir: Path
    ) -> None:
        self._store = store
        self._segments = segments
        self._ffmpeg = ffmpeg
        self._draft = work_dir / "manifest.json"

    def write(self, statement: Statement) -> str:
        """Put the manifest beside the recording."""
        key = f"{statement.delivery.key}.manifest.json"
        try:
            with self._draft.open("w", encoding="utf-8") as file:
                self._write(file, statement)
            stored = self._store.put(key, self._draft, content_type="application/json")
        except (StoreError, OSError) as error:
            raise StoreTrouble(str(error)) from error
        finally:
            self._draft.unlink(missing_ok=True)
        log.info("manifest_written", key=key, size=stored.size)
        return key

    def discard(self, key: str) -> None:
        """Delete the manifest of a recording; a failure is logged, nothing more."""
        try:
            self._store.delete(f"{key}.manifest.json")
        except StoreError as error:
            log.warning("manifest_left_behind", error=str(error))

    def _write(self, file: TextIO, statement: Statement) -> None:
        file.write(json.dumps(_head(statement), ensure_ascii=False).removesuffix("}"))
        for name, lines in (
            ("segments", _dumped(self._segments.segments(), _SEGMENT.dump_json)),
            ("dateranges", _dumped(self._segments.date_ranges(), _DATE_RANGE.dump_json)),
        ):
            file.write(f',\n"{name}": [')
            file.writelines((",\n" if number else "\n") + line for number, line in enumerate(lines))
            file.write("]")
        file.write(f',\n"tools": {json.dumps(tools(self._ffmpeg))}}}\n')


def tools(ffmpeg: Ffmpeg) -> dict[str, str | None]:
    """Return the versions of what made the recording, without importing any of it."""
    try:
        said, _ = ffmpeg.run(["-version"], timeout=10)
        made_by: str | None = said.split(maxsplit=3)[2]
    except (FfmpegFailed, OSError, IndexError):
        made_by = None
    return {
        **{name: _version(package) for name, package in _PACKAGES.items()},
        "python": platform.python_version(),
        "ffmpeg": made_by,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _dumped(lines: Iterable[Any], dump: Callable[..., bytes]) -> Iterator[str]:
    return (dump(line, exclude_defaults=True).decode() for line in lines)


def _head(statement: Statement) -> dict[str, Any]:
    delivery = statement.delivery
    started_at = statement.started_at
    return {
        "manifest": FORMAT,
        "job": statement.job,
        "key": delivery.key,
        "size": delivery.size,
        "checksum": delivery.checksum.model_dump(mode="json"),
        "duration": delivery.duration,
        "media": delivery.media.model_dump(mode="json"),
        "started_at": None if started_at is None else started_at.isoformat(),
        "ended_at": statement.ended_at.isoformat(),
        "end": {"why": statement.why, "detail": statement.detail},
        "completeness": statement.completeness.model_dump(mode="json"),
        "troubles": list(delivery.troubles),
        "stretches": [asdict(stretch) for stretch in delivery.stretches],
        "gaps": [gap.model_dump(mode="json") for gap in statement.gaps],
        "attempts": [_ATTEMPT.dump_python(one, mode="json") for one in statement.attempts],
    }
