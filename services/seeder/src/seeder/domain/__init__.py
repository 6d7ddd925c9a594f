"""Decisions about torrents: pure."""
