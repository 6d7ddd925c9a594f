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
        growth.flushed(0, stored=30 * MB)
        assert not growth.is_much
        assert growth.pause == LOOK_EVERY

    def test_is_looked_at_more_often_the_nearer_it_comes(self, growth, clock):
        grow(growth, clock, speed=1.5 * MB, seconds=1)
        far = growth.pause
        grow(growth, clock, speed=1.5 * MB, seconds=3, size=0)
        assert LOOK_EVERY <= growth.pause < far < LOOK_SELDOM

    def test_that_pauses_between_bursts_is_looked_at_as_often(self, growth, clock):
        grow(growth, clock, speed=30 * MB, seconds=1)
        growth.flushed(MB, stored=29 * MB)
        for _ in range(3):
            grow(growth, clock, speed=0, seconds=0.1, size=MB)
            assert growth.pause == LOOK_EVERY
        growth.flushed(2 * WORTH_A_FLUSH, stored=0)
        grow(growth, clock, speed=0, seconds=0.1, size=2 * WORTH_A_FLUSH)
        assert growth.pause < LOOK_EVERY

    def test_that_outgrew_its_flush_is_flushed_on_at_once(self, growth, clock):
        grow(growth, clock, speed=100 * MB, seconds=1)
        growth.flushed(2 * WORTH_A_FLUSH, stored=WORTH_A_FLUSH)
        assert growth.pause == 0

    def test_that_comes_as_fast_as_it_is_stored_is_flushed_on_at_once(self, growth, clock):
        grow(growth, clock, speed=2 * WORTH_A_FLUSH, seconds=1)
        growth.flushed(2 * WORTH_A_FLUSH, stored=2 * WORTH_A_FLUSH)
        assert growth.pause == 0

    def test_is_not_taken_for_slow_while_flush_follows_on_flush(self, growth, clock):
        grow(growth, clock, speed=20 * MB, seconds=1)
        for _ in range(12):
            growth.flushed(2 * WORTH_A_FLUSH, stored=WORTH_A_FLUSH)
            assert growth.pause == 0
            grow(growth, clock, speed=0, seconds=0.001, size=2 * WORTH_A_FLUSH)
        growth.flushed(MB, stored=WORTH_A_FLUSH)
        assert growth.pause == LOOK_EVERY

    @pytest.mark.parametrize(("speed", "pause"), [(4 * MB, 0.25), (100 * MB, 0.1), (MB / 2, 1.0)])
    def test_that_is_no_part_yet_is_looked_at_when_it_may_be(self, growth, clock, speed, pause):
        grow(growth, clock, speed=speed, seconds=2 * WORTH_A_FLUSH / speed)
        growth.flushed(2 * WORTH_A_FLUSH, stored=0)
        assert growth.is_much
        assert growth.pause == pytest.approx(pause)
