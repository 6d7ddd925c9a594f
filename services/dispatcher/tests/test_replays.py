"""What a replay brings, also by force: a job that was done is never launched again by it."""

from __future__ import annotations

import pytest
from chronicle_contracts import Event
from chronicle_contracts.portal import RetryRequested, StopRequested

from services.dispatcher.tests.cast import NOON, REQUEST, World, asked, beat, failed, uploaded


@pytest.fixture(params=[False, True], ids=["unforced", "forced"])
def again(request):
    """Brings an event as a replay does."""

    def bring(event: Event) -> Event:
        marks = {"replayid": "r1", "replayforce": request.param or None}
        return event.model_copy(update=marks)

    return bring


def history(world: World) -> tuple[list[Event], list[str]]:
    return world.events(), world.launcher.runs


class TestReplay:
    def test_launches_nothing_that_was_delivered(self, world, again):
        told = [asked(REQUEST), beat(5, 1), uploaded()]
        world.hear(told[0])
        world.launcher.die("concert.1")
        world.hear(*told[1:])
        world.pass_time(60)
        before = history(world)
        world.hear(*map(again, told))
        world.pass_time(600)
        assert history(world) == before

    def test_launches_nothing_that_was_given_up(self, world, again):
        told = [asked(REQUEST), failed("unsupported"), asked(RetryRequested(), 2)]
        world.hear(told[0])
        world.launcher.die("concert.1")
        world.hear(told[1])
        world.pass_time(60)
        world.clock.go_on(60)
        world.hear(asked(RetryRequested(), 2, at=world.clock.now()))
        world.launcher.die("concert.2")
        world.hear(failed("unsupported", attempt=2))
        world.pass_time(60)
        before = history(world)
        assert world.launcher.runs == ["concert.1", "concert.2"]
        world.hear(*map(again, told))
        world.pass_time(600)
        assert history(world) == before

    def test_launches_nothing_beside_what_runs(self, world, again):
        world.hear(asked(REQUEST))
        before = history(world)
        world.hear(again(asked(REQUEST)))
        assert history(world) == before

    def test_of_a_stop_that_was_taken_back_stops_nothing(self, world, again):
        stop, retry = asked(StopRequested(mode="keep"), 2), asked(RetryRequested(), 3, at=NOON)
        world.hear(asked(REQUEST), stop, retry)
        world.launcher.controls.clear()
        before = history(world)
        world.hear(again(stop))
        assert history(world) == before
        assert {mode for _, mode, _ in world.launcher.controls} == {None}

    def test_is_a_request_where_the_event_was_never_heard(self, world, again):
        world.hear(again(asked(REQUEST)))
        assert world.launcher.runs == ["concert.1"]
