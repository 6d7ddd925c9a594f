"""What a site says while no media comes, and when it is believed.

Sites err: one of their servers has not heard of the stream yet, or forgot it for a moment; an
encoder that begins anew takes its playlist away for some seconds. So no single word ends a
recording, and none does while media comes:

- *over* (it was live, it is a finished film now) is believed when it is said twice in a row;
- *offline*, *gone*, *needs_login*, *blocked* when one of them was said three times in a row, and no
  media has come for `absent_patience` seconds;
- *live* is believed until no media has come for `idle_patience` seconds, and then for another third
  of that with a fresh address;
- a site that cannot be asked says nothing: after `idle_patience` that is all there is to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from recorder.domain.ending import Ending
from recorder.domain.hindrance import Hindrance, Kind
from recorder.domain.problem import SourceProblem

Absence = Literal["over", "offline", "gone", "needs_login", "blocked"]

TWICE, THRICE = 2, 3

_OF_CODE: dict[str, Absence] = {
    "no_stream": "offline",
    "not_found": "gone",
    "needs_login": "needs_login",
    "forbidden": "blocked",
    "blocked": "blocked",
    # What is there now is not what was recorded.
    "bad_url": "gone",
    "forbidden_scheme": "gone",
    "forbidden_address": "gone",
    "unsupported": "gone",
}
_SENTENCES: dict[Absence, str] = {
    "over": "The site says that the stream is over",
    "offline": "The site says that nobody is live",
    "gone": "The page or the stream was taken away",
    "needs_login": "The site asks for a login now",
    "blocked": "The site refuses to serve this machine now",
}


@dataclass(frozen=True)
class Patience:
    """Seconds without media after which a site's word is believed; see above."""

    absent: float
    idle: float


class Testimony:
    """The site's words since media came last."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.forget()

    def forget(self) -> None:
        """Media comes: whatever was said is void."""
        self._absence: Absence | None = None
        self._detail = ""
        self._times = 0
        self._is_live = False

    def live(self) -> None:
        """The site says that it is live."""
        self.forget()
        self._is_live = True

    def over(self) -> None:
        """The site says that what was live is a finished film."""
        self._say("over", "")

    def problem(self, problem: SourceProblem) -> None:
        """The site gave no stream; one that cannot be asked does not change what it said."""
        absence = _OF_CODE.get(problem.code)
        if absence is not None:
            self._say(absence, problem.detail)
        elif self._absence is None:
            self._detail = problem.detail

    def _say(self, absence: Absence, detail: str) -> None:
        self._times = self._times + 1 if self._absence is not None else 1
        self._absence, self._detail, self._is_live = absence, detail, False

    @property
    def hindrance(self) -> Hindrance | None:
        """What the site says; None while it says live, or cannot be asked."""
        if self._absence is None:
            return None
        kind: Kind = self._absence
        return Hindrance(kind, self._sentence)

    def verdict(self, idle: float, hindrance: Hindrance | None) -> Ending | None:
        """Return the end that follows, if one does, after `idle` seconds without media.

        `hindrance` is what keeps the fetcher from getting media.
        """
        if self._absence is not None:
            return self._of_absence(self._absence, idle)
        if self._is_live:
            return self._of_silence(idle, hindrance) if idle > self.last_chance else None
        if idle > self._patience.idle:
            said = self._detail or "it gave no answer"
            return Ending(
                "stalled",
                f"No media came for {idle:.0f} s, and the site could not be asked: {said}",
            )
        return None

    @property
    def last_chance(self) -> float:
        """Seconds without media after which a source that is called live is given up."""
        return self._patience.idle * 4 / 3

    def _of_absence(self, absence: Absence, idle: float) -> Ending | None:
        is_said = self._times >= (TWICE if absence == "over" else THRICE)
        is_quiet = absence == "over" or idle > self._patience.absent
        if (is_said and is_quiet) or idle > self._patience.idle:
            why = "ended" if absence == "over" else absence
            return Ending(why, self._sentence)
        return None

    @staticmethod
    def _of_silence(idle: float, hindrance: Hindrance | None) -> Ending:
        silence = f"no media came for {idle:.0f} s"
        if hindrance is None or hindrance.kind in ("frozen", "silent"):
            return Ending("frozen", f"The site says live, but {silence}.")
        why: Literal["blocked", "stalled"] = "blocked" if hindrance.kind == "refused" else "stalled"
        return Ending(why, f"The site says live, but {silence}: {hindrance.detail}")

    @property
    def _sentence(self) -> str:
        assert self._absence is not None
        sentence = _SENTENCES[self._absence]
        return f"{sentence}: {self._detail}" if self._detail else f"{sentence}."
