from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from portal.accounts import attempts, tokens
from portal.accounts.models import ApiToken
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

JOBS = "/api/v1/jobs"
STRONG = tokens.PREFIX + "a1" * 20


def ask(plain, scheme="Bearer"):
    return APIClient().get(JOBS, headers={"authorization": f"{scheme} {plain}"})


class TestToken:
    def test_is_kept_as_a_digest_alone(self, person, token_of):
        plain = token_of(person("viewer"))
        row = ApiToken.objects.values().get()
        assert plain not in str(row)
        assert row["digest"] == tokens.digest(plain)
        assert plain.startswith("chr_")

    def test_opens_the_api_and_notes_its_use(self, person, token_of):
        plain = token_of(person("viewer"))
        assert ask(plain).status_code == 200
        assert ask(plain, "bearer").status_code == 200
        used = ApiToken.objects.get().last_used_at
        assert used is not None
        ask(plain)
        assert ApiToken.objects.get().last_used_at == used  # not a write for each request

    def test_opens_nothing_once_revoked_or_expired(self, person, token_of):
        past = timezone.now() - timedelta(seconds=1)
        for state in ({"revoked_at": past}, {"expires_at": past}):
            answer = ask(token_of(person("viewer"), **state))
            assert answer.status_code == 401
        assert "expired" in answer.json()["detail"]

    def test_opens_nothing_for_a_user_who_is_not_active(self, person, token_of):
        assert ask(token_of(person("viewer", is_active=False))).status_code == 401

    @pytest.mark.parametrize("plain", ["", "chr_wrong", "two words", "\xe4\xf6"])
    def test_that_is_none_is_refused_with_a_challenge(self, plain):
        answer = ask(plain)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == 'Bearer realm="chronicle"'


class TestFailedLogins:
    def test_make_the_address_wait_even_with_a_right_token(self, person, token_of):
        plain = token_of(person("viewer"))
        for _ in range(attempts.MOST):
            assert ask("chr_guess").status_code == 401
        answer = ask(plain)
        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= attempts.WINDOW

    @pytest.mark.parametrize("address", ["/login/", "/admin/login/"])
    def test_with_a_password_make_it_wait_too(self, client, person, address):
        user = person("admin", password="right-enough-1", is_staff=True)
        for _ in range(attempts.MOST):
            client.post(address, {"username": user.username, "password": "wrong"})
        answer = client.post(address, {"username": user.username, "password": "right-enough-1"})
        assert answer.status_code == 200  # the form again
        assert "Too many failed logins" in answer.content.decode()

    def test_do_not_keep_a_right_password_out_before_that(self, client, person):
        user = person("viewer", password="right-enough-1")
        client.post("/login/", {"username": user.username, "password": "wrong"})
        answer = client.post("/login/", {"username": user.username, "password": "right-enough-1"})
        assert (answer.status_code, answer["Location"]) == (302, "/")


class TestCreateToken:
    def test_prints_a_token_that_opens_the_api(self, person):
        out = StringIO()
        call_command("create_token", user=person("viewer").username, name="ci", stdout=out)
        assert ask(out.getvalue().strip()).status_code == 200

    def test_can_make_it_expire(self, person):
        call_command(
            "create_token", user=person("viewer").username, name="ci", days=1, stdout=StringIO()
        )
        expires = ApiToken.objects.get().expires_at
        assert expires is not None
        assert timedelta(hours=23) < expires - timezone.now() <= timedelta(days=1)

    def test_refuses_an_unknown_user_and_a_lifetime_of_nothing(self, person):
        with pytest.raises(CommandError, match="no user"):
            call_command("create_token", user="nobody", name="ci")
        with pytest.raises(CommandError, match="--days"):
            call_command("create_token", user=person().username, name="ci", days=0)


class TestEnsureToken:
    @pytest.fixture
    def ensure(self, person, monkeypatch):
        user = person("admin")

        def run(plain, name="cli", user=user):
            monkeypatch.setenv("CHRONICLE_API_TOKEN", plain)
            call_command("ensure_token", user=user.username, name=name, stdout=StringIO())

        return run

    def test_can_be_repeated(self, ensure):
        ensure(STRONG)
        ensure(STRONG)
        assert ApiToken.objects.count() == 1
        assert ask(STRONG).status_code == 200

    def test_revokes_the_older_token_of_the_name_and_no_other(self, ensure):
        ensure(STRONG, name="other")
        ensure(STRONG + "1")
        ensure(STRONG + "2")
        assert [ask(STRONG + end).status_code for end in ("", "1", "2")] == [200, 401, 200]

    @pytest.mark.parametrize("weak", ["", "short", "x" * 40 + " y"])
    def test_refuses_an_empty_or_weak_one(self, ensure, weak):
        with pytest.raises(CommandError, match="CHRONICLE_API_TOKEN"):
            ensure(weak)
        assert not ApiToken.objects.exists()

    def test_refuses_one_that_was_revoked_or_is_somebody_elses(self, ensure, person):
        ensure(STRONG)
        with pytest.raises(CommandError, match="belongs to"):
            ensure(STRONG, user=person("admin"))
        ApiToken.objects.update(revoked_at=timezone.now())
        with pytest.raises(CommandError, match="revoked"):
            ensure(STRONG)


class TestEnsureAdmin:
    @pytest.fixture
    def ensure(self, monkeypatch, db):
        def run(password):
            monkeypatch.setenv("CHRONICLE_ADMIN_PASSWORD", password)
            call_command("ensure_admin", stdout=StringIO())

        return run

    def test_lets_admin_into_the_admin_and_can_be_repeated(self, ensure, client):
        ensure("olive-black-17")
        ensure("olive-black-17")
        assert client.login(username="admin", password="olive-black-17")
        assert client.get("/admin/").status_code == 200

    def test_keeps_sessions_while_the_password_stays_and_ends_them_when_not(self, ensure, client):
        ensure("olive-black-17")
        client.login(username="admin", password="olive-black-17")
        ensure("olive-black-17")
        assert client.get("/admin/").status_code == 200
        ensure("olive-black-18")
        assert client.get("/admin/").status_code == 302

    @pytest.mark.parametrize("password", ["", "admin", "12345678", "password"])
    def test_refuses_an_empty_or_weak_password(self, ensure, client, password):
        with pytest.raises(CommandError, match="CHRONICLE_ADMIN_PASSWORD"):
            ensure(password)
        assert not client.login(username="admin", password=password)

    def test_is_needed_since_there_is_no_user_without_it(self, django_user_model):
        assert not django_user_model.objects.exists()
