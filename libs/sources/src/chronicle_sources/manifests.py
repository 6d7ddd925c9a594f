"""Manifests that are right, and that yt-dlp fails on."""

from __future__ import annotations

from typing import Any

from yt_dlp.extractor.common import InfoExtractor


def mend_manifests() -> None:
    """Let yt-dlp read DASH lists of ranges of one file.

    There neither `Initialization@sourceURL` nor `SegmentURL@media` is said: they are the
    representation's own address (ISO/IEC 23009-1, 5.3.9.2.2 and 5.3.9.3.2). yt-dlp takes
    both for required; for what it is asked here, nothing depends on them.
    """
    parse = InfoExtractor._parse_mpd_periods

    def parsed(self: Any, document: Any, *args: Any, **options: Any) -> Any:
        for element in document.iter():
            name = str(element.tag).rpartition("}")[2]
            if name == "Initialization":
                element.attrib.setdefault("sourceURL", "")
            elif name == "SegmentURL":
                element.attrib.setdefault("media", "")
        return parse(self, document, *args, **options)

    InfoExtractor._parse_mpd_periods = parsed
