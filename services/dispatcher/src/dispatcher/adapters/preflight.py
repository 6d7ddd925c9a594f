"""The look at a URL before anything is launched: address guard, then yt-dlp in a child."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from chronicle_contracts import Retry
from chronicle_contracts.portal import JobRequested
from chronicle_sources import Credentials, Resolution, SourceError, guard, resolve
from chronicle_vault import SecretMissing, Vault, VaultError

from dispatcher.adapters.fresh_looks import FreshLooks
from dispatcher.ports import Refused, Sight

log = structlog.get_logger(__name__)


class SourcesPreflight:
    """The port `Preflight` over `chronicle_sources`; `timeout` in seconds.

    What it finds is in `fresh` for the launch; `prepare` is called before, for the same.
    """

    def __init__(
        self,
        vault: Vault,
        fresh: FreshLooks,
        *,
        timeout: float,
        allow_private: bool,
        prepare: Callable[[], None],
    ) -> None:
        self._vault = vault
        self._fresh = fresh
        self._timeout = timeout
        self._allow_private = allow_private
        self._prepare = prepare

    def check(self, url: str) -> None:
        """Return if the URL may be fetched; a host that cannot be found now may be later."""
        try:
            guard.check(url, allow_private=self._allow_private)
        except SourceError as error:
            if error.code != "unreachable":
                raise Refused(error.code, error.detail) from error

    def look(self, request: JobRequested) -> Sight:
        """Return what stands behind the URL; raises `Retry` while the vault is away."""
        credentials = self._credentials(request.credentials)
        self._prepare()
        try:
            try:
                seen = self._resolve(request, credentials)
            except SourceError as error:
                # It may have been this machine that had no time: a rejection is too much for that.
                if error.code != "timeout":
                    raise
                log.info("look_repeated", detail=error.detail)
                seen = self._resolve(request, credentials)
        except SourceError as error:
            raise Refused(error.code, error.detail) from error
        if seen.media_url is not None:
            self._fresh.put(request, seen)
        return Sight(
            title=seen.title,
            site=seen.site,
            live_status=seen.live_status,
            protocol=seen.protocol,
            release_at=seen.release_at,
        )

    def _resolve(self, request: JobRequested, credentials: Credentials) -> Resolution:
        return resolve(
            request.url,
            timeout=self._timeout,
            quality=request.quality,
            live_from_start=request.live_from_start,
            allow_private=self._allow_private,
            credentials=credentials,
            audio_only=request.audio_only,
            max_height=request.max_height,
        )

    def _credentials(self, name: str | None) -> Credentials:
        if name is None:
            return Credentials()
        try:
            return Credentials.model_validate_json(self._vault.get(name))
        except SecretMissing:
            raise Refused(
                "credentials_missing",
                "The cookies and headers of this job were deleted after its end; "
                "submit it again with them.",
            ) from None
        except VaultError as error:
            raise Retry(f"the vault does not give {name}: {error}") from None
