"""Reading yt-dlp's answers: sites' infos and messages that no local server can give."""

import pytest
from chronicle_sources import SourceError
from chronicle_sources.credentials import MOST_HEADERS
from chronicle_sources.errors import without_secrets
from chronicle_sources.exchange import Request
from chronicle_sources.quality import BEST, format_selection
from chronicle_sources.reading import complaint, resolution
from chronicle_sources.resolution import LONGEST_NAME, LONGEST_TITLE, Resolution
from pydantic import ValidationError
from yt_dlp.utils import DownloadError, GeoRestrictedError, UserNotLive

PAGE = "https://93.184.215.14/watch"
REQUEST = Request(url=PAGE)


def a_format(**changes):
    return {"url": "https://93.184.215.14/v.m3u8", "protocol": "m3u8_native", **changes}


class TestResolution:
    def test_an_upcoming_stream_has_a_time_and_no_media_yet(self):
        found = resolution({"live_status": "is_upcoming", "release_timestamp": 1790000000}, REQUEST)
        assert found.live_status == "upcoming"
        assert found.release_at is not None
        assert found.release_at.timestamp() == 1790000000
        assert found.media_url is None

    def test_a_past_stream_is_finished(self):
        assert resolution(a_format(live_status="was_live"), REQUEST).live_status == "finished"

    def test_sound_and_picture_apart_have_two_addresses(self):
        info = {
            "live_status": "is_live",
            "requested_formats": [
                a_format(vcodec="avc1", acodec="none"),
                a_format(url="https://93.184.215.14/a.m3u8", vcodec="none", acodec="mp4a"),
            ],
        }
        found = resolution(info, REQUEST)
        assert found.protocol == "hls"
        assert (found.media_url, found.audio_url) == (
            "https://93.184.215.14/v.m3u8",
            "https://93.184.215.14/a.m3u8",
        )
        assert (found.video_codec, found.audio_codec) == ("avc1", "mp4a")

    def test_dash_is_fetched_by_its_manifest(self):
        one = a_format(protocol="http_dash_segments", manifest_url="https://93.184.215.14/m.mpd")
        found = resolution({"requested_formats": [one, one]}, REQUEST)
        assert (found.protocol, found.media_url) == ("dash", "https://93.184.215.14/m.mpd")
        assert found.audio_url == found.media_url

    def test_dash_without_a_manifest_is_left_to_yt_dlp(self):
        assert resolution(a_format(protocol="http_dash_segments"), REQUEST).protocol == "ytdlp"

    def test_cookies_go_to_no_host_as_headers(self):
        headers = {"Cookie": "a=geheim", "Referer": "https://h/"}
        found = resolution(a_format(http_headers=headers), REQUEST)
        assert found.headers == {"Referer": "https://h/"}

    def test_expires_with_the_first_of_its_addresses(self):
        info = {
            "requested_formats": [
                a_format(url="https://93.184.215.14/v.m3u8?expires=1795262400"),
                a_format(url="https://93.184.215.14/a.m3u8?expires=1795262300"),
            ]
        }
        found = resolution(info, REQUEST)
        assert found.expires_at is not None
        assert found.expires_at.timestamp() == 1795262300

    def test_what_has_no_plain_protocol_is_left_to_yt_dlp(self):
        assert resolution(a_format(protocol="websocket_frag"), REQUEST).protocol == "ytdlp"

    def test_a_playlist_stands_for_its_first_entry(self):
        found = resolution({"_type": "playlist", "entries": [a_format(title="one")]}, REQUEST)
        assert found.title == "one"

    @pytest.mark.parametrize(
        ("info", "code"),
        [
            ({"_type": "playlist", "entries": []}, "no_stream"),
            ({"title": "nothing"}, "no_stream"),
            ({"_has_drm": True}, "unsupported"),
            ({"availability": "needs_auth"}, "needs_login"),
            (a_format(url="http://127.0.0.1/x.m3u8"), "forbidden_address"),
            (a_format(url="file:///etc/passwd"), "forbidden_scheme"),
        ],
    )
    def test_says_why_nothing_can_be_recorded(self, info, code):
        with pytest.raises(SourceError) as caught:
            resolution(info, REQUEST)
        assert caught.value.code == code

    def test_a_title_is_one_printable_line(self):
        title = "\x1b[2JGala\r\n{level: error}\u202etxt.exe\x00"
        found = resolution(a_format(title=title, format_id="f" * 1000), REQUEST)
        assert found.title == "[2JGala {level: error} txt.exe"
        assert found.format_id is not None
        assert len(found.format_id) == LONGEST_NAME

    def test_a_title_is_bounded(self):
        title = resolution(a_format(title="\n" * 10**6 + "x" * 10**6), REQUEST).title
        assert title is not None
        assert len(title) <= LONGEST_TITLE

    def test_more_headers_than_any_site_asks_for_are_refused(self):
        headers = {f"X-{number}": "x" for number in range(MOST_HEADERS + 1)}
        with pytest.raises(ValidationError):
            Resolution.model_validate({"headers": headers})


class TestComplaint:
    @pytest.mark.parametrize(
        ("words", "code"),
        [
            ("ERROR: [youtube] x: Sign in to confirm you're not a bot. Use --cookies", "blocked"),
            ("ERROR: [youtube] x: Private video. Sign in if you've been granted", "needs_login"),
            ("ERROR: [youtube] x: Video unavailable", "not_found"),
            ("ERROR: [twitch] x: The channel is not currently live", "no_stream"),
            ("ERROR: [a] x: This video is not available in your country", "blocked"),
            ("ERROR: [b] x: This video is DRM protected", "unsupported"),
            ("ERROR: [c] x: something new", "unsupported"),
        ],
    )
    def test_knows_the_words_of_sites(self, words, code):
        assert complaint(Exception(words), PAGE)[0] == code

    @pytest.mark.parametrize(
        ("cause", "code"),
        [(GeoRestrictedError("no"), "blocked"), (UserNotLive(video_id="x"), "no_stream")],
    )
    def test_knows_the_errors_that_sites_agree_on(self, cause, code):
        error = DownloadError("ERROR: something", (type(cause), cause, None))
        assert complaint(error, PAGE)[0] == code

    def test_never_repeats_a_query(self):
        _, detail = complaint(Exception("ERROR: failed on https://h/x?sig=abc"), f"{PAGE}?t=secret")
        assert "abc" not in detail
        assert "secret" not in detail

    def test_cuts_queries_of_addresses_without_a_host_too(self):
        said = without_secrets("Max retries exceeded with url: /live.m3u8?token=abc (Caused by x)")
        assert said == "Max retries exceeded with url: /live.m3u8 (Caused by x)"

    @pytest.mark.parametrize("piece", ["x", "?", "://", "a://b?c=", "=", "?="])
    def test_reads_a_megabyte_of_anything_in_one_go(self, piece):
        # Were the time a square of the length, this would take hours.
        without_secrets(piece * (1_000_000 // len(piece)))

    def test_repeats_no_control_characters_and_no_novels(self):
        _, detail = complaint(Exception("ERROR: \x1b[31mred\r\nforged " + "x" * 100_000), PAGE)
        assert detail.isprintable()
        assert len(detail) < 500


class TestFormatSelection:
    def test_takes_words_heights_and_selections(self):
        assert format_selection(None) == BEST
        assert format_selection("best") == BEST
        assert "height<=?720" in format_selection("720p60")
        assert format_selection("22/18") == "22/18"

    def test_limits_any_selection_to_a_height(self):
        assert "height<=?480" in format_selection("720p", max_height=480)
        assert "height<=?480" in format_selection("480p", max_height=720)
        assert format_selection("22/18", max_height=480).startswith("(22/18)[height<=?480]/")

    def test_takes_sound_alone_whatever_else_is_asked_for(self):
        assert format_selection("720p", audio_only=True) == format_selection("audio")
