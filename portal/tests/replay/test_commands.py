"""Every command: is tested, has a dry run and JSON, and ends with an honest code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from portal.eventlog.inbox import Arrival, Inbox
from portal.jobs.readmodel import refold
from portal.replay.console import VerbCommand
from portal.replay.models import Replay

from tests.fixtures.commands import everything, manage
from tests.fixtures.story import Story

TESTS = Path(__file__).parents[1]
MANAGE = TESTS.parent / "manage.py"

COMMANDS = {name: app for name, app in get_commands().items() if app.startswith("portal.")}
VERBS = sorted(name for name, app in COMMANDS.items() if app == "portal.replay")
# Verbs that need nothing outside of the portal, each as one would call it on any system.
CALLS = (
    ("gaps",),
    ("gaps", "--repair"),
    ("parked", "list"),
    ("parked", "retry"),
    ("quarantine", "list"),
    ("quarantine", "release"),
    ("rebuild",),
    ("verify",),
)


@pytest.mark.parametrize("name", COMMANDS)
class TestEveryCommand:
    def test_is_tested(self, name):
        called = re.compile(rf"""(?:manage|call_command|run|\()\(?\s*["']{name}["']""")
        assert any(called.search(path.read_text()) for path in TESTS.rglob("test_*.py")), name

    def test_says_what_it_does(self, name):
        assert load_command_class(COMMANDS[name], name).help


@pytest.mark.parametrize("name", VERBS)
class TestEveryVerb:
    def test_has_a_dry_run_and_json(self, name):
        command = load_command_class("portal.replay", name)
        assert isinstance(command, VerbCommand)
        known = command.create_parser("manage.py", name).format_help()
        assert "--dry-run" in known
        assert "--json" in known


@pytest.mark.django_db
@pytest.mark.parametrize("call", CALLS, ids=" ".join)
class TestCodes:
    def test_are_0_where_all_is_well(self, call, hear):
        hear(Story("whole").requested().accepted().launched().recording().ended().uploaded())
        assert manage(*call).code == 0

    def test_are_1_where_something_is_left(self, call, hear, poison, tmp_path, monkeypatch):
        monkeypatch.setenv("CHRONICLE_RECORDINGS", str(tmp_path))
        hear(Story.whole())
        poison(Story.whole("bad"), 1)
        if call[0] == "quarantine":
            Inbox(refold).receive([Arrival("{broken")])
        assert manage(*call).code == 1

    def test_are_2_for_what_it_does_not_know(self, call):
        assert manage(*call, "--colour").code == 2

    def test_come_with_one_object_of_json(self, call, hear):
        hear(Story.whole())
        report = manage(*call, "--json").json
        assert set(report) == {"verb", "dry_run", "record", "counts", "left", "items"}
        assert report["verb"] == call[0]

    def test_of_a_dry_run_come_with_no_change(self, call, hear, poison):
        hear(Story.whole())
        poison(Story.whole("bad"), 1)
        before = everything()
        manage(*call, "--dry-run")
        assert everything() == before


@pytest.mark.django_db
class TestSwapAndRollback:
    def test_change_nothing_in_a_dry_run(self, hear):
        hear(Story.whole())
        assert manage("rebuild").code == 0
        hear(Story("late").requested())
        before = everything()
        done = manage("swap", "--dry-run", "--json")
        assert (done.code, done.json["counts"]["to be folded again"]) == (0, 1)
        assert everything() == before
        assert manage("swap").code == 0
        before = everything()
        assert manage("rollback", "--dry-run").code == 0
        assert everything() == before


@pytest.mark.django_db
class TestRecords:
    def test_say_who_did_what_and_how_it_ended(self, hear):
        hear(Story.whole())
        manage("rebuild")
        record = Replay.objects.get()
        assert record.verb == "rebuild"
        assert record.requested_by.endswith("(command line)")
        assert (record.outcome, record.left) == ("done", 0)
        assert record.counts["folded"] == 1
        assert (record.done, record.total) == (1, 1)
        assert record.finished_at is not None
        assert record.finished_at >= record.started_at


@pytest.mark.django_db(transaction=True)
class TestProcess:
    def run(self, env, *arguments):
        return subprocess.run(
            [sys.executable, str(MANAGE), *arguments],
            env=env,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def test_ends_with_the_code_of_its_verb(self, hear, process_env):
        hear(Story.whole())
        wrong = self.run(process_env, "as-of", "concert")
        assert (wrong.returncode, wrong.stdout) == (2, "")
        assert "give either a position or a time" in wrong.stderr
        left = self.run(process_env, "gaps", "--json")
        assert (left.returncode, json.loads(left.stdout)["left"]) == (1, 1)
