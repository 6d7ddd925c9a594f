from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from chronicle_runtime import ServiceSettings, load
from pydantic import Field, SecretStr

SHOUT = """
import logging, structlog
from chronicle_runtime import configure_logging
configure_logging("tester")
structlog.get_logger("ours").info("segment_kept", job_id="j1", size=3)
logging.getLogger("theirs").warning("disk %s", "slow")
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger("ours").exception("went_wrong")
"""

WAIT = """
from chronicle_runtime import on_termination
stop = on_termination()
print("ready", flush=True)
print("stopped" if stop.wait(60) else "never", flush=True)
"""


class Kitchen(ServiceSettings):
    ovens: int = Field(2, validation_alias="OVENS", gt=0, description="how many can bake")
    name: str = Field(validation_alias="KITCHEN_NAME", description="what it is called")
    key: SecretStr = Field(SecretStr(""), validation_alias="KITCHEN_KEY", min_length=0)


class TestLoad:
    def test_reads_the_environment(self, monkeypatch):
        monkeypatch.setenv("KITCHEN_NAME", "north")
        monkeypatch.setenv("OVENS", "3")
        settings = load(Kitchen, argv=[])
        assert (settings.name, settings.ovens) == ("north", 3)

    def test_takes_a_field_by_its_name_from_code_but_not_from_the_environment(self, monkeypatch):
        monkeypatch.setenv("NAME", "a variable about something else")
        monkeypatch.setenv("KITCHEN_NAME", "north")
        assert load(Kitchen, argv=[]).name == "north"
        assert Kitchen(name="south").name == "south"
        monkeypatch.delenv("KITCHEN_NAME")
        with pytest.raises(SystemExit):
            load(Kitchen, argv=[])

    def test_takes_an_empty_variable_as_not_set(self, monkeypatch):
        monkeypatch.setenv("KITCHEN_NAME", "north")
        monkeypatch.setenv("OVENS", "")
        assert load(Kitchen, argv=[]).ovens == 2

    def test_names_the_setting_the_value_and_what_is_expected(self, monkeypatch, capsys):
        monkeypatch.setenv("KITCHEN_NAME", "north")
        monkeypatch.setenv("OVENS", "none")
        with pytest.raises(SystemExit) as end:
            load(Kitchen, argv=[])
        assert end.value.code == 78
        said = capsys.readouterr().err
        assert "bad setting: OVENS:" in said
        assert "valid integer" in said
        assert "'none'" in said

    def test_names_every_bad_setting_at_once(self, monkeypatch, capsys):
        monkeypatch.delenv("KITCHEN_NAME", raising=False)
        monkeypatch.setenv("OVENS", "0")
        with pytest.raises(SystemExit):
            load(Kitchen, argv=[])
        said = capsys.readouterr().err
        assert "OVENS" in said
        assert "KITCHEN_NAME: Field required" in said

    def test_never_shows_a_secret(self, monkeypatch, capsys):
        class Vault(ServiceSettings):
            key: SecretStr = Field(validation_alias="VAULT_KEY", min_length=30)

        monkeypatch.setenv("VAULT_KEY", "hunter2")
        with pytest.raises(SystemExit):
            load(Vault, argv=[])
        said = capsys.readouterr().err
        assert "VAULT_KEY" in said
        assert "hunter2" not in said

    def test_lists_every_setting_and_ends(self, capsys):
        with pytest.raises(SystemExit) as end:
            load(Kitchen, argv=["--settings"])
        assert end.value.code == 0
        shown = capsys.readouterr().out
        assert "OVENS" in shown
        assert "how many can bake" in shown
        assert "(required)" in shown
        assert "(secret)" in shown

    def test_is_frozen(self, monkeypatch):
        monkeypatch.setenv("KITCHEN_NAME", "north")
        settings = load(Kitchen, argv=[])
        with pytest.raises(ValueError, match="frozen"):
            settings.ovens = 9  # type: ignore[misc]


class TestLogs:
    def test_are_one_json_object_a_line_whoever_writes_them(self):
        run = subprocess.run(
            [sys.executable, "-c", SHOUT], capture_output=True, text=True, check=True
        )
        ours, theirs, failure = (json.loads(line) for line in run.stderr.splitlines())
        assert ours["event"] == "segment_kept"
        assert (ours["job_id"], ours["size"], ours["service"]) == ("j1", 3, "tester")
        assert theirs["event"] == "disk slow"
        assert theirs["level"] == "warning"
        assert "ZeroDivisionError" in failure["exception"]


class TestShutdown:
    @pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
    def test_wakes_who_waits(self, sign):
        process = subprocess.Popen(
            [sys.executable, "-c", WAIT], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        started = time.monotonic()
        process.send_signal(sign)
        assert process.stdout.readline() == "stopped\n"
        assert process.wait(60) == 0
        assert time.monotonic() - started < 10
