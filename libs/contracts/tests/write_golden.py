"""Write the golden schema and message of every form of an event that has none yet.

What is written stays: a version may gain optional fields, which makes another form of it, and
whatever else changes it must become the next version. From the top of the tree:

    python -m libs.contracts.tests.write_golden
"""

from __future__ import annotations

import json
import sys

from chronicle_contracts import encode
from chronicle_contracts.catalogue import GOLDEN, golden_files
from chronicle_contracts.compatibility import changes_of
from chronicle_contracts.schema import schema_of

from libs.contracts.tests.cast import FACTS, message


def main() -> None:
    """Write what is missing and say so; exit code 1 where something would break."""
    for fact in FACTS:
        documents = {"schema": schema_of(type(fact)), "message": json.loads(encode(message(fact)))}
        name = fact.TYPE
        known = [path for path in golden_files(name, "schema") if path.exists()]
        if known:
            newest = json.loads(known[-1].read_text())
            changes = changes_of(name, newest, documents["schema"])
            if broken := [str(change) for change in changes if change.breaking]:
                sys.exit("\n".join(broken))
            if not changes:
                continue
            name = f"{name}.{len(known) + 1}"
        for kind, document in documents.items():
            path = GOLDEN / f"{name}.{kind}.json"
            path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
            sys.stdout.write(f"wrote {path.name}\n")


if __name__ == "__main__":
    main()
