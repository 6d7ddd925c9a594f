"""Joining files without re-encoding."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recorder.adapters.ffmpeg import Ffmpeg


def join(ffmpeg: Ffmpeg, pieces: Sequence[Path], target: Path) -> None:
    """Write the media of the pieces, one after the other, as one finalised file.

    One piece is fine: an unfinalised file gets its duration and cues that way.
    Raises `FfmpegFailed`.
    """
    script = "ffconcat version 1.0\n" + "".join(f"file {_quoted(piece)}\n" for piece in pieces)
    ffmpeg.run(
        [
            *("-y", "-loglevel", "error"),
            *("-f", "concat", "-safe", "0", "-protocol_whitelist", "pipe,file", "-i", "pipe:0"),
            *("-map", "0:v:0?", "-map", "0:a:0?", "-c", "copy"),
            *("-f", "matroska", f"file:{target}"),
        ],
        given=script.encode(),
    )


def _quoted(path: Path) -> str:
    # The shell's rule, not C's: a quote ends the text, \' is a quote, a quote goes on.
    return "'file:" + str(path).replace("'", "'\\''") + "'"
