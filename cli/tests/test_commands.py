"""What holds for all commands: tests, help, JSON, exit codes, no traceback."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from chronicle_cli.app import COMMANDS, app
from chronicle_cli.exits import ExitCode
from typer.testing import CliRunner

from cli.tests.conftest import Command
from cli.tests.fake_portal import FakePortal, job

NAMES = [module.NAME for module in COMMANDS]
# What each command needs beside its name; doctor asks nothing of a portal that must answer.
ARGUMENTS = {"record": ["https://example.org/live"], "jobs": [], "extend": ["concert", "20m"]}
ASKING = [name for name in NAMES if name != "doctor"]


def arguments(name: str) -> list[str]:
    return [name, *ARGUMENTS.get(name, ["concert"])]


class TestEveryCommand:
    def test_has_a_class_of_tests(self):
        written = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
        classes = set(re.findall(r"^class Test(\w+):", written, re.MULTILINE))
        assert {name.capitalize() for name in NAMES} <= classes

    def test_is_known_to_the_help(self):
        shown = CliRunner().invoke(app, ["--help"]).stdout
        assert all(re.search(rf"\b{name}\b", shown) for name in NAMES)

    @pytest.mark.parametrize("name", NAMES)
    def test_offers_json(self, name: str):
        assert "--json" in CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).stdout

    @pytest.mark.parametrize("name", ASKING)
    def test_ends_with_5_where_no_portal_is_known(self, name: str, folder: Path):
        result = CliRunner().invoke(app, arguments(name))
        assert result.exit_code == 5
        assert result.stderr.startswith("error: no portal is known\n")
        assert result.stderr.count("\n") == 2

    @pytest.mark.parametrize("name", ASKING)
    def test_ends_with_6_on_a_wrong_token(self, name: str, chronicle: Command, portal: FakePortal):
        portal.tell(job())
        result = chronicle(*arguments(name), CHRONICLE_TOKEN="chr_wrong")
        assert result.exit_code == 6
        assert "CHRONICLE_TOKEN" in result.stderr

    @pytest.mark.parametrize("name", [name for name in ASKING if name not in {"record", "jobs"}])
    def test_ends_with_7_where_there_is_no_such_job(self, name: str, chronicle: Command):
        result = chronicle(*arguments(name))
        assert result.exit_code == 7
        assert result.stderr.startswith("error: Not Found: there is no job 'concert'\n")
        assert "chronicle jobs" in result.stderr


class TestStrangers:
    @pytest.mark.parametrize("said", [(200, b"<html>hello</html>"), (404, b"nothing"), (200, {})])
    def test_are_told_from_a_portal(
        self, said: tuple[int, object], chronicle: Command, portal: FakePortal
    ):
        portal.answers = [said]
        result = chronicle("show", "concert")
        assert result.exit_code == 5
        assert "does not speak Chronicle's API" in result.stderr


class TestHelp:
    def test_names_every_exit_code(self):
        shown = " ".join(CliRunner().invoke(app, ["--help"]).stdout.split())
        told = shown.partition("Exit codes:")[2]
        assert all(re.search(rf"\b{int(code)} \w+", told) for code in ExitCode)

    def test_is_what_the_bare_command_prints(self):
        assert "Usage: chronicle" in CliRunner().invoke(app, []).output

    def test_tells_the_version(self):
        assert CliRunner().invoke(app, ["--version"]).stdout == "chronicle 0.1.0\n"


class TestProcess:
    def test_ends_with_its_code_and_two_lines_but_no_traceback(self, folder: Path):
        with socket.socket() as reserved:
            reserved.bind(("127.0.0.1", 0))  # taken, and nobody listens
            port = reserved.getsockname()[1]
            done = subprocess.run(
                [sys.executable, "-m", "chronicle_cli", "jobs"],
                env={"CHRONICLE_URL": f"http://127.0.0.1:{port}", "CHRONICLE_TOKEN": "chr_x"},
                capture_output=True,
                text=True,
                check=False,
                timeout=30,
            )
        assert done.returncode == 5
        assert done.stdout == ""
        assert f"cannot reach the portal at http://127.0.0.1:{port}" in done.stderr
        assert done.stderr.count("\n") == 2
