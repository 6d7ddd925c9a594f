from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time

import boto3
import pytest
from chronicle_local.emulator import EX_TEMPFAIL, Snapshot, prune, until_taken
from chronicle_messaging import Bus, load_topology
from chronicle_messaging.clients import Clients

from tests.fixtures.aws import TOPOLOGY, free_port


@pytest.fixture
def endpoint(aws_of_its_own):
    return aws_of_its_own()


@pytest.fixture
def bus(endpoint):
    clients = Clients(region="us-east-1", endpoint_url=endpoint.url)
    return Bus(clients, load_topology(TOPOLOGY), prefix="chronicle", provision=True)


class TestTheSnapshot:
    def test_brings_back_what_waited_in_a_queue(self, endpoint, bus):
        bus.queue("objects").send("kept", group="")
        incarnation = bus.incarnation()
        endpoint.stop()
        endpoint.start()
        bus.forget()
        assert [one.body for one in bus.queue("objects").receive(wait=5)] == ["kept"]
        assert bus.incarnation() == incarnation

    def test_is_used_up_by_the_start_that_loads_it(self, endpoint, bus):
        bus.queue("objects").send("kept", group="")
        endpoint.stop()
        endpoint.start()
        endpoint.kill()
        endpoint.start()
        bus.forget()
        assert bus.queue("objects").receive() == []

    @pytest.mark.parametrize("leftover", ["saving", "loading"])
    def test_that_a_crash_left_half_done_is_not_used(self, endpoint, bus, leftover):
        incarnation = bus.incarnation()
        endpoint.stop()
        folder = endpoint.home / "aws"
        (folder / "state").rename(folder / leftover)
        endpoint.start()
        bus.forget()
        assert bus.incarnation() != incarnation
        assert not (folder / leftover).exists()

    def test_that_cannot_be_read_is_not_used_in_part(self, endpoint, bus):
        incarnation = bus.incarnation()
        endpoint.stop()
        (endpoint.home / "aws" / "state" / "sqs.json").write_text("{")
        endpoint.start()
        bus.forget()
        assert bus.incarnation() != incarnation

    def test_refuses_what_it_would_not_hold(self, tmp_path):
        async def handler(*_arguments):
            return 200, {}, b"confirmed"

        snapshot = Snapshot(tmp_path)
        guarded = until_taken(snapshot, handler)
        assert asyncio.run(guarded())[0] == 200
        snapshot.taken = True
        assert asyncio.run(guarded())[0] == 503


class TestObjects:
    @pytest.mark.parametrize("end", ["stop", "kill"])
    def test_outlive_the_endpoint(self, endpoint, end):
        s3 = boto3.client(
            "s3",
            endpoint_url=endpoint.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        s3.create_bucket(Bucket="recordings")
        s3.put_object(Bucket="recordings", Key="a/b.mkv", Body=b"media")
        getattr(endpoint, end)()
        endpoint.start()
        assert s3.get_object(Bucket="recordings", Key="a/b.mkv")["Body"].read() == b"media"


class TestTheDeduplicationWindow:
    def test_drops_what_has_left_it_and_keeps_the_rest(self):
        now = time.time()
        expiries = {"a": now - 2, "b": now - 1, "c": now + 60, "d": now + 61}
        topic = {"dedup_cache": {key: {"expire": value} for key, value in expiries.items()}}
        prune(topic)
        assert list(topic["dedup_cache"]) == ["c", "d"]


class TestASecondEndpoint:
    def test_does_not_touch_the_state_of_the_first(self, endpoint):
        done = subprocess.run(
            [sys.executable, "-m", "chronicle_local.emulator"],
            env={
                **os.environ,
                "CHRONICLE_HOME": str(endpoint.home),
                "CHRONICLE_AWS_PORT": str(free_port()),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == EX_TEMPFAIL
        assert "another endpoint is using CHRONICLE_HOME" in done.stderr
