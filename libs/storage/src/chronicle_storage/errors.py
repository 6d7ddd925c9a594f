"""What can go wrong with a recording store.

::

    StoreError
    ├── BadKey             the key may not name an object
    ├── ObjectMissing      there is no object under the key
    ├── NothingToDeliver   complete() was called, and nothing was written
    ├── UploadMismatch     what arrived is not what was sent; nothing was made visible by us
    ├── StoreRefused       the store answered and said no (rights, bucket): a person must act
    │   └── Superseded     a later attempt has taken the object over: this one is to end
    └── StoreUnreachable   the store did not answer, or its disk did not: passes, try again
"""

from __future__ import annotations


class StoreError(Exception):
    """The recording store could not do what was asked of it."""


class BadKey(StoreError):
    """The key may not name an object; the message says which rule it breaks."""


class ObjectMissing(StoreError):
    """No object has this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key}: no such object in the recording store")
        self.key = key


class NothingToDeliver(StoreError):
    """Nothing was written that could become an object."""


class UploadMismatch(StoreError):
    """The stored object differs from what was sent."""


class StoreRefused(StoreError):
    """The store refused; asking again will not help."""


class Superseded(StoreRefused):
    """A later attempt has taken over."""

    def __init__(self, key: str, *, turn: int, by: int) -> None:
        super().__init__(f"{key}: attempt {by} has taken over from attempt {turn}; end this one")


class StoreUnreachable(StoreError):
    """The store cannot be reached, or cannot write, right now."""
