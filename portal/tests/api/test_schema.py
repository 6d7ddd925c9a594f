from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def schema():
    return APIClient().get("/api/v1/schema").json()


def api_routes(patterns=None, prefix=""):
    for one in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from api_routes(one.url_patterns, route)
        elif isinstance(one, URLPattern) and "api/v1/" in route:
            yield route


class TestSchema:
    def test_is_valid_without_a_warning(self):
        out = StringIO()
        call_command("spectacular", validate=True, fail_on_warn=True, stdout=out)
        assert out.getvalue().startswith("openapi: 3.1")

    def test_knows_every_endpoint(self, schema):
        known = {re.sub(r"{.*?}", "*", path) for path in schema["paths"]}
        for route in api_routes():
            path = "/" + re.sub(r"\(\?P<.*?>.*?\)", "*", route).replace("^", "")
            path = path.replace("\\Z", "").replace("$", "")
            if not path.endswith(("/schema", "/docs")):
                assert path in known, path

    def test_describes_the_parts_of_a_job(self, schema):
        parts = schema["components"]["schemas"]
        assert {"Job", "JobDetail", "Progress", "Recording", "Torrent", "Problem"} <= set(parts)
        assert "media_seconds" in parts["Progress"]["properties"]
        assert "timeline" in parts["JobDetail"]["properties"]

    def test_names_the_problems_of_each_operation(self, schema):
        create = schema["paths"]["/api/v1/jobs"]["post"]["responses"]
        assert {"200", "201", "400", "401", "403", "409", "422", "429"} <= set(create)
        content = create["409"]["content"]
        assert list(content) == ["application/problem+json"]

    def test_describes_the_answers_that_are_given(self, schema, api, hear):
        jobs = schema["components"]["schemas"]["JobDetail"]["properties"]
        job_id = api().post("/api/v1/jobs", {"url": "https://example.org/x"}).json()["id"]
        assert set(api().get(f"/api/v1/jobs/{job_id}").json()) == set(jobs)


class TestDocs:
    def test_come_from_this_server_alone(self, client):
        page = client.get("/api/v1/docs").content.decode()
        sources = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert sources
        assert all(source.startswith("/") for source in sources)
        script = next(source for source in sources if source.endswith("swagger-ui-bundle.js"))
        assert client.get(script).status_code == 200
