"""Manifests that are right, and that yt-dlp fails on."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from yt_dlp.extractor.common import InfoExtractor

# What a list of segments is made of.
_LISTS = {"SegmentTimeline": "S", "SegmentList": "SegmentURL"}


def mend_manifests() -> None:
    """Let yt-dlp read DASH lists of ranges of one file, and lists that are empty for a while.

    In the former neither `Initialization@sourceURL` nor `SegmentURL@media` is said: they are the
    representation's own address (ISO/IEC 23009-1, 5.3.9.2.2 and 5.3.9.3.2). yt-dlp takes
    both for required. Of an empty list, as live packagers write it before the first segment, it
    says that its extractor failed, or that the whole is one file. What is added here is never
    fetched: for what yt-dlp is asked, nothing depends on it.
    """
    parse = InfoExtractor._parse_mpd_periods

    def parsed(self: Any, document: Any, *args: Any, **options: Any) -> Any:
        for element in list(document.iter()):
            name = _name(element)
            if name == "Initialization":
                element.attrib.setdefault("sourceURL", "")
            elif name == "SegmentURL":
                element.attrib.setdefault("media", "")
            elif name in _LISTS and not any(_name(one) == _LISTS[name] for one in element):
                namespace = str(element.tag).removesuffix(name)
                element.append(Element(f"{namespace}{_LISTS[name]}", {"media": "", "d": "1"}))
        return parse(self, document, *args, **options)

    InfoExtractor._parse_mpd_periods = parsed


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]
