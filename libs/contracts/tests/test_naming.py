from __future__ import annotations

from datetime import UTC, datetime

import pytest
from chronicle_contracts import naming
from chronicle_contracts.webseed import is_webseed_token, webseed_token, webseed_url
from hypothesis import given
from hypothesis import strategies as st

DAY = datetime(2026, 5, 17, tzinfo=UTC)


class TestRecordingKey:
    def test_lies_under_its_day(self):
        key = naming.recording_key("job-1", "Concert.mkv", DAY)
        assert key == "recordings/2026/05/17/Concert-026ab639.mkv"

    def test_keeps_two_jobs_of_the_same_name_apart(self):
        assert naming.recording_key("a", "x", DAY) != naming.recording_key("b", "x", DAY)

    @given(st.text(), st.text(min_size=1))
    def test_is_never_a_path_out_of_its_folder(self, name, job):
        key = naming.recording_key(job, name, DAY)
        *folders, file = key.split("/")
        assert folders == ["recordings", "2026", "05", "17"]
        assert naming.FILENAME.fullmatch(file)
        assert not file.startswith(".")


class TestJobId:
    @pytest.mark.parametrize("good", ["a", "A-1_b", "0" * 64])
    def test_takes_letters_digits_dashes(self, good):
        assert naming.is_job_id(good)

    @pytest.mark.parametrize("bad", ["", "-a", "a/b", "a.b", "a b", "ä", "0" * 65, "a\n"])
    def test_refuses_what_is_no_folder_or_group(self, bad):
        assert not naming.is_job_id(bad)


class TestNeighbours:
    def test_torrents_lie_beside_the_recording_and_in_the_watch_folder(self):
        assert naming.torrent_key("recordings/a/b.mkv") == "recordings/a/b.mkv.torrent"
        assert naming.watch_key("recordings/a/b.mkv") == "watch/b.mkv.torrent"


class TestWebSeedToken:
    def test_opens_its_own_object_only(self):
        token = webseed_token("recordings/a.mkv", "s3cret")
        assert is_webseed_token(token, "recordings/a.mkv", "s3cret")
        assert not is_webseed_token(token, "recordings/b.mkv", "s3cret")
        assert not is_webseed_token(token, "recordings/a.mkv", "other")

    def test_is_part_of_a_stable_address_without_a_query(self):
        url = webseed_url("https://c.example.org/", "recordings/a.mkv", "s3cret")
        token = webseed_token("recordings/a.mkv", "s3cret")
        assert url == f"https://c.example.org/webseed/{token}/recordings/a.mkv"
