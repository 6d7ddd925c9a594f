#!/usr/bin/env python
"""Commands of the portal: `python portal/manage.py help` lists them."""

from __future__ import annotations

import os
import sys

from chronicle_runtime import load
from django.core.management import execute_from_command_line
from portal.configuration import PortalSettings, prepare


def main() -> None:
    """Run one command; `--settings` alone prints what can be set."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    if sys.argv[1:] == ["--settings"]:
        load(PortalSettings)
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        sys.argv[1] = sys.argv[1].replace("-", "_")  # a module cannot be called as-of
    prepare()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
