"""The child that fetches, with a site as YouTube is: live from its start, segment by segment."""

from __future__ import annotations

import time
from typing import Any

from chronicle_sources import downloading
from yt_dlp.extractor.generic import GenericIE

MOST = 6


def extract(self: Any, url: str) -> dict[str, Any]:
    """Return what an extractor does that knows the way to the start of a live stream."""

    def fragments(_: Any) -> Any:
        for number in range(MOST):
            time.sleep(0.05)  # as they come
            yield {"url": f"{url}/sq/{number}", "fragment_count": number + 1}

    return {
        "id": "live",
        "title": "live",
        "live_status": "is_live",
        "formats": [
            {
                "format_id": "137",
                "url": url,
                "protocol": "http_dash_segments_generator",
                "is_from_start": True,
                "fragments": fragments,
                "vcodec": "avc1",
                "acodec": "mp4a",
            }
        ],
    }


if __name__ == "__main__":
    GenericIE._real_extract = extract
    downloading.main()
