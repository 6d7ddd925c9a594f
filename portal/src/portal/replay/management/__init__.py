"""Commands of the replay tooling."""
