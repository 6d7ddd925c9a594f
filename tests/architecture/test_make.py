"""The Makefile's list of targets tells the truth."""

import os
import re
import subprocess

from tests.architecture.tree import ROOT, files, shown

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))


def made(*arguments: str) -> str:
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout


class TestMake:
    def test_alone_prints_the_list(self):
        assert made() == made("help")

    def test_lists_every_target_with_what_it_does(self):
        listed = dict(re.findall(r"^  make ([a-z-]+) +(\S.*)$", made("help"), re.MULTILINE))
        assert set(listed) == TARGETS

    def test_takes_no_target_for_a_file(self):
        phony = set(re.findall(r"^\.PHONY: ([a-z-]+)$", MAKEFILE, re.MULTILINE))
        assert phony == TARGETS

    def test_knows_what_the_guides_tell_people_to_type(self):
        told = {
            (shown(path), target)
            for path in files(".md", ".py")
            for target in re.findall(r"`make ([a-z-]+)", path.read_text(encoding="utf-8"))
        }
        assert {one for one in told if one[1] not in TARGETS} == set()


class TestCi:
    def test_runs_the_tests_and_nothing_else(self):
        script = ROOT / ".ci" / "run"
        lines = script.read_text().splitlines()
        assert lines[:2] == ["#!/usr/bin/env bash", "set -euo pipefail"]
        assert lines[-1] == "make test"
        assert os.access(script, os.X_OK)


class TestScripts:
    def test_can_be_read_by_bash_and_stop_at_the_first_error(self):
        for path in [*files(".sh"), ROOT / ".ci" / "run"]:
            subprocess.run(["bash", "-n", path], check=True)
            assert "\nset -euo pipefail\n" in path.read_text(), shown(path)
