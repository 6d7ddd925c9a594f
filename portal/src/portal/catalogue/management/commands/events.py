"""`manage.py events`: the catalogue, the AsyncAPI document, and whether a change breaks it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chronicle_contracts import contract_check
from chronicle_contracts.asyncapi import document, text
from chronicle_contracts.schema_sets import UnreadableSchemas
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.catalogue.listing import catalogue, topology

DOCUMENT = Path("docs") / "asyncapi.json"


class Command(BaseCommand):
    """Exit code 0: fine; 1: a breaking change, or a document that is not current; 2: misused."""

    help = "What is said in this system, and whether a change of it would break somebody."

    def add_arguments(self, parser: CommandParser) -> None:
        """One subcommand."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        check = verbs.add_parser("contract-check", help="fail on a breaking change of an event")
        contract_check.add_arguments(check)
        written = verbs.add_parser("asyncapi", help=f"write {DOCUMENT} from code and topology")
        written.add_argument("--output", type=Path, default=DOCUMENT)
        written.add_argument("--check", action="store_true", help="write nothing; 1 if it differs")
        listed = verbs.add_parser("list", help="list the events of the code and of the log")
        listed.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do what is asked."""
        verbs = {"contract-check": self._check, "asyncapi": self._asyncapi, "list": self._list}
        verbs[options["verb"]](options)

    def _check(self, options: dict[str, Any]) -> None:
        try:
            told, fine = contract_check.check(
                options["old"], options["new"], as_json=options["json"]
            )
        except UnreadableSchemas as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(told)
        if not fine:
            raise CommandError("see docs/evolving-events.md for what to do instead", returncode=1)

    def _asyncapi(self, options: dict[str, Any]) -> None:
        path: Path = options["output"]
        queues, prefix = topology()
        made = text(document(queues, prefix=prefix))
        if not options["check"]:
            path.write_text(made, encoding="utf-8")
            self.stdout.write(f"wrote {path}")
        elif path.is_file() and path.read_text(encoding="utf-8") == made:
            self.stdout.write(f"{path} is current")
        else:
            raise CommandError(f"{path} is not current; run without --check", returncode=1)

    def _list(self, options: dict[str, Any]) -> None:
        rows: list[dict[str, Any]] = [
            {
                "type": entry.event.type,
                "publisher": entry.event.publisher,
                "consumers": entry.consumers,
                "superseded": entry.event.is_superseded,
                "count": entry.count,
                "last_seen": entry.last_seen and entry.last_seen.isoformat(),
            }
            for entry in catalogue().entries
        ]
        if options["json"]:
            self.stdout.write(json.dumps({"results": rows}))
            return
        for row in rows:
            heard = f"{row['count']:>9}  {row['last_seen'] or '-':32}"
            self.stdout.write(f"{row['type']:44}  {heard}  {', '.join(row['consumers'])}")
