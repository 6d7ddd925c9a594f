"""What follows from what was seen: pure, no clock, no machine."""
