"""The replay tooling over HTTP: viewers read, admins act."""

from __future__ import annotations

import errno

import pytest
from chronicle_messaging import Bus, MessagingSettings
from portal.eventlog.inbox import Arrival, Inbox
from portal.eventlog.models import LoggedEvent, ParkedJob, QuarantinedMessage, StreamCursor
from portal.jobs.models import Job
from portal.jobs.readmodel import refold
from portal.projections.registry import NAMES, PROJECTIONS
from portal.replay import builds, exports
from portal.replay.errors import Unavailable
from portal.replay.exporting import export
from portal.replay.models import Replay
from portal.replay.records import Call

from tests.fixtures.commands import columns, everything, manage
from tests.fixtures.story import Story

V1 = "/api/v1"

READS = ("/replays", "/gaps", "/parked", "/quarantine")
ACTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/replays", {"verb": "swap"}),
    ("/gaps/repair", {}),
    ("/gaps/accept", {"stream": "recorder/concert.1", "reason": "x"}),
    ("/parked/concert/retry", {}),
    ("/parked/concert/skip", {"reason": "x"}),
    ("/quarantine/1/release", {}),
    ("/quarantine/1/drop", {"reason": "x"}),
    ("/dead-letters/seeder/redrive", {}),
    ("/dead-letters/seeder/drop", {"message": "m", "reason": "x"}),
)


@pytest.mark.django_db
class TestRoles:
    @pytest.mark.parametrize("path", READS)
    def test_viewers_read(self, api, path):
        assert api("viewer").get(V1 + path).status_code == 200
        assert api(None).get(V1 + path).status_code == 401

    @pytest.mark.parametrize(("path", "body"), ACTS)
    def test_only_admins_act(self, api, path, body):
        before = everything()
        assert api("operator").post(V1 + path, body).status_code == 403
        assert api(None).post(V1 + path, body).status_code == 401
        assert everything() == before


@pytest.mark.django_db
class TestGaps:
    def test_are_shown_and_accepted(self, api, hear):
        hear(Story.whole())
        (gap,) = api("viewer").get(V1 + "/gaps").json()["results"]
        assert gap == {
            "kind": "tail",
            "stream": "recorder/concert.1",
            "job": "concert",
            "missing": "5...",
            "repair": "journal",
        }
        report = api("admin").post(V1 + "/gaps/repair", {"dry_run": True}).json()
        assert (report["left"], report["record"]) == (1, None)
        record = api("admin").post(V1 + "/gaps/repair", {"jobs": ["concert"]}).json()
        assert record["outcome"] == "queued"
        assert manage("replays", "work").code == 1
        record = api("viewer").get(f"{V1}/replays/{record['id']}").json()
        assert (record["verb"], record["counts"]) == ("gaps", {"not repaired": 1})
        body = {"stream": gap["stream"], "reason": "the machine burnt"}
        assert api("admin").post(V1 + "/gaps/accept", body).status_code == 200
        assert api("viewer").get(V1 + "/gaps").json() == {"results": []}


@pytest.mark.django_db
class TestParked:
    def test_are_shown_and_skipped(self, api, poison):
        row = poison(Story.whole("bad"), 1)
        (found,) = api("viewer").get(V1 + "/parked").json()["results"]
        assert (found["job"], found["position"]) == ("bad", row.position)
        admin = api("admin")
        retried = admin.post(V1 + "/parked/bad/retry", {}).json()
        assert (retried["left"], retried["counts"]) == (1, {"still parked": 1})
        skipped = admin.post(V1 + "/parked/bad/skip", {"reason": "nonsense"})
        assert skipped.json()["left"] == 0
        assert not ParkedJob.objects.exists()
        again = admin.post(V1 + "/parked/bad/skip", {"reason": "nonsense"})
        assert again.status_code == 404
        assert again["Content-Type"] == "application/problem+json"

    def test_cannot_be_seen_as_of_a_moment_without_a_sentence(self, api, poison):
        row = poison(Story.whole("bad"), 1)
        answer = api("viewer").get(f"{V1}/jobs/bad/as-of", {"position": row.position})
        assert answer.status_code == 409
        assert "cannot be folded" in answer.json()["detail"]


@pytest.mark.django_db
class TestQuarantine:
    def test_is_shown_released_and_dropped(self, api):
        Inbox(refold).receive([Arrival("{broken")])
        (row,) = api("viewer").get(V1 + "/quarantine").json()["results"]
        assert row["body"] == "{broken"
        path = f"{V1}/quarantine/{row['id']}"
        admin = api("admin")
        assert admin.post(path + "/release", {}).json()["left"] == 1
        assert admin.post(path + "/drop", {}).status_code == 400
        assert admin.post(path + "/drop", {"reason": "a stranger's"}).status_code == 200
        assert QuarantinedMessage.objects.get().dropped_because == "a stranger's"
        assert admin.post(path + "/release", {}).status_code == 409
        assert admin.get(path).json()["dropped_because"] == "a stranger's"


@pytest.mark.django_db(transaction=True)
class TestReplays:
    def wait(self, client, answer):
        assert (answer.status_code, answer.json()["outcome"]) == (202, "queued"), answer.json()
        manage("replays", "work")
        return client.get(f"{V1}/replays/{answer.json()['id']}").json()

    def test_rebuild_goes_on_behind_the_answer_and_is_swapped_in(self, api, hear):
        hear(Story.whole())
        Job.objects.update(status="FAILED")
        admin = api("admin")
        record = self.wait(admin, admin.post(V1 + "/replays", {"verb": "rebuild"}))
        assert (record["outcome"], record["counts"]["changed"]) == ("done", 1)
        assert record["requested_by"].startswith("admin-")
        report = admin.post(V1 + "/replays", {"verb": "swap"}).json()
        assert report["items"] == [{"job": "concert", "change": "status", "projection": "jobs"}]
        assert Job.objects.get().status == "COMPLETED"
        assert admin.post(V1 + "/replays", {"verb": "swap"}).status_code == 409
        assert admin.post(V1 + "/replays", {"verb": "rollback"}).status_code == 200
        record = self.wait(admin, admin.post(V1 + "/replays", {"verb": "verify"}))
        assert (record["outcome"], record["left"]) == ("incomplete", 1)
        verbs = [one["verb"] for one in admin.get(V1 + "/replays").json()["results"]]
        assert verbs == ["verify", "rollback", "swap", "rebuild"]

    def test_a_dry_run_is_waited_for_and_leaves_nothing(self, api, hear):
        hear(Story.whole())
        before = everything()
        answer = api("admin").post(V1 + "/replays", {"verb": "rebuild", "dry_run": True})
        assert (answer.status_code, answer.json()["record"]) == (200, None)
        assert everything() == before

    def test_exports_and_imports_the_log(self, api, hear):
        hear(Story.whole())
        admin, viewer = api("admin"), api("viewer")
        order = {"verb": "export", "file": "log.jsonl"}
        record = self.wait(admin, admin.post(V1 + "/replays", order))
        assert (record["verb"], record["outcome"]) == ("export", "done")
        assert admin.post(V1 + "/replays", order).status_code == 409
        (listed,) = viewer.get(V1 + "/exports").json()["results"]
        answer = viewer.get(f"{V1}/exports/{listed['file']}")
        body = b"".join(answer.streaming_content)
        assert (answer["Content-Type"], len(body)) == ("application/jsonl", listed["size"])
        live = columns()
        for one in PROJECTIONS:
            one.model._default_manager.all().delete()
        LoggedEvent.objects.all().delete()
        StreamCursor.objects.all().delete()
        path = V1 + "/exports/brought.jsonl"
        assert viewer.put(path, body, content_type="application/jsonl").status_code == 403
        assert admin.put(path, body, content_type="application/jsonl").status_code == 201
        assert admin.put(path, body, content_type="application/jsonl").status_code == 409
        order = {"verb": "import", "file": "brought.jsonl"}
        record = self.wait(admin, admin.post(V1 + "/replays", order))
        assert (record["verb"], record["outcome"]) == ("import", "done")
        assert columns() == live
        assert viewer.delete(path).status_code == 403
        assert admin.delete(path).status_code == 204
        assert admin.delete(path).status_code == 404
        assert [one["file"] for one in viewer.get(V1 + "/exports").json()["results"]] == [
            "log.jsonl"
        ]

    def test_keeps_nothing_of_an_export_that_broke_off_on_its_way(self, settings):
        chunks = iter([b"{}\n"])

        def read(_):
            for chunk in chunks:
                return chunk
            raise OSError(errno.ENOSPC, "No space left on device")

        with pytest.raises(Unavailable, match="free space"):
            exports.keep("log.jsonl", read)
        assert list(settings.EXPORTS.iterdir()) == []

    def test_goes_on_with_no_export_that_the_command_line_began(self, api, hear, tmp_path):
        hear(Story.whole())
        path = tmp_path / "log.jsonl"

        def stop(done, _total):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            export(Call(progress=stop), path)
        record = Replay.objects.get()
        answer = api("admin").post(f"{V1}/replays/{record.pk}/resume")
        assert (answer.status_code, "no name of an export" in answer.content.decode()) == (
            400,
            True,
        )
        record.refresh_from_db()
        assert record.outcome == "interrupted"

    @pytest.mark.parametrize(
        "name", ["../log.jsonl", "log.txt", ".jsonl", "a/b.jsonl", "lo g.jsonl"]
    )
    def test_keeps_exports_in_their_folder(self, api, name):
        for verb in ("export", "import"):
            answer = api("admin").post(V1 + "/replays", {"verb": verb, "file": name})
            assert answer.status_code == 400, answer.json()
        assert not Replay.objects.exists()

    def test_says_what_is_wrong_with_an_order(self, api, hear):
        admin = api("admin")
        for body in (
            {"verb": "explode"},
            {"verb": "replay"},
            {"verb": "export"},
            {"verb": "replay", "to": "seeder"},
            {"verb": "swap", "colour": "red"},
        ):
            answer = admin.post(V1 + "/replays", body)
            assert answer.status_code == 400
            assert answer["Content-Type"] == "application/problem+json"
            assert answer.json()["errors"]
        assert not Replay.objects.exists()

    def test_sends_events_and_dead_letters_to_a_queue(self, api, hear, aws_env):
        bus = Bus.connect(MessagingSettings())
        hear(Story.whole())
        admin = api("admin")
        order = {"verb": "replay", "to": "seeder", "types": ["Uploaded"], "force": True}
        record = self.wait(admin, admin.post(V1 + "/replays", order))
        assert (record["counts"], record["parameters"]["force"]) == ({"sent": 1}, True)
        (message,) = bus.queue("seeder").receive(wait=5)
        assert message.event().forced_by == record["id"]
        bus.queue("seeder").quarantine(message, "cannot be handled")
        depths = api("viewer").get(V1 + "/dead-letters").json()["results"]
        assert {one["queue"]: one["visible"] for one in depths}["seeder"] == 1
        (letter,) = api("viewer").get(V1 + "/dead-letters/seeder").json()["results"]
        assert (letter["job"], letter["reason"]) == ("concert", "cannot be handled")
        answer = admin.post(V1 + "/dead-letters/seeder/redrive", {})
        assert self.wait(admin, answer)["counts"] == {"redriven": 1}
        (again,) = bus.queue("seeder").receive(wait=5)
        bus.queue("seeder").quarantine(again, "still not")
        (letter,) = api("viewer").get(V1 + "/dead-letters/seeder").json()["results"]
        body = {"message": letter["message"], "reason": "enough"}
        assert admin.post(V1 + "/dead-letters/seeder/drop", body).status_code == 200
        assert api("viewer").get(V1 + "/dead-letters/nobody").status_code == 404

    def test_says_that_the_queues_are_away(self, api, monkeypatch):
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        answer = api("viewer").get(V1 + "/dead-letters")
        assert answer.status_code == 503
        assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
def parked_row():
    return ParkedJob.objects.get().pk


class TestAdmin:
    @pytest.fixture
    def act(self, client, person):
        def run(model, action, *keys, role="admin", **fields):
            client.force_login(person(role, is_staff=True))
            app, name = model.split(".")
            body = {"action": action, "_selected_action": keys, **fields}
            return client.post(f"/admin/{app}/{name}/", body, follow=True).content.decode()

        return run

    def test_repairs_skips_releases_and_drops(self, act, hear, poison):
        hear(Story.whole())
        poison(Story.whole("bad"), 1)
        Inbox(refold).receive([Arrival("{broken")])
        message = QuarantinedMessage.objects.get()
        assert "on its way" in act("eventlog.streamcursor", "repair", "recorder/concert.1")
        assert manage("replays", "work").code == 1
        assert "still parked" in act("eventlog.parkedjob", "retry", parked_row())
        assert "say why" in act("eventlog.parkedjob", "skip", parked_row())
        assert "1 skipped" in act(
            "eventlog.parkedjob", "skip", ParkedJob.objects.get().pk, reason="nonsense"
        )
        assert "1 refused" in act("eventlog.quarantinedmessage", "release", message.pk)
        act("eventlog.quarantinedmessage", "drop", message.pk, reason="a stranger's")
        message.refresh_from_db()
        assert message.dropped_because == "a stranger's"
        assert Replay.objects.filter(requested_by__startswith="admin-").count() == 5

    def test_swaps_and_rolls_back(self, act, hear):
        hear(Story.whole())
        active = builds.active(NAMES)
        assert "run `rebuild` first" in act("replay.build", "swap_in", active.pk)
        assert "no table" in act("replay.build", "roll_back", active.pk)

    def test_lets_operators_only_look(self, act, poison):
        poison(Story.whole("bad"), 1)
        act(
            "eventlog.parkedjob",
            "skip",
            ParkedJob.objects.get().pk,
            role="operator",
            reason="nonsense",
        )
        assert ParkedJob.objects.exists()
        assert LoggedEvent.objects.exists()

    def test_finds_streams_that_lack_something(self, client, person, hear):
        hear(Story.whole())
        client.force_login(person("viewer", is_staff=True))
        pages = {
            value: client.get("/admin/eventlog/streamcursor/", {"gaps": value}).content.decode()
            for value in ("yes", "tail", "no")
        }
        assert "recorder/concert.1" in pages["tail"]
        assert "recorder/concert.1" not in pages["yes"]
        assert "recorder/concert.1" not in pages["no"]
        assert "recorder/concert.2" in pages["no"]
