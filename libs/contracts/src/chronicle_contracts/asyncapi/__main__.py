"""`python -m chronicle_contracts.asyncapi`: write docs/asyncapi.json, or check that it is current.

Exit code 0: written, or current; 1: `--check` found that it is not; 2: called wrongly.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from chronicle_contracts.asyncapi import document, text

DOCUMENT = Path("docs") / "asyncapi.json"
TOPOLOGY = Path("infra") / "topology.json"


def main(arguments: list[str] | None = None) -> int:
    """Write or check the document; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m chronicle_contracts.asyncapi")
    parser.add_argument("--topology", type=Path, default=TOPOLOGY)
    parser.add_argument("--output", type=Path, default=DOCUMENT)
    parser.add_argument("--prefix", default="chronicle", help="of topic and queues")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if it would change")
    asked = parser.parse_args(arguments)
    try:
        made = text(document(json.loads(asked.topology.read_bytes()), prefix=asked.prefix))
    except (OSError, ValueError) as error:
        parser.error(f"{asked.topology} cannot be read: {error}; name it by --topology")
    if asked.check:
        return check(asked.output, made)
    asked.output.write_text(made, encoding="utf-8")
    sys.stdout.write(f"wrote {asked.output}\n")
    return 0


def check(path: Path, made: str) -> int:
    """Say whether a file holds a document; return the exit code."""
    if path.is_file() and path.read_text(encoding="utf-8") == made:
        sys.stdout.write(f"{path} is current\n")
        return 0
    sys.stderr.write(
        f"{path} is not what the models and the topology say; "
        f"run `python -m chronicle_contracts.asyncapi --output {path}` and commit it\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
