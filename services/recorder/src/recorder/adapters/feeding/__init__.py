"""From what fetchers give into a growing file."""
