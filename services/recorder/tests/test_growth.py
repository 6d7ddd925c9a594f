"""How often a growing file is looked at."""

import pytest
from recorder.adapters.keeping.growth import LOOK_EVERY, LOOK_SELDOM, WORTH_A_FLUSH, Growth

MB = 1024 * 1024


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def growth(clock):
    return Growth(clock)


def grow(growth, clock, *, speed, seconds, size=0):
    """Let it grow by so many bytes a second, and look."""
    clock.now += seconds
    growth.see(size + round(speed * seconds))


class TestGrowth:
    def test_is_looked_at_soon_as_long_as_nothing_is_known(self, growth):
        assert growth.pause == LOOK_EVERY

    def test_of_a_usual_stream_is_looked_at_seldom(self, growth, clock):
        grow(growth, clock, speed=0.4 * MB, seconds=1)
        assert growth.pause == LOOK_SELDOM
        assert not growth.is_much

    def test_that_stands_still_is_looked_at_seldom(self, growth, clock):
        grow(growth, clock, speed=0, seconds=1)
        assert growth.pause == LOOK_SELDOM

    def test_of_a_fast_stream_is_looked_at_often_and_after_a_flush_too(self, growth, clock):
        grow(growth, clock, speed=30 * MB, seconds=1)
        assert growth.is_much
        growth.flushed(0)
        assert not growth.is_much
        assert growth.pause == LOOK_EVERY

    def test_is_looked_at_more_often_the_nearer_it_comes(self, growth, clock):
        grow(growth, clock, speed=1.5 * MB, seconds=1)
        far = growth.pause
        grow(growth, clock, speed=1.5 * MB, seconds=3, size=0)
        assert LOOK_EVERY <= growth.pause < far < LOOK_SELDOM

    def test_that_outgrew_its_flush_is_flushed_on_at_once(self, growth, clock):
        grow(growth, clock, speed=100 * MB, seconds=1)
        growth.flushed(2 * WORTH_A_FLUSH)
        assert growth.pause == 0

    def test_that_no_flush_makes_less_is_not_flushed_without_end(self, growth, clock):
        grow(growth, clock, speed=WORTH_A_FLUSH + MB, seconds=1)
        growth.flushed(WORTH_A_FLUSH + MB)
        assert growth.is_much
        assert growth.pause == LOOK_EVERY
