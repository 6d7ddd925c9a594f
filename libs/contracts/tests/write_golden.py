"""Write the golden schema and message of every event type that has none yet.

What is written stays: a change of an existing type must pass against its old files, or become
the next version. From the top of the tree:

    python -m libs.contracts.tests.write_golden
"""

from __future__ import annotations

import json
import sys

from chronicle_contracts import encode
from chronicle_contracts.catalogue import GOLDEN
from chronicle_contracts.schema import schema_of

from libs.contracts.tests.cast import FACTS, message


def main() -> None:
    """Write what is missing and say so."""
    for fact in FACTS:
        documents = {"schema": schema_of(type(fact)), "message": json.loads(encode(message(fact)))}
        for kind, document in documents.items():
            path = GOLDEN / f"{fact.TYPE}.{kind}.json"
            if not path.exists():
                path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
                sys.stdout.write(f"wrote {path.name}\n")


if __name__ == "__main__":
    main()
