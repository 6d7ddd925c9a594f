"""A crash at each commit boundary, then the message again: the end is the same."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from chronicle_contracts import Ignore
from chronicle_contracts.portal import StopRequested
from dispatcher.handlers import Limits

from services.dispatcher.tests.cast import REQUEST, FakeLauncher, asked, failed


class Crash(BaseException):
    """The process ends here: no handler of exceptions may catch it."""


class Fuse:
    """Lets so many commits happen, then crashes before or after the next one."""

    def __init__(self, world, commits, *, after):
        self.left, self.after = commits, after
        self._wrap(world.store, "append")
        self._wrap(world.launcher, "launch")
        ports = world.dispatcher._ports
        for port, name in [(ports.orders, "add"), (ports.heard, "note"), (ports.places, "take")]:
            self._wrap(port, name)

    def _wrap(self, thing, name):
        act = getattr(thing, name)

        def fused(*args, **kwargs):
            self.left -= 1
            if self.left == -1 and not self.after:
                raise Crash(name)
            done = act(*args, **kwargs)
            if self.left == -1:
                raise Crash(name)
            return done

        setattr(thing, name, fused)


def crash_in(world, event, commits, *, after):
    """Hear a message, crash at that commit, start anew; False where it never came so far."""
    Fuse(world, commits, after=after)
    launch = FakeLauncher.launch
    try:
        world.dispatcher.handle(event)
    except Crash:
        crashed = True
    else:
        crashed = False
    world.launcher.launch = launch.__get__(world.launcher)
    world.start()
    return crashed


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
class TestCrash:
    @pytest.mark.parametrize("commits", range(5))
    def test_while_a_job_is_launched_loses_and_doubles_nothing(self, world, commits, after):
        assert crash_in(world, asked(REQUEST), commits, after=after)
        world.hear(asked(REQUEST))
        assert world.facts() == ["JobAccepted", "RecorderLaunched"]
        assert world.launcher.runs == ["concert.1"]

    @pytest.mark.parametrize("commits", range(3, 5))
    def test_is_mended_by_the_supervision_where_no_message_comes_again(self, world, commits, after):
        assert crash_in(world, asked(REQUEST), commits, after=after)
        world.pass_time(12)
        assert world.facts() == ["JobAccepted", "RecorderLaunched"]
        assert world.launcher.runs == ["concert.1"]

    @pytest.mark.parametrize("commits", range(2))
    def test_while_a_failure_is_heard_gives_up_once(self, world, commits, after):
        world.hear(asked(REQUEST))
        world.launcher.die("concert.1")
        assert crash_in(world, failed("unsupported"), commits, after=after)
        world.hear(failed("unsupported"))
        assert world.facts() == ["JobAccepted", "RecorderLaunched", "JobAbandoned"]

    def test_while_a_stop_is_heard_still_stops(self, world, after):
        world.hear(asked(REQUEST))
        stop = asked(StopRequested(), 2)
        assert crash_in(world, stop, 0, after=after)
        world.hear(stop)
        assert world.launcher.controls == [("ref-concert.1", "keep", None)]


class TestTwoDispatchers:
    @pytest.fixture
    def other(self, world):
        with world.open() as store:
            yield world.another(store)

    def test_launch_a_job_once_when_both_hear_it_at_the_same_time(self, world, other):
        jobs = [f"job-{number}" for number in range(6)]
        together = threading.Barrier(4)

        def hear(dispatcher, job):
            together.wait(60)
            for _ in range(3):
                try:
                    dispatcher.handle(asked(REQUEST, job=job))
                except Ignore:
                    continue

        with ThreadPoolExecutor(4) as pool:
            for job in jobs:
                dispatchers = [world.dispatcher, other] * 2
                for done in [pool.submit(hear, one, job) for one in dispatchers]:
                    done.result()
        assert sorted(world.launcher.runs) == [f"{job}.1" for job in jobs]
        for job in jobs:
            assert world.facts(job) == ["JobAccepted", "RecorderLaunched"]

    def test_relaunch_a_lost_run_once_when_both_look_after_it(self, world, other):
        world.hear(asked(REQUEST))
        world.launcher.die("concert.1")
        for _ in range(8):
            world.clock.go_on(2)
            with ThreadPoolExecutor(2) as pool:
                for done in [pool.submit(one.tick) for one in (world.dispatcher, other)]:
                    done.result()
        assert world.launcher.runs == ["concert.1", "concert.2"]
        assert world.facts() == [
            "JobAccepted",
            "RecorderLaunched",
            "RecorderLost",
            "RecorderLaunched",
        ]

    def test_look_after_what_the_other_one_launched_and_heard(self, world, other):
        world.hear(asked(REQUEST))
        world.launcher.die("concert.1")
        world.hear(failed("capture_failed"))
        world.clock.go_on(4)
        other.tick()
        assert world.launcher.runs == ["concert.1", "concert.2"]

    def test_share_the_places(self, world, tmp_path):
        world.limits = Limits(most_recordings=2)
        with world.open() as one, world.open() as two:
            pair = [world.another(one), world.another(two)]
            with ThreadPoolExecutor(4) as pool:
                for number in range(8):
                    event = asked(REQUEST, job=f"job-{number}")
                    pool.submit(pair[number % 2].handle, event)
        assert len(world.launcher.runs) == 2

    def test_stop_the_recorder_of_a_job_that_the_other_one_gave_up(self, world, other):
        class Slow(FakeLauncher):
            def launch(self, launch):
                other.handle(asked(StopRequested(mode="discard"), 2))
                return super().launch(launch)

        world.launcher.__class__ = Slow
        world.hear(asked(REQUEST))
        assert world.facts() == ["JobAccepted", "JobAbandoned"]
        assert world.launcher.controls == [("ref-concert.1", "discard", None)]

    def test_do_not_launch_what_the_other_one_gave_up(self, world, other):
        world.launcher.broken = True
        world.hear(asked(REQUEST))
        other.handle(asked(StopRequested(), 2))
        world.launcher.broken = False
        world.pass_time(20)
        assert world.facts() == ["JobAccepted", "LaunchFailed", "JobAbandoned"]
