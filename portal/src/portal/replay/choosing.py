"""Which projections a verb is about."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.management.base import CommandParser

from portal.projections.registry import NAMES
from portal.replay.errors import BadParameters


def chosen(names: Sequence[str]) -> Sequence[str]:
    """Return the names in the registry's order, all for none. Raises `BadParameters`."""
    for name in names:
        if name not in NAMES:
            raise BadParameters(
                f"there is no projection {name!r}; there are {', '.join(NAMES)}",
                field="projections",
            )
    return tuple(name for name in NAMES if name in names) or NAMES


def add_projection(parser: CommandParser) -> None:
    """Let a command be about some projections only."""
    parser.add_argument(
        "--projection",
        action="append",
        default=[],
        metavar="NAME",
        help=f"only this one, may be repeated: {', '.join(NAMES)} (default: all)",
    )
