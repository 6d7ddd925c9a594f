"""CRC-64/NVME, against a straightforward reference."""

import os

import pytest
from chronicle_storage.crc64 import as_header, combined_crc64, crc64_of_slice
from hypothesis import given
from hypothesis import strategies as st

# https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-64-nvme, bits reversed
POLYNOMIAL = 0x9A6C9329AC4BC9B5
CHECK = "ae8b14860a799888"


def reference(data: bytes) -> str:
    """Bit by bit, as the catalogue defines it."""
    value = 0xFFFFFFFFFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (POLYNOMIAL if value & 1 else 0)
    return f"{value ^ 0xFFFFFFFFFFFFFFFF:016x}"


@pytest.fixture(scope="module")
def of_bytes(tmp_path_factory):
    path = tmp_path_factory.mktemp("crc64") / "bytes.bin"

    def checksum(data: bytes) -> str:
        path.write_bytes(data)
        return crc64_of_slice(path, 0, len(data))

    return checksum


class TestCrc64:
    def test_has_the_check_value_of_the_catalogue(self, of_bytes):
        assert of_bytes(b"123456789") == reference(b"123456789") == CHECK

    @given(data=st.binary(max_size=300))
    def test_equals_the_reference(self, of_bytes, data):
        assert of_bytes(data) == reference(data)

    def test_is_of_the_slice_alone(self, tmp_path):
        path = tmp_path / "some.bin"
        path.write_bytes(b"xx123456789yy")
        assert crc64_of_slice(path, 2, 9) == CHECK

    def test_is_the_same_in_chunks(self, tmp_path, of_bytes):
        data = os.urandom(3 * 1024 * 1024 + 17)
        cut = 1024 * 1024 + 5
        first, second = of_bytes(data[:cut]), of_bytes(data[cut:])
        whole = combined_crc64([(first, cut), (second, len(data) - cut)])
        assert of_bytes(data) == whole

    @given(parts=st.lists(st.binary(max_size=60), max_size=6))
    def test_is_combined_of_those_of_its_parts(self, of_bytes, parts):
        combined = combined_crc64([(of_bytes(part), len(part)) for part in parts])
        assert combined == reference(b"".join(parts))

    def test_is_sent_as_base64_of_its_bytes(self):
        assert as_header(CHECK) == "rosUhgp5mIg="
