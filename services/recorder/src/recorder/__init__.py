"""The recorder: records one URL, once; lives as long as the recording."""
