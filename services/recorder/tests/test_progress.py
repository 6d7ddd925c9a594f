"""What ffmpeg tells of how far it is, in whatever pieces that comes."""

import os

import pytest
from recorder.adapters.feeding.pipes import WIDTH, wide_pipe
from recorder.adapters.feeding.progress import Progress, Report

TOLD = b"frame=%d\nfps=25\nout_time_us=%s\nout_time=00:00:01\nprogress=continue\n"


@pytest.fixture
def pipe():
    reader, writer = wide_pipe()
    yield reader, writer
    os.close(writer)


class TestProgress:
    def test_is_what_came_since_the_last_time(self, pipe):
        reader, writer = pipe
        progress = Progress(reader)
        assert progress.reports() == []
        os.write(writer, TOLD % (12, b"500000") + TOLD % (25, b"1000000"))
        assert progress.reports() == [Report(12, 0.5), Report(25, 1.0)]
        assert progress.reports() == []
        progress.close()
        assert progress.reports() == []

    def test_is_put_together_where_a_line_is_torn(self, pipe):
        reader, writer = pipe
        progress, told = Progress(reader), TOLD % (50, b"2000000")
        for at in range(len(told)):
            os.write(writer, told[at : at + 1])
            if reports := progress.reports():
                break
        assert reports == [Report(50, 2.0)]
        progress.close()

    def test_passes_over_what_is_no_number(self, pipe):
        reader, writer = pipe
        progress = Progress(reader)
        os.write(writer, TOLD % (0, b"N/A") + TOLD % (1, b"-40000"))
        assert progress.reports() == [Report(1, -0.04)]
        progress.close()


class TestWidePipe:
    def test_takes_a_segment_at_once(self, pipe):
        reader, writer = pipe
        os.set_blocking(writer, False)
        assert os.write(writer, bytes(WIDTH)) == WIDTH
        os.close(reader)
