"""HLS as encoders and sites serve it."""

import pytest
from chronicle_contracts.recorder import RecordingEnded, Uploaded
from Crypto.Cipher import AES
from Crypto.Util.Padding import pad

from services.recorder.tests.varieties.media import SECONDS
from services.recorder.tests.varieties.recorded import Comparison, compare
from services.recorder.tests.varieties.station import Clock, Playlist, Segment

# All is recorded and delivered, only the endpoint has not heard of it.
DONE_UNSAID = 69


def ts(station, media, other):
    names = station.put("ts", media.segments("ts"), "ts")
    return station.play("ts/live.m3u8", Playlist([Segment(name) for name in names])), {}


def fmp4(station, media, other):
    init, *segments = media.segments("m4s")
    station.files["/fmp4/init.mp4"] = init
    names = station.put("fmp4", segments, "m4s")
    offered = [Segment(name, map='URI="init.mp4"') for name in names]
    return station.play("fmp4/live.m3u8", Playlist(offered)), {}


def vod(station, media, other):
    names = station.put("vod", media.segments("ts"), "ts")
    offered = [Segment(name) for name in names]
    return station.play("vod/film.m3u8", Playlist(offered, is_live=False)), {}


def vod_fmp4(station, media, other):
    init, *segments = media.segments("m4s")
    station.files["/vodfmp4/init.mp4"] = init
    names = station.put("vodfmp4", segments, "m4s")
    offered = [Segment(name, map='URI="init.mp4"') for name in names]
    return station.play("vodfmp4/film.m3u8", Playlist(offered, is_live=False)), {}


def renewed_map(station, media, other):
    """The packager begins anew: same encoder, another initialization section, its time goes on."""
    init, *segments = media.segments("m4s")
    names = station.put("renewed", segments, "m4s")
    station.files |= {"/renewed/a.mp4": init, "/renewed/b.mp4": init}
    offered = [
        Segment(name, map=f'URI="{"a" if number < 8 else "b"}.mp4"')
        for number, name in enumerate(names)
    ]
    return station.play("renewed/live.m3u8", Playlist(offered)), {}


def changed_map(station, media, other):
    """Another encoder takes over, with another size; a time of its own."""
    init, *small = media.segments("m4s")
    station.files["/changed/small.mp4"] = init
    init, *large = other.segments("m4s", on_air=20)
    station.files["/changed/large.mp4"] = init
    names = station.put("changed", small[:8] + large[:8], "m4s")
    offered = [
        Segment(
            name,
            map=f'URI="{"small" if number < 8 else "large"}.mp4"',
            discontinuity=number == 8,
        )
        for number, name in enumerate(names)
    ]
    return station.play("changed/live.m3u8", Playlist(offered)), {}


def changed_size(station, media, other):
    small, large = media.segments("ts"), other.segments("ts", on_air=20)
    names = station.put("size", small[:8] + large[:8], "ts")
    offered = [Segment(name, discontinuity=number == 8) for number, name in enumerate(names)]
    return station.play("size/live.m3u8", Playlist(offered)), {}


def encrypted(station, media, other):
    """Keys rotate every four segments; every other key has its IV from the sequence number."""
    first, bodies, offered = 7, [], []
    for number, segment in enumerate(media.segments("ts")):
        turn = number // 4
        key = bytes([turn + 1]) * 16
        station.files[f"/aes/key{turn}.bin"] = key
        explicit = turn % 2 == 0
        iv = bytes([turn]) * 15 + b"\x09" if explicit else (first + number).to_bytes(16, "big")
        bodies.append(AES.new(key, AES.MODE_CBC, iv).encrypt(pad(segment, 16)))
        said = f'METHOD=AES-128,URI="key{turn}.bin"' + (f",IV=0x{iv.hex()}" if explicit else "")
        offered.append(Segment(f"{number}.ts", key=said))
    station.put("aes", bodies, "ts")
    return station.play("aes/live.m3u8", Playlist(offered, number=first)), {}


def ranges(station, media, other):
    """One file; offsets are told for the first and every fourth segment only."""
    segments = media.segments("ts")
    station.files["/ranges/all.ts"] = b"".join(segments)
    offered, offset = [], 0
    for number, segment in enumerate(segments):
        told = f"@{offset}" if number % 4 == 0 else ""
        offered.append(Segment("all.ts", tags=(f"#EXT-X-BYTERANGE:{len(segment)}{told}",)))
        offset += len(segment)
    return station.play("ranges/film.m3u8", Playlist(offered, is_live=False)), {}


def fmp4_ranges(station, media, other):
    """CMAF in one file: its initialization section is a range of it too."""
    parts = media.segments("m4s")
    station.files["/cmaf/all.mp4"] = b"".join(parts)
    offered, offset = [], len(parts[0])
    initial = f'URI="all.mp4",BYTERANGE="{len(parts[0])}@0"'
    for part in parts[1:]:
        told = (f"#EXT-X-BYTERANGE:{len(part)}@{offset}",)
        offered.append(Segment("all.mp4", map=initial, tags=told))
        offset += len(part)
    return station.play("cmaf/live.m3u8", Playlist(offered)), {}


def low_latency(station, media, other):
    """Parts and hints beside whole segments."""
    names = station.put("ll", media.segments("ts"), "ts")
    offered = [
        Segment(
            name,
            tags=(
                f"#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:00:{number:02}.000Z",
                f'#EXT-X-PART:DURATION=0.5,URI="part{number}.0.ts",INDEPENDENT=YES',
                f'#EXT-X-PART:DURATION=0.5,URI="part{number}.1.ts"',
            ),
        )
        for number, name in enumerate(names)
    ]
    foot = (
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5,CAN-SKIP-UNTIL=6\n"
        "#EXT-X-PART-INF:PART-TARGET=0.5\n"
        '#EXT-X-PART:DURATION=0.5,URI="next.0.ts",INDEPENDENT=YES\n'
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="next.1.ts"'
    )
    return station.play("ll/live.m3u8", Playlist(offered, foot=foot)), {}


def packed_audio(station, media, other):
    names = station.put("packed", media.packed_audio(), "aac")
    return station.play("packed/live.m3u8", Playlist([Segment(name) for name in names])), {}


def _master(*lines):
    return "\n".join(["#EXTM3U", "#EXT-X-INDEPENDENT-SEGMENTS", *lines, ""])


def _apart(station, folder, picture, sound):
    """A master playlist with a rendition of sound; both media playlists go by one clock."""
    clock = Clock()
    station.play(f"{folder}/picture.m3u8", Playlist(picture, clock))
    station.play(f"{folder}/sound.m3u8", Playlist(sound, clock))
    master = _master(
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="main",DEFAULT=YES,AUTOSELECT=YES,'
        'URI="sound.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=300000,CODECS="avc1.64000b,mp4a.40.2",'
        'RESOLUTION=160x90,AUDIO="a"',
        "picture.m3u8",
    )
    station.pages[f"/{folder}/master.m3u8"] = lambda: master
    return f"{station.url}/{folder}/master.m3u8"


def apart_ts(station, media, other):
    pictures = station.put("apart/v", media.segments("ts", "-an"), "ts")
    sounds = station.put("apart/a", media.segments("ts", "-vn"), "ts")
    picture = [Segment(f"v/{name}") for name in pictures]
    return _apart(station, "apart", picture, [Segment(f"a/{name}") for name in sounds]), {}


def apart_fmp4(station, media, other):
    parts = {}
    for track, other_track in (("v", "-an"), ("a", "-vn")):
        init, *segments = media.segments("m4s", other_track)
        station.files[f"/apartfmp4/{track}/init.mp4"] = init
        names = station.put(f"apartfmp4/{track}", segments, "m4s")
        parts[track] = [Segment(f"{track}/{one}", map=f'URI="{track}/init.mp4"') for one in names]
    return _apart(station, "apartfmp4", parts["v"], parts["a"]), {}


def apart_packed(station, media, other):
    pictures = station.put("apartpacked/v", media.segments("ts", "-an"), "ts")
    sounds = station.put("apartpacked/a", media.packed_audio(), "aac")
    picture = [Segment(f"v/{name}") for name in pictures]
    return _apart(station, "apartpacked", picture, [Segment(f"a/{one}") for one in sounds]), {}


def _variants(station, media, other, folder):
    """Three sizes by their word; the media are small and large, or sound alone."""
    codecs = 'CODECS="avc1.64000b,mp4a.40.2"'
    offers = {
        "1080": (other.segments("ts"), f"BANDWIDTH=4000000,RESOLUTION=1920x1080,{codecs}"),
        "720": (media.segments("ts"), f"BANDWIDTH=2000000,RESOLUTION=1280x720,{codecs}"),
        "sound": (media.segments("ts", "-vn"), 'BANDWIDTH=64000,CODECS="mp4a.40.2"'),
    }
    lines = []
    for name, (segments, said) in offers.items():
        names = station.put(f"{folder}/{name}", segments, "ts")
        station.play(f"{folder}/{name}/live.m3u8", Playlist([Segment(one) for one in names]))
        lines += [f"#EXT-X-STREAM-INF:{said}", f"{name}/live.m3u8"]
    station.pages[f"/{folder}/master.m3u8"] = lambda: _master(*lines)
    return f"{station.url}/{folder}/master.m3u8"


def best(station, media, other):
    return _variants(station, media, other, "best"), {}


def limited(station, media, other):
    return _variants(station, media, other, "limited"), {"CHRONICLE_QUALITY": "720p"}


def audio_only(station, media, other):
    return _variants(station, media, other, "sound"), {"CHRONICLE_QUALITY": "audio"}


def sound_of_both(station, media, other):
    """Sound alone of a stream in which it does not come apart."""
    names = station.put("both", media.segments("ts"), "ts")
    url = station.play("both/live.m3u8", Playlist([Segment(name) for name in names]))
    return url, {"CHRONICLE_AUDIO_ONLY": "true"}


def low(station, media, other):
    return _variants(station, media, other, "low"), {"CHRONICLE_MAX_HEIGHT": "720"}


SOURCES = {
    one.__name__: one
    for one in (
        *(apart_ts, apart_fmp4, apart_packed, changed_map, changed_size, renewed_map, ts, fmp4),
        *(vod, vod_fmp4, encrypted, ranges, fmp4_ranges, low_latency, packed_audio),
        *(best, limited, audio_only, sound_of_both, low),
    )
}

WHOLE = [
    *("ts", "fmp4", "vod", "vod_fmp4", "renewed_map", "encrypted", "ranges", "fmp4_ranges"),
    *("low_latency", "apart_ts", "apart_fmp4", "apart_packed"),
]


class TestHls:
    @pytest.mark.parametrize("name", WHOLE)
    def test_is_recorded_without_a_gap_and_in_sync(self, recorded, media, name):
        result = recorded(name)
        assert result.code == DONE_UNSAID, result.log
        assert result.shape == ("h264", "aac")
        assert result.complaints() == ""
        picture, sound = compare(result.path, media.path)
        assert picture.is_gapless
        assert sound.is_gapless
        # From the first to the last of fifteen seconds, in each track and between them.
        assert max(picture.shifts + sound.shifts) - min(picture.shifts + sound.shifts) < 0.1
        [uploaded] = result.facts(Uploaded)
        assert uploaded.gaps == ()

    @pytest.mark.parametrize("name", ["vod", "vod_fmp4", "ranges"])
    def test_of_a_film_is_whole_and_ends_by_itself(self, recorded, name):
        [ended] = recorded(name).facts(RecordingEnded)
        assert ended.why == "ended"
        assert recorded(name).seconds == pytest.approx(SECONDS, abs=0.1)

    @pytest.mark.parametrize("name", ["changed_map", "changed_size"])
    def test_goes_on_in_another_size_and_loses_nothing(self, recorded, media, other, name):
        result = recorded(name)
        assert result.code == DONE_UNSAID, result.log
        assert result.complaints() == ""
        assert result.seconds == pytest.approx(SECONDS, abs=0.1)
        before = Comparison.of(result.path, media.path, "v")
        assert before.numbers[:200] == list(range(200))
        # ffmpeg scales what comes after to the first size: no hash is left to compare.
        assert len(before.numbers) == 400
        for half in (media, other):
            sound = Comparison.of(result.path, half.path, "a").numbers
            known = [number for number in sound if number is not None]
            assert known == list(range(len(known)))
            assert len(known) * 1024 / 48000 == pytest.approx(8, abs=0.1)

    @pytest.mark.parametrize("name", ["packed_audio", "audio_only", "sound_of_both"])
    def test_of_sound_alone_is_whole(self, recorded, media, name):
        result = recorded(name)
        assert result.shape == (None, "aac"), result.log
        assert result.complaints() == ""
        assert Comparison.of(result.path, media.path, "a").is_gapless

    @pytest.mark.parametrize("name", ["best", "limited", "low"])
    def test_is_recorded_in_the_best_size_or_the_one_that_is_asked_for(
        self, recorded, media, other, name
    ):
        result = recorded(name)
        assert result.shape == ("h264", "aac"), result.log
        wanted = {"best": other, "limited": media, "low": media}[name]
        assert Comparison.of(result.path, wanted.path, "v").is_gapless
