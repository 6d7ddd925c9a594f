"""The files of a recording, and how they become one object of the store."""
