"""Fetching recordings: resumed, checked, whole or not there at all."""

import hashlib
import json
from pathlib import Path

import pytest
from chronicle_cli.answers import Recording
from chronicle_cli.client import ApiClient
from chronicle_cli.download import Download, part_of
from chronicle_cli.errors import CliError, Unreachable

from cli.tests.conftest import Command
from cli.tests.fake_portal import CONTENT, FakePortal, completed, job, recording

NAME = "concert-0123abcd.mkv"
HALF = len(CONTENT) // 2


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "mine.mkv"


def fetch(client: ApiClient, target: Path) -> None:
    Download(client, "concert", Recording.model_validate(recording()), target, pause=0).run()


def ranges(portal: FakePortal) -> list[str | None]:
    return [one.headers.get("Range") for one in portal.asked if one.path.endswith("/recording")]


class TestDownload:
    def test_writes_the_recording_under_its_name(
        self, chronicle: Command, portal: FakePortal, folder: Path
    ):
        portal.tell(completed())
        result = chronicle("download", "concert")
        assert result.exit_code == 0
        assert (folder / NAME).read_bytes() == CONTENT
        assert [path.name for path in folder.iterdir()] == [NAME]
        assert "sha256 verified" in result.stdout

    def test_writes_into_a_folder(self, chronicle: Command, portal: FakePortal, folder: Path):
        portal.tell(completed())
        (folder / "there").mkdir()
        chronicle("download", "concert", "-o", "there")
        assert (folder / "there" / NAME).read_bytes() == CONTENT

    def test_says_in_json_what_it_wrote(self, chronicle: Command, portal: FakePortal):
        portal.tell(completed())
        assert json.loads(chronicle("download", "concert", "-o", "a.mkv", "--json").stdout) == {
            "path": "a.mkv",
            "size": len(CONTENT),
            "checksum": recording()["checksum"],
            "verified": True,
        }

    def test_fetches_nothing_that_is_there(
        self, chronicle: Command, portal: FakePortal, folder: Path
    ):
        portal.tell(completed())
        (folder / NAME).write_bytes(CONTENT)
        assert "is there already" in chronicle("download", "concert").stdout
        assert ranges(portal) == []

    def test_replaces_another_file_only_by_force(
        self, chronicle: Command, portal: FakePortal, folder: Path
    ):
        portal.tell(completed())
        (folder / NAME).write_text("mine")
        assert chronicle("download", "concert").exit_code == 8
        assert (folder / NAME).read_text() == "mine"
        assert chronicle("download", "concert", "--force").exit_code == 0
        assert (folder / NAME).read_bytes() == CONTENT

    def test_fetches_the_torrent(self, chronicle: Command, portal: FakePortal, folder: Path):
        portal.tell(completed())
        assert chronicle("download", "concert", "--torrent").exit_code == 0
        assert (folder / f"{NAME}.torrent").read_bytes().startswith(b"d8:announce")

    @pytest.mark.parametrize(
        ("state", "code"),
        [
            (job(status="RECORDING"), 8),
            (job(status="FAILED"), 7),
            (job(status="COMPLETED", recording=recording(deleted_at="2026-02-01T00:00:00Z")), 7),
        ],
    )
    def test_says_why_there_is_nothing_to_fetch(
        self, state: dict[str, object], code: int, chronicle: Command, portal: FakePortal
    ):
        portal.tell(state)
        assert chronicle("download", "concert").exit_code == code

    def test_says_where_it_may_not_write(
        self, chronicle: Command, portal: FakePortal, folder: Path
    ):
        portal.tell(completed())
        (folder / "file").write_text("no folder")
        result = chronicle("download", "concert", "-o", "file/a.mkv")
        assert result.exit_code == 1
        assert result.stderr.startswith("error: cannot write")


class TestResumption:
    def test_goes_on_where_the_connection_broke(
        self, client: ApiClient, portal: FakePortal, target: Path
    ):
        portal.tell(completed())
        portal.breaks_after = [HALF, 1000]
        fetch(client, target)
        assert target.read_bytes() == CONTENT
        assert ranges(portal) == [None, f"bytes={HALF}-", f"bytes={HALF + 1000}-"]

    def test_goes_on_where_an_earlier_run_ended(
        self, client: ApiClient, portal: FakePortal, target: Path
    ):
        portal.tell(completed())
        part_of(target, Recording.model_validate(recording())).write_bytes(CONTENT[:HALF])
        fetch(client, target)
        assert target.read_bytes() == CONTENT
        assert ranges(portal) == [f"bytes={HALF}-"]

    def test_begins_anew_where_ranges_are_not_honoured(
        self, client: ApiClient, portal: FakePortal, target: Path
    ):
        portal.tell(completed())
        portal.honours_ranges = False
        part_of(target, Recording.model_validate(recording())).write_bytes(CONTENT[:HALF])
        fetch(client, target)
        assert target.read_bytes() == CONTENT

    def test_keeps_the_part_when_the_portal_is_gone(
        self, client: ApiClient, portal: FakePortal, target: Path
    ):
        portal.tell(completed())
        portal.breaks_after = [HALF, 0, 0, 0, 0, 0]
        with pytest.raises(Unreachable):
            fetch(client, target)
        assert not target.exists()
        part = part_of(target, Recording.model_validate(recording()))
        assert part.read_bytes() == CONTENT[:HALF]

    def test_takes_no_part_of_another_recording(self, target: Path):
        ours = Recording.model_validate(recording())
        other = Recording.model_validate(recording(b"other"))
        assert part_of(target, ours) != part_of(target, other)


class TestVerification:
    def test_leaves_nothing_where_the_bytes_differ(
        self, client: ApiClient, portal: FakePortal, target: Path
    ):
        portal.tell(completed())
        portal.content = CONTENT[:-1] + b"?"
        with pytest.raises(CliError, match="sha256 differs"):
            fetch(client, target)
        assert list(target.parent.iterdir()) == []

    def test_refuses_more_bytes_than_there_should_be(
        self, client: ApiClient, portal: FakePortal, target: Path
    ):
        portal.tell(completed())
        portal.content = CONTENT + b"more"
        with pytest.raises(CliError, match="longer"):
            fetch(client, target)
        assert not target.exists()

    def test_compares_the_size_alone_for_a_checksum_it_cannot_make(
        self, chronicle: Command, portal: FakePortal
    ):
        strange = recording(checksum={"algorithm": "crc64nvme", "value": "00ff00ff00ff00ff"})
        portal.tell(job(status="COMPLETED", recording=strange))
        assert "no crc64nvme here" in chronicle("download", "concert").stdout

    def test_keeps_the_digest_of_what_was_written(
        self, client: ApiClient, portal: FakePortal, target: Path
    ):
        portal.tell(completed())
        fetch(client, target)
        assert hashlib.sha256(target.read_bytes()).hexdigest() == recording()["checksum"]["value"]
