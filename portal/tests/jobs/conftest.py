"""Processes of the portal on a stack of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from chronicle_contracts import encode
from chronicle_messaging import Bus, MessagingSettings

MANAGE = Path(__file__).parents[2] / "manage.py"


@pytest.fixture
def bus(aws_env, tmp_path, monkeypatch):
    """A stack whose portal queue gives a killed consumer's messages back within seconds."""
    topology = json.loads(Path(aws_env["CHRONICLE_TOPOLOGY"]).read_text())
    topology["queues"]["portal"]["visibility_timeout"] = 3
    path = tmp_path / "topology.json"
    path.write_text(json.dumps(topology))
    monkeypatch.setenv("CHRONICLE_TOPOLOGY", str(path))
    return Bus.connect(MessagingSettings())


@pytest.fixture
def manage(bus, process_env, tmp_path):
    """Run a command as a process for the length of a block."""

    @contextmanager
    def run(*command, script=MANAGE):
        with (tmp_path / "process.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(script), *command],
                env={**process_env, "CHRONICLE_TOPOLOGY": os.environ["CHRONICLE_TOPOLOGY"]},
                stderr=log,
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(30)

    return run


@pytest.fixture
def send(bus):
    """Put a message into the portal's queue that no deduplication window keeps back."""

    def put(body, *, group):
        bus.clients.sqs.send_message(
            QueueUrl=bus.url(bus.queue("portal").name),
            MessageBody=body,
            MessageGroupId=group,
            MessageDeduplicationId=uuid4().hex,
        )

    return put


@pytest.fixture
def send_again(send):
    """Put events into the portal's queue, however often they were there."""

    def put(events):
        for event in events:
            send(encode(event).decode(), group=event.subject)

    return put
