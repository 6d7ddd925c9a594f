"""What people type for durations and times."""

from datetime import UTC, datetime

import pytest
import typer
from chronicle_cli import reading, wording


class TestSeconds:
    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("1200", 1200),
            ("0.5", 0.5),
            ("90s", 90),
            ("20m", 1200),
            ("1h30m", 5400),
            ("1.5H", 5400),
            ("1d", 86400),
            ("1:30:00", 5400),
            ("2:05", 125),
        ],
    )
    def test_are_read_in_every_form(self, typed: str, meant: float):
        assert reading.seconds(typed) == meant

    @pytest.mark.parametrize("typed", ["", "0", "-5", "soon", "5x", "1h 3", "1:99", "inf", "nan"])
    def test_are_refused_where_they_mean_nothing(self, typed: str):
        with pytest.raises(typer.BadParameter):
            reading.seconds(typed)


class TestMoment:
    NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def test_is_counted_from_now(self):
        assert reading.moment("+1h30m", now=self.NOW) == datetime(2026, 1, 31, 13, 30, tzinfo=UTC)

    def test_keeps_the_zone_it_names(self):
        assert reading.moment("2026-01-31T20:00+08:00") == self.NOW

    def test_is_local_where_it_names_no_zone(self):
        naive = datetime(2026, 1, 31, 20)  # noqa: DTZ001 (that is the point)
        assert reading.moment("2026-01-31T20:00") == naive.astimezone(UTC)

    @pytest.mark.parametrize("typed", ["tomorrow", "+soon", "2026-13-01", ""])
    def test_is_refused_where_it_means_nothing(self, typed: str):
        with pytest.raises(typer.BadParameter):
            reading.moment(typed)


class TestWording:
    def test_says_sizes_in_the_largest_unit(self):
        said = [wording.size(n) for n in (0, 1023, 1024, 3 << 20, 5 << 30, 2 << 40)]
        assert said == ["0 B", "1023 B", "1.0 KiB", "3.0 MiB", "5.0 GiB", "2.0 TiB"]
