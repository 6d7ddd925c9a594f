"""What only its publisher has is asked for, said again and heard; with real processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from chronicle_contracts import naming
from chronicle_contracts.portal import JobRequested, RepeatRequested
from chronicle_messaging import Bus, MessagingSettings
from django.contrib.messages import get_messages
from django.db import transaction
from django.utils import timezone
from portal.eventlog.inbox import Inbox
from portal.eventlog.models import LoggedEvent, StoredEvent, StreamCursor
from portal.eventlog.store import portal_store
from portal.jobs.aggregate import RequestedJob
from portal.jobs.models import Job
from portal.jobs.readmodel import refold
from portal.replay import gaps

from tests.fixtures.commands import manage
from tests.fixtures.story import Story

MANAGE = Path(__file__).parents[2] / "manage.py"
STREAM = naming.seeder_stream("concert")
LOST = naming.dispatcher_stream("concert")
PATIENCE = 60


def without(story, *places):
    """Return the story as it was heard: without some places."""
    heard = Story(story.job_id)
    heard.events = [one for one in story.events if (one.stream, one.sequence) not in places]
    return heard


def wishes():
    """What the portal has asked to be said again, as it is in its outbox."""
    stored = StoredEvent.objects.filter(topic=RepeatRequested.TYPE).order_by("id")
    facts = [json.loads(bytes(row.state))["data"] for row in stored]
    return [(one["stream"], one["from_sequence"], one["to_sequence"]) for one in facts]


@pytest.mark.django_db
class TestRepair:
    def test_asks_the_publisher_for_each_hole(self, asked):
        story = Story.whole()
        asked(without(story, (STREAM, 1)))
        done = manage("gaps", "--repair", "--wait", 0, "--json")
        assert done.code == 1
        assert wishes() == [(STREAM, 1, 1)]
        said = {item["stream"]: item["became"] for item in done.json["items"]}
        assert said[STREAM] == "only its publisher has it, which is asked to say it again"
        assert done.json["counts"]["asked for"] == 1

    def test_does_not_ask_again_a_moment_later(self, asked):
        asked(without(Story.whole(), (STREAM, 1)))
        for _ in range(2):
            manage("gaps", "--repair", "--wait", 0)
        assert len(wishes()) == 1

    def test_publishes_nothing_in_a_dry_run(self, asked):
        asked(without(Story.whole(), (STREAM, 1)))
        done = manage("gaps", "--repair", "--dry-run", "--json")
        assert "would be asked for" in {item["became"] for item in done.json["items"]}
        assert wishes() == []

    def test_waits_until_it_is_said(self, transactional_db, asked, hear):
        story = Story.whole()
        asked(without(story, (STREAM, 1)))

        def answer():
            deadline = time.monotonic() + PATIENCE
            while not wishes() and time.monotonic() < deadline:
                time.sleep(0.05)
            hear(story)

        answering = threading.Thread(target=answer)
        answering.start()
        done = manage("gaps", "--repair", "--job", "concert", "--wait", PATIENCE, "--json")
        answering.join()
        became = {item["stream"]: item["became"] for item in done.json["items"]}
        assert became[STREAM] == "repaired"

    def test_is_a_line_of_the_timeline(self, asked):
        asked(without(Story.whole(), (STREAM, 1)))
        manage("gaps", "--repair", "--wait", 0)
        lines = [line["detail"] for line in Job.objects.get().timeline]
        assert f"{STREAM} from 1 to 1" in lines


@pytest.mark.django_db
class TestAsk:
    def test_is_a_call_of_the_api(self, api, hear):
        hear(Story.whole())
        answer = api("admin").post("/api/v1/gaps/ask", {"stream": STREAM, "from_sequence": 2})
        assert answer.status_code == 200, answer.json()
        assert wishes() == [(STREAM, 2, None)]

    def test_asks_for_what_comes_after_what_was_heard(self, hear):
        hear(Story.whole())
        assert manage("gaps", "--ask", STREAM).code == 0
        assert wishes() == [(STREAM, 3, None)]

    def test_is_an_action_where_a_last_word_is_waited_for(self, client, person, hear):
        hear(without(Story.whole(), (STREAM, 2)))  # it seeds, and nobody has heard it
        assert not [gap for gap in gaps.find() if gap.stream == STREAM]
        client.force_login(person("admin", is_staff=True))
        page = "/admin/projections/servicevoice/"
        listed = client.get(page).content.decode()
        assert "silent since" in listed
        action = {"action": "ask", "_selected_action": ["concert/seeder", "concert/recorder"]}
        told = [str(one) for one in get_messages(client.post(page, action).wsgi_request)]
        refused, done = sorted(told)
        assert refused.startswith("'recorder/concert' is repaired by")
        assert done == "gaps: 1 asked for"
        assert wishes() == [(STREAM, 2, None)]

    def test_asks_for_a_range(self, hear):
        hear(Story.whole())
        assert manage("gaps", "--ask", STREAM, "--from", 1, "--to", 2).code == 0
        assert wishes() == [(STREAM, 1, 2)]

    @pytest.mark.parametrize(
        ("stream", "code"),
        [("recorder/concert.1", 2), ("portal/concert", 2), ("seeder/nobody", 1), ("nonsense", 1)],
    )
    def test_knows_whom_it_can_ask(self, hear, stream, code):
        hear(Story.whole())
        assert manage("gaps", "--ask", stream).code == code
        assert wishes() == []

    def test_refuses_a_range_that_ends_before_it_begins(self, hear):
        hear(Story.whole())
        assert manage("gaps", "--ask", STREAM, "--from", 5, "--to", 2).code == 2

    def test_does_not_go_with_repair(self):
        assert manage("gaps", "--ask", STREAM, "--repair").code == 2


def until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
        time.sleep(0.05)


@pytest.fixture
def process(process_env, tmp_path):
    """Start processes that end with the test."""
    with ExitStack() as opened, (tmp_path / "processes.log").open("ab") as log:

        def start(*command):
            started = subprocess.Popen([sys.executable, *command], env=process_env, stderr=log)
            opened.callback(started.wait, 30)
            opened.callback(started.send_signal, signal.SIGTERM)
            return started

        yield start


def say(wish):
    """Say something in the portal's stream of a job that its own checks would refuse."""
    now = timezone.now()
    with transaction.atomic():
        store = portal_store()
        job = store.get(RequestedJob, "portal/concert", job_id="concert", at=now)
        wish(job, now)
        Inbox(refold).record(store.append(job))


@pytest.mark.timeout(300)
class TestALostMessage:
    def test_comes_again_from_the_dispatchers_store(self, aws_env, process):
        bus = Bus.connect(MessagingSettings())
        portal = bus.queue("portal")
        bus.url(portal.name)
        process("-m", "dispatcher")
        process(str(MANAGE), "relay")
        # The dispatcher may not record from here, and rejects the job in its first word.
        request = JobRequested(url="http://127.0.0.1:9/live.m3u8", key=Story().key, filename="a")
        say(lambda job, now: job.ask_to_record(request, at=now))

        def lose_its_word():
            messages = portal.receive(wait=1)
            portal.delete(messages)
            return any(one.event().stream == LOST for one in messages)

        until(lose_its_word, "the dispatcher's first word")
        process(str(MANAGE), "ingest")
        say(lambda job, now: job.ask_to_retry(by=None, at=now))
        until(StreamCursor.objects.filter(stream=LOST).exists, "its second word")
        assert [(gap.kind, gap.stream, gap.shown) for gap in gaps.find()] == [("hole", LOST, "1")]
        assert manage("gaps").code == 1

        done = manage("gaps", "--repair", "--wait", PATIENCE, "--json")
        assert done.code == 0, done
        assert [item["became"] for item in done.json["items"]] == ["repaired"]
        assert manage("gaps").code == 0
        heard = LoggedEvent.objects.filter(stream=LOST).order_by("sequence")
        assert [row.sequence for row in heard] == [1, 2]
        assert Job.objects.get().status == "REJECTED"
