"""Other ways in than the long-running process: Lambda functions over the same handlers."""
