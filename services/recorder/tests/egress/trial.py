"""One way in, tried through one fetcher."""

from __future__ import annotations

import time
from collections.abc import Callable

from recorder.adapters.fetching.fetcher import Fetcher
from recorder.domain.gaps import Loss
from recorder.ports import FetchEnd

from services.recorder.tests.egress.outside import Names
from services.recorder.tests.egress.victim import SECRET, Victim
from services.recorder.tests.test_hls import Kept


class Trial:
    """A fetcher of an evil source at work; `result` waits for its end."""

    def __init__(self, begin: Callable[[Victim, Names, Kept], Fetcher]) -> None:
        self.victim, self.names, self.sink = Victim(), Names(), Kept()
        self._fetcher = begin(self.victim, self.names, self.sink)
        self._fetcher.start()

    def result(self, within: float = 40.0) -> tuple[FetchEnd, tuple[Loss, ...]]:
        """Return why it ended and what it lost; the victim must not have seen anybody."""
        deadline = time.monotonic() + within
        while self._fetcher.end is None:
            assert time.monotonic() < deadline, "it did not come to an end"
            time.sleep(0.02)
        end, losses = self._fetcher.end, self._fetcher.take_losses()
        self.close()
        assert self.victim.visitors == []
        assert SECRET not in self.sink.data
        for said in (end.detail, *(loss.cause for loss in losses)):
            assert "geheim" not in said
            assert said.isprintable()
        return end, losses

    def close(self) -> None:
        self._fetcher.close()
        self.victim.close()
