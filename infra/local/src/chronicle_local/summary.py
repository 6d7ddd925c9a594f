"""What the stack and the demo print at their end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rich.console import Console

from chronicle_local.stack import Stack


def addresses(stack: Stack) -> dict[str, str]:
    """Return where a person goes from here."""
    portal = stack.settings.portal_url
    return {
        "portal": f"{portal}/",
        "admin": f"{portal}/admin/",
        "API docs": f"{portal}/api/v1/docs",
    }


def print_addresses(stack: Stack, console: Console) -> None:
    """Print the addresses, and who may log in."""
    console.print()
    rows = addresses(stack) | {
        "log in as": "admin",
        "password": stack.secrets["CHRONICLE_ADMIN_PASSWORD"],
        "state, logs": str(stack.home),
    }
    print_rows(console, rows)


def print_rows(console: Console, rows: dict[str, str]) -> None:
    """Print names and values, one a line, whole: a magnet link must not lose its tail."""
    width = max(map(len, rows))
    for name, value in rows.items():
        console.print(f"  {name:<{width}}  {value}", markup=False, highlight=False, soft_wrap=True)


def print_timeline(console: Console, job: dict[str, Any]) -> None:
    """Print what happened to a job and when, with seconds since the request."""
    console.print(f"\n[bold]Timeline of {job['id']}[/]")
    begun = datetime.fromisoformat(job["requested_at"])
    width = max(len(entry["what"]) for entry in job["timeline"])
    for entry in job["timeline"]:
        at = datetime.fromisoformat(entry["at"])
        clock = f"{at.astimezone():%H:%M:%S.%f}"[:-3]
        after = f"{(at - begun).total_seconds():+.1f} s"
        line = f"  {clock}  {after:>8}  {entry['what']:<{width}}  {entry.get('detail') or ''}"
        console.print(line.rstrip(), markup=False, highlight=False, soft_wrap=True)
