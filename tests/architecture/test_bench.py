from __future__ import annotations

import importlib
import json
import subprocess
import sys

import pytest
from rich.console import Console

from bench import report
from bench.__main__ import names
from bench.report import Bar, Report


class TestBar:
    @pytest.mark.parametrize(
        ("value", "side", "holds"),
        [
            (1.0, "at most", True),
            (1.1, "at most", False),
            (1.0, "at least", True),
            (0.9, "at least", False),
        ],
    )
    def test_holds_on_its_side_of_the_limit(self, value, side, holds):
        assert Bar("b", value, 1.0, side).holds is holds


class TestReport:
    def test_writes_rows_and_bars_for_machines(self, tmp_path, monkeypatch):
        monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
        made = Report("x", rows=[{"step": "a", "s": 1.5}], bars=[Bar("b", 2.0, 1.0)])
        document = json.loads(made.write().read_text())
        assert document["name"] == "x"
        assert document["rows"] == [{"step": "a", "s": 1.5}]
        assert document["bars"] == [
            {"bar": "b", "value": 2.0, "limit": 1.0, "side": "at most", "holds": False}
        ]
        assert set(document["machine"]) >= {"cores", "memory_gib"}

    def test_says_plainly_which_bar_does_not_hold(self, capsys):
        console = Console(width=120, force_terminal=False)
        made = Report("x", bars=[Bar("good", 1.0, 1.0), Bar("bad", 2.0, 1.0)])
        made.show(console)
        assert not made.holds
        shown = capsys.readouterr().out
        assert "DOES NOT HOLD  bad: 2 (at most 1)" in shown
        assert "holds  good: 1 (at most 1)" in shown


class TestBenchmarks:
    @pytest.mark.parametrize("name", names())
    def test_can_be_run_and_say_what_they_measure(self, name):
        module = importlib.import_module(f"bench.{name.replace('-', '_')}")
        assert callable(module.run)
        assert module.__doc__

    def test_are_listed_without_a_name_and_refused_by_a_wrong_one(self):
        listed = subprocess.run(
            [sys.executable, "-m", "bench"], capture_output=True, text=True, check=True
        )
        assert "startup" in listed.stdout
        wrong = subprocess.run(
            [sys.executable, "-m", "bench", "nosuch"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert wrong.returncode == 2
        assert "there is no benchmark 'nosuch'" in wrong.stdout
