"""Our recorder as one that takes part in a trial: `python -m recorder` with a local store."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TypeVar

from chronicle_contracts.recorder import RecordingEnded, RecordingFailed, Uploaded

from services.recorder.tests.process import NOWHERE, Job

# All is recorded and delivered, only the endpoint that nobody started has not heard of it.
DONE_UNSAID = 69

Fact = TypeVar("Fact")


class Chronicle:
    """Implements `trial.Recorder`; `env` are the recorder's settings."""

    def __init__(self, folder: Path, **env: str) -> None:
        self._folder = folder
        self._env = env
        self._job: Job | None = None
        self.most_memory = 0  # bytes

    @property
    def job(self) -> Job:
        """The job, once it is launched."""
        assert self._job is not None, "launch() comes first"
        return self._job

    def launch(self, url: str) -> None:
        """Begin to record."""
        self._job = Job(self._folder, url, {**NOWHERE, **self._env})
        self._job.launch()

    def has_begun(self) -> bool:
        """Whether a heartbeat spoke of media."""
        assert self.job.process is not None
        assert self.job.process.poll() is None, self.job.log.read_text()
        return self.job.started()

    def wait(self, timeout: float) -> int | None:
        """Wait for the end; an endpoint that nobody started is not the recorder's fault."""
        process = self.job.process
        assert process is not None
        self.most_memory = max(self.most_memory, _peak(process.pid))
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.job.close()
            return None
        return 0 if code == DONE_UNSAID else code

    @property
    def recording(self) -> Path:
        """The delivered file."""
        return self.job.recording

    def said_lost(self) -> float | None:
        """Seconds of the gaps in the last word, from the first media on, as losses are counted."""
        uploaded = self._last(Uploaded)
        if uploaded is None:
            return 0.0
        return sum(gap.seconds for gap in uploaded.gaps if gap.at_media_seconds > 0)

    @property
    def why(self) -> str | None:
        """Why it ended, in its own words."""
        ended, failed = self._last(RecordingEnded), self._last(RecordingFailed)
        if failed is not None:
            return f"failed: {failed.code}"
        return ended.why if ended is not None else None

    def _last(self, kind: type[Fact]) -> Fact | None:
        said = [event.data for event in self.job.events() if isinstance(event.data, kind)]
        return said[-1] if said else None


def _peak(pid: int) -> int:
    """Return the most memory that a process had, in bytes."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next(
        (int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0
    )
