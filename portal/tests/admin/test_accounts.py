from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group, User
from portal.accounts.models import ApiToken
from portal.accounts.roles import Role, role_of
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

TOKENS = "/admin/accounts/apitoken/"


@pytest.fixture
def browser(client, person):
    """An admin who is no superuser."""
    client.force_login(person("admin", is_staff=True))
    return client


class TestTokens:
    @pytest.fixture
    def made(self, browser, person):
        fields = {"user": person("viewer").pk, "name": "ci", "expires_at_0": "", "expires_at_1": ""}
        return browser.post(TOKENS + "add/", fields)

    def test_are_shown_once_when_they_are_made(self, browser, made):
        (plain,) = set(re.findall(r"chr_[\w-]{40,}", made.content.decode()))
        assert "no-store" in made["Cache-Control"]
        assert (
            APIClient()
            .get("/api/v1/jobs", headers={"authorization": f"Bearer {plain}"})
            .status_code
            == 200
        )
        token = ApiToken.objects.get()
        for page in (TOKENS, f"{TOKENS}{token.pk}/change/", "/admin/"):
            assert plain not in browser.get(page).content.decode()
        assert plain not in str(browser.session.items()) + str(browser.cookies)

    def test_can_be_revoked_and_not_edited(self, browser, made):
        token = ApiToken.objects.get()
        browser.post(TOKENS, {"action": "revoke", "_selected_action": [token.pk]})
        token.refresh_from_db()
        assert token.revoked_at is not None
        assert browser.post(f"{TOKENS}{token.pk}/change/", {"name": "x"}).status_code == 403

    @pytest.mark.parametrize("role", ["viewer", "operator"])
    def test_are_for_admins_alone(self, client, person, role):
        client.force_login(person(role, is_staff=True))
        assert client.get(TOKENS).status_code == 403
        assert client.get(TOKENS + "add/").status_code == 403


class TestUsers:
    def test_are_made_with_a_role(self, browser):
        operator = Group.objects.get_or_create(name="operator")[0]
        answer = browser.post(
            "/admin/auth/user/add/",
            {
                "username": "kim",
                "usable_password": "true",
                "password1": "olive-black-17",
                "password2": "olive-black-17",
                "groups": [operator.pk],
                "is_staff": "on",
            },
        )
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        assert role_of(User.objects.get(username="kim")) is Role.OPERATOR

    def test_cannot_take_the_groups_of_roles_away(self, browser):
        group = Group.objects.get_or_create(name="viewer")[0]
        address = f"/admin/auth/group/{group.pk}"
        assert browser.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
        assert browser.post(f"{address}/change/", {"name": "x"}).status_code == 403

    def test_can_be_deleted_with_their_tokens(self, browser, person, token_of):
        user = person("viewer")
        token_of(user)
        answer = browser.post(f"/admin/auth/user/{user.pk}/delete/", {"post": "yes"})
        assert answer.status_code == 302
        assert not User.objects.filter(pk=user.pk).exists()
