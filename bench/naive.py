"""The naive way: yt-dlp records, its file is remuxed to Matroska, and then it is uploaded."""

from __future__ import annotations

from pathlib import Path

import boto3
from botocore.config import Config

from bench.runs import Peer
from bench.uplinks import NAME, Bucket

KEY = "naive/recording.mkv"


def record(url: str, folder: Path) -> Peer:
    """Begin to record and, at the end, to remux."""
    return Peer(folder, url, ("--remux-video", "mkv", "-o", "out.%(ext)s"))


def upload(bucket: Bucket, folder: Path) -> int:
    """Upload what was recorded as `aws s3 cp` does, ten parts at once; return its size."""
    client = boto3.client(
        "s3",
        endpoint_url=bucket.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(s3={"addressing_style": "path"}),
    )
    file = folder / "out.mkv"
    client.upload_file(str(file), NAME, KEY)
    return file.stat().st_size
