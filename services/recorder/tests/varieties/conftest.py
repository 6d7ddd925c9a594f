from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from services.recorder.tests.process import NOWHERE, Job
from services.recorder.tests.varieties.media import Media
from services.recorder.tests.varieties.recorded import Recorded
from services.recorder.tests.varieties.station import Station

SIDE_BY_SIDE = 5


@pytest.fixture(scope="session")
def media(tmp_path_factory):
    return Media.encode(tmp_path_factory.mktemp("media") / "small.mkv")


@pytest.fixture(scope="session")
def other(tmp_path_factory):
    """Media of another size."""
    folder = tmp_path_factory.mktemp("media")
    return Media.encode(folder / "large.mkv", size="320x180", seed=2)


@pytest.fixture(scope="module")
def station():
    opened = Station()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def recordings(request, station, media, other, tmp_path_factory):
    """All recordings of a module, made side by side: name -> future.

    The module's `SOURCES` are functions (station, media, other) -> (url, environment).
    """

    def record(name, offer):
        url, env = offer(station, media, other)
        job = Job(tmp_path_factory.mktemp(name), url, NOWHERE)
        try:
            return Recorded(job, job.launch(**env).wait())
        finally:
            job.close()

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield {
            name: pool.submit(record, name, offer) for name, offer in request.module.SOURCES.items()
        }


@pytest.fixture
def recorded(recordings):
    """The recording of a name, when it is over."""
    return lambda name: recordings[name].result()
