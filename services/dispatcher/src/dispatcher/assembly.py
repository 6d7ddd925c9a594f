"""The dispatcher put together from its settings; the process and the Lambda functions share it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from chronicle_eventstore import EventStore, open_store
from chronicle_messaging import Bus, Relay
from chronicle_storage import open_store as open_recordings
from chronicle_vault import open_vault
from eventsourcing.persistence import ProcessRecorder

from dispatcher.adapters.clock import SystemClock
from dispatcher.adapters.database import Database, open_database
from dispatcher.adapters.fresh_looks import FreshLooks
from dispatcher.adapters.heard import SqlHeard
from dispatcher.adapters.looks import SqlLooks
from dispatcher.adapters.orders import SqlOrders
from dispatcher.adapters.places import SqlPlaces
from dispatcher.adapters.preflight import SourcesPreflight
from dispatcher.adapters.process_launcher import ProcessLauncher
from dispatcher.adapters.recorder_environment import passed_on
from dispatcher.adapters.secrets import VaultSecrets
from dispatcher.adapters.starting import CommandStarter, ForkStarter, Starter
from dispatcher.handlers import Dispatcher
from dispatcher.janitor.machine import Machine
from dispatcher.janitor.rounds import Janitor
from dispatcher.janitor.stored import Stored
from dispatcher.janitor.verdict import Judge
from dispatcher.ports import Link, Ports
from dispatcher.settings import DispatcherSettings


@dataclass(frozen=True)
class Assembly:
    """A dispatcher with its store and its bus."""

    dispatcher: Dispatcher
    store: EventStore
    bus: Bus
    database: Database
    starter: Starter

    def relay(self) -> Relay:
        """Return what says the facts in the store."""
        recorder = self.store.recorder
        assert isinstance(recorder, ProcessRecorder), "the store keeps the relay's position"
        return Relay(recorder, self.bus)

    def close(self) -> None:
        """Give the connections back; recorders go on."""
        self.starter.close()
        self.store.close()
        self.database.close()


def assemble(
    settings: DispatcherSettings,
    environment: Mapping[str, str],
    *,
    link: Link,
    background: Executor,
) -> Assembly:
    """Open the stores and connect; `environment` is what recorders inherit from."""
    variables = settings.store_environment(environment)
    store = open_store(variables)
    database = open_database(variables)
    vault = open_vault(settings)
    starter = (
        ForkStarter([sys.executable, "-m", "recorder.forkserver"], passed_on(environment))
        if settings.command is None
        else CommandStarter(settings.command)
    )
    clock = SystemClock()
    fresh = FreshLooks(clock)
    ports = Ports(
        orders=SqlOrders(database),
        heard=SqlHeard(database),
        places=SqlPlaces(database),
        looks=SqlLooks(database),
        secrets=VaultSecrets(vault),
        preflight=SourcesPreflight(
            vault,
            fresh,
            timeout=settings.preflight_timeout,
            prepare=starter.prepare,
            allow_private=settings.allow_private_addresses,
        ),
        launcher=ProcessLauncher(starter, fresh, work=settings.work, environment=environment),
        link=link,
        clock=clock,
    )
    dispatcher = Dispatcher(
        store,
        ports,
        background=background,
        limits=settings.limits,
    )
    return Assembly(dispatcher, store, Bus.connect(settings), database, starter)


@contextmanager
def open_janitor(
    settings: DispatcherSettings, environment: Mapping[str, str], *, grace: timedelta
) -> Iterator[Janitor]:
    """Open a janitor over the dispatcher's stores; `grace` is what leftovers wait."""
    variables = settings.store_environment(environment)
    store = open_store(variables)
    database = open_database(variables)
    orders = SqlOrders(database)
    judge = Judge(store, orders, SqlHeard(database))
    try:
        yield Janitor(
            [
                Machine(settings.work, judge, grace=grace),
                Stored(open_recordings(settings), judge, jobs=orders.jobs, grace=grace),
            ],
            SystemClock(),
        )
    finally:
        store.close()
        database.close()
