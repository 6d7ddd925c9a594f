from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest
from asgiref.sync import async_to_sync
from chronicle_contracts.portal import RecordingDeleted
from chronicle_contracts.webseed import webseed_token, webseed_url
from chronicle_storage import StoreUnreachable
from django.test import AsyncClient
from django.utils.http import http_date
from portal.configuration import portal_settings
from portal.downloads.store import recording_store

from tests.fixtures.aws import free_port
from tests.fixtures.story import Story

SECRET = "only the seeder and the portal know it"
DATA = bytes(range(256)) * 5000  # more than one chunk of the store
RECORDING = "/api/v1/jobs/concert/recording"
TORRENT = "/api/v1/jobs/concert/torrent"


@pytest.fixture
def configured(monkeypatch):
    """A source of settings for the portal's process; they are read anew at once."""

    def forget():
        portal_settings.cache_clear()
        recording_store.cache_clear()

    def configure(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        forget()

    yield configure
    monkeypatch.undo()
    forget()


@pytest.fixture
def store(tmp_path, configured):
    """A local store; the portal serves what is put there."""
    configured(CHRONICLE_RECORDINGS=str(tmp_path), CHRONICLE_WEBSEED_SECRET=SECRET)
    return recording_store()


@pytest.fixture
def story(store, hear):
    """A whole job whose recording and torrent lie in the store."""
    story = Story.whole()
    store.put(story.key, DATA)
    store.put(story.key + ".torrent", b"d4:infode")
    hear(story)
    return story


@pytest.fixture
def seed(story):
    return f"/webseed/{webseed_token(story.key, SECRET)}/{story.key}"


def body(answer):
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.mark.parametrize("address", [RECORDING, "seed"])
class TestRanges:
    @pytest.fixture
    def get(self, api, seed, address):
        viewer, path = api("viewer"), seed if address == "seed" else address

        def ask(method="get", **headers):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return getattr(viewer, method)(path, headers=named)

        return ask

    def test_the_whole_is_sent_without_one(self, get):
        answer = get()
        assert answer.status_code == 200
        assert body(answer) == DATA
        assert answer["Content-Length"] == str(len(DATA))
        assert answer["Accept-Ranges"] == "bytes"
        assert answer["Content-Type"] == "video/matroska"

    def test_one_range_is_sent_as_asked(self, get):
        answer = get(range="bytes=1000-1099")
        assert answer.status_code == 206
        assert body(answer) == DATA[1000:1100]
        assert answer["Content-Range"] == f"bytes 1000-1099/{len(DATA)}"
        assert answer["Content-Length"] == "100"

    @pytest.mark.parametrize(
        ("asked", "sent"), [("bytes=-5", DATA[-5:]), ("bytes=1279000-", DATA[1279000:])]
    )
    def test_the_end_can_be_left_open(self, get, asked, sent):
        assert body(get(range=asked)) == sent

    @pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "bytes=x", "lines=1-2"])
    def test_others_are_answered_with_the_whole(self, get, asked):
        answer = get(range=asked)
        assert answer.status_code == 200
        assert body(answer) == DATA

    def test_beyond_the_end_is_416_with_the_size(self, get):
        answer = get(range=f"bytes={len(DATA)}-")
        assert answer.status_code == 416
        assert answer["Content-Range"] == f"bytes */{len(DATA)}"
        assert answer["Content-Type"] == "application/problem+json"

    def test_head_has_the_headers_and_no_body(self, get):
        whole, part = get("head"), get("head", range="bytes=0-9")
        assert (whole.status_code, whole["Content-Length"]) == (200, str(len(DATA)))
        assert (part.status_code, part["Content-Length"]) == (206, "10")
        assert body(whole) == body(part) == b""

    def test_if_range_gives_the_part_of_the_same_object_alone(self, get):
        first = get("head")
        etag, modified = first["ETag"], first["Last-Modified"]
        assert re.fullmatch(r'"[^"]+"', etag)
        for same in (etag, modified):
            assert get(range="bytes=0-0", if_range=same).status_code == 206
        for other in ('"other"', f"W/{etag}", http_date(0), "nonsense"):
            assert get(range="bytes=0-0", if_range=other).status_code == 200
        beyond = get(range=f"bytes={len(DATA)}-", if_range='"other"')
        assert beyond.status_code == 200

    def test_what_the_client_has_is_not_sent_again(self, get):
        first = get("head")
        assert get(if_none_match=first["ETag"]).status_code == 304
        assert get(if_none_match='"other", W/' + first["ETag"]).status_code == 304
        assert get(if_none_match='"other"').status_code == 200
        assert get(if_modified_since=first["Last-Modified"]).status_code == 304
        assert get(if_modified_since=http_date(0)).status_code == 200

    def test_the_browser_is_told_to_save_it_and_not_to_run_it(self, get, story):
        answer = get()
        name = story.key.rsplit("/", 1)[-1]
        assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer["Content-Security-Policy"]

    def test_accept_makes_no_difference(self, get):
        assert get(accept="video/mp4", range="bytes=0-0").status_code == 206


class TestRecording:
    def test_is_a_404_until_there_is_one(self, api, hear, store):
        hear(Story().requested())
        answer = api("viewer").get(RECORDING)
        assert answer.status_code == 404
        assert "PENDING" in answer.json()["detail"]

    def test_is_a_404_once_it_was_deleted_or_is_gone(self, api, story, store, hear):
        store.delete(story.key)
        assert api("viewer").get(RECORDING).status_code == 404
        store.put(story.key, DATA)
        story.tell(RecordingDeleted(key=story.key, reason="age"))
        hear(story)
        assert api("viewer").get(RECORDING).status_code == 404

    def test_of_an_unknown_job_is_a_404(self, api, store):
        assert api("viewer").get("/api/v1/jobs/nothing/recording").status_code == 404

    def test_may_be_empty(self, api, story, store):
        store.put(story.key, b"")
        answer = api("viewer").get(RECORDING)
        assert (answer.status_code, body(answer)) == (200, b"")
        assert api("viewer").get(RECORDING, headers={"range": "bytes=0-"}).status_code == 416

    def test_is_streamed_by_an_async_iterator_under_asgi(self, person, story):
        client = AsyncClient()
        client.force_login(person("viewer"))

        @async_to_sync
        async def fetch():
            answer: Any = await client.get(RECORDING, headers={"range": "bytes=7-"})
            assert answer.is_async
            return b"".join([chunk async for chunk in answer.streaming_content])

        assert fetch() == DATA[7:]

    def test_is_a_503_while_the_store_does_not_answer(self, api, story, monkeypatch):
        def unreachable(*_, **__):
            raise StoreUnreachable("the disk is away")

        monkeypatch.setattr(type(recording_store()), "stat", unreachable)
        answer = api("viewer").get(RECORDING)
        assert answer.status_code == 503
        assert "disk" not in answer.json()["detail"]


class TestTorrent:
    def test_is_sent_with_its_type_and_name(self, api, story):
        answer = api("viewer").get(TORRENT)
        assert body(answer) == b"d4:infode"
        assert answer["Content-Type"] == "application/x-bittorrent"
        assert answer["Content-Disposition"].endswith('.mkv.torrent"')

    def test_is_a_404_until_there_is_one(self, api, hear, store):
        hear(Story().requested().accepted().launched().recording().ended().uploaded())
        assert api("viewer").get(TORRENT).status_code == 404


class TestWebSeed:
    def test_address_of_the_seeder_opens_it_without_a_login(self, client, story):
        address = webseed_url("http://testserver", story.key, SECRET)
        assert body(client.get(address)) == DATA

    @pytest.mark.parametrize("token", ["0" * 32, "x", "%C3%A4" * 32])
    def test_a_wrong_token_opens_nothing(self, client, story, token):
        assert client.get(f"/webseed/{token}/{story.key}").status_code == 404

    def test_a_token_opens_its_own_object_alone(self, client, story, seed, store):
        store.put("recordings/other.mkv", b"x")
        other = seed.replace(story.key, "recordings/other.mkv")
        assert client.get(other).status_code == 404

    @pytest.mark.parametrize(
        "key", ["../secret", "/etc/passwd", "a/../../b", "recordings/none.mkv"]
    )
    def test_a_right_token_opens_no_path_outside_the_store(self, client, store, key):
        assert client.get(f"/webseed/{webseed_token(key, SECRET)}/{key}").status_code == 404

    def test_nothing_opens_without_a_secret(self, client, story, seed, configured):
        configured(CHRONICLE_WEBSEED_SECRET="")
        assert client.get(seed).status_code == 404

    def test_is_not_for_writing(self, client, seed):
        assert client.post(seed).status_code == 405


class TestBucket:
    @pytest.fixture
    def bucket(self, aws_env, configured, hear):
        configured(
            S3_BUCKET=f"{aws_env['CHRONICLE_PREFIX']}-recordings", CHRONICLE_WEBSEED_SECRET=SECRET
        )
        story = Story.whole()
        recording_store().put(story.key, DATA)
        hear(story)
        return story

    def test_serves_its_recordings_itself_by_a_signed_address(self, api, bucket):
        answer = api("viewer").get(RECORDING)
        assert answer.status_code == 302
        part = httpx.get(answer["Location"], headers={"Range": "bytes=5-9"})
        assert (part.status_code, part.content) == (206, DATA[5:10])
        name = bucket.key.rsplit("/", 1)[-1]
        assert part.headers["Content-Disposition"] == f'attachment; filename="{name}"'

    def test_tells_the_size_without_sending_anybody_away(self, api, bucket):
        answer = api("viewer").head(RECORDING)
        assert (answer.status_code, answer["Content-Length"]) == (200, str(len(DATA)))

    def test_never_redirects_a_torrent_client(self, client, bucket):
        seed = f"/webseed/{webseed_token(bucket.key, SECRET)}/{bucket.key}"
        answer = client.get(seed, headers={"range": "bytes=5-9"})
        assert (answer.status_code, body(answer)) == (206, DATA[5:10])


class TestServer:
    def test_serves_ranges_over_the_wire(
        self, process_env, tmp_path, store, person, token_of, hear
    ):
        story = Story.whole()
        store.put(story.key, DATA)
        hear(story)
        port = free_port()
        environment = process_env | {
            "CHRONICLE_RECORDINGS": str(tmp_path),
            "CHRONICLE_WEBSEED_SECRET": SECRET,
        }
        command = ["gunicorn", "portal.asgi:application", "-k", "uvicorn_worker.UvicornWorker"]
        with subprocess.Popen(
            [sys.executable, "-m", *command, "-b", f"127.0.0.1:{port}"],
            env=os.environ | environment,
            stderr=subprocess.DEVNULL,
        ) as server:
            try:
                base = f"http://127.0.0.1:{port}"
                wait_for(f"{base}/health/ready")
                headers = {"Authorization": f"Bearer {token_of(person('viewer'))}"}
                with httpx.Client(base_url=base, headers=headers) as client:
                    head = client.head(RECORDING)
                    assert head.headers["Content-Length"] == str(len(DATA))
                    with client.stream("GET", RECORDING) as interrupted:
                        kept = next(interrupted.iter_raw())
                    rest = client.get(
                        RECORDING,
                        headers={"Range": f"bytes={len(kept)}-", "If-Range": head.headers["ETag"]},
                    )
                    assert rest.status_code == 206
                    assert kept + rest.content == DATA
                assert httpx.get(webseed_url(base, story.key, SECRET)).content == DATA
            finally:
                server.terminate()


def wait_for(address):
    deadline = time.monotonic() + timedelta(seconds=30).total_seconds()
    while time.monotonic() < deadline:
        try:
            if httpx.get(address).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"{address} does not answer")
