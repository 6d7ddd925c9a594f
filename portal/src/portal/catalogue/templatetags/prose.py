"""Docstrings as HTML."""

from __future__ import annotations

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def prose(text: str) -> SafeString:
    """Escape a text and set what stands in back ticks as code."""
    parts = (
        format_html("<code>{}</code>", part) if index % 2 else conditional_escape(part)
        for index, part in enumerate(text.split("`"))
    )
    return mark_safe("".join(parts))  # noqa: S308 (each part was escaped)
