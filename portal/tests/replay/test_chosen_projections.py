"""Rebuilds of all projections, or of those that somebody chose."""

from __future__ import annotations

import pytest
from django.db import connection
from portal.jobs.models import Job
from portal.jobs.verification import Counts, differences
from portal.projections.models import Checkpoint, Recording, Torrent
from portal.projections.registry import NAMES, PROJECTIONS
from portal.replay import builds
from portal.replay.models import Build

from tests.fixtures.commands import columns, manage
from tests.fixtures.story import Story

pytestmark = pytest.mark.django_db

State = Build.State


def tables():
    live = [one.table for one in PROJECTIONS]
    return {
        name
        for name in connection.introspection.table_names()
        if any(name.startswith(table) for table in live)
    }


class TestAll:
    def test_finds_and_mends_what_differs_in_any_of_them(self, hear):
        hear(*(Story.whole(f"job-{n}") for n in range(3)))
        live = columns()
        Recording.objects.filter(job_id="job-1").update(size=1)
        Torrent.objects.filter(job_id="job-2").delete()
        done = manage("verify", "--json")
        assert done.code == 1
        assert [(one["projection"], one["job"]) for one in done.json["items"]] == [
            ("recordings", "job-1"),
            ("torrents", "job-2"),
        ]
        items = manage("rebuild", "--json").json["items"]
        assert [(one["projection"], one["change"]) for one in items] == [
            ("recordings", "size"),
            ("torrents", "added"),
        ]
        assert manage("swap").code == 0
        assert columns() == live

    def test_moves_the_checkpoints_to_the_end_of_the_log(self, hear):
        hear(Story.whole())
        assert manage("rebuild").code == 0
        assert manage("swap").code == 0
        hear(Story("late").requested())
        found = dict(Checkpoint.objects.values_list("projection", "position"))
        assert found == dict.fromkeys(NAMES, builds.newest_position())


class TestChosen:
    def test_are_built_and_swapped_alone(self, hear):
        hear(*(Story.whole(f"job-{n}") for n in range(3)))
        Job.objects.filter(id="job-0").update(title="of older code")
        Torrent.objects.all().delete()
        done = manage("rebuild", "--projection", "torrents")
        assert done.code == 0
        build = Build.objects.get(state=State.READY)
        assert build.projections == ["torrents"]
        assert len(tables()) == len(PROJECTIONS) + 1
        assert manage("swap").code == 0
        assert Torrent.objects.count() == 3
        assert Job.objects.get(id="job-0").title == "of older code"

    def test_are_rolled_back_alone(self, hear):
        hear(*(Story.whole(f"job-{n}") for n in range(2)))
        assert manage("rebuild").code == 0
        assert manage("swap").code == 0
        Torrent.objects.update(name="of older code")
        assert manage("rebuild", "--projection", "torrents").code == 0
        assert manage("swap").code == 0
        hear(Story.whole("late"))
        assert manage("rollback").code == 0
        assert Torrent.objects.get(job_id="job-0").name == "of older code"
        assert Torrent.objects.filter(job_id="late").exists()
        assert manage("rollback").code == 0
        assert not list(differences(Counts()))

    def test_are_covered_by_a_build_of_all_afterwards(self, hear):
        hear(Story.whole())
        live = columns()
        for chosen in (("--projection", "totals"), (), ("--projection", "jobs"), ()):
            assert manage("rebuild", *chosen).code == 0
            assert manage("swap").code == 0
            assert columns() == live
        assert manage("rollback").code == 0
        assert columns() == live
        assert len(tables()) == 2 * len(PROJECTIONS)

    def test_must_be_projections(self):
        done = manage("rebuild", "--projection", "nonsense")
        assert done.code == 2
        assert "there is no projection 'nonsense'" in done.error

    def test_give_up_a_build_of_others(self, hear):
        hear(Story.whole())
        assert manage("rebuild").code == 0
        counts = manage("rebuild", "--projection", "jobs", "--json").json["counts"]
        assert counts["begun"] == 1
        assert Build.objects.get(state=State.READY).projections == ["jobs"]
