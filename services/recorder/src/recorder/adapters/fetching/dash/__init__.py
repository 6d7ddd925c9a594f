"""Live DASH."""
