"""What was heard from runs, a row each, shared by all dispatchers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from dispatcher.adapters.database import Database, Row
from dispatcher.domain.heard import Run, Word

# A word that is older than what is there changes nothing. Of a newer one, what it is silent
# about stays. Media time moves the run; while it uploads, durable bytes do.
_NOTE = """
INSERT INTO heard (run_id, job_id, sequence, phase, media_seconds, bytes_durable, interrupted,
                   moved_at, heard_at, sealed, final_type, code, detail, media_first)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (run_id) DO UPDATE SET
    sequence = excluded.sequence,
    phase = COALESCE(excluded.phase, heard.phase),
    media_seconds = CASE WHEN excluded.media_seconds > heard.media_seconds
                         THEN excluded.media_seconds ELSE heard.media_seconds END,
    bytes_durable = CASE WHEN excluded.bytes_durable > heard.bytes_durable
                         THEN excluded.bytes_durable ELSE heard.bytes_durable END,
    interrupted = CASE WHEN excluded.interrupted >= 0
                       THEN excluded.interrupted ELSE heard.interrupted END,
    moved_at = CASE WHEN excluded.media_seconds > heard.media_seconds
                      OR COALESCE(excluded.phase, heard.phase, '') <> COALESCE(heard.phase, '')
                      OR (excluded.phase = 'UPLOADING'
                          AND excluded.bytes_durable > heard.bytes_durable)
                    THEN excluded.moved_at ELSE heard.moved_at END,
    heard_at = excluded.heard_at,
    sealed = excluded.sealed,
    final_type = COALESCE(excluded.final_type, heard.final_type),
    code = COALESCE(excluded.code, heard.code),
    detail = COALESCE(excluded.detail, heard.detail),
    media_first = COALESCE(heard.media_first, excluded.media_first)
WHERE excluded.sequence > heard.sequence
"""

_SELECT = """
SELECT run_id, job_id, sequence, phase, media_seconds, bytes_durable, interrupted,
       moved_at, heard_at, sealed, final_type, code, detail, media_first
FROM heard WHERE job_id = %s
"""

_NOTHING_SAID = -1


class SqlHeard:
    """The port `Heard` over a table; one upsert a word, whatever the order of arrival."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, word: Word, at: datetime) -> None:
        """Keep what is newer than what is there."""
        self._database.execute(
            _NOTE,
            (
                word.run_id,
                word.job_id,
                word.sequence,
                word.phase,
                word.media_seconds or 0.0,
                word.bytes_durable or 0,
                _NOTHING_SAID if word.interrupted is None else int(word.interrupted),
                at.timestamp(),
                at.timestamp(),
                int(word.sealed),
                word.final_type,
                word.code,
                word.detail,
                word.media_seconds,
            ),
        )

    def of(self, job_id: str) -> Sequence[Run]:
        """Return the job's runs of which something was heard."""
        return [_run(row) for row in self._database.query(_SELECT, (job_id,))]


def _run(row: Row) -> Run:
    return Run(
        run_id=row[0],
        job_id=row[1],
        sequence=row[2],
        phase=row[3],
        media_seconds=row[4],
        bytes_durable=row[5],
        interrupted=row[6] > 0,
        moved_at=datetime.fromtimestamp(row[7], UTC),
        heard_at=datetime.fromtimestamp(row[8], UTC),
        sealed=bool(row[9]),
        final_type=row[10],
        code=row[11],
        detail=row[12],
        media_first=row[13],
    )
