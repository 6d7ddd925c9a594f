"""Files are small, have names that say something, and name no machine."""

import ast
import getpass
import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, files, import_packages, is_test, shown

SOURCES = (".py", ".sh", ".tf", ".ts", ".tsx", ".css", ".html")
LONGEST, LONGEST_TEST = 400, 600
FORBIDDEN = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "base", "misc"}


def lines_of(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


class TestFiles:
    def test_are_not_too_long(self):
        long = {
            shown(path): lines
            for path in files(*SOURCES)
            if (lines := lines_of(path)) > (LONGEST_TEST if is_test(path) else LONGEST)
        }
        assert long == {}

    def test_are_about_a_hundred_lines_each(self):
        sizes = sorted(lines_of(path) for path in files(".py") if not is_test(path))
        assert sizes[len(sizes) // 2] <= 130

    def test_have_names_that_say_something(self):
        modules = (path for path in files(".py") if path.stem != "__init__")
        folders = {path.parent for path in files(".py")}
        vague = {shown(path) for path in [*modules, *folders] if path.stem in FORBIDDEN}
        assert vague == set()

    def test_name_no_folder_of_the_machine_they_were_written_on(self):
        homes = re.compile(rf"/(?:home|Users)/(?!\W){re.escape(getpass.getuser())}\b|{ROOT}/")
        naming = [
            shown(path)
            for path in files(*SOURCES, ".md", ".toml", ".yaml", ".json", ".in", ".lock")
            if homes.search(path.read_text(encoding="utf-8"))
        ]
        assert naming == []

    def test_of_tests_that_are_begun_first_are_there(self):
        [names] = [
            ast.literal_eval(node.value)
            for node in ast.parse((ROOT / "conftest.py").read_text()).body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LONG"
        ]
        assert [name for name in names if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("source", import_packages(), ids=shown)
class TestPackage:
    def test_is_typed(self, source: Path):
        assert (source / "py.typed").exists()

    def test_and_every_package_in_it_says_what_it_is(self, source: Path):
        for folder in {source, *(path.parent for path in files(".py") if source in path.parents)}:
            initial = folder / "__init__.py"
            assert initial.exists(), f"{shown(folder)} has no __init__.py"
            assert ast.get_docstring(ast.parse(initial.read_text())), (
                f"{shown(initial)} says nothing"
            )
