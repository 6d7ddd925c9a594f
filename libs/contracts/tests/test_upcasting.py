from __future__ import annotations

import pytest
from chronicle_contracts import Fact, UpcasterChain
from chronicle_contracts.portal import StopRequested

from libs.contracts.tests.cast import message


class Weighed(Fact):
    TYPE = "chronicle.test.Weighed.v1"
    pounds: float


class WeighedV2(Fact):
    TYPE = "chronicle.test.Weighed.v2"
    kilograms: float


class WeighedV3(Fact):
    TYPE = "chronicle.test.Weighed.v3"
    grams: int


def to_v2(fact):
    return WeighedV2(kilograms=fact.pounds * 0.5)


def to_v3(fact):
    return WeighedV3(grams=int(fact.kilograms * 1000))


def event_of(fact):
    return message(StopRequested(mode="discard", requested_by="archivist")).model_copy(
        update={"type": fact.TYPE, "data": fact}
    )


class TestUpcasterChain:
    CHAIN = UpcasterChain({Weighed.TYPE: to_v2, WeighedV2.TYPE: to_v3})

    def test_follows_the_chain_to_the_newest_version(self):
        assert self.CHAIN.lift(event_of(Weighed(pounds=4))).data == WeighedV3(grams=2000)

    def test_lifts_from_the_middle(self):
        assert self.CHAIN.lift(event_of(WeighedV2(kilograms=1.5))).data == WeighedV3(grams=1500)

    def test_keeps_identity_and_place(self):
        old = event_of(Weighed(pounds=4))
        new = self.CHAIN.lift(old)
        assert (new.id, new.stream, new.sequence, new.time) == (
            old.id,
            old.stream,
            old.sequence,
            old.time,
        )

    def test_leaves_the_newest_version_alone(self):
        event = event_of(WeighedV3(grams=1))
        assert self.CHAIN.lift(event) is event

    def test_refuses_an_upcaster_that_goes_nowhere(self):
        chain = UpcasterChain({Weighed.TYPE: lambda fact: fact})
        with pytest.raises(TypeError, match="returned the same type"):
            chain.lift(event_of(Weighed(pounds=4)))
