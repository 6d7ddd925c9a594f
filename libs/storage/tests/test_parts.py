"""The cutting of a recording into parts, against the limits of S3."""

from itertools import pairwise

import pytest
from chronicle_storage.parts import MIB, MOST_PARTS, part_size, spans

TIB = MIB * MIB


class TestParts:
    def test_reach_the_largest_object(self):
        assert sum(part_size(number) for number in range(1, MOST_PARTS + 1)) >= 5 * TIB
        assert list(spans(5 * TIB))[-1].number <= MOST_PARTS

    def test_keep_within_the_sizes_that_s3_takes(self):
        sizes = {part_size(number) for number in range(1, MOST_PARTS + 1)}
        assert min(sizes) >= 5 * MIB
        assert max(sizes) <= 5 * 1024 * MIB

    @pytest.mark.parametrize("size", [1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 30_000 * MIB + 5])
    def test_cover_the_file_without_a_hole(self, size):
        cut = list(spans(size))
        assert cut[0].start == 0
        assert all(b.start == a.start + a.length for a, b in pairwise(cut))
        assert cut[-1].start + cut[-1].length == size
        assert all(span.full for span in cut[:-1])

    def test_stay_the_same_while_the_file_grows(self):
        before, after = list(spans(100 * MIB)), list(spans(101 * MIB))
        assert after[: len(before) - 1] == before[:-1]

    def test_are_none_for_an_empty_file(self):
        assert list(spans(0)) == []
