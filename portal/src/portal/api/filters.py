"""Which jobs a list shows, in which order, in which pages."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters  # type: ignore[import-untyped]
from chronicle_contracts import JobStatus
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import MultipleChoiceField
from rest_framework.exceptions import NotFound
from rest_framework.filters import OrderingFilter
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from portal.jobs.models import Job


class _StatusesField(MultipleChoiceField):
    """`status=A&status=B`, `status=A,B`, in either case."""

    default_error_messages: ClassVar = {
        "invalid_choice": f"there is no such status; the statuses are {', '.join(JobStatus)}"
    }

    def to_python(self, value: Any) -> list[str]:
        words = [word for part in value or [] for word in str(part).upper().split(",")]
        return super().to_python([word.strip() for word in words if word.strip()])


class _StatusesFilter(django_filters.MultipleChoiceFilter):  # type: ignore[misc]
    field_class = _StatusesField


class JobFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Filters of the list of jobs."""

    status = _StatusesFilter(choices=[(one.value, one.value) for one in JobStatus])
    site = django_filters.CharFilter()
    requested_by = django_filters.CharFilter()
    requested_after = django_filters.IsoDateTimeFilter(field_name="requested_at", lookup_expr="gte")
    requested_before = django_filters.IsoDateTimeFilter(field_name="requested_at", lookup_expr="lt")

    class Meta:
        model = Job
        fields: ClassVar[list[str]] = []


class JobOrdering(OrderingFilter):
    """Order by a column that is never null; equal ones by id, so that pages are stable."""

    def get_ordering(self, request: Request, queryset: QuerySet[Job], view: Any) -> list[str]:
        """Return the columns; unknown ones are left out."""
        ordering = list(super().get_ordering(request, queryset, view) or ["-requested_at"])
        return [*ordering, "id"]


class JobPages(CursorPagination):
    """Pages that neither skip nor repeat a job while new ones arrive."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    invalid_cursor_message = "this cursor is not valid; take it from next or previous of a page"

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        """Return a page; raises `NotFound` on a cursor that somebody made up."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except ValidationError as error:
            # DRF checks how a cursor is encoded, not whether its position is a time.
            raise NotFound(self.invalid_cursor_message) from error
