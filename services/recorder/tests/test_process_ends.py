"""How streams end for a recorder process: every kind of end at once, each with its own origin."""

import pytest
from chronicle_contracts.recorder import CaptureInterrupted, RecordingEnded, Uploaded

from services.recorder.tests.origin import Origin
from services.recorder.tests.process import NOWHERE, Job, packets, probed

# All is recorded and delivered, only the endpoint that nobody started has not heard of it.
DONE_UNSAID = 69
HTML = "text/html; charset=utf-8"
ON_AIR = (200, HTML, '<html><title>Gala</title><video src="/live.m3u8"></video></html>')
OFF_AIR = (200, HTML, "<html><title>Gala</title><p>Nobody is live now.</p></html>")


def mark_the_end(origin):
    origin.end()


def go_offline(origin):
    origin.freeze()
    origin.pages["/show"] = OFF_AIR


def freeze(origin):
    origin.freeze()


def take_away(origin):
    origin.playlist_status = 404


def ask_for_a_login(origin):
    origin.playlist_status = 401


def refuse(origin):
    origin.playlist_status = 403


def fall_silent(origin):
    origin.refuse_connections()


ENDS = {
    "ended": mark_the_end,
    "offline": go_offline,
    "frozen": freeze,
    "gone": take_away,
    "needs_login": ask_for_a_login,
    "blocked": refuse,
    "stalled": fall_silent,
}
CAUSES = {
    "offline": {"frozen", "offline"},
    "frozen": {"frozen"},
    "gone": {"missing", "gone"},
    "needs_login": {"refused", "needs_login"},
    "blocked": {"refused", "blocked"},
    "stalled": {"unreachable"},
}


@pytest.fixture(scope="module")
def endings(segments, tmp_path_factory):
    """Jobs whose streams came to their ends, by the kind of end."""
    running = {}
    for why, strike in ENDS.items():
        origin = Origin({"live": segments}, pace=1.0)
        origin.pages["/show"] = ON_AIR
        url = origin.url("show" if why == "offline" else "live.m3u8")
        patience = {"CHRONICLE_IDLE_TIMEOUT": "12", "CHRONICLE_OFFLINE_TIMEOUT": "8"}
        job = Job(tmp_path_factory.mktemp(why), url, {**NOWHERE, **patience})
        running[why] = (job.launch(), origin, strike)
    try:
        for job, origin, strike in running.values():
            job.until_recorded(3)
            strike(origin)
        yield {why: job for why, (job, _, _) in running.items()}
    finally:
        for why, (job, origin, _) in running.items():
            job.close()
            if why != "stalled":
                origin.close()


def facts(job, kind):
    return [event.data for event in job.events() if isinstance(event.data, kind)]


@pytest.mark.parametrize("why", ENDS)
class TestRecorder:
    def test_tells_how_the_stream_ended(self, why, endings):
        job = endings[why]
        assert job.wait(60) == DONE_UNSAID
        [ended] = facts(job, RecordingEnded)
        assert (ended.why, ended.detail[-1]) == (why, ".")
        interruptions = facts(job, CaptureInterrupted)
        assert {one.cause for one in interruptions} <= CAUSES.get(why, set())
        [uploaded] = facts(job, Uploaded)
        assert uploaded.completeness.verified
        seconds, _, _ = probed(job.recording)
        assert packets(job.recording) == pytest.approx(seconds * 25, abs=2)
        # Where the source may have gone on without us, that is said; else nothing is missing.
        # (Seven recorders that are launched at once may begin late: that is said, too.)
        is_known = why in ("ended", "offline", "frozen", "gone")
        assert all(gap.cause == "started late" for gap in uploaded.gaps) is is_known
