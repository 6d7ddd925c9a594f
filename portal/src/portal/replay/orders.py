"""Orders: verbs that a process of its own carries out, with arguments that a row can keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.replay import exports, queues
from portal.replay.building import rebuild, verify
from portal.replay.choosing import chosen
from portal.replay.deadletters import redrive
from portal.replay.exporting import export
from portal.replay.importing import import_log
from portal.replay.models import Replay
from portal.replay.pace import Pace
from portal.replay.records import Call, Report
from portal.replay.repairing import ANSWER_TIME, repair_gaps
from portal.replay.sending import Selection, check, go_on, replay

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Verb:
    """A long verb: `check` refuses bad arguments before anything is queued.

    `go_on` takes over from a process that was killed; None where what was done cannot be told
    from what was not, so that a person has to look.
    """

    check: Callable[[Arguments], object]
    begin: Callable[[Call, Arguments], Report]
    go_on: Callable[[Call, Arguments], Report] | None = None


def _rebuild(call: Call, given: Arguments) -> Report:
    return rebuild(call, fresh=given.get("fresh", False), projections=given.get("projections", ()))


def _rebuild_on(call: Call, given: Arguments) -> Report:
    return rebuild(call, projections=given.get("projections", ()))  # a fresh one was begun


def _verify(call: Call, given: Arguments) -> Report:
    return verify(call, projections=given.get("projections", ()))


def _replay(call: Call, given: Arguments) -> Report:
    selection = Selection.of_parameters(given)
    force = bool(given.get("force"))
    return replay(call, given["to"], selection, rate=given.get("rate"), force=force)


def _replay_on(call: Call, given: Arguments) -> Report:
    record = call.record
    if record is None or "last" not in record.parameters:
        return _replay(call, given)  # it was killed before it had begun
    return go_on(call, record)


def _check_replay(given: Arguments) -> None:
    check(given["to"], Selection.of_parameters(given), rate=given.get("rate"))


def _redrive(call: Call, given: Arguments) -> Report:
    return redrive(call, given["queue"], messages=given.get("messages", ()), rate=given.get("rate"))


def _check_redrive(given: Arguments) -> None:
    queues.queue_of(queues.connect(), given["queue"])
    Pace(given.get("rate"))


def _repair(call: Call, given: Arguments) -> Report:
    return repair_gaps(call, jobs=given.get("jobs", ()), wait=ANSWER_TIME)


def _export(call: Call, given: Arguments) -> Report:
    return export(call, exports.to_write(given["file"]))


def _import(call: Call, given: Arguments) -> Report:
    return import_log(call, exports.to_read(given["file"]))


VERBS: Mapping[str, Verb] = {
    "rebuild": Verb(lambda given: chosen(given.get("projections", ())), _rebuild, _rebuild_on),
    "verify": Verb(lambda given: chosen(given.get("projections", ())), _verify, _verify),
    "replay": Verb(_check_replay, _replay, _replay_on),
    "redrive": Verb(_check_redrive, _redrive),
    # What was got is there, what was asked for a moment ago is not asked for again.
    "repair": Verb(lambda _: None, _repair, _repair),
    "export": Verb(lambda given: exports.to_write(given["file"]), _export, _export),
    "import": Verb(lambda given: exports.to_read(given["file"]), _import, _import),
}


def carry_out(call: Call, name: str, given: Arguments) -> Report:
    """Carry out an order at once, as a dry run for example."""
    return VERBS[name].begin(call, given)


def verb_of(record: Replay) -> tuple[Verb, Arguments]:
    """Return what a queued record asks for."""
    assert record.order is not None
    return VERBS[record.order["verb"]], record.order["given"]
