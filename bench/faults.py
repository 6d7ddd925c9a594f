"""Seconds of media lost in each fault of a live stream, beside streamlink, yt-dlp and ffmpeg.

All four record the same origin at the same time, the peers with every option for patience that
they have. What is missing is counted packet by packet against the numbered source; what cannot be
had (it left the playlist before anybody could fetch it, or never was there) is told apart. Figures
are seconds lost. `exit 0!` is success claimed in spite of loss that nobody was told of; `stopped`
did not end by itself; `unplayable` cannot be decoded to its end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console

from bench.faults_peers import peers
from bench.report import Bar, Figure, Report
from tests.faults import trial
from tests.faults.bodies import Dripping, Endless, Missing, Stalling, Truncated
from tests.faults.changes import ClockJump, Frozen, KeyChange, MediaChange, Restart, WrongKey
from tests.faults.chronicle import Chronicle
from tests.faults.encoder import Pacing
from tests.faults.fault import Fault, Together
from tests.faults.outages import Failing, GzipBomb, MillionLines, RedirectLoop, Refused, Silent
from tests.faults.source import Life, make_lives
from tests.faults.trial import Outcome

# Segments of two seconds, forty of them in the playlist, in real time.
SCRIPT = trial.Script(
    Pacing(pace=2.0, window=20), before=6.0, after=14.0, patience=45.0, start_within=90.0
)
AT_ONCE = 5  # trials of four recorders each
TOLERANCE = 2.0  # seconds
# Where sound is cut is the multiplexer's business; two of its frames are no loss.
FRAMES = 0.05  # seconds
OURS = "chronicle"

Kind = Literal["outage", "restart", "other"]


@dataclass(frozen=True)
class Case:
    """A fault at its full length, and the bar that it falls under."""

    fault: Fault
    kind: Kind = "other"

    @property
    def name(self) -> str:
        """How it is called in the table."""
        length = f", {self.fault.length:g} s" if self.fault.length else ""
        return f"{self.fault.name}{length}"


def cases() -> list[Case]:
    """Return all of them, the longest first, so that none is left over at the end."""
    return [
        Case(Refused(60)),
        Case(Refused(30), "outage"),
        Case(Failing(30), "outage"),
        Case(Silent(30)),
        Case(Stalling(30)),
        Case(RedirectLoop(30)),
        Case(Together(Failing(30), Restart(30, count_anew=True, discontinuity=True))),
        Case(Dripping()),
        Case(Endless()),
        Case(Frozen()),
        Case(GzipBomb(10)),
        Case(MillionLines(10)),
        Case(Restart(5, count_anew=True, discontinuity=True), "restart"),
        Case(Restart(5, count_anew=False, discontinuity=False), "restart"),
        Case(Restart(5, count_anew=True, discontinuity=False, folder="first"), "restart"),
        Case(Refused(5), "outage"),
        Case(Missing(3)),
        Case(Truncated(2)),
        Case(MediaChange("resolution change", "large")),
        Case(MediaChange("codec change, H.264 to HEVC", "hevc")),
        Case(MediaChange("codec change and back", "hevc", 10)),
        Case(MediaChange("other rate of sound", "mono")),
        Case(MediaChange("other PIDs", "moved")),
        Case(KeyChange()),
        Case(WrongKey(2)),
        Case(ClockJump(10)),
        Case(Together(Refused(5), Missing(3))),
    ]


def run(console: Console) -> Report:
    """Let every fault strike; compare."""
    report = Report("faults")
    with tempfile.TemporaryDirectory(prefix="chronicle-faults-") as place:
        folder = Path(place)
        lives = make_lives(folder, seconds=120, segment=2)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            jobs = {
                case: pool.submit(_trial, case, lives, folder / str(number))
                for number, case in enumerate(cases())
            }
            outcomes = {}
            for case, job in jobs.items():
                outcomes[case] = job.result()
                console.print(f"{case.name}: {_shown(outcomes[case][OURS])}", highlight=False)
    report.rows += [_row(case, found) for case, found in outcomes.items()]
    report.bars += _bars({case: found[OURS] for case, found in outcomes.items()})
    return report


def _trial(case: Case, lives: Mapping[str, Life], folder: Path) -> dict[str, Outcome]:
    # A dead encoder cannot be told from a long pause: a recording waits for as long as it is told.
    ours = Chronicle(folder / OURS, CHRONICLE_IDLE_TIMEOUT="15" if case.fault.is_deadly else "180")
    recorders: dict[str, trial.Recorder] = {OURS: ours, **peers(folder)}
    found = trial.run(case.fault, lives, SCRIPT, list(recorders.values()))
    return dict(zip(recorders, found, strict=True))


def _row(case: Case, found: Mapping[str, Outcome]) -> dict[str, Figure]:
    ours = found[OURS]
    return {
        "fault": case.name,
        "media s": ours.loss.published,
        "cannot be had s": ours.unavoidable,
        **{name: _shown(outcome) for name, outcome in found.items()},
    }


def _shown(outcome: Outcome) -> str:
    words = [f"{outcome.loss.lost:.1f}"]
    if outcome.said:
        words.append(f"(says {outcome.said:.1f})")
    if outcome.exit_code is None:
        words.append("stopped")
    elif outcome.exit_code != 0:
        words.append(f"exit {outcome.exit_code}")
    elif _unsaid(outcome) > FRAMES or not outcome.is_playable:
        words.append("exit 0!")
    if outcome.loss.twice > FRAMES:
        words.append(f"{outcome.loss.twice:.1f} twice")
    if not outcome.is_playable:
        words.append("unplayable")
    return " ".join(words)


def _unsaid(outcome: Outcome) -> float:
    return outcome.loss.lost - (outcome.said or 0.0)


def _bars(ours: Mapping[Case, Outcome]) -> list[Bar]:
    bars = [
        Bar(f"{case.name}: s lost", round(outcome.loss.lost, 2), FRAMES)
        for case, outcome in ours.items()
        if case.kind == "outage"
    ]
    bars += [
        Bar(f"{case.name}: s lost", round(outcome.loss.lost, 2), TOLERANCE)
        for case, outcome in ours.items()
        if case.kind == "restart"
    ]
    others = [outcome.avoidable for case, outcome in ours.items() if case.kind == "other"]
    unplayable = [case for case, outcome in ours.items() if not outcome.is_playable]
    # What cannot be watched is as good as lost, although its packets are there.
    unsaid = [
        case
        for case, outcome in ours.items()
        if _unsaid(outcome) > TOLERANCE / 2 or case in unplayable
    ]
    wrong = [case for case, outcome in ours.items() if outcome.exit_code != 0]
    return [
        *bars,
        Bar("any other fault: s lost beyond what cannot be had", round(max(others), 2), TOLERANCE),
        Bar("recordings with loss that they do not own to", len(unsaid), 0),
        Bar("recordings that cannot be played to their end", len(unplayable), 0),
        Bar("recordings that did not end well by themselves", len(wrong), 0),
    ]
