"""The dispatcher put together from its settings; the process and the Lambda functions share it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

from chronicle_eventstore import EventStore, open_store
from chronicle_messaging import Bus, Relay
from chronicle_vault import open_vault
from eventsourcing.persistence import ProcessRecorder

from dispatcher.adapters.clock import SystemClock
from dispatcher.adapters.database import Database, open_database
from dispatcher.adapters.heard import SqlHeard
from dispatcher.adapters.looks import SqlLooks
from dispatcher.adapters.orders import SqlOrders
from dispatcher.adapters.places import SqlPlaces
from dispatcher.adapters.preflight import SourcesPreflight
from dispatcher.adapters.process_launcher import ProcessLauncher
from dispatcher.adapters.secrets import VaultSecrets
from dispatcher.handlers import Dispatcher
from dispatcher.ports import Link, Ports
from dispatcher.settings import DispatcherSettings


@dataclass(frozen=True)
class Assembly:
    """A dispatcher with its store and its bus."""

    dispatcher: Dispatcher
    store: EventStore
    bus: Bus
    database: Database

    def relay(self) -> Relay:
        """Return what says the facts in the store."""
        recorder = self.store.recorder
        assert isinstance(recorder, ProcessRecorder), "the store keeps the relay's position"
        return Relay(recorder, self.bus)

    def close(self) -> None:
        """Give the connections back."""
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
    ports = Ports(
        orders=SqlOrders(database),
        heard=SqlHeard(database),
        places=SqlPlaces(database),
        looks=SqlLooks(database),
        secrets=VaultSecrets(vault),
        preflight=SourcesPreflight(
            vault,
            timeout=settings.preflight_timeout,
            allow_private=settings.allow_private_addresses,
        ),
        launcher=ProcessLauncher(
            command=settings.command, work=settings.work, environment=environment
        ),
        link=link,
        clock=SystemClock(),
    )
    dispatcher = Dispatcher(
        store,
        ports,
        background=background,
        limits=settings.limits,
    )
    return Assembly(dispatcher, store, Bus.connect(settings), database)
