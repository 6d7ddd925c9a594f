"""The look that a recorder is given, in place of its first own one."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from chronicle_sources import Credentials, Resolution
from chronicle_sources.handover import Handover
from recorder.adapters.site import ResolvedSite, read_handover
from recorder.domain.problem import SourceProblem

FOUND = Resolution(live_status="live", protocol="hls", media_url="https://live.example/a.m3u8")


def looking(given):
    """The site of a URL that no look of our own would be allowed to take."""
    return ResolvedSite(
        "http://127.0.0.1:9/live.m3u8",
        timeout=5,
        quality=None,
        max_height=None,
        audio_only=False,
        live_from_start=False,
        credentials=Credentials(),
        allow_private=False,
        given=given,
    )


class TestGivenLook:
    def test_is_taken_once(self):
        site = looking(Handover(at=datetime.now(UTC), found=FOUND))
        assert site.look().media_url == FOUND.media_url
        with pytest.raises(SourceProblem):
            site.look()

    def test_is_not_taken_when_it_is_stale(self):
        site = looking(Handover(at=datetime.now(UTC) - timedelta(seconds=90), found=FOUND))
        with pytest.raises(SourceProblem):
            site.look()

    def test_is_read_as_it_was_handed_over(self):
        look = Handover(at=datetime.now(UTC), found=FOUND)
        assert read_handover(io.BytesIO(look.model_dump_json().encode())) == look

    @pytest.mark.parametrize("content", [b"", b"{}", b"nonsense"])
    def test_that_makes_no_sense_is_as_good_as_none(self, content):
        assert read_handover(io.BytesIO(content)) is None
