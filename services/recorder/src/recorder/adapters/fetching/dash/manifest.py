"""Reading DASH manifests, whatever they hold: it is only ever looked at, never followed here."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from recorder.adapters.fetching.dash.model import (
    Part,
    Period,
    Presentation,
    Range,
    Representation,
    Run,
    Template,
)

MOST_ELEMENTS = 500_000  # a day of segments of one second, in five representations
_DURATION = re.compile(
    r"P(?:(\d{1,6})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,12}(?:\.\d{1,12})?)S)?)?"
)
_SEGMENTS = ("SegmentTemplate", "SegmentList", "SegmentBase")


class UnreadableManifest(Exception):
    """What came is no manifest, or one that nothing can be fetched by."""


def read(text: bytes, url: str) -> Presentation:
    """Return the presentation of a manifest that lay at `url`. Raises `UnreadableManifest`.

    XML from strangers: the standard library's parser (expat 2.4.1 and newer) bounds the
    expansion of entities by itself, and fetches none.
    """
    try:
        root = ET.fromstring(text)  # noqa: S314
        if _name(root) != "MPD":
            raise UnreadableManifest("the manifest cannot be read: it is none")
        if sum(1 for _ in root.iter()) > MOST_ELEMENTS:
            raise UnreadableManifest(f"the manifest has more than {MOST_ELEMENTS} elements")
        return _presentation(root, url)
    except (ET.ParseError, ValueError, LookupError, OverflowError) as error:
        raise UnreadableManifest(f"the manifest cannot be read: {error}") from error


def _presentation(root: ET.Element, url: str) -> Presentation:
    is_live = root.get("type") == "dynamic"
    location = _child(root, "Location")
    periods = tuple(_periods(root, _based(url, root)))
    if not is_live and any(_is_endless(period) for period in periods):
        raise UnreadableManifest("the manifest tells no end")
    return Presentation(
        is_live=is_live,
        starts_at=moment(root.get("availabilityStartTime")),
        update_every=_seconds(root.get("minimumUpdatePeriod")) if is_live else None,
        window=_seconds(root.get("timeShiftBufferDepth")) if is_live else None,
        periods=periods,
        location=urljoin(url, location.text.strip())
        if location is not None and location.text
        else None,
        timings=tuple(
            (one.get("schemeIdUri", ""), one.get("value", ""))
            for one in _children(root, "UTCTiming")
        ),
    )


def _is_endless(period: Period) -> bool:
    return period.ends is None and any(
        one.template is not None and one.runs is None for one in period.representations
    )


def _periods(root: ET.Element, base: str) -> Iterator[Period]:
    elements = list(_children(root, "Period"))
    begins: list[float | None] = []
    before: float | None = 0.0  # where the period before ends, if that is known
    for element in elements:
        said = _seconds(element.get("start"))
        # A live one without a time is only announced.
        begins.append(said if said is not None else before)
        length = _seconds(element.get("duration"))
        last = begins[-1]
        before = last + length if last is not None and length is not None else None
    whole = _seconds(root.get("mediaPresentationDuration"))
    for number, (element, start) in enumerate(zip(elements, begins, strict=True)):
        if start is None:
            continue
        following = begins[number + 1] if number + 1 < len(begins) else whole
        length = _seconds(element.get("duration"))
        ends = start + length if length is not None else following
        yield Period(
            id=element.get("id") or f"#{start:.3f}",
            begins=start,
            ends=ends,
            representations=tuple(_representations(element, _based(base, element), start, ends)),
        )


def _representations(
    period: ET.Element, base: str, begins: float, ends: float | None
) -> Iterator[Representation]:
    for group in _children(period, "AdaptationSet"):
        if _is_for_seeking(group):
            continue
        for one in _children(group, "Representation"):
            kind = _kind(group, one)
            if kind is not None:
                levels = (period, group, one)
                yield _representation(levels, kind, _based(_based(base, group), one), begins, ends)


def _representation(
    levels: Sequence[ET.Element],
    kind: Literal["video", "audio"],
    base: str,
    begins: float,
    ends: float | None,
) -> Representation:
    _, group, one = levels
    name, said, found = _addressing(levels)
    timescale = _number(said.get("timescale"), 1)
    if timescale <= 0:
        raise ValueError("a timescale of nothing")
    identity, bandwidth = one.get("id", ""), _number(one.get("bandwidth"), 0)
    values = (("RepresentationID", identity), ("Bandwidth", str(bandwidth)))
    offset = _number(said.get("presentationTimeOffset"), 0)
    template, initial = None, None
    parts: tuple[Part, ...] | None = None
    if name == "SegmentTemplate":
        template = Template(base, said.get("media", ""), values)
        if "initialization" in said:
            initial = Part(urljoin(base, filled(said["initialization"], dict(values))))
    if "Initialization" in found:
        initial = _part(found["Initialization"][0], base, "sourceURL", "range")
    if name == "SegmentList":
        parts = tuple(_part(each, base, "media", "mediaRange") for each in found["SegmentURL"])
    length = None if ends is None else math.ceil((ends - begins) * timescale) + offset
    timeline = found.get("SegmentTimeline")
    runs = None if timeline is None else tuple(_runs(timeline[0], length))
    ticks = _number(said.get("duration"), 0)
    if template is not None and runs is None and ticks <= 0:
        raise ValueError("no lengths of segments are told")
    is_whole = template is None and parts is None
    return Representation(
        id=identity,
        kind=kind,
        bandwidth=bandwidth,
        height=_number(one.get("height") or group.get("height"), 0),
        is_main=any(role.get("value") == "main" for role in _children(group, "Role")),
        timescale=timescale,
        offset=offset,
        first_number=_number(said.get("startNumber"), 1),
        initial=initial,
        template=template,
        parts=parts,
        runs=runs,
        ticks=ticks,
        whole=Part(base) if is_whole else None,
        early=_early(said.get("availabilityTimeOffset")),
    )


def _addressing(
    levels: Sequence[ET.Element],
) -> tuple[str, dict[str, str], dict[str, list[ET.Element]]]:
    """Return how segments are told: the innermost kind, what is said of it on all levels."""
    kinds = [name for level in levels for name in _SEGMENTS if _child(level, name) is not None]
    name = kinds[-1] if kinds else ""
    said: dict[str, str] = {}
    found: dict[str, list[ET.Element]] = {}
    for level in levels:
        element = _child(level, name) if name else None
        if element is None:
            continue
        said |= {_plain(key): value for key, value in element.attrib.items()}
        for inner in ("SegmentTimeline", "Initialization", "SegmentURL"):
            if elements := list(_children(element, inner)):
                found[inner] = elements
    if name == "SegmentList":
        found.setdefault("SegmentURL", [])
    return name, said, found


def _runs(timeline: ET.Element, end: int | None) -> Iterator[Run]:
    elements = list(_children(timeline, "S"))
    at = 0
    for number, one in enumerate(elements):
        at = _number(one.get("t"), at)
        ticks, repeats = _number(one.get("d"), 0), _number(one.get("r"), 0)
        if ticks <= 0:
            raise ValueError("a segment of no length")
        count: int | None = repeats + 1
        if repeats < 0:
            following = elements[number + 1].get("t") if number + 1 < len(elements) else None
            until = end if following is None else _number(following, at)
            count = None if until is None else max(0, -(-(until - at) // ticks))
        yield Run(at, ticks, count)
        if count is None:
            return
        at += ticks * count


def filled(template: str, values: dict[str, str | int]) -> str:
    """Return an address with its identifiers replaced (5.3.9.4.4 of the standard)."""

    def value(match: re.Match[str]) -> str:
        name, width = match.group(1), match.group(2)
        if not name:
            return "$"
        found = values.get(name, match.group())
        return f"{found:0{int(width)}d}" if width and isinstance(found, int) else str(found)

    return re.sub(r"\$(\w*)(?:%0(\d{1,2})d)?\$", value, template)


def _kind(group: ET.Element, one: ET.Element) -> Literal["video", "audio"] | None:
    said = group.get("contentType") or one.get("mimeType") or group.get("mimeType") or ""
    if said.startswith("video"):
        return "video"
    return "audio" if said.startswith("audio") else None


def _is_for_seeking(group: ET.Element) -> bool:
    properties = (*_children(group, "EssentialProperty"), *_children(group, "SupplementalProperty"))
    return any("trickmode" in one.get("schemeIdUri", "") for one in properties)


def _part(element: ET.Element, base: str, address: str, byte_range: str) -> Part:
    return Part(urljoin(base, element.get(address, "")), _range(element.get(byte_range)))


def _range(text: str | None) -> Range | None:
    if text is None:
        return None
    first, _, last = text.partition("-")
    return int(first), int(last) if last else None


def _based(base: str, element: ET.Element) -> str:
    found = _child(element, "BaseURL")
    return urljoin(base, (found.text or "").strip()) if found is not None else base


def _early(text: str | None) -> float:
    value = float(text or 0)
    # "INF": they are there from the start. A minute says the same of a live one.
    return min(60.0, max(0.0, value)) if value == value else 0.0  # noqa: PLR0124 - NaN


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if len(text) > 20:
        raise ValueError("a number beyond measure")
    return int(text)


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        return None  # months and years are no time
    days, hours, minutes, seconds = (float(one or 0) for one in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def moment(text: str | None) -> float | None:
    """Return a date as Unix time; raises `ValueError`."""
    if text is None:
        return None
    date = datetime.fromisoformat(text.strip())
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _children(element: ET.Element, name: str) -> Iterator[ET.Element]:
    return (child for child in element if _name(child) == name)


def _child(element: ET.Element, name: str) -> ET.Element | None:
    return next(_children(element, name), None)


def _name(element: ET.Element) -> str:
    return _plain(element.tag) if isinstance(element.tag, str) else ""


def _plain(name: str) -> str:
    return name.rpartition("}")[2]
