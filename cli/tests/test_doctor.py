"""The look at this machine."""

import json
import socket
from pathlib import Path

from chronicle_cli import machine
from chronicle_cli.app import app
from typer.testing import CliRunner, Result

from cli.tests.conftest import Command
from cli.tests.fake_portal import FakePortal


def states(result: Result) -> dict[str, str]:
    return {one["name"]: one["state"] for one in json.loads(result.stdout)}


class TestDoctor:
    def test_finds_what_is_there(self, chronicle: Command):
        found = states(chronicle("doctor", "--json"))
        assert {found[name] for name in ("python", "ffmpeg", "portal", "token")} == {"ok"}
        assert {program.title for program in machine.PROGRAMS} <= found.keys()

    def test_says_how_to_get_what_is_missing(self, folder: Path):
        result = CliRunner().invoke(app, ["doctor"])
        assert result.exit_code == 1
        assert "missing  portal" in result.stdout
        assert "how: start one with `make up`" in result.stdout
        assert "needed and missing: portal" in result.stdout

    def test_tells_a_wrong_token_from_a_portal_that_is_away(self, chronicle: Command):
        found = states(chronicle("doctor", "--json", CHRONICLE_TOKEN="chr_wrong"))
        assert (found["portal"], found["token"]) == ("ok", "missing")

    def test_sees_that_a_portal_is_not_ready(self, chronicle: Command, portal: FakePortal):
        portal.answers = [(503, {"title": "Not ready"})]
        result = chronicle("doctor")
        assert result.exit_code == 1
        assert "answers, but is not ready" in result.stdout


class TestPorts:
    def test_names_the_variable_that_moves_a_port_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            environ = {"CHRONICLE_PORTAL_PORT": str(taken.getsockname()[1])}
            check = next(machine.check_ports(environ, stack_is_up=False))
        assert check.state == "missing"
        assert "CHRONICLE_PORTAL_PORT" in check.how

    def test_takes_no_offence_at_the_ports_of_the_running_stack(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            environ = {"CHRONICLE_PORTAL_PORT": str(taken.getsockname()[1])}
            assert next(machine.check_ports(environ, stack_is_up=True)).state == "ok"

    def test_refuses_what_is_no_port(self):
        check = next(machine.check_ports({"CHRONICLE_PORTAL_PORT": "http"}, stack_is_up=False))
        assert check.state == "missing"


class TestPrograms:
    def test_names_the_package_of_a_program_that_is_missing(self):
        absent = machine.Program("absent", ("no-such-program",), "nothing", "no-such-package")
        check = machine.check_program(absent)
        assert (check.state, check.optional) == ("missing", True)
        assert check.how

    def test_finds_what_a_system_keeps_off_the_path(self, tmp_path: Path):
        program = tmp_path / "15" / "bin" / "kept-aside"
        program.parent.mkdir(parents=True)
        program.touch(mode=0o755)
        aside = machine.Program("aside", ("kept-aside",), "x", "y", folders=str(tmp_path))
        assert machine.check_program(aside).detail == str(program)
