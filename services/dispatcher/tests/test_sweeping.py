"""What a job was given to show at its site is deleted when nobody needs it any more."""

from __future__ import annotations

import pytest
from chronicle_contracts.portal import RetryRequested, StopRequested
from dispatcher.ports import Refused, Sight

from services.dispatcher.tests.cast import LIVE, REQUEST, asked, discarded, failed, uploaded

NAME = "concert.0123"
DAY = 24 * 3600
NOBODY = Refused("no_stream", "Nobody is live there.")


@pytest.fixture
def world(world):
    world.secrets.names[NAME] = world.clock.now()
    return world


@pytest.fixture
def request_with():
    return asked(REQUEST.model_copy(update={"credentials": NAME}))


class TestCredentials:
    def test_are_deleted_at_once_after_a_delivery(self, world, request_with):
        world.hear(request_with, uploaded())
        assert NAME in world.secrets.names
        world.launcher.die("concert.1")
        world.pass_time(4)
        assert world.secrets.names == {}

    @pytest.mark.parametrize("sees", [LIVE, Sight(live_status="upcoming")])
    def test_are_kept_as_long_as_the_job_lives(self, world, request_with, sees):
        world.preflight.sees = sees
        world.hear(request_with)
        world.link.since = None  # nobody hears its recorder, so nobody calls it lost
        world.pass_time(30 * DAY, step=3600)
        assert NAME in world.secrets.names

    @pytest.mark.parametrize(
        "end",
        [
            [failed("unsupported")],
            [asked(StopRequested(mode="discard"), 2), discarded()],
        ],
        ids=["failed", "discarded"],
    )
    def test_are_kept_for_a_day_for_another_try(self, world, request_with, end):
        world.hear(request_with)
        world.launcher.die("concert.1")
        world.hear(*end)
        world.pass_time(DAY - 3600, step=900)
        assert NAME in world.secrets.names
        world.pass_time(2 * 3600, step=900)
        assert world.secrets.names == {}

    def test_of_a_job_that_was_rejected_serve_its_retry(self, world, request_with):
        world.preflight.sees = NOBODY
        world.hear(request_with)
        world.pass_time(DAY // 2, step=900)
        world.preflight.sees = LIVE
        world.hear(asked(RetryRequested(), 2, at=world.clock.now()))
        assert world.launcher.started[0].request.credentials == NAME
        assert NAME in world.secrets.names

    @pytest.mark.parametrize("name", ["unheard.0123", "nonsense"])
    def test_that_no_job_is_known_for_wait_as_long_as_a_message_can(self, world, name):
        world.secrets.names[name] = world.clock.now()
        world.pass_time(13 * DAY, step=DAY)
        assert name in world.secrets.names
        world.pass_time(2 * DAY, step=DAY)
        assert name not in world.secrets.names

    def test_are_swept_up_where_the_vault_was_away_at_the_end(self, world, request_with):
        delete, world.secrets.delete = world.secrets.delete, lambda name: None
        world.hear(request_with, uploaded())
        world.launcher.die("concert.1")
        world.pass_time(4)
        world.secrets.delete = delete
        world.pass_time(DAY + 1200, step=600)
        assert world.secrets.names == {}
