"""What stands beside a recording that was deleted, in either store."""

from uuid import uuid4

import pytest
from chronicle_storage import StorageSettings, open_store
from seeder.adapters.recordings import StoreRecordings

from services.seeder.tests.cast import KEY

LEFT = ("manifest.json", "journal.jsonl", "attempt-2.notes", "attempt-2.segments-00000")


@pytest.fixture(params=["local", "s3"])
def store(request, tmp_path):
    if request.param == "local":
        return open_store(StorageSettings(recordings=tmp_path / "recordings"))
    request.getfixturevalue("aws_env")
    return open_store(StorageSettings(bucket=f"beside-{uuid4().hex[:8]}"))


class TestStoreRecordings:
    def test_deletes_what_stands_beside_a_recording_and_nothing_else(self, store):
        others = [KEY, f"{KEY}.turn", f"{KEY}2.manifest.json"]
        for key in (*others, *(f"{KEY}.{name}" for name in LEFT)):
            store.put(key, b"x")
        StoreRecordings(store).delete_beside(KEY)
        assert sorted(one.key for one in store.list("")) == sorted(others)
        StoreRecordings(store).delete_beside(KEY)
