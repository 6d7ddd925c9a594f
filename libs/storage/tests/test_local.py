"""What only the local store does."""

from pathlib import Path

import pytest
from chronicle_storage import RecordingStore, StorageSettings, StoreUnreachable, open_store

KEY = "recordings/2026/01/31/talk-1a2b3c4d.mkv"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


@pytest.fixture
def store(root: Path) -> RecordingStore:
    return open_store(StorageSettings(recordings=root))


class TestLocalStore:
    def test_keeps_objects_where_other_programs_read_them(self, store, root):
        store.put(KEY, b"media")
        assert store.local_path(KEY) == root / KEY
        assert (root / KEY).read_bytes() == b"media"

    def test_grows_beside_the_final_place(self, store, root, tmp_path):
        growing = store.grow(KEY, spool=tmp_path, name="attempt-1")
        assert growing.path == root / f"{KEY}.attempt-1.part"

    def test_leaves_no_draft_of_a_put_that_failed(self, store, root, tmp_path):
        with pytest.raises(StoreUnreachable, match="putting"):
            store.put(KEY, tmp_path / "absent.bin")
        assert [path for path in root.rglob("*") if path.is_file()] == []

    def test_deletes_what_somebody_was_killed_over_writing(self, store, root):
        store.put(KEY, b"media", lasting=False)
        place = root / KEY
        half = place.with_name(f"{place.name}.0123abcd.part")
        growing = place.with_name(f"{place.name}.attempt-1.part")
        for path in (half, growing):
            path.write_bytes(b"half")
        assert store.delete(KEY)
        assert [path for path in root.rglob("*") if path.is_file()] == [growing]
        half.write_bytes(b"half")
        assert not store.delete(KEY)
        assert not half.exists()

    def test_says_that_the_disk_refused(self, store, root):
        root.write_bytes(b"a file where the folder should be")
        with pytest.raises(StoreUnreachable, match="free space and rights"):
            store.put(KEY, b"x")

    def test_has_no_addresses_to_sign(self, store):
        assert store.signed_url(KEY, expires=60) is None

    def test_lies_below_the_home_by_default(self, monkeypatch):
        monkeypatch.setenv("CHRONICLE_HOME", "/srv/chronicle")
        assert StorageSettings().recordings == Path("/srv/chronicle/store")
