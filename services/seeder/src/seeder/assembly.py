"""The seeder put together from its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from chronicle_contracts.webseed import webseed_url
from chronicle_eventstore import EventStore, open_store, sqlite_environment
from chronicle_messaging import Bus, Relay
from chronicle_storage import RecordingStore
from chronicle_storage import open_store as open_recordings
from eventsourcing.persistence import ProcessRecorder

from seeder.adapters.clock import utc_now
from seeder.adapters.libtorrent_engine import LibtorrentEngine
from seeder.adapters.recordings import StoreRecordings
from seeder.adapters.torrent_maker import TorfMaker
from seeder.adapters.trackers import NoTracker, WhitelistTracker
from seeder.adapters.transmission_engine import TransmissionEngine
from seeder.adapters.web_seed_engine import WebSeedEngine
from seeder.handlers import Seeder
from seeder.offering import Offering
from seeder.ports import Engine, Tracker
from seeder.reconciler import Reconciler
from seeder.roster import Roster
from seeder.settings import SeederSettings

# A look at an object in a bucket is a request that costs money; at a file it costs nothing.
LOOK_AT_BUCKET_EVERY = 3600.0


@dataclass(frozen=True)
class Assembly:
    """A seeder with its store, its bus and its engine."""

    seeder: Seeder
    reconciler: Reconciler
    relay: Relay
    bus: Bus
    events: EventStore
    engine: Engine

    def close(self) -> None:
        """Say goodbye to peers, give the connections back."""
        if isinstance(self.engine, LibtorrentEngine):
            self.engine.close()
        self.events.close()


def assemble(settings: SeederSettings, environment: Mapping[str, str]) -> Assembly:
    """Open the stores, start the engine, connect."""
    events = open_store(_store_environment(settings, environment))
    recorder = events.recorder
    assert isinstance(recorder, ProcessRecorder), "the store keeps the relay's position"
    bus = Bus.connect(settings)
    relay = Relay(recorder, bus)
    store = open_recordings(settings)
    recordings, maker = StoreRecordings(store), TorfMaker(store)
    engine = choose_engine(settings, store)
    offering = Offering(
        events=events,
        recordings=recordings,
        maker=maker,
        engine=engine,
        tracker=choose_tracker(settings),
        clock=utc_now,
        saved=relay.wake,
    )
    every = settings.reconcile_every
    reconciler = Reconciler(
        events=events,
        roster=Roster(events),
        engine=engine,
        offering=offering,
        limits=settings.limits,
        clock=utc_now,
        every=every,
        health_every=every if settings.bucket is None else LOOK_AT_BUCKET_EVERY,
    )
    seeder = Seeder(
        events=events,
        recordings=recordings,
        maker=maker,
        offering=offering,
        trackers=settings.trackers,
        web_seed=web_seed_of(settings),
        clock=utc_now,
        left_over=reconciler.nudge,
    )
    return Assembly(seeder, reconciler, relay, bus, events, engine)


def choose_engine(settings: SeederSettings, store: RecordingStore) -> Engine:
    """Return Transmission where it is named, libtorrent where it can read, else web seeds only."""
    if settings.transmission_url is not None:
        root = settings.transmission_recordings
        locate: Callable[[str], Path | None] = (
            store.local_path if root is None else lambda key: root / key
        )
        return TransmissionEngine(settings.transmission_url.get_secret_value(), locate=locate)
    if settings.bucket is not None:
        return WebSeedEngine()
    return LibtorrentEngine(
        locate=store.local_path, listen=settings.listen, discovery=settings.discovery
    )


def choose_tracker(settings: SeederSettings) -> Tracker:
    """Return the opentracker of ours where its whitelist is named."""
    if settings.tracker_whitelist is None:
        return NoTracker()
    return WhitelistTracker(
        settings.tracker_whitelist,
        pid_file=settings.tracker_pid_file,
        announce=settings.http_tracker,
    )


def web_seed_of(settings: SeederSettings) -> Callable[[str], str | None]:
    """Return what names the web seed of a key; None for every key without the secret."""
    secret = settings.webseed_secret

    def address(key: str) -> str | None:
        if secret is None:
            return None
        return webseed_url(settings.public_url, key, secret.get_secret_value())

    return address


def _store_environment(
    settings: SeederSettings, environment: Mapping[str, str]
) -> Mapping[str, str]:
    if "PERSISTENCE_MODULE" in environment:
        return environment
    folder = settings.home / "seeder"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return sqlite_environment(str(folder / "events.sqlite"))
