"""The dispatcher's process: consumer, relay and supervision until SIGTERM; recorders go on."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import structlog
from chronicle_contracts import Event
from chronicle_messaging import Consumer, TopologyError, repeating
from chronicle_runtime import configure_logging, load, on_termination, start_loop
from chronicle_runtime.settings import EX_CONFIG

from dispatcher.adapters.clock import SystemClock
from dispatcher.adapters.line import Line, ListenedQueue
from dispatcher.assembly import assemble, open_janitor
from dispatcher.janitor.rounds import Rounds
from dispatcher.settings import DispatcherSettings
from dispatcher.supervision import Supervision

log = structlog.get_logger(__name__)

QUEUE = "dispatcher"
# What was decided in the last moments is still said before the process ends (seconds).
LAST_WORDS = 5.0
# Looks at URLs that wait for their stream, side by side.
LOOKS = 4


def main() -> int:
    """Run until SIGTERM or SIGINT; returns the exit code."""
    settings = load(DispatcherSettings)
    configure_logging("dispatcher", level=settings.log_level)
    stop = on_termination()
    line = Line(SystemClock())
    looks = ThreadPoolExecutor(LOOKS, thread_name_prefix="look")
    try:
        assembly = assemble(settings, os.environ, link=line, background=looks)
    except TopologyError as error:
        sys.stderr.write(f"bad setting: {error}\n")
        return EX_CONFIG
    assembly.starter.prepare()
    relay = assembly.relay()
    answer = repeating(assembly.dispatcher.handle, assembly.store.recorder, assembly.bus)

    def handle(event: Event) -> None:
        try:
            answer(event)
        finally:
            relay.wake()

    consumer = Consumer(ListenedQueue(assembly.bus, QUEUE, line), handle, workers=settings.workers)
    supervision = Supervision(assembly.dispatcher, every=settings.supervision_interval)

    def clean_up(stop: threading.Event) -> None:
        grace = timedelta(seconds=settings.leftover_grace)
        with open_janitor(settings, os.environ, grace=grace) as janitor:
            Rounds(janitor, every=settings.janitor_interval).run(stop)

    # Those that decide end first; what they decided is then said by a last drain.
    deciding = [
        start_loop("consumer", consumer.run, stop),
        start_loop("supervision", supervision.run, stop),
        start_loop("janitor", clean_up, stop),
    ]
    quiet = threading.Event()
    saying = start_loop("relay", relay.run, quiet)
    log.info("dispatcher_started", launcher=settings.launcher, places=settings.max_recordings)
    for thread in deciding:
        thread.join()
    looks.shutdown(cancel_futures=True)
    quiet.set()
    saying.join()
    said = relay.drain(LAST_WORDS)
    log.info("dispatcher_stopped", everything_said=said)
    assembly.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
