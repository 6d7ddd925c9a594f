"""What the dispatcher decides, purely: no clock, no I/O."""
