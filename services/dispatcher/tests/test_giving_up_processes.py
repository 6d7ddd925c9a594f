"""A URL that takes its recorders down, with processes that really die."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial

import pytest
from chronicle_contracts.dispatcher import JobAbandoned, RecorderLaunched
from dispatcher.adapters.fresh_looks import FreshLooks
from dispatcher.adapters.process_launcher import ProcessLauncher
from dispatcher.adapters.starting import CommandStarter
from dispatcher.domain.backoff import MOST_TRIES
from dispatcher.handlers import Dispatcher

from services.dispatcher.tests.cast import REQUEST, FakeClock, World, asked, until

POISONED = ["/bin/sh", "-c", 'echo x >> "$CHRONICLE_WORK_DIR/../taken-down"; kill -9 $$']
LONGEST_WAIT = 60  # seconds of the dispatcher's clock


@pytest.fixture
def launcher(tmp_path):
    return ProcessLauncher(
        CommandStarter(POISONED),
        FreshLooks(FakeClock()),
        work=tmp_path / "work",
        environment=os.environ,
    )


@pytest.fixture
def world(tmp_path, launcher):
    world = World(tmp_path)
    ports = replace(world.ports(), launcher=launcher)
    world.dispatcher = Dispatcher(
        world.store, ports, background=world.background, limits=world.limits
    )
    return world


def launches(world):
    return [one.data for one in world.events() if isinstance(one.data, RecorderLaunched)]


def is_dead(launcher, launched):
    return not launcher.is_alive(launched.reference)


class TestPoisonedRecorders:
    def test_are_given_up_and_leave_neither_a_process_nor_a_folder(self, world, launcher):
        world.hear(asked(REQUEST))
        while not isinstance(world.last(), JobAbandoned):
            until(partial(is_dead, launcher, launches(world)[-1]), "its death")
            world.pass_time(LONGEST_WAIT + 5, step=5)
        assert [one.attempt for one in launches(world)] == list(range(1, MOST_TRIES + 1))
        assert world.last().attempts == MOST_TRIES
        assert len((world.folder / "work" / "taken-down").read_text().split()) == MOST_TRIES
        assert not (world.folder / "work" / "concert").exists()
