"""Live HLS."""
