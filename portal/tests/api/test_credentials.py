"""Cookies and headers of a job: into the vault, and nowhere else."""

from __future__ import annotations

import json

import pytest
from chronicle_contracts.dispatcher import JobRejected
from chronicle_sources import Credentials
from chronicle_vault import VaultUnreachable
from chronicle_vault.folder import FolderVault
from django.core import serializers
from django.core.files.uploadedfile import SimpleUploadedFile
from portal.api.models import IdempotencyKey
from portal.eventlog.models import LoggedEvent, StoredEvent
from portal.jobs import credentials
from portal.jobs.models import Job

from tests.fixtures.story import Story

pytestmark = pytest.mark.django_db

JOBS = "/api/v1/jobs"
URL = "https://example.org/live"
COOKIES = "example.org\tFALSE\t/\tTRUE\t0\tlogin\tgeheim-cookie\n"
GIVEN = {"headers": {"X-Key": "geheim-header"}, "cookies": COOKIES}


class AwayVault:
    def put(self, name, secret):
        raise VaultUnreachable(f"{name}: no answer")


@pytest.fixture
def vault(tmp_path, monkeypatch):
    folder = FolderVault(tmp_path / "vault")
    monkeypatch.setattr(credentials, "vault", lambda: folder)
    return folder


@pytest.fixture
def add(client, person, vault):
    """Sends the admin's form."""
    client.force_login(person("operator", is_staff=True))
    return lambda **fields: client.post("/admin/jobs/job/add/", {"url": URL} | fields)


@pytest.fixture
def submit(api, vault):
    client = api("operator")

    def post(key=None, **body):
        headers = {"idempotency-key": key} if key is not None else {}
        return client.post(JOBS, {"url": URL, "credentials": GIVEN} | body, headers=headers)

    return post


def rejection(job_id):
    """The site wants a login, and what was given opens nothing."""
    story = Story(job_id).requested()
    story.tell(JobRejected(code="needs_login", detail="Members only."))
    return story


def kept(vault):
    return sorted(one.name for one in vault.kept())


def everything_written():
    rows = [
        *LoggedEvent.objects.all(),
        *StoredEvent.objects.all(),
        *Job.objects.all(),
        *IdempotencyKey.objects.all(),
    ]
    stored = b"".join(bytes(row.state) for row in StoredEvent.objects.all())
    return serializers.serialize("json", rows) + stored.decode()


class TestSubmitting:
    def test_puts_them_into_the_vault_and_names_them_in_the_event(self, submit, vault):
        answer = submit(id="mine")
        assert answer.status_code == 201
        (name,) = kept(vault)
        assert name.startswith("mine.")
        assert Credentials.model_validate_json(vault.get(name)) == Credentials(**GIVEN)
        event = json.loads(LoggedEvent.objects.get().envelope)
        assert event["data"]["credentials"] == name

    def test_writes_and_answers_nothing_of_them(self, submit, api, caplog):
        with caplog.at_level("DEBUG"):
            answer = submit(key="k")
            job_id = answer.json()["id"]
            client = api("viewer")
            pages = [f"{JOBS}/{job_id}", f"{JOBS}/{job_id}/events", JOBS, "/api/v1/events"]
            said = [client.get(page).content.decode() for page in pages]
        assert "geheim" not in "".join([answer.content.decode(), *said, caplog.text])
        assert "geheim" not in everything_written()

    def test_without_any_keeps_nothing(self, submit, vault):
        for nothing in (None, {}, {"headers": {}, "cookies": ""}):
            assert submit(credentials=nothing).status_code == 201
        assert kept(vault) == []

    def test_again_keeps_them_once(self, submit, vault):
        first, again = submit(id="mine"), submit(id="mine")
        assert (first.status_code, again.status_code) == (201, 200)
        assert len(kept(vault)) == 1
        submit(key="k"), submit(key="k")
        assert len(kept(vault)) == 2

    def test_does_not_touch_those_of_somebody_elses_job(self, submit, api, vault):
        submit(id="mine")
        before = [(name, vault.get(name)) for name in kept(vault)]
        others = {"headers": {"X-Key": "of somebody else"}}
        api("operator").post(JOBS, {"url": URL, "id": "mine", "credentials": others})
        assert [(name, vault.get(name)) for name in kept(vault)] == before

    def test_with_and_without_them_are_two_requests(self, submit):
        submit(id="mine")
        answer = submit(id="mine", credentials=None)
        assert answer.status_code == 409
        assert "credentials" in answer.json()["detail"]

    def test_that_is_refused_keeps_none(self, submit, vault):
        assert submit(url="http://10.0.0.1/").status_code == 400
        assert submit(start_at="2020-01-01T00:00:00Z").status_code == 400
        assert kept(vault) == []

    def test_waits_for_a_vault_that_is_away(self, submit, monkeypatch):
        monkeypatch.setattr(credentials, "vault", AwayVault)
        answer = submit()
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:chronicle:problem:vault-unavailable"
        assert not LoggedEvent.objects.exists()


class TestBounds:
    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"headers": {"Host": "geheim"}}, "credentials.headers"),
            ({"headers": {"Content-Length": "geheim"}}, "credentials.headers"),
            ({"headers": {"Transfer-Encoding": "geheim"}}, "credentials.headers"),
            ({"headers": {"Connection": "geheim"}}, "credentials.headers"),
            ({"headers": {"Cookie": "geheim"}}, "credentials.headers"),
            ({"headers": {"X-Key": "geheim\r\nHost: x"}}, "credentials.headers"),
            ({"headers": {"X-Key\r\nHost": "geheim"}}, "credentials.headers"),
            ({"headers": {"X Key": "geheim"}}, "credentials.headers"),
            ({"headers": {"X-Key": "geheim" * 10_000}}, "credentials.headers"),
            ({"headers": {f"X-{n}": "geheim" for n in range(51)}}, "credentials.headers"),
            ({"headers": ["geheim"]}, "credentials.headers"),
            ({"cookies": "geheim"}, "credentials.cookies"),
            ({"cookies": COOKIES * 2000}, "credentials"),
            ({"cookie": "geheim"}, "credentials.cookie"),
            ("geheim", "credentials"),
        ],
    )
    def test_are_kept_without_repeating_what_was_sent(self, submit, vault, given, field):
        answer = submit(credentials=given)
        assert answer.status_code == 400
        assert {one["field"].removesuffix(".") for one in answer.json()["errors"]} == {field}
        assert "geheim" not in answer.content.decode()
        assert kept(vault) == []


class TestRetry:
    @pytest.fixture
    def rejected(self, submit, hear):
        job_id = submit(id="mine").json()["id"]
        hear(rejection(job_id))
        return job_id

    def test_takes_others_in_their_place(self, rejected, api, vault):
        fresh = {"headers": {"X-Key": "geheim-new"}}
        answer = api("operator").post(f"{JOBS}/{rejected}/retry", {"credentials": fresh})
        assert answer.status_code == 202
        (name,) = kept(vault)
        assert Credentials.model_validate_json(vault.get(name)) == Credentials(**fresh)
        assert "geheim" not in answer.content.decode() + everything_written()

    def test_without_any_goes_on_with_the_first(self, rejected, api, vault):
        assert api("operator").post(f"{JOBS}/{rejected}/retry").status_code == 202
        (name,) = kept(vault)
        assert Credentials.model_validate_json(vault.get(name)) == Credentials(**GIVEN)

    def test_of_a_job_that_had_none_is_refused(self, submit, hear, api, vault):
        submit(id="bare", credentials=None)
        hear(rejection("bare"))
        answer = api("operator").post(f"{JOBS}/bare/retry", {"credentials": GIVEN})
        assert answer.status_code == 400
        assert "geheim" not in answer.content.decode()
        assert kept(vault) == []


class TestAdminForm:
    def test_takes_text_and_headers(self, add, vault):
        answer = add(cookies=COOKIES, headers="X-Key: geheim-header\n")
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        (name,) = kept(vault)
        assert Credentials.model_validate_json(vault.get(name)) == Credentials(**GIVEN)

    def test_takes_a_file(self, add, vault):
        answer = add(cookie_file=SimpleUploadedFile("cookies.txt", COOKIES.encode()))
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        (name,) = kept(vault)
        assert Credentials.model_validate_json(vault.get(name)).cookies == COOKIES

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"cookies": "geheim"}, "cookies"),
            ({"headers": "geheim"}, "headers"),
            ({"headers": "Host: geheim"}, "headers"),
            ({"cookies": COOKIES, "headers": "X-Key: geheim", "url": "ftp://x.example"}, "url"),
        ],
    )
    def test_never_shows_them_again(self, add, vault, fields, wrong):
        answer = add(**fields)
        assert answer.status_code == 200
        assert list(answer.context["adminform"].form.errors) == [wrong]
        assert "geheim" not in answer.content.decode()
        assert kept(vault) == []


class TestChoice:
    def test_of_sound_and_height_stands_in_the_event(self, submit):
        assert submit(audio_only=True, max_height=720, credentials=None).status_code == 201
        data = json.loads(LoggedEvent.objects.get().envelope)["data"]
        assert (data["audio_only"], data["max_height"]) == (True, 720)

    @pytest.mark.parametrize("height", [0, -1, 15, "high", 10**9])
    def test_of_a_height_has_bounds(self, submit, height):
        answer = submit(max_height=height)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "max_height"

    def test_is_part_of_what_was_asked(self, submit):
        submit(id="mine", credentials=None)
        assert submit(id="mine", credentials=None, audio_only=True).status_code == 409

    def test_is_offered_by_the_admin(self, add):
        answer = add(audio_only="on", max_height="480")
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        data = json.loads(LoggedEvent.objects.get().envelope)["data"]
        assert (data["audio_only"], data["max_height"]) == (True, 480)
