"""Text from outside, made fit for events, logs and pages: bounded, on one line, printable."""

from __future__ import annotations

import itertools
import unicodedata

# Control characters would forge log lines and steer terminals; formatting ones (bidirectional
# overrides among them) would let a title read as something else; surrogates are no UTF-8.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_JOINERS = frozenset("\u200c\u200d")  # Persian and emoji are not written without them


def plain(text: str, longest: int) -> str:
    """Return at most `longest` characters of a text, none of which does anything."""
    # What is cut away need not be looked at; a text may hold megabytes.
    head = text[: 4 * longest]
    kept = "".join(
        one if one in _JOINERS or unicodedata.category(one) not in _UNPRINTABLE else " "
        for one in head
    )
    words = " ".join(kept.split())
    if len(words) <= longest and len(text) <= len(head):
        return words
    return "".join(itertools.islice(words, longest - 1)).rstrip() + "…"
