"""A recorder as its launcher sees it: a process, a work folder, a recording, events."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import imageio_ffmpeg
from chronicle_contracts import Event, decode
from chronicle_contracts.naming import recorder_stream, run_id
from chronicle_contracts.recorder import RecordingStarted
from recorder.adapters.media.ffmpeg import Ffmpeg
from recorder.adapters.media.probe import probe

JOB = "gala"
KEY = "recordings/2026/11/21/gala-0f0f0f0f.mkv"

# Nobody listens there.
NOWHERE = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "geheim",
    "CHRONICLE_DRAIN_TIMEOUT": "0.1",
}


class Job:
    """One job's attempts."""

    def __init__(self, home: Path, url: str, env: dict[str, str]) -> None:
        self.home = home
        self.work = home / "work"
        self.recordings = home / "recordings"
        self.url = url
        self.env = env
        self.process: subprocess.Popen[bytes] | None = None
        self.work.mkdir(parents=True, exist_ok=True)

    def launch(self, attempt: int = 1, **env: str) -> Job:
        """Start a recorder."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "recorder"],
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment(attempt), **env},
            )
        return self

    def environment(self, attempt: int = 1) -> dict[str, str]:
        """What a recorder is told."""
        return {
            "JOB_ID": JOB,
            "URL": self.url,
            "S3_KEY": KEY,
            "CHRONICLE_ATTEMPT": str(attempt),
            "CHRONICLE_HOME": str(self.home),
            "CHRONICLE_WORK_DIR": str(self.work),
            "CHRONICLE_RECORDINGS": str(self.recordings),
            "CHRONICLE_ALLOW_PRIVATE_ADDRESSES": "true",
            "CHRONICLE_HEARTBEAT": "1",
            "CHRONICLE_FLUSH_INTERVAL": "0.5",
            **self.env,
        }

    @property
    def log(self) -> Path:
        return self.home / "recorder.log"

    @property
    def recording(self) -> Path:
        return self.recordings / KEY

    def wait(self, timeout: float = 120.0) -> int:
        """Return the exit code."""
        assert self.process is not None
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"the recorder did not end: {self.log.read_text()}") from None

    def send(self, number: signal.Signals) -> Job:
        assert self.process is not None
        self.process.send_signal(number)
        return self

    def ask(self, **wish: object) -> Job:
        """Write `control.json` as a launcher does."""
        draft = self.work / "control.tmp"
        draft.write_text(json.dumps({"stop": None, "max_duration": None, **wish}))
        draft.replace(self.work / "control.json")
        return self

    def until(self, condition, timeout: float = 90.0) -> Job:
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"it did not come to that: {self.log.read_text()}")
            time.sleep(0.05)
        return self

    def until_recorded(self, seconds: float, attempt: int = 1) -> Job:
        """Wait until a heartbeat says that so much media is there."""

        def is_there() -> bool:
            beats = [event.data for event in self.events(attempt)]
            return any(getattr(beat, "media_seconds", 0) >= seconds for beat in beats)

        return self.until(is_there)

    def events(self, attempt: int = 1) -> list[Event]:
        """What a run has said so far."""
        path = self.work / "events.sqlite"
        if not path.exists():
            return []
        # Read only, and with none of our code: the recorder has it open.
        stream = recorder_stream(run_id(JOB, attempt))
        query = "SELECT state FROM stored_events WHERE originator_id=? ORDER BY originator_version"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
            try:
                return [decode(state) for (state,) in database.execute(query, [stream])]
            except sqlite3.OperationalError:
                return []  # the table is not there yet

    def started(self, attempt: int = 1) -> bool:
        return any(isinstance(event.data, RecordingStarted) for event in self.events(attempt))

    def left_files(self) -> list[str]:
        """Files below the recordings and media below the work folder."""
        found = [*self.recordings.rglob("*"), *self.work.glob("*.mkv")]
        return sorted(path.name for path in found if path.is_file())

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def ffmpeg() -> Ffmpeg:
    return Ffmpeg(Path(imageio_ffmpeg.get_ffmpeg_exe()))


def probed(path: Path):
    """What is in a file: (seconds, video codec, audio codec)."""
    found = probe(ffmpeg(), path)
    assert found is not None, f"{path} holds no media"
    return found.duration, found.media.video_codec, found.media.audio_codec


def packets(path: Path) -> int:
    """Read the whole file; return how many pictures are in it. Fails if it is damaged."""
    _, said = ffmpeg().run(
        ["-xerror", "-i", f"file:{path}", "-map", "0:v", "-c", "copy", "-f", "null", "-"]
    )
    frames = [part for part in said.replace("\r", "\n").splitlines() if "frame=" in part]
    return int(frames[-1].partition("frame=")[2].split()[0])
