"""When a capture asks for other addresses."""

from datetime import UTC, datetime, timedelta

import pytest
from recorder.adapters.capture import FetchedCapture
from recorder.adapters.feeding.feed import Feed
from recorder.domain.stream import Stream


def stream(expires_in=None, *, protocol="hls"):
    expires_at = None
    if expires_in is not None:
        expires_at = datetime.now(UTC) + timedelta(seconds=expires_in)
    return Stream(
        protocol=protocol, live_status="live", media_url="http://h/x", expires_at=expires_at
    )


def never(_):
    raise AssertionError


@pytest.fixture
def capture():
    made = FetchedCapture(lambda _, __: [], lambda tracks: Feed(tracks, never))
    yield made
    made.close()


class TestCapture:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (stream(), False),
            (stream(3600), False),
            (stream(-5), False),  # clocks differ
            (stream(3600, protocol="http"), False),
        ],
    )
    def test_leaves_addresses_alone_that_work_for_long_or_say_nothing(
        self, capture, given, expected
    ):
        capture.fetch(given)
        assert capture.look().is_expiring is expected

    def test_asks_in_time_for_another_address(self, capture, monkeypatch):
        given = stream(3600)
        capture.fetch(given)
        expires_at = given.expires_at
        assert expires_at is not None
        at = expires_at.timestamp() - 59
        monkeypatch.setattr("recorder.adapters.capture.time.time", lambda: at)
        assert capture.look().is_expiring

    def test_asks_no_more_where_the_site_has_no_other(self, capture, monkeypatch):
        given = stream(3600)
        capture.fetch(given)
        capture.fetch(given)
        expires_at = given.expires_at
        assert expires_at is not None
        at = expires_at.timestamp() - 1
        monkeypatch.setattr("recorder.adapters.capture.time.time", lambda: at)
        assert not capture.look().is_expiring
