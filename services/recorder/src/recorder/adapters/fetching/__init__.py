"""Getting media from where it is served, whatever may be wrong there."""
