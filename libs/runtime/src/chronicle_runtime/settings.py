"""Settings: one frozen model a process, read from the environment, refused when bad.

A process calls `load(MySettings)` first of all. A bad or missing value ends it there with the
variable's name, the value and what is expected; `--settings` on its command line prints the
table of everything that can be set and ends it with code 0.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings, SettingsConfigDict

EX_CONFIG = 78  # sysexits.h: something is wrong with the configuration


class ServiceSettings(BaseSettings):
    """What the settings of all processes share.

    Each field carries its environment variable as `validation_alias` and a `description`.
    """

    # Code may pass a field by its name; the environment may not, or HOME and DEBUG, which are
    # about other things, would be read as ours. The prefix is one that no variable has.
    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        env_ignore_empty=True,
        env_prefix="not a variable: ",
    )


S = TypeVar("S", bound=ServiceSettings)


@dataclass(frozen=True)
class Setting:
    """One line of a settings table."""

    variable: str
    default: str
    description: str


def variable_of(name: str, field: FieldInfo) -> str:
    """Return the environment variable that sets a field."""
    alias = field.validation_alias
    return alias if isinstance(alias, str) else name.upper()


def describe(model: type[ServiceSettings]) -> Iterator[Setting]:
    """Yield what can be set, in the order of the model."""
    for name, field in model.model_fields.items():
        yield Setting(
            variable=variable_of(name, field),
            default=_shown(field),
            description=field.description or "",
        )


def _shown(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "(derived)"
    if field.default is PydanticUndefined:
        return "(required)"
    if isinstance(field.default, SecretStr):
        return "(secret)"
    return "(none)" if field.default is None else str(field.default)


def table(model: type[ServiceSettings]) -> str:
    """Return the settings of a process as text, a line each."""
    rows = list(describe(model))
    wide = max(len(row.variable) for row in rows)
    mid = max(len(row.default) for row in rows)
    return "\n".join(
        f"{row.variable:<{wide}}  {row.default:<{mid}}  {row.description}".rstrip() for row in rows
    )


def problems(model: type[ServiceSettings], error: ValidationError) -> list[str]:
    """Return one sentence for each bad setting: name, value (unless secret), what is wrong."""
    by_alias = {variable_of(name, field): field for name, field in model.model_fields.items()}
    by_alias |= dict(model.model_fields)
    sentences = []
    for one in error.errors(include_url=False):
        place = str(one["loc"][0]) if one["loc"] else ""
        field = by_alias.get(place)
        name = variable_of(place, field) if field is not None else place or model.__name__
        sentences.append(f"{name}: {one['msg']}{_value(field, one)}")
    return sentences


def _value(field: FieldInfo | None, one: Any) -> str:
    if one["type"] == "missing" or field is None:
        return ""
    if "Secret" in str(field.annotation):
        return ""
    return f" (it is {one['input']!r})"


def load(model: type[S], argv: Sequence[str] | None = None) -> S:
    """Return the process's settings, or end the process with an explanation.

    Exit codes: 0 after `--settings`, 78 (EX_CONFIG) on a bad or missing value.
    """
    arguments = sys.argv[1:] if argv is None else argv
    if "--settings" in arguments:
        sys.stdout.write(table(model) + "\n")
        raise SystemExit(0)
    try:
        return model()
    except ValidationError as error:
        for sentence in problems(model, error):
            sys.stderr.write(f"bad setting: {sentence}\n")
        sys.stderr.write("run with --settings to see every setting and its default\n")
        raise SystemExit(EX_CONFIG) from None
