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
        self.detail = sentence(detail)

    @property
    def is_hopeless(self) -> bool:
        """Asking again would not help."""
        return self.code in _HOPELESS


def sentence(text: str) -> str:
    """Return a text of others with a full stop where it has none."""
    text = text.rstrip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
