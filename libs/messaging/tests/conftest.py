from __future__ import annotations

import threading

import pytest
from chronicle_eventstore import open_store, sqlite_environment
from chronicle_messaging import Bus, load_topology
from chronicle_messaging.clients import Clients

from libs.messaging.tests.cast import topology_with
from tests.fixtures.aws import TOPOLOGY


@pytest.fixture(scope="session")
def clients(aws):
    """The clients of the shared endpoint: making them takes longer than most tests."""
    return Clients(region="us-east-1", endpoint_url=aws.url)


@pytest.fixture
def bus(aws_env, chronicle_prefix, clients):
    """A stack of its own on the shared endpoint."""
    return Bus(clients, load_topology(TOPOLOGY), prefix=chronicle_prefix, provision=True)


@pytest.fixture
def hasty_bus(aws_env, chronicle_prefix, clients, tmp_path):
    """A stack whose messages come again after two seconds."""
    path = topology_with(tmp_path / "topology.json", TOPOLOGY, visibility_timeout=2)
    return Bus(clients, load_topology(path), prefix=chronicle_prefix, provision=True)


@pytest.fixture(params=["sqlite", "postgres"])
def store(request, tmp_path):
    """An event store, on each database that there is."""
    if request.param == "sqlite":
        env = sqlite_environment(str(tmp_path / "events.sqlite"))
    else:
        server = request.getfixturevalue("postgres")
        env = server.eventstore_env(server.create_database())
    with open_store(env) as store:
        yield store


@pytest.fixture
def sqlite_store(tmp_path):
    with open_store(sqlite_environment(str(tmp_path / "events.sqlite"))) as store:
        yield store


@pytest.fixture
def running():
    """Run something with a stop event on a thread; all of it is stopped after the test."""
    started = []

    def start(run):
        stop = threading.Event()
        thread = threading.Thread(target=run, args=(stop,), daemon=True)
        thread.start()
        started.append((stop, thread))
        return stop, thread

    yield start
    for stop, _ in started:
        stop.set()
    for _, thread in started:
        thread.join(20)
        assert not thread.is_alive()
