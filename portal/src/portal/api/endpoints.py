"""What all endpoints share: throttles come first, and refused commands become problems."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from portal.api.problems import Conflict, Unreachable, VaultUnavailable
from portal.jobs.errors import BadRequest, CommandRefused, JobNotFound, VaultAway
from portal.replay.errors import BadParameters, NotThere, ReplayError, Unavailable


class Endpoint(APIView):
    """Counts a request before it looks whether it is allowed.

    DRF throttles last, and so never those who are not logged in.
    """

    def check_permissions(self, request: Request) -> None:
        """Throttle, then check."""
        super().check_throttles(request)
        super().check_permissions(request)

    def check_throttles(self, request: Request) -> None:
        """Nothing: it was done."""


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what a command or verb refuses into what the API answers."""
    try:
        yield
    except BadParameters as error:
        wrong = serializers.ErrorDetail(error.detail, code="invalid")
        raise serializers.ValidationError({error.field or "non_field_errors": [wrong]}) from error
    except NotThere as error:
        raise Http404(error.detail) from error
    except Unavailable as error:
        raise Unreachable(error.detail) from error
    except ReplayError as error:
        raise Conflict(error.detail) from error
    except BadRequest as error:
        detail = serializers.ErrorDetail(error.detail, code=error.code)
        raise serializers.ValidationError({error.field or "non_field_errors": [detail]}) from error
    except JobNotFound as error:
        raise Http404(error.detail) from error
    except VaultAway as error:
        raise VaultUnavailable(error.detail) from error
    except CommandRefused as error:
        raise Conflict(error.detail) from error
