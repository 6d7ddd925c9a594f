"""What all tests of the portal need: a key, and a database that several threads can use."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from uuid import uuid4

import pytest
from chronicle_contracts import encode
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from portal.accounts import tokens
from portal.accounts.models import ApiToken
from portal.eventlog.inbox import Arrival, Inbox
from portal.eventlog.models import LoggedEvent
from portal.jobs.commands import request_job
from portal.jobs.readmodel import refold
from portal.jobs.requests import JobRequest
from rest_framework.test import APIClient

from tests.fixtures.story import URL


@pytest.fixture(autouse=True, scope="session")
def _secret_key():
    """Settings are read before any test could set DJANGO_SECRET_KEY, so it is set in them."""
    settings.SECRET_KEY = secrets.token_urlsafe(50)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, tmp_path_factory):
    """A file, as in production: in memory, SQLite has other locks."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(
            tmp_path_factory.mktemp("home") / "portal" / "portal.sqlite3"
        )
        Path(database["TEST"]["NAME"]).parent.mkdir()


@pytest.fixture
def process_env(transactional_db):
    """The environment in which a process of the portal uses the test's database."""
    env = {**os.environ, "DJANGO_SECRET_KEY": settings.SECRET_KEY}
    name = settings.DATABASES["default"]["NAME"]
    if "CHRONICLE_DATABASE_URL" in env:
        env["CHRONICLE_DATABASE_URL"] = (
            env["CHRONICLE_DATABASE_URL"].rpartition("/")[0] + "/" + name
        )
    else:
        env["CHRONICLE_HOME"] = str(Path(name).parents[1])
    return env


@pytest.fixture(autouse=True)
def _quick(settings, tmp_path):
    """A password hash that costs nothing, no failed logins nor exports of another test."""
    settings.EXPORTS = tmp_path / "exports"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


@pytest.fixture
def person(db):
    """A source of users by role; None is a user without one."""

    def make(role=None, **attributes):
        user = User.objects.create_user(f"{role or 'nobody'}-{uuid4().hex[:6]}", **attributes)
        if role:
            user.groups.add(Group.objects.get_or_create(name=role)[0])
        return user

    return make


@pytest.fixture
def token_of(db):
    """A source of API tokens, in plain text."""

    def make(user, name="test", **attributes):
        plain = tokens.mint()
        token = ApiToken(user=user, name=name, **attributes)
        token.keep(plain)
        token.save()
        return plain

    return make


@pytest.fixture
def api(person, token_of):
    """A source of API clients by role, each with a token; None is a client without one."""

    def make(role="operator"):
        client = APIClient(raise_request_exception=False)
        if role:
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {token_of(person(role))}")
        return client

    return make


@pytest.fixture
def hear(db):
    """The inbox: takes stories into the log and the read models."""

    def take_in(*stories):
        bodies = [encode(event).decode() for story in stories for event in story.events]
        return Inbox(refold).receive([Arrival(body) for body in bodies])

    return take_in


@pytest.fixture
def asked(hear):
    """Stories whose request was made here: commands decide from the portal's own events."""

    def take_in(*stories):
        for story in stories:
            request_job(JobRequest(url=URL, id=story.job_id))
        hear(*stories)  # their own request is known by now, and counts as a duplicate

    return take_in


@pytest.fixture
def poison(hear):
    """Jobs of which one event cannot be read any more, as after a bad change of code."""

    def spoil(story, index=1):
        hear(story)
        rows = LoggedEvent.objects.filter(job_id=story.job_id).order_by("position")
        row = rows[index]
        LoggedEvent.objects.filter(pk=row.pk).update(envelope="{}")
        refold([story.job_id])
        return row

    return spoil
