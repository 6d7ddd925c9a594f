"""Every fault of the lab against the recorder: what is lost, what is said, what is left."""

from __future__ import annotations

import pytest

from tests.faults.bodies import Dripping, Endless, Missing, Shortened, Stalling, Truncated
from tests.faults.changes import (
    ClockJump,
    Frozen,
    KeyChange,
    MediaChange,
    Restart,
    Undated,
    WrongKey,
)
from tests.faults.fault import Fault, Together
from tests.faults.outages import Failing, GzipBomb, MillionLines, RedirectLoop, Refused, Silent

pytestmark = pytest.mark.timeout(900)  # the first test waits for the first trials of all

TOLERANCE = 2.0  # seconds: a segment before a fault and one after it
MOST_MEMORY = 400 << 20  # bytes

FAULTS = {
    "none": Fault(1),
    "refused": Refused(4),
    "refused-for-longer-than-the-playlist": Refused(36),
    "failing": Failing(5),
    "silent": Silent(5),
    "redirect-loop": RedirectLoop(4),
    "gzip-bomb": GzipBomb(4),
    "million-lines": MillionLines(4),
    "missing": Missing(3),
    "wrong-key": WrongKey(2),
    "dripping": Dripping(),
    "endless": Endless(),
    "truncated": Truncated(2),
    "shortened": Shortened(),
    "stalling": Stalling(5),
    "restart": Restart(2, count_anew=False, discontinuity=False),
    "restart-counting-anew": Restart(2, count_anew=True, discontinuity=True),
    "restart-under-the-same-names": Restart(
        2, count_anew=True, discontinuity=False, folder="first"
    ),
    "restart-under-the-same-names-undated": Together(
        Undated(), Restart(2, count_anew=True, discontinuity=False, folder="first")
    ),
    "size-change": MediaChange("resolution change", "large"),
    "codec-change": MediaChange("codec change, H.264 to HEVC", "hevc"),
    "codec-change-and-back": MediaChange("codec change and back", "hevc", 3),
    "codec-change-unmarked": MediaChange("codec change", "hevc", is_marked=False),
    "sound-change": MediaChange("other rate of sound", "mono"),
    "streams-moved": MediaChange("other PIDs", "moved"),
    "refused-and-codec-change": Together(Refused(4), MediaChange("codec change", "hevc")),
    "key-change": KeyChange(),
    "lacking-keys": KeyChange(4),
    "clock-jump": ClockJump(3),
    "frozen": Frozen(),
    "failing-and-restart": Together(Failing(4), Restart(4, count_anew=True, discontinuity=True)),
    "refused-and-missing": Together(Refused(4), Missing(3)),
}


@pytest.fixture(scope="module", autouse=True)
def running(trials, request):
    """Begin with all trials that are asked for, the longest first."""
    asked = {
        item.callspec.params["name"]
        for item in request.session.items
        if item.fspath == request.fspath
    }
    for name, fault in sorted(FAULTS.items(), key=lambda one: -one[1].length):
        if name in asked:
            trials.begin(name, fault, CHRONICLE_IDLE_TIMEOUT="5" if fault.is_deadly else "180")


@pytest.mark.parametrize("name", FAULTS)
class TestRecorder:
    def test_survives(self, name, trials):
        recorder, outcome = trials.result(name)
        assert recorder.why == ("frozen" if FAULTS[name].is_deadly else "ended")
        assert outcome.exit_code == 0
        assert outcome.is_playable
        assert outcome.avoidable <= TOLERANCE, outcome.loss.lost_segments
        assert outcome.said >= outcome.loss.lost - 1.0, "what is missing is said"
        most = max(outcome.loss.lost, outcome.unavoidable)
        assert outcome.said <= most + TOLERANCE, "what could not be had is not said to be lost"
        assert recorder.most_memory < MOST_MEMORY
