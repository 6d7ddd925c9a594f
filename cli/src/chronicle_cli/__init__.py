"""The chronicle command: a client of the API."""
