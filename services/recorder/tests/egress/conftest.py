from __future__ import annotations

import pytest

from services.recorder.tests.egress.outside import Names, Outside
from services.recorder.tests.egress.victim import Victim


@pytest.fixture(scope="module")
def outside():
    opened = Outside()
    yield opened
    opened.close()


@pytest.fixture
def names():
    return Names()


@pytest.fixture
def victim():
    opened = Victim()
    yield opened
    opened.close()
