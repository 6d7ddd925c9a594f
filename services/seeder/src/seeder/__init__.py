"""Makes torrents, seeds them, cleans up."""
