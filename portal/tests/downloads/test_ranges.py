from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from portal.downloads.ranges import ByteRange, Unsatisfiable, parse

SIZE = 1000


class TestParse:
    @pytest.mark.parametrize(
        ("header", "start", "length"),
        [
            ("bytes=0-0", 0, 1),
            ("bytes=0-999", 0, 1000),
            ("bytes=10-19", 10, 10),
            ("bytes=990-", 990, 10),
            ("bytes=990-5000", 990, 10),
            ("bytes=-1", 999, 1),
            ("bytes=-5000", 0, 1000),
            (" BYTES = 1 - 2 ", 1, 2),
        ],
    )
    def test_reads_one_range(self, header, start, length):
        assert parse(header, SIZE) == ByteRange(start, length)

    @pytest.mark.parametrize(
        "header",
        [
            None,
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-2",
            "bytes=0-1,5-6",
            "seconds=0-1",
            "bytes=٣-٤",
            "bytes=" + "9" * 20 + "-",
        ],
    )
    def test_takes_what_it_does_not_understand_for_nothing(self, header):
        assert parse(header, SIZE) is None

    @pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-2000", "bytes=-0"])
    def test_refuses_a_range_without_a_byte(self, header):
        with pytest.raises(Unsatisfiable):
            parse(header, SIZE)

    @pytest.mark.parametrize("header", ["bytes=0-", "bytes=-1", "bytes=0-0"])
    def test_finds_no_byte_in_an_empty_object(self, header):
        with pytest.raises(Unsatisfiable):
            parse(header, 0)

    def test_says_where_the_range_lies(self):
        assert ByteRange(10, 5).content_range(SIZE) == "bytes 10-14/1000"

    @given(
        st.text(max_size=30) | st.from_regex(r"bytes=\d*-\d*", fullmatch=True), st.integers(0, 50)
    )
    def test_never_leaves_the_object(self, header, size):
        try:
            found = parse(header, size)
        except Unsatisfiable:
            return
        assert found is None or (found.start >= 0 and 0 < found.length <= size - found.start)
