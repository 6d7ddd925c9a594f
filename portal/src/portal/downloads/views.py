"""Endpoints that send files: recordings, torrents, web seeds."""

from __future__ import annotations

from typing import Any

from chronicle_contracts.webseed import is_webseed_token
from chronicle_storage import BadKey, StoredObject
from django.http import Http404, HttpResponseBase, HttpResponseRedirect
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from portal.api.endpoints import Endpoint
from portal.configuration import portal_settings
from portal.downloads.serving import MATROSKA, TORRENT, Offer, serve
from portal.downloads.store import recording_store
from portal.jobs.models import Job

SIGNED_SECONDS = 6 * 60 * 60  # a download may be interrupted and resumed within this time

RANGE = OpenApiParameter(
    "Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="one range, e.g. bytes=0-1023"
)


class AnyAccept(BaseContentNegotiation):
    """A file has one form; what the client would rather have makes no difference."""

    def select_parser(self, request: Request, parsers: Any) -> Any:  # noqa: ARG002 (DRF's call)
        """Take the first."""
        return parsers[0]

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002 (DRF's call)
        renderers: Any,
        format_suffix: str | None = None,  # noqa: ARG002 (DRF's call)
    ) -> tuple[BaseRenderer, str]:
        """Take the first."""
        return renderers[0], renderers[0].media_type


class JobRecording(Endpoint):
    """The recording of a job."""

    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="jobs_recording",
        summary="The recording: the file, or the way to it",
        parameters=[RANGE],
        responses={
            (200, MATROSKA): OpenApiTypes.BINARY,
            (206, MATROSKA): OpenApiTypes.BINARY,
            302: OpenApiResponse(description="a signed address of the object store"),
        },
    )
    def get(self, request: Request, job_id: str) -> HttpResponseBase:
        """Serve a local file here; let the object store serve its own."""
        job = _job(job_id)
        if job.recording is None or job.recording.get("deleted_at"):
            raise Http404(f"job {job_id!r} is {job.status} and has no recording to download")
        stored = _stored(job.recording["key"])
        filename = stored.key.rsplit("/", 1)[-1]
        if request.method != "HEAD":  # an address is signed for GET alone
            url = recording_store().signed_url(
                stored.key, expires=SIGNED_SECONDS, filename=filename
            )
            if url is not None:
                return HttpResponseRedirect(url)
        return serve(request._request, recording_store(), Offer(stored, MATROSKA, filename))


class JobTorrent(Endpoint):
    """The torrent of a job's recording."""

    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="jobs_torrent",
        summary="The torrent of the recording",
        responses={(200, TORRENT): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, job_id: str) -> HttpResponseBase:
        """Serve the file."""
        job = _job(job_id)
        if job.torrent is None or not job.torrent.get("key"):
            raise Http404(f"job {job_id!r} is {job.status} and has no torrent yet")
        stored = _stored(job.torrent["key"])
        filename = stored.key.rsplit("/", 1)[-1]
        return serve(request._request, recording_store(), Offer(stored, TORRENT, filename))


@extend_schema(exclude=True)
class WebSeed(APIView):
    """An object for torrent clients: the address is the permission, nobody is redirected.

    Source: BEP-19. A client asks for many ranges at once, so there is no throttle.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()
    content_negotiation_class = AnyAccept

    def get(self, request: Request, token: str, key: str) -> HttpResponseBase:
        """Serve the object; a wrong token and a missing object look the same."""
        secret = portal_settings().webseed_secret
        if secret is None or not is_webseed_token(token, key, secret.get_secret_value()):
            raise Http404("there is no such web seed")
        offer = Offer(_stored(key), MATROSKA, key.rsplit("/", 1)[-1], cache="public, max-age=3600")
        return serve(request._request, recording_store(), offer)


def _job(job_id: str) -> Job:
    job = Job.objects.only("id", "status", "recording", "torrent").filter(id=job_id).first()
    if job is None:
        raise Http404(f"there is no job {job_id!r}")
    return job


def _stored(key: str) -> StoredObject:
    try:
        stored = recording_store().stat(key)
    except BadKey:
        stored = None
    if stored is None:
        raise Http404("the object is not in the recording store (any more)")
    return stored
