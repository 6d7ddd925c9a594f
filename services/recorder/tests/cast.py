"""A recorder's world without a machine: a clock that is waited forward, scripted sources."""

from __future__ import annotations

import itertools
from concurrent.futures import Executor, Future
from datetime import UTC, datetime, timedelta
from typing import Any

from chronicle_contracts.naming import recorder_stream
from chronicle_contracts.recorder import Checksum, MediaInfo
from chronicle_storage import StoreUnreachable
from recorder.delivering import Desk
from recorder.domain.delivery import Delivery
from recorder.domain.run import Run
from recorder.domain.stream import Stream
from recorder.ports import FetchEnd, NothingSaved, Sighting, StoreTrouble, Superseded, Wish
from recorder.record import Order, Recording

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = "recordings/gala.mkv"
LIVE = Stream(protocol="hls", live_status="live", media_url="http://h/live.m3u8")
OVER = Stream(protocol="hls", live_status="finished", media_url="http://h/live.m3u8")
MEDIA = MediaInfo(video_codec="h264", audio_codec="aac")


class World:
    """Clock, site, capture, shelf, journal, control and log of one job, all scripted.

    Media flows at `rate` seconds per second while something is fetched, between the moments
    of `flowing`; the site's answers are taken one after the other, the last one stays.
    """

    def __init__(self):
        self.time = 0.0
        self.site_answers = [LIVE]
        self.questions = 0
        # capture
        self.rate = 1.0
        self.stream = None
        self.streams = []
        self.fetched_at = []
        self.rest = 0.0  # seconds of media that an ended playlist has of what was not saved
        self.hindrance = None
        self.behind = (0.0, 0.0)  # from when to when what was offered is not fetched yet
        self.media_seconds = 0.0
        self.bytes_recorded = 0
        self.pauses = []
        self.jumps = {}  # of the source's clock, in seconds that hold no media
        self.ends = {}
        self.losses = {}
        self.continues = False
        self.is_closed = False
        # shelf
        self.saved_bytes = 0
        self.shortages = []  # of the disk: from when to when
        self.trouble = 0
        self.is_empty = False
        self.unsaved_seconds = 0.0
        self.journal_left = b""
        self.key = KEY
        self.is_superseded = False
        self.is_taken_over = False
        self.is_delivered = False
        self.delivery_takes = 0.0
        self.files = ()
        self.drift = 0.0
        self.troubles = ()
        # accounts and manifest
        self.is_numbered = True
        self.missed = 0
        self.asked = {}
        self.saved_until = NOON
        self.given_seconds = {}
        self.programme_time = None
        self.statements = []
        self.manifest_trouble = 0
        # journal and control
        self.earlier_runs = []
        self.attempt = 1
        self.current = Run.at_stream(recorder_stream("gala.1"), "gala", NOON)
        self.saved = []
        self.wishes = {}
        self.log = "the log"

    # Clock and control: waiting is what makes time pass.

    def seconds(self):
        return self.time

    def now(self):
        return NOON + timedelta(seconds=self.time)

    def wait(self, seconds):
        # The end of a fetch is news, which ends the wait.
        seconds = min([seconds, *(at - self.time for at in self.ends if at > self.time)])
        has_ended = self._ended()
        self.time += seconds
        flows = not any(start <= self.time < end for start, end in self.pauses)
        if self.stream is not None and flows and not has_ended:
            self.media_seconds += seconds * self.rate
            self.bytes_recorded += int(seconds * self.rate * 100)
            for at in [at for at in self.jumps if at <= self.time]:
                self.media_seconds += self.jumps.pop(at)

    def wish(self):
        due = [wish for at, wish in sorted(self.wishes.items()) if at <= self.time]
        return due[-1] if due else Wish()

    # Capture

    def fetch(self, stream):
        self.stream = stream
        self.streams.append(stream)
        self.fetched_at.append(self.time)
        self.ends = {at: end for at, end in self.ends.items() if at > self.time}
        if stream.is_rest:
            self.ends = {self.time + self.rest: ENDED}

    def _ended(self):
        return next((end for at, end in sorted(self.ends.items()) if at <= self.time), None)

    def pause(self):
        self.stream = None

    def close(self):
        self.is_closed = True

    # Journal

    def earlier(self):
        return self.earlier_runs

    def last_word(self):
        return max((run.modified_on for run in self.earlier_runs), default=None)

    def run(self):
        return self.current

    def save(self, run):
        self.saved += [recorded.event for recorded in run.collect_events()]

    def lines(self):
        return b"lines"

    def drain(self, timeout):
        return True

    # Shelf

    @property
    def free_disk(self):
        is_short = any(start <= self.time < end for start, end in self.shortages)
        return 5 if is_short else 10**12

    @property
    def bytes_durable(self):
        return int(self.media_seconds) * 100

    def deliver(self):
        self.time += self.delivery_takes
        if self.trouble:
            self.trouble -= 1
            raise StoreTrouble("the store is away")
        if self.is_empty or (self.media_seconds == 0 and self.saved_bytes == 0):
            raise NothingSaved("No media was saved.")
        if self.is_taken_over:
            raise Superseded("attempt 2 has taken over")
        checksum = Checksum(algorithm="sha256", value="00")
        before = max((run.media_seconds for run in self.earlier_runs), default=0.0)
        saved = before + self.media_seconds - self.unsaved_seconds
        self.is_delivered = True
        return Delivery(
            *(KEY, 100, "etag", checksum, saved, MEDIA),
            files=self.files,
            drift=self.drift,
            troubles=self.troubles,
        )

    def withdraw(self):
        self.is_delivered = False

    # Accounts

    def miss(self, missed):
        self.missed += missed.segments

    def count(self):
        return int(self.media_seconds) if self.is_numbered else 0, self.missed

    def go_on(self, attempt):
        self.asked[attempt] = self.saved_until

    def asked_since(self):
        return self.asked

    def given(self):
        return self.given_seconds

    def leave_journal(self, lines):
        self.journal_left = lines

    # Log

    def text(self):
        return self.log

    def record(self, **order):
        """Run the recording to its end; return the outcome."""
        desk = Desk(
            shelf=self,
            accounts=self,
            manifest=_Manifest(self),
            journal=self,
            control=self,
            clock=self,
            executor=_AtOnce(),
        )
        return Recording(
            Order(key=KEY, **order),
            desk,
            site=_Site(self),
            capture=_Capture(self),
            log_tail=self,
        ).run()

    def facts(self, kind):
        return [event.data for event in self.saved if isinstance(event.data, kind)]

    def after_an_attempt(self, *facts_of, bytes_saved=1000):
        """Let an earlier attempt have happened; this one is the second."""
        earlier = Run.at_stream(recorder_stream("gala.1"), "gala", NOON)
        for act in facts_of:
            act(earlier)
        earlier.collect_events()
        self.earlier_runs = [earlier]
        self.current = Run.at_stream(recorder_stream("gala.2"), "gala", NOON)
        self.saved_bytes = bytes_saved
        return self


class _AtOnce(Executor):
    """Does everything at the moment at which it is asked for."""

    def submit(self, fn, /, *args, **kwargs):
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as any executor does
            done.set_exception(error)
        return done


class _Site:
    def __init__(self, world):
        self._world = world

    def look(self):
        world = self._world
        world.questions += 1
        answer = world.site_answers[0]
        if len(world.site_answers) > 1:
            world.site_answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class _Manifest:
    def __init__(self, world):
        self._world = world

    def write(self, statement):
        if self._world.manifest_trouble:
            self._world.manifest_trouble -= 1
            raise StoreTrouble("the store is away")
        self._world.statements.append(statement)
        return f"{KEY}.manifest.json"

    def discard(self, key):
        self._world.statements = []


class _Capture:
    def __init__(self, world):
        self.fetch = world.fetch
        self.close = world.close
        self.pause = world.pause
        self._world = world

    def look(self):
        world = self._world
        losses = tuple(world.losses.pop(at) for at in list(world.losses) if at <= world.time)
        end = world._ended() if world.stream is not None else None
        return Sighting(
            media_seconds=world.media_seconds,
            bytes_recorded=world.bytes_recorded,
            media=MEDIA if world.media_seconds > 0 else None,
            losses=losses,
            end=end,
            stream=world.stream,
            continues=world.continues,
            hindrance=world.hindrance,
            is_behind=world.behind[0] <= world.time < world.behind[1],
            is_numbered=world.stream is not None and world.stream.protocol == "hls",
        )


ENDED = FetchEnd("ended", "end mark")
REFUSED = FetchEnd("refused", "403")
BROKEN = FetchEnd("broken", "connection lost")
UNUSABLE = FetchEnd("unusable", "It is a web page.")


class AwayFor:
    """A store that does not answer some of what it is asked, after some that it did."""

    def __init__(self, store, questions, *, after=0):
        self._store = store
        self._away = range(after, after + questions)
        self._asked = itertools.count()

    def __getattr__(self, name):
        ask = getattr(self._store, name)
        if name == "grow":
            return ask  # nothing is asked by that yet

        def answer(*arguments, **more):
            if next(self._asked) in self._away:
                raise StoreUnreachable("away")
            return ask(*arguments, **more)

        return answer
