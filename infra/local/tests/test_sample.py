import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest
from chronicle_local.sample import LiveSample


@pytest.fixture(scope="module")
def sample() -> Iterator[LiveSample]:
    with LiveSample(segment=0.5) as running:
        yield running


def playlist(sample: LiveSample) -> str:
    return httpx.get(sample.url).raise_for_status().text


class TestLiveSample:
    def test_rolls_on_without_an_end_mark(self, sample):
        first = playlist(sample)
        deadline = time.monotonic() + 10
        while playlist(sample) == first:
            assert time.monotonic() < deadline, "the playlist stood still"
            time.sleep(0.05)
        assert "#EXT-X-ENDLIST" not in playlist(sample)
        assert "#EXT-X-PROGRAM-DATE-TIME" in first

    def test_serves_its_segments_with_their_type(self, sample):
        name = re.findall(r"segment-\d+\.ts", playlist(sample))[-1]
        answer = httpx.get(sample.url.replace("live.m3u8", name))
        assert answer.headers["content-type"] == "video/mp2t"
        assert answer.content[:1] == b"\x47"  # the sync byte of an MPEG transport stream

    def test_serves_nothing_but_the_stream(self, sample):
        origin = sample.url.removesuffix("/live.m3u8")
        for path in ("/", "/encoder.log", "/%2e%2e/%2e%2e/etc/passwd", "/..%2fsecret.ts"):
            assert httpx.get(origin + path).status_code == 404, path

    def test_ends_with_the_end_mark_and_still_serves_it(self):
        with LiveSample(segment=0.5) as sample:
            sample.end()
            assert "#EXT-X-ENDLIST" in playlist(sample)

    def test_freezes_without_an_end_mark_when_its_encoder_is_killed(self):
        with LiveSample(segment=0.5) as sample:
            os.kill(sample.encoder_pid, signal.SIGKILL)
            sample.kill()
            assert "#EXT-X-ENDLIST" not in playlist(sample)

    def test_leaves_nothing_behind(self):
        sample = LiveSample(segment=0.5).start()
        pid = sample.encoder_pid
        sample.close()
        sample.close()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        with pytest.raises(httpx.ConnectError):
            httpx.get(sample.url)


class TestCommand:
    def test_prints_its_address_and_ends_at_sigterm(self):
        command = [sys.executable, "-m", "chronicle_local.sample", "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert httpx.get(address).status_code == 200
            process.terminate()
            assert process.wait(15) == 0
