"""Recorders as processes: a small child script plays the recorder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from chronicle_sources import Resolution
from chronicle_sources.handover import Handover
from dispatcher.adapters import procfs
from dispatcher.adapters.fresh_looks import FreshLooks
from dispatcher.adapters.process_launcher import ProcessLauncher
from dispatcher.adapters.run_file import run_file, write_json
from dispatcher.adapters.starting import CommandStarter
from dispatcher.ports import Launch, LaunchError

from services.dispatcher.tests.cast import NOON, REQUEST, FakeClock, until

# Says what it was given, starts a child in a session of its own, and stays.
RECORDER = """
import json, os, pathlib, signal, subprocess, sys, time
work = pathlib.Path(os.environ["CHRONICLE_WORK_DIR"])
if "--brief" in sys.argv:
    print("a word on standard output", flush=True)
    sys.exit(3)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"],
                         start_new_session=True)
signal.signal(signal.SIGTERM, lambda *_: (work / "nudged").touch())
with open(work / "started", "a") as file:
    file.write(f"{os.getpid()} {child.pid}\\n")
(work / "given").write_text(sys.stdin.read())
(work / "environ.tmp").write_text(json.dumps(dict(os.environ)))
(work / "environ.tmp").rename(work / "environ")
while True:
    time.sleep(0.05)
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "recorder.py"
    path.write_text(RECORDER)
    return path


@pytest.fixture
def fresh():
    return FreshLooks(FakeClock())


@pytest.fixture
def making(tmp_path, script, fresh):
    """Launchers over the same work folders; what they started is ended after the test."""
    references = []

    class Tracking(ProcessLauncher):
        def launch(self, launch):
            reference = super().launch(launch)
            references.append(reference)
            return reference

    def make(*arguments, command=None, environment=os.environ):
        return Tracking(
            CommandStarter(command or [sys.executable, str(script), *arguments]),
            fresh,
            work=tmp_path / "work",
            environment=environment,
        )

    yield make
    cleaner = make()
    for reference in references:
        cleaner.kill("concert", reference)


@pytest.fixture
def work(tmp_path):
    return tmp_path / "work" / "concert"


FOUND = Resolution(
    live_status="live",
    protocol="hls",
    media_url="https://live.example/a.m3u8?token=geheim",
    cookies="# geheim",
)
LAUNCH = Launch(job_id="concert", attempt=1, request=REQUEST)


def started(work):
    """The process ids of the recorders that said something, each with its child's."""
    path = work / "started"
    lines = path.read_text().splitlines() if path.exists() else []
    return [tuple(map(int, line.split())) for line in lines if len(line.split()) == 2]


class TestLaunch:
    def test_starts_a_session_of_its_own(self, making, work):
        reference = making().launch(LAUNCH)
        (pid, _) = until(lambda: started(work), "the start")[0]
        process = procfs.stat_of(pid)
        assert process is not None
        assert process.reference == reference
        assert process.session == pid

    def test_twice_starts_one_process(self, making, work):
        launcher = making()
        reference = launcher.launch(LAUNCH)
        assert launcher.launch(LAUNCH) == reference
        # Another dispatcher's launcher knows it as well.
        assert making().launch(LAUNCH) == reference
        until(lambda: started(work), "the start")
        assert len(started(work)) == 1

    def test_by_many_at_once_starts_one_process(self, making, work):
        launchers = [making() for _ in range(6)]
        with ThreadPoolExecutor(6) as pool:
            references = set(pool.map(lambda one: one.launch(LAUNCH), launchers))
        assert len(references) == 1
        until(lambda: started(work), "the start")
        assert len(started(work)) == 1

    def test_finds_the_process_of_a_launcher_that_died_before_it_noted_it(self, making, work):
        reference = making().launch(LAUNCH)
        until(lambda: started(work), "the start")
        write_json(run_file(work, 1), {"reference": None})
        assert making().launch(LAUNCH) == reference
        assert len(started(work)) == 1

    def test_starts_where_a_launcher_died_before_it_did(self, making, work):
        work.mkdir(parents=True)
        write_json(run_file(work, 1), {"reference": None})
        reference = making().launch(LAUNCH)
        assert making().is_alive(reference)

    def test_starts_the_next_attempt_in_the_same_folder(self, making, work):
        launcher = making()
        first = launcher.launch(LAUNCH)
        second = launcher.launch(Launch(job_id="concert", attempt=2, request=REQUEST))
        assert first != second
        until(lambda: len(started(work)) == 2, "both starts")

    def test_gives_the_recorder_what_it_needs_and_nothing_else(self, making, work):
        secrets = {
            "CHRONICLE_WEBSEED_SECRET": "s",
            "CHRONICLE_ADMIN_PASSWORD": "s",
            "CHRONICLE_API_TOKEN": "s",
            "DJANGO_SECRET_KEY": "s",
            "POSTGRES_PASSWORD": "s",
            "HTTPS_PROXY": "http://127.0.0.1:1",
        }
        needed = {
            "PATH": os.environ["PATH"],
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "S3_BUCKET": "recordings",
            "CHRONICLE_PREFIX": "mine",
            "CHRONICLE_QUALITY": "of another run",
        }
        request = REQUEST.model_copy(
            update={
                "live_from_start": True,
                "audio_only": True,
                "max_height": 720,
                "credentials": "concert.0f",
            }
        )
        launch = Launch(
            job_id="concert",
            attempt=3,
            request=request,
            max_duration=90.5,
            catch_up=NOON,
            deliver_only=True,
        )
        making(environment=needed | secrets).launch(launch)
        until((work / "environ").exists, "the start")
        given = json.loads((work / "environ").read_text())
        # LC_CTYPE is what Python sets itself where no locale is given.
        given.pop("LC_CTYPE", None)
        needed.pop("CHRONICLE_QUALITY")
        assert given == needed | {
            "JOB_ID": "concert",
            "URL": REQUEST.url,
            "S3_KEY": REQUEST.key,
            "FILENAME": "concert",
            "CHRONICLE_ATTEMPT": "3",
            "CHRONICLE_WORK_DIR": str(work),
            "CHRONICLE_LIVE_FROM_START": "true",
            "CHRONICLE_MAX_DURATION": "90.5",
            "CHRONICLE_AUDIO_ONLY": "true",
            "CHRONICLE_MAX_HEIGHT": "720",
            "CHRONICLE_CREDENTIALS": "concert.0f",
            "CHRONICLE_CATCH_UP": NOON.isoformat(),
            "CHRONICLE_DELIVER_ONLY": "true",
        }

    def test_hands_over_the_look_that_was_just_taken(self, making, work, fresh):
        fresh.put(REQUEST, FOUND)
        launcher = making()
        launcher.launch(LAUNCH)
        until((work / "environ").exists, "the start")
        assert Handover.model_validate_json((work / "given").read_text()).found == FOUND
        given = (work / "environ").read_text()
        assert '"CHRONICLE_LOOK_GIVEN": "true"' in given
        assert "geheim" not in given  # neither its cookies nor its addresses are shown around
        (work / "environ").unlink()
        launcher.launch(Launch(job_id="concert", attempt=2, request=REQUEST))
        until((work / "environ").exists, "the second start")
        assert (work / "given").read_text() == ""

    def test_keeps_what_the_recorder_prints(self, making, work):
        launcher = making("--brief")
        reference = launcher.launch(LAUNCH)
        until(lambda: not launcher.is_alive(reference), "the end")
        assert (work / "run-1.log").read_text() == "a word on standard output\n"

    def test_of_a_program_that_is_not_there_says_so_and_can_be_repeated(self, making):
        with pytest.raises(LaunchError, match="no-such-program"):
            making(command=["no-such-program"]).launch(LAUNCH)
        assert making().is_alive(making().launch(LAUNCH))

    def test_outlives_whoever_launched_it(self, making, work, tmp_path, script):
        code = (
            "import sys, os\n"
            "from pathlib import Path\n"
            "from chronicle_contracts.portal import JobRequested\n"
            "from dispatcher.adapters.clock import SystemClock\n"
            "from dispatcher.adapters.fresh_looks import FreshLooks\n"
            "from dispatcher.adapters.process_launcher import ProcessLauncher\n"
            "from dispatcher.adapters.starting import CommandStarter\n"
            "from dispatcher.ports import Launch\n"
            "request = JobRequested(url='http://x.example/', key='k.mkv', filename='k')\n"
            "launcher = ProcessLauncher(CommandStarter([sys.executable, sys.argv[1]]),\n"
            "    FreshLooks(SystemClock()),\n"
            "    work=Path(sys.argv[2]), environment=os.environ)\n"
            "print(launcher.launch(Launch(job_id='concert', attempt=1, request=request)))\n"
            "sys.stdout.flush()\n"
            "os.kill(os.getpid(), 9)\n"
        )
        dispatcher = subprocess.run(
            [sys.executable, "-c", code, str(script), str(tmp_path / "work")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert dispatcher.returncode == -signal.SIGKILL, dispatcher.stderr
        reference = dispatcher.stdout.split()[-1]
        launcher = making()
        assert launcher.launch(LAUNCH) == reference
        assert launcher.is_alive(reference)


class TestProcess:
    def test_that_ended_is_seen_as_ended_though_nobody_waited_for_it(self, making):
        launcher = making("--brief")
        reference = launcher.launch(LAUNCH)
        until(lambda: not launcher.is_alive(reference), "the end")
        pid = int(reference.partition(":")[0])
        until(lambda: procfs.stat_of(pid) is None, "the reaping")

    def test_that_ended_is_seen_as_ended_by_another_dispatcher(self, making):
        reference = making("--brief").launch(LAUNCH)
        other = making()
        until(lambda: not other.is_alive(reference), "the end")

    def test_whose_number_was_used_again_is_not_ours(self, making):
        launcher = making()
        ours = procfs.stat_of(os.getpid())
        assert ours is not None
        stranger = f"{ours.pid}:{ours.start_time - 1}"
        assert launcher.is_alive(ours.reference)
        assert not launcher.is_alive(stranger)
        launcher.kill("concert", stranger)  # we are still here to say so

    @pytest.mark.parametrize("reference", ["", "x:1", "999999999:1"])
    def test_that_never_was_is_not_alive(self, making, reference):
        assert not making().is_alive(reference)

    def test_is_killed_with_all_that_it_started(self, making, work):
        launcher = making()
        reference = launcher.launch(LAUNCH)
        pid, child = until(lambda: started(work), "the start")[0]
        launcher.kill("concert", reference)
        assert not launcher.is_alive(reference)
        until(lambda: not runs(pid) and not runs(child), "the end")

    def test_is_killed_with_what_its_death_has_orphaned(self, making, work):
        launcher = making()
        reference = launcher.launch(LAUNCH)
        pid, child = until(lambda: started(work), "the start")[0]
        os.kill(pid, signal.SIGKILL)
        until(lambda: not launcher.is_alive(reference), "the end")
        assert runs(child), "it has a session of its own, and nobody above it any more"
        launcher.kill("concert", reference)
        until(lambda: not runs(child), "the end of the child")

    def test_is_killed_without_those_of_other_jobs(self, making, work):
        launcher = making()
        reference = launcher.launch(LAUNCH)
        until(lambda: started(work), "the start")
        other = launcher.launch(Launch(job_id="other", attempt=1, request=REQUEST))
        launcher.kill("concert", reference)
        assert launcher.is_alive(other)
        launcher.kill("other", other)

    def test_that_is_stopped_by_a_signal_can_be_killed(self, making, work):
        launcher = making()
        reference = launcher.launch(LAUNCH)
        pid, _ = until(lambda: started(work), "the start")[0]
        os.kill(pid, signal.SIGSTOP)
        launcher.kill("concert", reference)
        assert not launcher.is_alive(reference)


def runs(pid):
    process = procfs.stat_of(pid)
    return process is not None and process.runs


class TestControl:
    def test_is_there_before_the_recorder_looks(self, making, work):
        launch = Launch(job_id="concert", attempt=1, request=REQUEST, max_duration=60, stop="keep")
        making().launch(launch)
        assert json.loads((work / "control.json").read_text()) == {
            "stop": "keep",
            "max_duration": 60,
        }

    def test_to_stop_is_written_and_nudged(self, making, work):
        launcher = making()
        reference = launcher.launch(LAUNCH)
        until(lambda: started(work), "the start")
        launcher.control("concert", reference, stop="discard", max_duration=None)
        assert json.loads((work / "control.json").read_text()) == {
            "stop": "discard",
            "max_duration": None,
        }
        until((work / "nudged").exists, "the nudge")

    def test_to_go_on_longer_is_written_without_a_nudge(self, making, work):
        launcher = making()
        reference = launcher.launch(LAUNCH)
        until(lambda: started(work), "the start")
        launcher.control("concert", reference, stop=None, max_duration=120)
        assert json.loads((work / "control.json").read_text())["max_duration"] == 120
        assert not (work / "nudged").exists()
        assert not list(work.glob(".control*"))

    def test_of_a_recorder_that_is_gone_does_no_harm(self, making, work):
        launcher = making()
        launcher.control("concert", "999999999:1", stop="keep", max_duration=None)
        assert not work.exists()


class TestDisk:
    def test_is_that_of_the_work_folders_also_before_there_are_any(self, making):
        free = making().free_disk()
        assert free is not None
        assert free > 0


class TestClean:
    def test_ends_who_is_still_at_work_there(self, making, work):
        launcher = making()
        launcher.launch(LAUNCH)
        pid, child = until(lambda: started(work), "the start")[0]
        launcher.clean("concert")
        until(lambda: not runs(pid) and not runs(child), "the end")
        assert not work.exists()

    def test_removes_the_work_folder(self, making, work):
        launcher = making("--brief")
        reference = launcher.launch(LAUNCH)
        until(lambda: not launcher.is_alive(reference), "the end")
        launcher.clean("concert")
        launcher.clean("concert")
        assert not work.exists()
