"""What is imported is declared, what is declared is locked, and the lock names no host."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.tree import ROOT, files, import_packages, is_test, projects, shown

REQUIREMENTS = (ROOT / "requirements.in").read_text()
LOCK = (ROOT / "requirements.lock").read_text()
OURS = {source.name: project["name"] for source, project in import_packages().items()}


def normal(name: str) -> str:
    """The name of a requirement, as PEP 503 compares it; without extras and version."""
    plain = re.match(r"[A-Za-z0-9._-]+", name.strip())
    assert plain, name
    return re.sub(r"[-_.]+", "-", plain.group()).lower()


def asked_for(section: str) -> set[str]:
    return {normal(line) for line in section.splitlines() if line and line[0] != "#"}


RUNTIME, DEVELOPMENT = (
    asked_for(section)
    for section in re.split(r"^# Development:.*$", REQUIREMENTS, flags=re.MULTILINE)
)


def declared(project: dict[str, Any]) -> set[str]:
    return {normal(one) for one in project["dependencies"]}


@cache
def distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())


def imported(source: Path) -> Iterator[str]:
    for path in files(".py"):
        if source in path.parents:
            yield from imports_of(path)


def imports_of(path: Path) -> Iterator[str]:
    """Yield the top-level names that a file imports, but for what only type checkers read."""
    tree = ast.parse(path.read_text())
    unread = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in unread:
            continue
        if isinstance(node, ast.Import):
            yield from (one.name.partition(".")[0] for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("source", import_packages(), ids=shown)
class TestPackage:
    def test_declares_what_it_imports(self, source: Path):
        project = import_packages()[source]
        known = declared(project)
        missing = set()
        for name in set(imported(source)) - set(sys.stdlib_module_names) - {source.name}:
            owners = {normal(OURS[name])} if name in OURS else set(distributions().get(name, []))
            if not {normal(owner) for owner in owners} & known:
                missing.add(name)
        assert missing == set()


class TestRequirements:
    def test_have_whatever_a_package_declares(self):
        ours = {normal(name) for name in OURS.values()}
        wanted = {one for project in projects().values() for one in declared(project)}
        assert wanted - ours - RUNTIME == set()

    def test_have_nothing_that_no_package_declares(self):
        wanted = {one for project in projects().values() for one in declared(project)}
        assert RUNTIME - wanted == set()

    def test_have_whatever_tests_import(self):
        tests = {name for path in files(".py") if is_test(path) for name in imports_of(path)}
        third_party = tests - set(sys.stdlib_module_names) - set(OURS)
        asked = RUNTIME | DEVELOPMENT
        missing = {
            name
            for name in third_party
            if (owners := distributions().get(name)) and not {normal(one) for one in owners} & asked
        }
        assert missing == set()


class TestLock:
    def test_has_every_requirement(self):
        locked = {normal(line) for line in LOCK.splitlines() if re.match(r"[a-z0-9]", line)}
        assert (RUNTIME | DEVELOPMENT) - locked == set()

    def test_has_a_hash_for_every_package(self):
        entries = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)[1:]
        assert [one for one in entries if "--hash=sha256:" not in one] == []

    def test_names_no_host(self):
        assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links|://", LOCK)
