"""The one-machine stack: process list, AWS endpoint, sample live stream, demo."""
