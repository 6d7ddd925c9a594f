from __future__ import annotations

import pytest

from services.recorder.tests.origin import Origin, make_segments
from services.recorder.tests.process import Job


@pytest.fixture(scope="session")
def segments(tmp_path_factory):
    """Five minutes of picture and sound: of a slow machine the origin must not run out."""
    return make_segments(tmp_path_factory.mktemp("segments"), 300)


@pytest.fixture
def origin(segments):
    """A live stream of which more than six seconds come every second."""
    opened = Origin({"live": segments})
    yield opened
    opened.close()


@pytest.fixture
def job(origin, tmp_path, aws_env):
    """A job that records the origin into a local folder."""
    opened = Job(tmp_path, origin.url(), aws_env)
    yield opened
    opened.close()
