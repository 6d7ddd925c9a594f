from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.faults import trial
from tests.faults.chronicle import Chronicle
from tests.faults.encoder import Pacing
from tests.faults.source import make_lives

# Twice as fast as life: a segment of one second every half second, thirty seconds in the playlist.
SCRIPT = trial.Script(Pacing(pace=0.5, window=60), before=2.0, after=3.0)
AT_ONCE = 5 * (os.cpu_count() or 2)


class Trials:
    """Recordings that run side by side; each test takes the one that it asked for."""

    def __init__(self, lives, folder):
        self._lives = lives
        self._folder = folder
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="trial")
        self._running: dict[str, tuple[Chronicle, Future[list[trial.Outcome]]]] = {}

    def begin(self, name, fault, **env):
        recorder = Chronicle(self._folder / name, **env)
        running = self._pool.submit(trial.run, fault, self._lives, SCRIPT, [recorder])
        self._running[name] = (recorder, running)

    def result(self, name):
        recorder, running = self._running[name]
        [outcome] = running.result()
        return recorder, outcome

    def close(self):
        self._pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def lives(tmp_path_factory):
    """The numbered source."""
    return make_lives(tmp_path_factory.mktemp("lives"), seconds=40, segment=1, first=4)


@pytest.fixture(scope="module")
def trials(lives, tmp_path_factory):
    opened = Trials(lives, tmp_path_factory.mktemp("trials"))
    yield opened
    opened.close()
