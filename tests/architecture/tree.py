"""The files of the tree that people wrote, and the packages among them."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# What tools make; a folder that begins with a dot is theirs too, but for these.
GENERATED = {"node_modules", "__pycache__", "dist", "build", "results", "migrations"}
OURS = {".ci", ".github"}


def files(*suffixes: str) -> Iterator[Path]:
    """Yield the files with one of the suffixes, all without any."""
    for folder, names, found in os.walk(ROOT):
        names[:] = sorted(
            name for name in names if name not in GENERATED and (name[0] != "." or name in OURS)
        )
        for name in sorted(found):
            path = Path(folder, name)
            if (not suffixes or path.suffix in suffixes) and not path.is_symlink():
                yield path


def shown(path: Path) -> str:
    """Return a path as it is written in the project."""
    return path.relative_to(ROOT).as_posix()


def is_test(path: Path) -> bool:
    return "tests" in path.relative_to(ROOT).parts


def projects() -> dict[Path, dict[str, Any]]:
    """Return the `[project]` table of every package by the package's folder."""
    found = {}
    for path in files(".toml"):
        if path.name == "pyproject.toml" and path.parent != ROOT:
            found[path.parent] = tomllib.loads(path.read_text())["project"]
    return found


def import_packages() -> dict[Path, dict[str, Any]]:
    """Return the importable folder of every package with its `[project]` table."""
    return {
        source: project
        for folder, project in projects().items()
        for source in (folder / "src").iterdir()
        if (source / "__init__.py").exists()
    }
