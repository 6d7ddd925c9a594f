from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from portal.accounts.roles import Role, role_of
from rest_framework.test import APIClient

from tests.fixtures.story import Story

pytestmark = pytest.mark.django_db

NEW = {"url": "https://example.org/live"}
MATRIX = [
    # (method, path, body, least role, answer for it)
    ("get", "/api/v1/jobs", None, Role.VIEWER, 200),
    ("get", "/api/v1/jobs/concert", None, Role.VIEWER, 200),
    ("get", "/api/v1/jobs/concert/events", None, Role.VIEWER, 200),
    ("get", "/api/v1/jobs/concert/as-of?position=99", None, Role.VIEWER, 200),
    ("get", "/api/v1/jobs/concert/recording", None, Role.VIEWER, 404),
    ("get", "/api/v1/jobs/concert/torrent", None, Role.VIEWER, 404),
    ("get", "/api/v1/events", None, Role.VIEWER, 200),
    ("post", "/api/v1/jobs", NEW, Role.OPERATOR, 201),
    ("post", "/api/v1/jobs/concert/stop", {}, Role.OPERATOR, 202),
    ("post", "/api/v1/jobs/concert/extend", {"max_duration": 60}, Role.OPERATOR, 202),
    ("post", "/api/v1/jobs/concert/retry", None, Role.OPERATOR, 409),
]


class TestRole:
    def test_is_the_highest_group(self, person):
        user = person("viewer")
        user.groups.create(name="something else")
        assert role_of(user) is Role.VIEWER
        operator = person("operator")
        operator.groups.add(user.groups.get(name="viewer"))
        assert role_of(operator) is Role.OPERATOR

    def test_of_a_superuser_is_admin_and_of_strangers_none(self, person):
        assert role_of(person(is_superuser=True)) is Role.ADMIN
        assert role_of(person()) is None
        assert role_of(person("admin", is_active=False)) is None
        assert role_of(AnonymousUser()) is None


@pytest.mark.parametrize("role", [None, "nobody", *Role])
@pytest.mark.parametrize(("method", "path", "body", "least", "answer"), MATRIX)
class TestMatrix:
    def test_lets_in_who_may(self, asked, person, role, method, path, body, least, answer):
        asked(Story().requested())
        client = APIClient()
        if role == "nobody":
            client.force_login(person())
        elif role:
            client.force_login(person(role.group))
        response = getattr(client, method)(path, body)
        expected = 401 if role is None else 403 if role == "nobody" or role < least else answer
        assert response.status_code == expected, response.content
