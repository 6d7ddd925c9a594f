"""Write docs/settings.md from the settings of every process: `make settings-docs`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chronicle_runtime import ServiceSettings
from chronicle_runtime.settings import Setting, describe
from dispatcher.settings import DispatcherSettings
from portal.configuration import PortalSettings
from recorder.settings import RecorderSettings
from seeder.settings import SeederSettings

from chronicle_local.emulator import EmulatorSettings
from chronicle_local.settings import StackSettings

PAGE = Path("docs/settings.md")

HEAD = """\
# Settings

Every process reads its settings from the environment, once, when it starts. A value that is bad
or missing ends it there with code 78 and the variable's name; `--settings` on its command line
prints its table. With nothing set, everything runs on one machine, from the folder `.chronicle`.

This page is written by `make settings-docs` from the models that the processes read; a test
fails where it is not up to date.
"""


@dataclass(frozen=True)
class Process:
    """A section of the page."""

    title: str
    command: str
    model: type[ServiceSettings]


PROCESSES = (
    Process("One-machine stack", "make up", StackSettings),
    Process("Portal", "python portal/manage.py", PortalSettings),
    Process("Dispatcher", "python -m dispatcher", DispatcherSettings),
    Process("Recorder", "python -m recorder", RecorderSettings),
    Process("Seeder", "python -m seeder", SeederSettings),
    Process("Local AWS endpoint", "python -m chronicle_local.emulator", EmulatorSettings),
)

# Not a model: the command reads three variables and a file.
COMMAND_LINE = (
    Setting("CHRONICLE_URL", "(from cli.json)", "address of the portal"),
    Setting("CHRONICLE_TOKEN", "(from cli.json)", "API token; goes to that portal only"),
    Setting(
        "CHRONICLE_HOME",
        ".chronicle",
        "folder with cli.json, which the stack writes; unset = looked for upwards",
    ),
)


def page() -> str:
    """Return the whole page."""
    sections = [_section(one.title, f"`{one.command}`", describe(one.model)) for one in PROCESSES]
    sections.append(_section("Command line", "`chronicle`", iter(COMMAND_LINE)))
    return "\n".join([HEAD, *sections])


def _section(title: str, command: str, settings: Iterator[Setting]) -> str:
    rows = "".join(
        f"| `{one.variable}` | {_cell(one.default)} | {_sentence(one.description)} |\n"
        for one in settings
    )
    return f"## {title}\n\n{command}\n\n| Variable | Default | Meaning |\n|---|---|---|\n{rows}"


def _cell(default: str) -> str:
    # What is in brackets is a word about the default, not a value that one could type.
    if default.startswith("("):
        return default.strip("()") or "none"
    return f"`{_escaped(default)}`" if default else "none"


def _sentence(description: str) -> str:
    return _escaped(" ".join(description.split()))


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
