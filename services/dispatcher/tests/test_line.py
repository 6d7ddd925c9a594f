"""When the dispatcher can be told anything."""

from __future__ import annotations

from datetime import timedelta

import pytest
from chronicle_messaging import ENDPOINT_TROUBLE, Bus, MessagingSettings
from dispatcher.adapters.line import Line, ListenedQueue

from services.dispatcher.tests.cast import NOON, FakeClock
from tests.fixtures.aws import free_port


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def line(clock):
    return Line(clock)


class TestLine:
    def test_is_down_before_the_first_answer(self, line):
        assert line.up_since() is None

    def test_is_up_since_the_first_of_many_answers(self, line, clock):
        for _ in range(10):
            line.received()
            clock.go_on(10)
        assert line.up_since() == NOON

    def test_is_down_after_a_failure_and_up_anew_after_it(self, line, clock):
        line.received()
        line.failed()
        assert line.up_since() is None
        clock.go_on(60)
        line.received()
        assert line.up_since() == NOON + timedelta(seconds=60)

    def test_is_down_where_an_answer_does_not_come(self, line, clock):
        line.received()
        clock.go_on(31)
        assert line.up_since() is None
        line.received()
        assert line.up_since() == NOON + timedelta(seconds=31)


class TestListenedQueue:
    def test_tells_the_line_that_the_endpoint_answers(self, line, messaging_settings):
        ListenedQueue(Bus.connect(messaging_settings), "dispatcher", line).receive()
        assert line.up_since() == NOON

    def test_tells_the_line_that_it_does_not(self, line, aws_env, monkeypatch):
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
        line.received()
        queue = ListenedQueue(Bus.connect(MessagingSettings()), "dispatcher", line)
        with pytest.raises(ENDPOINT_TROUBLE):
            queue.receive()
        assert line.up_since() is None
