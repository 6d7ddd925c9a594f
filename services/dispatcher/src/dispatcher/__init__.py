"""Claims jobs, checks URLs, launches and supervises recorders."""
