"""Settings and what is chosen by them."""

from datetime import timedelta
from pathlib import Path

import pytest
from chronicle_contracts.webseed import is_webseed_token
from chronicle_runtime import load
from chronicle_storage import open_store
from pydantic import SecretStr, ValidationError
from seeder.adapters.trackers import NoTracker, WhitelistTracker
from seeder.assembly import choose_engine, choose_tracker, web_seed_of
from seeder.settings import SeederSettings

KEY = "recordings/a.mkv"


class TestSettings:
    def test_make_the_embedded_form_with_nothing_set(self):
        settings = SeederSettings()
        assert settings.trackers == ()
        assert settings.listen == "127.0.0.1:0"
        assert not settings.discovery

    def test_read_trackers_in_their_order(self, monkeypatch):
        monkeypatch.setenv("TRACKERS", "udp://a:1/announce, http://a:1/announce,")
        settings = SeederSettings()
        assert settings.trackers == ("udp://a:1/announce", "http://a:1/announce")
        assert settings.http_tracker == "http://a:1/announce"

    def test_read_limits(self, monkeypatch):
        monkeypatch.setenv("CHRONICLE_SEED_IDLE_DAYS", "7")
        monkeypatch.setenv("CHRONICLE_SEED_TOTAL_GB", "1.5")
        monkeypatch.setenv("CHRONICLE_SEED_PINNED", "a,b")
        limits = SeederSettings().limits
        assert (limits.idle, limits.age) == (timedelta(days=7), None)
        assert (limits.total_bytes, limits.pinned) == (1_500_000_000, frozenset("ab"))

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("TRACKERS", "ftp://a/announce"),
            ("CHRONICLE_SEEDER_LISTEN", "everywhere"),
            ("CHRONICLE_SEED_RATIO", "0"),
            ("CHRONICLE_LOG_LEVEL", "LOUD"),
        ],
    )
    def test_that_are_bad_are_named(self, monkeypatch, capsys, variable, value):
        monkeypatch.setenv(variable, value)
        with pytest.raises(SystemExit) as ended:
            load(SeederSettings, [])
        assert ended.value.code == 78
        assert variable in capsys.readouterr().err

    def test_want_something_that_serves_a_bucket(self):
        with pytest.raises(ValidationError, match="CHRONICLE_WEBSEED_SECRET"):
            SeederSettings(bucket="recordings")

    def test_are_listed(self, capsys):
        with pytest.raises(SystemExit) as ended:
            load(SeederSettings, ["--settings"])
        assert ended.value.code == 0
        assert "CHRONICLE_SEEDER_LISTEN" in capsys.readouterr().out

    def test_never_show_a_secret(self):
        shown = repr(
            SeederSettings(
                webseed_secret=SecretStr("hidden-1"),
                transmission_url=SecretStr("http://me:hidden-2@127.0.0.1:9091"),
            )
        )
        assert "hidden" not in shown


class TestChoice:
    @pytest.mark.parametrize(
        ("more", "name"),
        [
            ({}, "libtorrent"),
            ({"transmission_url": SecretStr("http://127.0.0.1:9/")}, "transmission"),
            ({"bucket": "some-bucket", "webseed_secret": SecretStr("s")}, "webseed"),
        ],
    )
    def test_of_an_engine_follows_the_settings(self, more, name, tmp_path):
        settings = SeederSettings(recordings=tmp_path, **more)
        engine = choose_engine(settings, open_store(settings))
        assert engine.name == name

    def test_of_a_tracker_follows_the_settings(self):
        assert isinstance(choose_tracker(SeederSettings()), NoTracker)
        listed = SeederSettings(tracker_whitelist=Path("whitelist"))
        assert isinstance(choose_tracker(listed), WhitelistTracker)

    def test_of_a_web_seed_needs_the_secret(self):
        assert web_seed_of(SeederSettings())(KEY) is None
        settings = SeederSettings(webseed_secret=SecretStr("s"), public_url="https://c.example/")
        url = web_seed_of(settings)(KEY)
        assert url is not None
        assert url.startswith("https://c.example/webseed/")
        assert is_webseed_token(url.split("/")[4], KEY, "s")
