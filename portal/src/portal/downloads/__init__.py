"""Recordings and torrents over HTTP, whole or in ranges."""
