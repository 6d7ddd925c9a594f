"""Bodies that are larger than anybody but an admin may send, through the ASGI application."""

from __future__ import annotations

import json

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application
from portal.api.bodies import BoundedBodies
from portal.replay import exports

CHUNK = b"x" * 65_536
NAME = "log.jsonl"


@pytest.fixture
def small(settings):
    """A limit of two chunks."""
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * len(CHUNK)


@pytest.fixture
def put():
    """Bring an export of so many chunks; return status, body, and how many chunks were taken."""

    def bring(chunks, *, path=f"/api/v1/exports/{NAME}", **headers):
        scope = {
            "type": "http",
            "method": "PUT",
            "path": path,
            "query_string": b"",
            "headers": [
                (b"host", b"127.0.0.1"),
                *((name.lower().encode(), value.encode()) for name, value in headers.items()),
            ],
            "client": ["127.0.0.1", 50_000],
        }
        return talk(scope, chunks)

    @async_to_sync
    async def talk(scope, chunks):
        server = ApplicationCommunicator(BoundedBodies(get_asgi_application()), scope)
        for number in range(chunks):
            more = number + 1 < chunks
            await server.send_input({"type": "http.request", "body": CHUNK, "more_body": more})
        start = await server.receive_output(60)
        body = await server.receive_output(60)
        left = server.input_queue.qsize()
        await server.wait(60)
        return start["status"], json.loads(body["body"] or b"null"), chunks - left

    return bring


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small")
class TestBodies:
    def test_of_a_stranger_are_refused_before_they_are_whole(self, put):
        status, problem, taken = put(100)
        assert (status, problem["status"], taken) == (413, 413, 3)
        assert "only admins" in problem["detail"]

    @pytest.mark.parametrize("role", ["viewer", "operator"])
    def test_of_those_who_may_not_bring_exports_are_refused(self, put, person, token_of, role):
        status, _, _ = put(3, Authorization=f"Bearer {token_of(person(role))}")
        assert status == 413

    def test_of_a_token_that_is_none_are_refused(self, put):
        status, _, _ = put(3, Authorization="Bearer chr_nothing")
        assert status == 413

    def test_of_admins_are_taken(self, put, person, token_of):
        status, _, _ = put(5, Authorization=f"Bearer {token_of(person('admin'))}")
        assert status == 201
        assert exports.to_read(NAME).stat().st_size == 5 * len(CHUNK)

    def test_of_an_admin_who_is_logged_in_are_taken(self, put, client, person):
        client.force_login(person("admin"))
        cookies = "; ".join(f"{name}={one.value}" for name, one in client.cookies.items())
        status, problem, _ = put(5, Cookie=cookies)
        # Taken in, and refused by the view: there is no word against forgery.
        assert (status, "CSRF" in problem["detail"]) == (403, True)

    def test_that_are_small_go_on_to_the_view(self, put):
        status, _, _ = put(2)
        assert status == 401
