"""What a projection is: a pure fold of a job's history, and the rows that its state makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol, Self, TypeVar

from chronicle_contracts import Event
from django.db.models import Model
from pydantic import BaseModel, ConfigDict, TypeAdapter

from portal.eventlog.entry import Skipped

Row = Mapping[str, Any]
"""Values by column; a JSON column's value is JSON text, or None."""


class Part(BaseModel):
    """A frozen part of a state; parts are replaced, never changed."""

    model_config = ConfigDict(frozen=True)

    def having(self, **changes: Any) -> Self:
        """Return it with some fields replaced, not validated: a fold does so at every event.

        A fourth of the time of `model_copy`, which copies what here stays as it is.
        """
        made = self.__new__(type(self))
        object.__setattr__(made, "__dict__", {**self.__dict__, **changes})
        object.__setattr__(made, "__pydantic_fields_set__", self.__pydantic_fields_set__)
        object.__setattr__(made, "__pydantic_extra__", self.__pydantic_extra__)
        object.__setattr__(made, "__pydantic_private__", self.__pydantic_private__)
        return made


State = TypeVar("State")


class Fold(Protocol[State]):
    """Returns the state after one more event; None is the state before the first that counts."""

    def __call__(self, state: State | None, event: Event, *, position: int) -> State | None:
        """Pure: no clock, no I/O. Events come lifted to their newest version."""


@dataclass(frozen=True)
class Projection:
    """One read model: every row of `model` belongs to one job and follows from its history.

    What is summed up over jobs (a day, a service) is summed up by who reads: each row is a
    job's own share, so that no duplicate and no order of arrival can make a sum wrong.
    """

    name: str
    title: str
    model: type[Model]
    # The column that names the job.
    job_column: str
    fold: Fold[Any]
    rows: Callable[[str, Any], Sequence[Row]]
    # The modules that decide what a row looks like: a build of other code is begun anew.
    modules: tuple[ModuleType, ...]
    # What an event that is passed over leaves in the state, if anything.
    mark: Callable[[Any, Skipped], Any] | None = None

    @property
    def table(self) -> str:
        """The name of the table that everybody reads."""
        return str(self.model._meta.db_table)


def json_of(adapter: TypeAdapter[Any], value: Any) -> str | None:
    """Return a part as JSON text; None stays None."""
    return None if value is None else adapter.dump_json(value).decode()
