"""The one-machine stack from the shell: `up`, `demo [--once]`, `status`, `down`, `shell`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time

from chronicle_runtime import load
from rich.console import Console

from chronicle_local import leftovers
from chronicle_local.demo import Demo
from chronicle_local.errors import StackError
from chronicle_local.interruption import Interrupted, Interruption
from chronicle_local.settings import StackSettings
from chronicle_local.shell import shell_environment
from chronicle_local.stack import REPOSITORY, Stack, owner
from chronicle_local.status import print_status
from chronicle_local.steps import Steps
from chronicle_local.summary import print_addresses

LONGEST_STOP = 240.0  # seconds that `down` waits


def main() -> int:
    """Run one command and return its exit code: 1 where the stack or a step of the demo failed."""
    parser = argparse.ArgumentParser(prog="chronicle_local", description=__doc__)
    parser.add_argument("--settings", action="store_true", help="list all settings and end")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="run the stack until Ctrl-C")
    demo = commands.add_parser("demo", help="run the stack, and record a sample stream with it")
    demo.add_argument("--once", action="store_true", help="stop the stack after the recording")
    commands.add_parser("status", help="show the processes of a running stack")
    commands.add_parser("down", help="stop a running stack")
    shell = commands.add_parser("shell", help="run a shell, or a command, in its environment")
    shell.add_argument("argv", nargs=argparse.REMAINDER, metavar="command", help="none = a shell")
    if "--settings" in sys.argv[1:]:
        load(StackSettings)
    arguments = parser.parse_args()
    settings = load(StackSettings, argv=())
    console = Console()
    try:
        match arguments.command:
            case "up":
                return _run(settings, console, demo=False, once=False)
            case "demo":
                return _run(settings, console, demo=True, once=arguments.once)
            case "status":
                return print_status(settings, console)
            case "shell":
                return _shell(settings, console, arguments.argv)
            case _:
                return _down(settings, console)
    except StackError as error:
        console.print("[bold red]failed:[/]", end=" ")
        console.print(str(error), markup=False, highlight=False, soft_wrap=True)
        return 1


def _run(settings: StackSettings, console: Console, *, demo: bool, once: bool) -> int:
    if demo:
        # The sample stream is on 127.0.0.1, which nobody may record from otherwise.
        settings = settings.model_copy(update={"allow_private_addresses": True})
        # So short a recording is nicer to watch with a heartbeat every second.
        os.environ.setdefault("CHRONICLE_HEARTBEAT", "1")
    interruption = Interruption()
    steps = Steps(console)
    stack = Stack(settings, steps, hurry=lambda: interruption.hurry)
    try:
        stack.start()
        if demo:
            Demo(stack, steps).run()
        else:
            print_addresses(stack, console)
        if not once:
            console.print("\nThe stack is up. Ctrl-C stops it.")
            while True:
                stack.check()
                time.sleep(1)
    except Interrupted:
        return 0 if not once else 1  # the steps did not all hold
    finally:
        interruption.disarm()
        if stack.holds:
            steps.heading("Stopping")
            stack.stop()
    return 0


def _shell(settings: StackSettings, console: Console, command: list[str]) -> int:
    environment = shell_environment(settings, root=REPOSITORY)
    if not command:
        console.print("manage.py, chronicle and python are those of the stack; `exit` leaves.")
        command = [os.environ.get("SHELL", "/bin/sh")]
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606 (it is what was asked for)
    except OSError as error:
        raise StackError(f"{command[0]} cannot be run: {error.strerror}") from error


def _down(settings: StackSettings, console: Console) -> int:
    pid = owner(settings.folder)
    if pid is None:
        return _clear(settings, console)
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + LONGEST_STOP
    with console.status("waiting for recordings to be delivered and everything to stop"):
        while owner(settings.folder) is not None:
            if time.monotonic() > deadline:
                raise StackError(f"process {pid} has not stopped its stack in {LONGEST_STOP:g} s")
            time.sleep(0.2)
    console.print("stopped")
    return 0


def _clear(settings: StackSettings, console: Console) -> int:
    home = settings.folder
    if not leftovers.find(home) and not leftovers.recorders(home):
        console.print(f"no stack runs in {home}", highlight=False)
        return 0
    interruption = Interruption()
    interruption.disarm()
    stack = Stack(settings, Steps(console), hurry=lambda: interruption.hurry)
    console.print("the owner of this stack was killed; stopping what it left behind")
    stack.take_over()
    stack.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
