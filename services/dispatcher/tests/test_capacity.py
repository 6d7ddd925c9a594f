"""Jobs that wait for a place: who is next, what they are told, and when there is room."""

from __future__ import annotations

import pytest
from chronicle_contracts.dispatcher import JobDeferred
from chronicle_contracts.portal import StopRequested
from dispatcher.domain.fairness import Claim, in_turn, is_news
from dispatcher.handlers import Limits
from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.tests.cast import REQUEST, World, asked, failed, uploaded

JOBS = ["first", "second", "third", "fourth"]
GIB = 1024**3


def of(person, job):
    return asked(REQUEST.model_copy(update={"requested_by": person}), job=job)


def end(world, job):
    world.launcher.die(f"{job}.1")
    world.hear(uploaded(job=job))


def place(number):
    return JobDeferred(reason="capacity", place=number)


class TestTurns:
    def test_are_those_of_arrival_where_one_asks(self):
        waiting = [Claim(job, "ann") for job in "abc"]
        assert in_turn(waiting, []) == ["a", "b", "c"]
        assert in_turn(waiting, ["ann", "bob"]) == ["a", "b", "c"]

    def test_go_round_between_those_who_ask(self):
        waiting = [*(Claim(f"a{n}", "ann") for n in range(3)), Claim("b0", "bob")]
        assert in_turn(waiting, []) == ["a0", "b0", "a1", "a2"]

    def test_come_first_to_who_holds_least(self):
        waiting = [Claim("a", "ann"), Claim("b", "bob")]
        assert in_turn(waiting, ["ann", "bob", "ann"]) == ["b", "a"]

    @given(
        st.lists(st.sampled_from(["ann", "bob", "cid", None]), max_size=30),
        st.lists(st.sampled_from(["ann", "bob", "cid", None]), max_size=10),
    )
    def test_keep_everybodys_own_order_and_starve_nobody(self, askers, holding):
        waiting = [Claim(f"{number}", asker) for number, asker in enumerate(askers)]
        turns = in_turn(waiting, holding)
        assert sorted(turns) == sorted(claim.job_id for claim in waiting)
        for person in set(askers):
            own = [claim.job_id for claim in waiting if claim.requester == person]
            assert [job for job in turns if job in own] == own
            # Before somebody's first, everybody else gets no more than it takes to draw level.
            first = turns.index(own[0])
            for other in set(askers) - {person}:
                before = [job for job in turns[:first] if askers[int(job)] == other]
                assert not before or (
                    holding.count(other) + len(before) <= holding.count(person) + 1
                )


class TestNews:
    def test_is_the_first_word_about_it(self):
        assert is_news(None, place(40))

    @pytest.mark.parametrize(
        ("said", "now", "worth"),
        [(40, 39, False), (40, 20, True), (5, 4, False), (4, 3, True), (2, 1, True), (2, 4, False)],
    )
    def test_is_a_step_near_the_front_and_a_halving_further_back(self, said, now, worth):
        assert is_news(place(said), place(now)) is worth

    def test_is_another_reason(self):
        short = JobDeferred(reason="capacity", place=2, detail="The disk is full.")
        assert is_news(place(2), short)
        assert is_news(short, place(2))
        assert not is_news(short, short.model_copy(update={"detail": "It still is."}))

    @given(st.integers(1, 1000))
    def test_of_a_whole_way_to_the_front_fills_no_log(self, length):
        said, words = place(length), 0
        for number in range(length, 0, -1):
            if is_news(said, place(number)):
                said, words = place(number), words + 1
        assert words <= length.bit_length() + 3


class TestCapacity:
    @pytest.fixture
    def world(self, tmp_path):
        return World(tmp_path, limits=Limits(most_recordings=2))

    @pytest.fixture
    def full(self, world):
        for job in JOBS:
            world.hear(asked(REQUEST, job=job))
        return world

    def test_lets_those_wait_that_are_too_many_and_says_their_place(self, full):
        assert full.launcher.runs == ["first.1", "second.1"]
        assert (full.last("third"), full.last("fourth")) == (place(1), place(2))
        full.pass_time(60)
        assert full.facts("fourth") == ["JobAccepted", "JobDeferred"]

    def test_launches_in_order_as_places_become_free(self, full):
        end(full, "second")
        full.pass_time(2)
        assert full.launcher.runs == ["first.1", "second.1", "third.1"]
        assert full.last("fourth") == place(1)
        end(full, "first")
        full.pass_time(2)
        assert full.launcher.runs == ["first.1", "second.1", "third.1", "fourth.1"]

    def test_lets_nobody_overtake(self, full):
        end(full, "first")
        full.hear(asked(REQUEST, job="fifth"))
        assert full.last("fifth") == place(3)
        full.pass_time(2)
        assert full.launcher.runs[2:] == ["third.1"]

    def test_lets_one_who_asks_for_much_starve_nobody(self, world):
        for number in range(6):
            world.hear(of("ann", f"ann-{number}"))
        world.hear(of("bob", "bob-0"))
        assert world.last("bob-0") == place(1)
        end(world, "ann-0")
        world.pass_time(2)
        assert world.launcher.runs == ["ann-0.1", "ann-1.1", "bob-0.1"]

    def test_gives_a_free_place_to_the_one_whose_turn_it_is(self, world):
        for number in range(4):
            world.hear(of("ann", f"ann-{number}"))
        end(world, "ann-0")
        # Ann still holds one; whoever comes now and holds none goes before her next.
        world.hear(of("bob", "bob-0"))
        assert world.launcher.runs[2:] == ["bob-0.1"]

    def test_gives_all_places_to_one_where_nobody_else_asks(self, world):
        for number in range(3):
            world.hear(of("ann", f"ann-{number}"))
        assert world.launcher.runs == ["ann-0.1", "ann-1.1"]

    def test_keeps_the_place_of_a_run_that_is_launched_again(self, full):
        full.launcher.die("first.1")
        full.hear(failed("capture_failed", job="first"))
        full.pass_time(10)
        assert full.launcher.runs[2:] == ["first.2"]

    def test_counts_no_job_that_was_given_up(self, full):
        full.launcher.die("first.1")
        full.hear(failed("unsupported", job="first"))
        full.pass_time(2)
        assert full.launcher.runs[2:] == ["third.1"]

    def test_is_kept_over_a_new_start(self, full):
        full.start()
        full.pass_time(10)
        assert len(full.launcher.runs) == 2
        end(full, "first")
        full.pass_time(2)
        assert full.launcher.runs[2:] == ["third.1"]

    def test_ends_the_waiting_of_who_is_stopped(self, full):
        full.hear(asked(StopRequested(), 2, job="third"))
        end(full, "first")
        full.pass_time(2)
        assert full.launcher.runs[2:] == ["fourth.1"]
        assert full.facts("third")[-1] == "JobAbandoned"

    def test_waits_for_as_many_to_end_as_are_too_many_by_now(self, full):
        full.limits = Limits(most_recordings=1)
        full.start()
        end(full, "first")
        full.pass_time(2)
        assert len(full.launcher.runs) == 2
        end(full, "second")
        full.pass_time(2)
        assert full.launcher.runs[2:] == ["third.1"]


class TestDisk:
    @pytest.fixture
    def world(self, tmp_path):
        world = World(tmp_path, limits=Limits(least_disk=GIB))
        world.launcher.free = GIB // 2
        return world

    def test_that_is_short_lets_nobody_begin_and_says_so(self, world):
        world.hear(asked(REQUEST))
        deferral = world.last()
        assert isinstance(deferral, JobDeferred)
        assert (deferral.reason, deferral.place) == ("capacity", 1)
        assert deferral.detail is not None
        assert "512 MiB" in deferral.detail
        world.launcher.free -= 1024**2
        world.pass_time(60)
        assert world.facts() == ["JobAccepted", "JobDeferred"]

    def test_that_is_free_again_lets_them_begin(self, world):
        world.hear(asked(REQUEST))
        world.launcher.free = GIB
        world.pass_time(2)
        assert world.launcher.runs == ["concert.1"]

    def test_is_no_matter_for_a_run_that_is_launched_again(self, world):
        world.launcher.free = GIB
        world.hear(asked(REQUEST))
        world.launcher.free = 0
        world.launcher.die("concert.1")
        world.pass_time(12)
        assert world.launcher.runs == ["concert.1", "concert.2"]
