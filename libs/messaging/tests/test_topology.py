from __future__ import annotations

import json

import pytest
from chronicle_contracts import known_types
from chronicle_messaging import TopologyError, load_topology
from chronicle_messaging.topology import find_topology

from tests.fixtures.aws import TOPOLOGY


def heard(queue):
    """The types that pass a queue's filter."""
    rules = (load_topology(TOPOLOGY).queue(queue).filter or {})["type"]
    return {
        type_ for type_ in known_types() if any(type_.startswith(rule["prefix"]) for rule in rules)
    }


@pytest.fixture
def bad(tmp_path):
    """Write the real topology with one change and return the complaint about it."""

    def complaint(change):
        topology = json.loads(TOPOLOGY.read_text())
        change(topology)
        path = tmp_path / "bad.json"
        path.write_text(json.dumps(topology))
        with pytest.raises(TopologyError) as caught:
            load_topology(path)
        assert str(path) in str(caught.value)
        return str(caught.value)

    return complaint


class TestTheTopology:
    def test_lets_the_portal_hear_everything(self):
        portal = load_topology(TOPOLOGY).queue("portal")
        assert portal.subscribed
        assert portal.filter is None

    def test_lets_the_dispatcher_hear_commands_and_recorders(self):
        assert heard("dispatcher") == {
            type_
            for type_ in known_types()
            if type_.startswith("chronicle.recorder.")
            or type_.split(".")[2]
            in {
                *("JobRequested", "StopRequested", "JobExtended"),
                *("RetryRequested", "RepeatRequested"),
            }
        }

    def test_lets_the_seeder_hear_of_recordings_that_came_and_went(self):
        assert heard("seeder") == {
            "chronicle.recorder.Uploaded.v1",
            "chronicle.recorder.Uploaded.v2",
            "chronicle.portal.RecordingDeleted.v1",
            "chronicle.portal.RepeatRequested.v1",
        }

    def test_keeps_dead_letters_for_14_days_after_3_receives(self):
        dead = load_topology(TOPOLOGY).dead_letters
        assert (dead.max_receives, dead.retention) == (3, 14 * 86_400)

    def test_names_topic_and_queues_by_prefix(self):
        topology = load_topology(TOPOLOGY)
        assert topology.topic_name("live") == "live-events.fifo"
        assert topology.queue_name("live", "portal") == "live-portal.fifo"
        assert topology.dead_letter_name("live", "portal") == "live-portal-dlq.fifo"
        assert topology.queue_name("live", "objects") == "live-objects"
        assert topology.dead_letter_name("live", "objects") == "live-objects-dlq"

    def test_is_found_upwards(self, tmp_path, monkeypatch):
        (tmp_path / "infra").mkdir()
        (tmp_path / "infra" / "topology.json").write_text(TOPOLOGY.read_text())
        deep = tmp_path / "a" / "b"
        deep.mkdir(parents=True)
        monkeypatch.chdir(deep)
        assert find_topology() == tmp_path / "infra" / "topology.json"


class TestABadTopology:
    def test_is_refused_with_the_place_of_a_wrong_value(self, bad):
        def change(topology):
            topology["queues"]["portal"]["visibility_timeout"] = "soon"

        assert "queues.portal.visibility_timeout" in bad(change)

    def test_is_refused_with_the_name_of_an_unknown_field(self, bad):
        def change(topology):
            topology["queues"]["seeder"]["filtre"] = {}

        assert "queues.seeder.filtre" in bad(change)

    def test_may_not_filter_on_what_no_message_has(self, bad):
        def change(topology):
            topology["queues"]["seeder"]["filter"] = {"colour": ["black"]}

        assert "colour" in bad(change)

    def test_may_not_filter_without_a_subscription(self, bad):
        def change(topology):
            topology["queues"]["objects"]["filter"] = {"type": ["a"]}

        assert "set subscribed to true" in bad(change)

    def test_may_not_subscribe_a_standard_queue(self, bad):
        def change(topology):
            topology["queues"]["objects"]["subscribed"] = True

        assert "set fifo to true" in bad(change)

    def test_may_not_be_absent(self, tmp_path):
        with pytest.raises(TopologyError, match="CHRONICLE_TOPOLOGY"):
            load_topology(tmp_path / "nowhere.json")
        with pytest.raises(TopologyError, match="CHRONICLE_TOPOLOGY"):
            find_topology((tmp_path,))

    def test_has_no_queue_of_another_name(self):
        with pytest.raises(TopologyError, match="there are: dispatcher, objects, portal, seeder"):
            load_topology(TOPOLOGY).queue("porter")
