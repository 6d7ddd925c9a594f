"""What every long-running process needs: settings, logging, shutdown, a small memory."""

from chronicle_runtime.logging import configure as configure_logging
from chronicle_runtime.loops import start_loop
from chronicle_runtime.memory import give_memory_back
from chronicle_runtime.settings import ServiceSettings, load
from chronicle_runtime.shutdown import on_termination

__all__ = [
    "ServiceSettings",
    "configure_logging",
    "give_memory_back",
    "load",
    "on_termination",
    "start_loop",
]
