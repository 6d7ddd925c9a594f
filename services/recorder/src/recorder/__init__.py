"""Records one URL, once; lives as long as the recording."""
