"""Who may do what: API tokens, roles, and the limits on failed logins."""
