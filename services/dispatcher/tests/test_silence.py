"""How long a run may stand still, by what it says that it does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from dispatcher.domain.heard import Run
from dispatcher.domain.silence import Patience, silence_of

from services.dispatcher.tests.cast import NOON

PATIENCE = Patience(limit=90, starting=60, idle=180, delivering=3600)
RUN = Run(
    run_id="concert.1",
    job_id="concert",
    sequence=9,
    phase="RECORDING",
    media_seconds=100,
    bytes_durable=0,
    interrupted=False,
    moved_at=NOON,
    heard_at=NOON,
    sealed=False,
    final_type=None,
    code=None,
    detail=None,
)


def said(run, seconds, *, heard=True):
    now = NOON + timedelta(seconds=seconds)
    if run is not None and heard:
        run = replace(run, heard_at=now)
    return silence_of(run, launched_at=NOON, listening_since=NOON, now=now, patience=PATIENCE)


class TestPatience:
    @pytest.mark.parametrize(
        ("changes", "most"),
        [
            ({}, 90),
            ({"phase": "STARTED"}, 90 + 2 * 60),
            ({"interrupted": True}, 90 + 2 * 180),
            ({"phase": "UPLOADING"}, 90 + 3600),
            ({"phase": "UPLOADING", "interrupted": True}, 90 + 3600),
        ],
    )
    def test_is_the_limit_on_top_of_the_recorders_own(self, changes, most):
        run = replace(RUN, **changes)
        assert said(run, most - 1) is None
        assert said(run, most) == f"Its media time stood still for {most} s."

    @pytest.mark.parametrize("run", [None, RUN, replace(RUN, phase="UPLOADING")])
    def test_with_one_that_says_nothing_is_the_limit_alone(self, run):
        assert said(run, 89, heard=False) is None
        assert said(run, 90, heard=False) == "Nothing was heard from it for 90 s."
