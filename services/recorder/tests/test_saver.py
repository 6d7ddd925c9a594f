"""What is flushed, and when."""

import threading

from chronicle_storage import StorageSettings, open_store
from recorder.adapters.keeping.saver import Saver

from services.recorder.tests.cast import KEY


class BusyFile:
    """Evidence that is left while more comes into the file."""

    def __init__(self, path):
        self.path = path
        self.known = []
        self.has_left_twice = threading.Event()

    def settle(self):
        self._grow()

    def leave(self):
        self.known.append(self.path.stat().st_size)
        self._grow()
        if len(self.known) >= 2:
            self.has_left_twice.set()

    def _grow(self):
        with self.path.open("ab") as file:
            file.write(bytes(100_000))


class TestSaver:
    def test_stores_no_more_than_there_is_evidence_for(self, aws_env, tmp_path):
        store = open_store(StorageSettings(bucket="saver-recordings"))
        grown = store.grow(KEY, spool=tmp_path, name="attempt-1")
        evidence = BusyFile(grown.path)
        evidence.settle()
        saver = Saver([grown], interval=0.1, evidence=evidence)
        saver.start()
        assert evidence.has_left_twice.wait(30)
        saver.stop()
        with saver.lock:
            assert grown.durable in evidence.known
            assert grown.durable < grown.path.stat().st_size
        grown.discard()
