"""The fingerprint of the code that folds: a table is only as good as the code that filled it."""

from __future__ import annotations

import functools
import hashlib
import inspect
from types import ModuleType

import chronicle_contracts
from chronicle_contracts import dispatcher, portal, recorder, seeder, superseded, upcasting

from portal.jobs import order
from portal.projections import folding, projection, tables
from portal.projections.registry import projections_named

_SHARED: tuple[ModuleType, ...] = (
    *(order, folding, projection, tables),
    *(chronicle_contracts, dispatcher, portal, recorder, seeder, superseded, upcasting),
)


@functools.cache
def fingerprint(names: tuple[str, ...]) -> str:
    """Return a digest of the sources of all that decides what rows of these projections are."""
    digest = hashlib.sha256()
    own = [module for one in projections_named(names) for module in one.modules]
    for module in [*_SHARED, *dict.fromkeys(own)]:
        digest.update(inspect.getsource(module).encode())
    return digest.hexdigest()
