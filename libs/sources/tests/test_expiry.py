"""When signed addresses expire."""

import base64
import json
from datetime import UTC, datetime

import pytest
from chronicle_sources.expiry import expires_at

AT = 1_795_262_400  # 2026-11-21T12:00:00Z
NOON = datetime.fromtimestamp(AT, UTC)


def web_token(claims):
    header, body = ({"alg": "RS256"}, claims)
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode() for one in (header, body)]
    return ".".join([*(part.rstrip("=") for part in parts), "c2ln"])


class TestExpiresAt:
    @pytest.mark.parametrize(
        "url",
        [
            f"https://h/live.m3u8?expire={AT}&sig=x",
            f"https://h/live.m3u8?Expires={AT}&Signature=x&Key-Pair-Id=y",
            f"https://h/live.m3u8?hdnts=st=1795258800~exp={AT}~acl=/*~hmac=abc",
            f"https://h/live.m3u8?hdnts=exp%3D{AT}%7Eacl%3D%2F%2A%7Ehmac%3Dabc",
            f"https://h/hdntl=exp={AT}~acl=%2f*~data=hdntl~hmac=abc/live.m3u8",
            f"https://h/live.m3u8?exp={AT}000",
            f"https://h/live.m3u8?wowzatokenendtime={AT}&wowzatokenhash=x",
            f"https://manifest.h/api/manifest/hls_playlist/expire/{AT}/ei/x/playlist/index.m3u8",
            "https://h/a.m3u8?X-Amz-Date=20261121T110000Z&X-Amz-Expires=3600&X-Amz-Signature=x",
            "https://h/a.m3u8?X-Goog-Date=20261121T110000Z&X-Goog-Expires=3600",
            "https://h/a.m3u8?se=2026-11-21T12%3A00%3A00Z&sp=r&sig=x",
            f"https://h/a.m3u8?expires={AT + 600}&exp={AT}",
            f"https://h/a.m3u8?token=%7B%22channel%22%3A1%2C%22expires%22%3A{AT}%7D&sig=x",
            f"https://h/a.m3u8?token={web_token({'sub': 'a', 'exp': AT})}",
        ],
    )
    def test_reads_the_moment_of_each_kind(self, url):
        assert expires_at(url) == NOON

    @pytest.mark.parametrize(
        "url",
        [
            "https://h/live.m3u8",
            "https://h/live.m3u8?e=12&expires=never&exp=",
            "https://h/live.m3u8?expires=3600",
            "https://h/live.m3u8?expires=99999999999",
            "https://h/a.m3u8?X-Amz-Date=20261399T110000Z&X-Amz-Expires=3600",
            "https://h/a.m3u8?X-Amz-Expires=3600",
            "https://h/1795262400/live.m3u8",
            "https://h/live.m3u8?" + "&" * 100_000,
            "https://h/live.m3u8?e=" + "9" * 100_000,
        ],
    )
    def test_says_nothing_of_others(self, url):
        assert expires_at(url) is None
