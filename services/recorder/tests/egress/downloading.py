"""The child that fetches, with the names and the judge of these tests."""

from __future__ import annotations

from typing import Any

from chronicle_sources import child, downloading, guard

from services.recorder.tests.egress.outside import Names

if __name__ == "__main__":
    names, connections = Names(), child.guard_connections
    known: Any = child
    known.guard_connections = lambda: connections(names.lookup, names.judge)
    # Only what is connected to is judged here, which is what this is about.
    judged: Any = guard
    judged.check = lambda *_, **__: None
    downloading.main()
