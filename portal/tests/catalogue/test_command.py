from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from chronicle_contracts.catalogue import GOLDEN
from django.core.management import CommandError, call_command

from tests.fixtures.story import Story

ROOT = Path(__file__).resolve().parents[3]
PAGE = str(ROOT / "docs" / "asyncapi.json")


def call(*arguments):
    out = io.StringIO()
    try:
        call_command("events", *map(str, arguments), stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue(), str(error)
    return 0, out.getvalue(), ""


@pytest.fixture
def broken(tmp_path):
    """An AsyncAPI document in which a field of a nested model became a text."""
    document = json.loads(Path(PAGE).read_text())
    gap = document["components"]["schemas"]["Gap"]
    gap["properties"]["seconds"] = {"type": "string"}
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(document))
    return path


class TestContractCheck:
    def test_passes_what_only_adds_and_says_what(self, tmp_path):
        for name in ("portal.JobRequested", "recorder.RecordingEnded"):
            shutil.copy(GOLDEN / f"chronicle.{name}.v1.schema.json", tmp_path)
        code, out, _ = call("contract-check", tmp_path)
        assert code == 0
        assert "adds    chronicle.portal.JobRequested.v1: credentials is a new optional" in out
        assert "gained the value 'offline'; update every reader before the first writer" in out
        assert out.splitlines()[-1].startswith("0 breaking, ")

    def test_compares_with_the_newest_form_of_what_was_published(self):
        code, out, _ = call("contract-check", GOLDEN)
        assert (code, "new optional" in out) == (0, False)

    def test_passes_what_is_the_same(self):
        assert call("contract-check", PAGE) == (0, "0 breaking, 0 additive\n", "")

    def test_fails_on_a_breaking_change_with_event_field_and_remedy(self, broken):
        code, out, error = call("contract-check", PAGE, broken)
        assert code == 1
        assert (
            "BREAKS  chronicle.recorder.Uploaded.v2: gaps[].seconds changed its type from number "
            "to string; make it the next version, with an upcaster from this one"
        ) in out
        assert out.splitlines()[-1] == "3 breaking, 0 additive"
        assert "docs/evolving-events.md" in error

    def test_fails_on_an_event_that_went(self, tmp_path):
        document = json.loads(Path(PAGE).read_text())
        del document["components"]["messages"]["chronicle.portal.JobExtended.v1"]
        path = tmp_path / "fewer.json"
        path.write_text(json.dumps(document))
        code, out, _ = call("contract-check", PAGE, path)
        assert (code, "JobExtended.v1 was removed; keep it" in out) == (1, True)
        assert call("contract-check", path, PAGE)[0] == 0

    def test_speaks_to_machines(self, broken):
        code, out, _ = call("contract-check", PAGE, broken, "--json")
        said = json.loads(out)
        assert code == 1
        assert said["breaking"] == 3
        assert {change["field"] for change in said["changes"]} == {"gaps[].seconds", "gap.seconds"}

    def test_says_what_it_cannot_read(self, tmp_path):
        code, _, error = call("contract-check", tmp_path / "none.json")
        assert (code, "cannot be read" in error) == (2, True)

    def test_reads_an_older_revision_from_a_pipe(self, process_env):
        done = subprocess.run(
            [sys.executable, ROOT / "portal" / "manage.py", "events", "contract-check", "-"],
            input=Path(PAGE).read_bytes(),
            capture_output=True,
            env=process_env,
            cwd=ROOT,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, b"0 breaking, 0 additive\n")


class TestAsyncApi:
    def test_is_written_and_then_current(self, tmp_path):
        path = tmp_path / "asyncapi.json"
        assert call("asyncapi", "--output", path, "--check")[0] == 1
        assert call("asyncapi", "--output", path) == (0, f"wrote {path}\n", "")
        assert call("asyncapi", "--output", path, "--check")[0] == 0
        assert path.read_text() == Path(PAGE).read_text()


@pytest.mark.django_db
class TestList:
    def test_has_the_events_with_their_numbers(self, hear):
        hear(Story.whole())
        rows = {row["type"]: row for row in json.loads(call("list", "--json")[1])["results"]}
        assert rows["chronicle.recorder.Uploaded.v2"]["count"] == 1
        assert rows["chronicle.recorder.Uploaded.v1"]["superseded"]
        assert "chronicle.recorder.Uploaded.v2" in call("list")[1]
