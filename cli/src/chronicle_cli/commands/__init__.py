"""The subcommands: a module each, with its NAME and its `run`."""
