"""The process itself, with the real queue, and a script in place of the recorder."""

from __future__ import annotations

import http.server
import os
import shlex
import signal
import subprocess
import sys
import threading

import pytest
from chronicle_contracts import Event, decode, encode
from chronicle_contracts.portal import StopRequested
from chronicle_messaging import Bus
from dispatcher.adapters import procfs

from services.dispatcher.tests.cast import REQUEST, asked, until

PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:5\n#EXTINF:1,\na.ts\n"

RECORDER = """
import os, pathlib, time
with open(os.environ["CHRONICLE_STARTED"], "a") as file:
    file.write(f"{os.getpid()} {os.environ['CHRONICLE_ATTEMPT']}\\n")
control = pathlib.Path(os.environ["CHRONICLE_WORK_DIR"], "control.json")
while '"keep"' not in control.read_text():
    time.sleep(0.05)
"""


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.apple.mpegurl")
        self.send_header("Content-Length", str(len(PLAYLIST)))
        self.end_headers()
        self.wfile.write(PLAYLIST)

    def log_message(self, *_):
        pass


@pytest.fixture
def request_of_a_stream():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/live.m3u8"
    yield REQUEST.model_copy(update={"url": url})
    server.shutdown()
    server.server_close()


@pytest.fixture
def bus(messaging_settings):
    bus = Bus.connect(messaging_settings)
    bus.topic()
    return bus


@pytest.fixture
def started(tmp_path):
    """The recorders that were started: (process id, attempt); ended after the test."""
    path = tmp_path / "started"

    def read():
        lines = path.read_text().splitlines() if path.exists() else []
        return [tuple(map(int, line.split())) for line in lines]

    yield read
    for pid, _ in read():
        if procfs.environment_of(pid).get("CHRONICLE_STARTED") == str(path):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def dispatchers(tmp_path, aws_env):
    """Starts dispatcher processes that share one home."""
    script = tmp_path / "recorder.py"
    script.write_text(RECORDER)
    environment = {
        **aws_env,
        "PATH": os.environ["PATH"],
        "CHRONICLE_HOME": str(tmp_path / "home"),
        "CHRONICLE_ALLOW_PRIVATE_ADDRESSES": "true",
        "CHRONICLE_RECORDER_COMMAND": shlex.join([sys.executable, str(script)]),
        "CHRONICLE_STARTED": str(tmp_path / "started"),
        "CHRONICLE_SUPERVISION_INTERVAL": "0.3",
        # On a machine that is busy with other tests a look takes its time, and rejects nothing.
        "CHRONICLE_PREFLIGHT_TIMEOUT": "60",
    }
    processes: list[subprocess.Popen[bytes]] = []

    def start():
        with (tmp_path / f"dispatcher-{len(processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dispatcher"], env=environment, stdout=log, stderr=log
            )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait(60)


def hear(bus, heard):
    """Add what the portal hears to a list of facts, each event once."""
    queue = bus.queue("portal")
    messages = queue.receive(wait=1)
    queue.delete(messages)
    known = {event.id for event in heard}
    for message in messages:
        event = decode(message.body)
        if event.id not in known and event.source == "/dispatcher":
            heard.append(event)
            known.add(event.id)
    return [type(event.data).__name__ for event in heard]


class TestDispatchers:
    def test_launch_once_what_is_asked_five_times_of_two_of_them(
        self, bus, dispatchers, started, request_of_a_stream
    ):
        event = asked(request_of_a_stream)
        pair = [dispatchers(), dispatchers()]
        bus.publisher().publish([event])
        for number in range(4):
            # Past the topic's deduplication, which would keep repetitions from us.
            bus.queue("dispatcher").send(
                encode(event).decode(), group=f"copy-{number}", deduplication_id=str(number)
            )
        heard: list[Event] = []
        until(lambda: "RecorderLaunched" in hear(bus, heard), "the launch", within=80)
        until(lambda: not any(bus.queue("dispatcher").depth().values()), "the last copy")
        hear(bus, heard)
        assert [type(one.data).__name__ for one in heard] == ["JobAccepted", "RecorderLaunched"]
        assert [attempt for _, attempt in until(started, "the recorder")] == [1]
        for process in pair:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(60) for process in pair] == [0, 0]
        ((pid, _),) = started()
        recorder = procfs.stat_of(pid)
        assert recorder is not None
        assert recorder.runs

    def test_go_on_with_the_work_of_one_that_was_killed(
        self, bus, dispatchers, started, request_of_a_stream
    ):
        first = dispatchers()
        bus.publisher().publish([asked(request_of_a_stream)])
        ((pid, _),) = until(started, "the recorder", within=80)
        heard: list[Event] = []
        until(lambda: "RecorderLaunched" in hear(bus, heard), "the launch")
        first.kill()
        first.wait(60)
        os.kill(pid, signal.SIGKILL)
        dispatchers()
        until(lambda: len(started()) == 2, "the next attempt")
        assert [attempt for _, attempt in started()] == [1, 2]
        until(lambda: hear(bus, heard).count("RecorderLaunched") == 2, "the word of it")
        assert hear(bus, heard) == [
            "JobAccepted",
            "RecorderLaunched",
            "RecorderLost",
            "RecorderLaunched",
        ]
        bus.publisher().publish([asked(StopRequested(), 2)])
        (_, (second, _)) = started()
        until(lambda: procfs.stat_of(second) is None, "the end of the recorder")


class TestCommandLine:
    def run(self, *arguments, **environment):
        return subprocess.run(
            [sys.executable, "-m", "dispatcher", *arguments],
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def test_lists_every_setting(self):
        done = self.run("--settings")
        assert done.returncode == 0
        for variable in ("CHRONICLE_LAUNCHER", "MAX_RECORDINGS", "CHRONICLE_RECORDER_COMMAND"):
            assert variable in done.stdout

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("CHRONICLE_LAUNCHER", "ecs"),
            ("MAX_RECORDINGS", "0"),
            ("CHRONICLE_RECORDER_COMMAND", " "),
            ("CHRONICLE_TOPOLOGY", "/nowhere.json"),
        ],
    )
    def test_refuses_a_bad_setting_by_name(self, tmp_path, variable, value):
        done = self.run(CHRONICLE_HOME=str(tmp_path), **{variable: value})
        assert done.returncode == 78
        assert variable in done.stderr
        assert "Traceback" not in done.stderr
