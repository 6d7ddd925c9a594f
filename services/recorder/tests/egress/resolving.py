"""The child that resolves, with the names and the judge of these tests: URLs in, answers out."""

from __future__ import annotations

import json
import sys

from chronicle_sources import child
from chronicle_sources.exchange import Request

from services.recorder.tests.egress.outside import Names

if __name__ == "__main__":
    names = Names()
    child.guard_connections(names.lookup, names.judge)
    for name, url in json.load(sys.stdin).items():
        found = child.answer(Request(url=url))
        print(json.dumps([name, found.code, found.detail]), flush=True)  # noqa: T201 - its answer
