"""The seeder's process: consumer, reconciler and relay until SIGTERM."""

from __future__ import annotations

import os
import sys
import threading

import structlog
from chronicle_messaging import Consumer, TopologyError, repeating
from chronicle_runtime import configure_logging, load, on_termination, start_loop
from chronicle_runtime.settings import EX_CONFIG

from seeder.assembly import assemble
from seeder.settings import SeederSettings

log = structlog.get_logger(__name__)

QUEUE = "seeder"
# What was decided in the last moments is still said before the process ends (seconds).
LAST_WORDS = 5.0


def main() -> int:
    """Run until SIGTERM or SIGINT; returns the exit code."""
    settings = load(SeederSettings)
    configure_logging("seeder", level=settings.log_level)
    stop = on_termination()
    try:
        assembly = assemble(settings, os.environ)
    except TopologyError as error:
        sys.stderr.write(f"bad setting: {error}\n")
        return EX_CONFIG
    answer = repeating(assembly.seeder.handle, assembly.events.recorder, assembly.bus)
    consumer = Consumer(assembly.bus.queue(QUEUE), answer, workers=settings.workers)
    # Those that decide end first; what they decided is then said by a last drain.
    deciding = [
        start_loop("consumer", consumer.run, stop),
        start_loop("reconciler", assembly.reconciler.run, stop),
    ]
    quiet = threading.Event()
    saying = start_loop("relay", assembly.relay.run, quiet)
    log.info("seeder_started", engine=assembly.engine.name)
    for thread in deciding:
        thread.join()
    quiet.set()
    assembly.relay.wake()
    saying.join()
    said = assembly.relay.drain(LAST_WORDS)
    log.info("seeder_stopped", everything_said=said)
    assembly.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
