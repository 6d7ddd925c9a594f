"""One module a verb; each only reads its arguments and calls `portal.replay`."""
