"""Whose turn an object is: the object `<key>.turn`, there once a second attempt began."""

from __future__ import annotations

from pydantic import BaseModel

from chronicle_storage.errors import Superseded
from chronicle_storage.s3_bucket import Bucket
from chronicle_storage.s3_errors import S3Answer, s3_errors


class Turn(BaseModel):
    """The attempt that may complete the object; `derived` uploads are copies of others."""

    turn: int = 0
    derived: tuple[str, ...] = ()


class Turns:
    """Reads and writes the turn of one key. It stays for weeks: a lost attempt may wake up late."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket = bucket
        self._key = key
        self._place = {"Bucket": bucket.name, "Key": f"{key}.turn"}

    def take_over(self, turn: int) -> None:
        """Write down whose turn it is."""
        now = self.read()
        if now.turn < turn:
            self._write(now.model_copy(update={"turn": turn}))

    def add_derived(self, upload_id: str) -> None:
        """Write down that nothing is lost with this upload."""
        now = self.read()
        self._write(now.model_copy(update={"derived": (*now.derived, upload_id)}))

    def check(self, turn: int) -> None:
        """Raise `Superseded` where it is a later attempt's turn."""
        if (by := self.read().turn) > turn:
            raise Superseded(self._key, turn=turn, by=by)

    def read(self) -> Turn:
        """Return what is written down."""
        try:
            with s3_errors(f"looking whose turn {self._key} is", expected=self._bucket.missing):
                answer = self._bucket.client.get_object(**self._place)
                return Turn.model_validate_json(answer["Body"].read())
        except S3Answer:
            return Turn()

    def _write(self, turn: Turn) -> None:
        self._bucket.write(
            f"taking over {self._key}",
            lambda: self._bucket.client.put_object(
                **self._place,
                Body=turn.model_dump_json().encode(),
                ContentType="application/json",
            ),
        )
