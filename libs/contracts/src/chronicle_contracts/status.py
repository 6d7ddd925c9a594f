"""The statuses of a job, as people see them."""

from __future__ import annotations

from enum import StrEnum


class JobStatus(StrEnum):
    """Where a job stands; the words of the seeds plus four of ours."""

    PENDING = "PENDING"
    SCHEDULED = "SCHEDULED"
    STARTED = "STARTED"
    RECORDING = "RECORDING"
    STOPPING = "STOPPING"
    UPLOADING = "UPLOADING"
    CREATING_TORRENT = "CREATING_TORRENT"
    SEEDING = "SEEDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        """True where nothing more happens unless somebody asks for it."""
        return self in _FINAL


_FINAL = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.REJECTED, JobStatus.CANCELLED})
