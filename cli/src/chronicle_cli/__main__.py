"""`chronicle`, or `python -m chronicle_cli`."""

from __future__ import annotations

from chronicle_cli.app import app


def main() -> None:
    """Run the command line and end the process with its exit code."""
    app(prog_name="chronicle")


if __name__ == "__main__":
    main()
