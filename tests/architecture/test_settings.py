"""Every setting of every process is documented."""

import re

import pytest
from chronicle_local.settings_docs import PAGE, PROCESSES, Process, page
from chronicle_runtime.settings import describe

from tests.architecture.tree import ROOT, files, is_test, shown


class TestPage:
    def test_is_up_to_date(self):
        assert (ROOT / PAGE).read_text(encoding="utf-8") == page(), "run `make settings-docs`"

    def test_has_every_model_that_a_process_loads(self):
        loaded = {
            name
            for path in files(".py")
            if not is_test(path)
            for name in re.findall(r"^[^`\n]*\bload\(([A-Z]\w+)", path.read_text(), re.MULTILINE)
        }
        assert loaded == {process.model.__name__ for process in PROCESSES}


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.title)
class TestSettings:
    def test_say_what_they_mean(self, process: Process):
        silent = [one.variable for one in describe(process.model) if not one.description]
        assert silent == []

    def test_are_frozen(self, process: Process):
        assert process.model.model_config.get("frozen") is True


class TestVariables:
    def test_are_written_like_environment_variables(self):
        odd = {
            one.variable
            for process in PROCESSES
            for one in describe(process.model)
            if not re.fullmatch(r"[A-Z][A-Z0-9_]*", one.variable)
        }
        assert odd == set(), shown(ROOT / PAGE)
