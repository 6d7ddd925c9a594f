"""What keeps a stream from being there."""

from __future__ import annotations

# These will not change while a recorder waits.
_HOPELESS = frozenset(
    {"bad_url", "forbidden_scheme", "forbidden_address", "needs_login", "unsupported"}
)


class SourceProblem(Exception):
    """There is no stream now; `code` is one of the codes of the sources library."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail

    @property
    def is_hopeless(self) -> bool:
        """Asking again would not help."""
        return self.code in _HOPELESS
