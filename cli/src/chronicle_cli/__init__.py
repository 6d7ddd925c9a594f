"""The chronicle command: a client of the API."""

__version__ = "0.1.0"
