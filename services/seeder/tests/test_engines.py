"""What every engine does; run on libtorrent in process and on a real Transmission daemon."""

import pytest
from seeder.adapters.transmission_engine import TransmissionEngine
from seeder.adapters.web_seed_engine import WebSeedEngine
from seeder.ports import EngineDown, EngineRefused

from services.seeder.tests.conftest import KEY
from tests.fixtures.p2p import wait_until


def folder_of(library):
    return {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in library.path.parent.iterdir()
    }


class TestEngine:
    def test_serves_the_recording_to_a_second_client(self, seeding, library, tmp_path):
        offer = library.offer()
        seeding.settle(offer)
        assert seeding.fetch(offer, tmp_path / "there") == library.content
        wait_until(
            lambda: seeding.engine.torrents()[offer.info_hash].uploaded >= len(library.content),
            "the engine counts what it sent",
        )

    def test_says_what_it_offers(self, seeding, library):
        assert seeding.engine.torrents() == {}
        offer = library.offer()
        seeding.settle(offer)
        (state,) = seeding.engine.torrents().values()
        assert state.seeding
        assert state.error is None

    def test_offers_once_what_is_offered_twice(self, seeding, library):
        offer = library.offer()
        seeding.settle(offer)
        seeding.settle(offer)
        assert list(seeding.engine.torrents()) == [offer.info_hash]

    def test_refuses_a_recording_that_is_missing(self, seeding, library):
        offer = library.offer()
        library.path.unlink()
        with pytest.raises(EngineRefused):
            seeding.settle(offer)
        assert seeding.engine.torrents() == {}
        assert list(library.path.parent.iterdir()) == []

    def test_refuses_a_recording_that_is_too_short_and_leaves_it_as_it_is(self, seeding, library):
        offer = library.offer(web_seeds=[f"http://127.0.0.1:9/{KEY}"])
        library.write(library.content[:-1000])
        before = folder_of(library)
        with pytest.raises(EngineRefused):
            seeding.settle(offer)
        assert seeding.engine.torrents() == {}
        assert folder_of(library) == before

    def test_offers_again_what_came_back(self, seeding, library):
        offer = library.offer()
        library.write(library.content[:-1000])
        with pytest.raises(EngineRefused):
            seeding.settle(offer)
        library.write(library.content)
        seeding.settle(offer)

    def test_forgets_what_is_withdrawn_and_keeps_its_file(self, seeding, library):
        offer = library.offer()
        seeding.settle(offer)
        before = folder_of(library)
        seeding.engine.withdraw(offer.info_hash)
        seeding.engine.withdraw(offer.info_hash)
        wait_until(lambda: seeding.engine.torrents() == {}, "the engine has forgotten")
        assert folder_of(library) == before


class TestLibtorrent:
    def test_stops_serving_bytes_that_are_not_the_torrents(
        self, libtorrent_seeding, library, tmp_path
    ):
        offer = library.offer()
        library.write(bytes(len(library.content)))
        libtorrent_seeding.settle(offer)  # it believes the size, and checks when it is asked
        before = folder_of(library)
        asking = libtorrent_seeding.start_fetching(offer, tmp_path / "there")
        wait_until(
            lambda: libtorrent_seeding.engine.torrents()[offer.info_hash].error is not None,
            "the check failed",
        )
        asking.kill()
        asking.wait()
        with pytest.raises(EngineRefused, match="not what the torrent was made of"):
            libtorrent_seeding.engine.offer(offer)
        assert folder_of(library) == before


class TestTransmission:
    def test_refuses_bytes_that_are_not_the_torrents(self, transmission_seeding, library):
        offer = library.offer(web_seeds=[f"http://127.0.0.1:9/{KEY}"])
        library.write(bytes(len(library.content)))
        before = folder_of(library)
        with pytest.raises(EngineRefused, match="bytes fail the check"):
            transmission_seeding.settle(offer)
        assert folder_of(library) == before

    def test_is_connected_again_when_it_was_away(self, transmission_seeding, transmission, library):
        offer = library.offer()
        transmission_seeding.settle(offer)
        transmission.stop()
        with pytest.raises(EngineDown) as down:
            transmission_seeding.engine.torrents()
        assert transmission.password not in str(down.value)
        transmission.start()

        def seeds_again() -> bool:
            # It answers before it has read its torrents.
            found = transmission_seeding.engine.torrents().get(offer.info_hash)
            return found is not None and found.seeding

        wait_until(seeds_again, "it seeds again")

    def test_is_not_asked_again_soon_after_it_refused_the_login(self, transmission, library):
        now = 0.0
        engine = TransmissionEngine(
            transmission.url.replace(transmission.password, "wrong-password"),
            locate=library.store.local_path,
            monotonic=lambda: now,
        )
        with pytest.raises(EngineDown, match="TRANSMISSION_URL") as refused:
            engine.torrents()
        assert "wrong-password" not in str(refused.value)
        with pytest.raises(EngineDown, match="waiting after a refused login"):
            engine.torrents()
        now = 1000.0
        with pytest.raises(EngineDown, match="refuses the login"):
            engine.torrents()

    def test_is_told_where_it_sees_the_recordings(self, transmission, library):
        engine = TransmissionEngine(transmission.url, locate=lambda key: None)
        with pytest.raises(EngineRefused, match="CHRONICLE_TRANSMISSION_RECORDINGS"):
            engine.offer(library.offer())


class TestWebSeedEngine:
    def test_offers_what_it_is_told_and_forgets_what_is_withdrawn(self, library):
        engine = WebSeedEngine()
        offer = library.offer()
        assert engine.offer(offer)
        assert engine.torrents()[offer.info_hash].seeding
        engine.withdraw(offer.info_hash)
        engine.withdraw(offer.info_hash)
        assert engine.torrents() == {}
