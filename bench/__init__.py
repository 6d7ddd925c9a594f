"""Reproducible benchmarks, each beside the peer or the limit that it is measured against."""
