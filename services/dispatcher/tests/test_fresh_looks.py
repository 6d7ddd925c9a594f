"""What looks have found, kept for the launches that follow."""

import pytest
from chronicle_sources import Resolution
from dispatcher.adapters.fresh_looks import FreshLooks

from services.dispatcher.tests.cast import REQUEST, FakeClock

FOUND = Resolution(live_status="live", protocol="hls", media_url="https://live.example/a.m3u8")


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def looks(clock):
    looks = FreshLooks(clock)
    looks.put(REQUEST, FOUND)
    return looks


class TestFreshLooks:
    def test_are_given_out_once(self, looks, clock):
        look = looks.take(REQUEST)
        assert (look.found, look.at) == (FOUND, clock.now())
        assert looks.take(REQUEST) is None

    def test_are_of_no_use_after_a_minute(self, looks, clock):
        clock.go_on(61)
        assert looks.take(REQUEST) is None

    def test_are_of_one_request_as_it_was(self, looks):
        assert looks.take(REQUEST.model_copy(update={"max_height": 480})) is None

    def test_that_nobody_came_for_do_not_pile_up(self, looks, clock):
        clock.go_on(61)
        looks.put(REQUEST.model_copy(update={"key": "another.mkv"}), FOUND)
        clock.go_on(-61)
        assert looks.take(REQUEST) is None
