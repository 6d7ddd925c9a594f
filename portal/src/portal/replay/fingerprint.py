"""The fingerprint of the code that folds: a table is only as good as the code that filled it."""

from __future__ import annotations

import functools
import hashlib
import inspect
from types import ModuleType

import chronicle_contracts
from chronicle_contracts import dispatcher, portal, recorder, seeder, upcasting

from portal.jobs import milestones, models, order, projection, readmodel, state

_FOLDS: tuple[ModuleType, ...] = (
    *(projection, order, milestones, state, readmodel, models),
    *(chronicle_contracts, dispatcher, portal, recorder, seeder, upcasting),
)


@functools.cache
def fingerprint() -> str:
    """Return a digest of the sources of everything that decides what a row looks like."""
    digest = hashlib.sha256()
    for module in _FOLDS:
        digest.update(inspect.getsource(module).encode())
    return digest.hexdigest()
